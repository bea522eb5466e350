"""Read earlier revisions of a project."""
