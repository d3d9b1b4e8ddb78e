"""What a question asks: about what, whom and when, and in which form."""
