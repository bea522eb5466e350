"""Calls from module to module."""
