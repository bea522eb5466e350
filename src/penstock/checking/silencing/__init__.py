"""Silence findings: with comments, evidence and baselines."""
