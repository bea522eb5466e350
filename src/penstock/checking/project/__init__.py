"""The project's source: files, definitions and steps."""
