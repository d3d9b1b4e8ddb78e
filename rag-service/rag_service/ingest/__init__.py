"""The feed of twitter-service, stored as documents."""
