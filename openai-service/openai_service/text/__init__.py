"""Text: question forms, redaction, detection of prompt injection."""
