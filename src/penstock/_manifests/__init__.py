"""The flows of a service as JSON: read, write, merge and compare."""
