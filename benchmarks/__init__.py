"""Measure what penstock costs, as ratios to well-known operations: ``make bench``."""
