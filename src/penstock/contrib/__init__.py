"""Integrations, one module per framework; each is imported by its own name."""
