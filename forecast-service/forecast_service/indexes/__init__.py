"""Indexes of the conversation about an entity."""
