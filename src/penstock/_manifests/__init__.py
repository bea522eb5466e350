"""The flows of a service as JSON: read, write and compare."""
