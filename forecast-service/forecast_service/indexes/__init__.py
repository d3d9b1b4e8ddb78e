"""Indexes of the conversation about an entity, day by day."""
