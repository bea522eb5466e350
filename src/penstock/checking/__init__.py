"""Hold what is declared against the source, without running a flow."""
