"""Names that only a run knows, in whole or in part."""
