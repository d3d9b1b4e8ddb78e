"""The synthetic corpus that ships with the project: a few thousand invented tweets about invented candidates."""
