"""Backends, which record steps."""
