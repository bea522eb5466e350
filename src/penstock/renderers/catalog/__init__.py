"""Many flows as pages: an index, a page for each flow, and a map of the system."""

from __future__ import annotations

from .entries import Catalog
from .html import render_site
from .markdown import render_book

__all__ = ["Catalog", "render_book", "render_site"]
