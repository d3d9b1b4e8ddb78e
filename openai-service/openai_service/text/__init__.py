"""Text: folding, question forms, redaction, detection of prompt injection."""
