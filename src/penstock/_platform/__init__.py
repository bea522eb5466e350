"""The process, optional packages, and files."""
