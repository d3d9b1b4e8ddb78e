"""Text: normalisation and language detection."""
