"""Draft a flow of code that has no markers, for a person to cut down."""
