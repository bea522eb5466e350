"""Stored runs: read from the log lines and spans that services already write."""
