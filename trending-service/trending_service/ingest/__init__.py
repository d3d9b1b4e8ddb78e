"""The feed of twitter-service: followed, stored, reported."""
