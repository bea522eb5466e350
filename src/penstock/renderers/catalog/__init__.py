"""Many flows as pages: an index, a page for each flow, and a map of the system."""

from __future__ import annotations

from .book import render_book
from .entries import Catalog
from .site import render_site

__all__ = ["Catalog", "render_book", "render_site"]
