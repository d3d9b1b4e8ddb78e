"""What users want to be told, and how they are told: webhooks and streams of events."""
