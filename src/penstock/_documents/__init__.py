"""Diagrams inside Markdown and notebooks."""
