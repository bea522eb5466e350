"""Where steps are recorded."""
