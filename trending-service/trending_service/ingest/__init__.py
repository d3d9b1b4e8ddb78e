"""The feed of twitter-service, taken into the store."""
