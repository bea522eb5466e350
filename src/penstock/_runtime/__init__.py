"""The call path: what happens when a marked function is called."""
