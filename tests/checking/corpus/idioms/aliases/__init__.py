"""Other names for a step, and names that packages hand on."""

from .work import charge as take_money
from .work import validate

__all__ = ["take_money", "validate"]
