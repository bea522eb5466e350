"""A shop of four services, followed by one ID: ``make showcase``."""
