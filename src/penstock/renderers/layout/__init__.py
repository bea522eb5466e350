"""Place boxes in rows, and the lines between them: one engine for every drawing."""
