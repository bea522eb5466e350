"""Carry a flow context to threads and other processes."""
