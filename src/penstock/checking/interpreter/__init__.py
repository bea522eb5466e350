"""Follow calls through the source, without running it."""
