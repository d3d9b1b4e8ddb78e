"""Conversations: questions that follow one another, kept for the one who asks them."""
