"""A user's project: targets, imports and settings."""
