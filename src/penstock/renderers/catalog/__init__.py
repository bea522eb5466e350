"""A catalog of flows: an index, a page for each flow, and a map of the system."""

from __future__ import annotations

from .entries import Catalog
from .html import render_html_catalog
from .markdown import render_markdown_catalog

__all__ = ["Catalog", "render_html_catalog", "render_markdown_catalog"]
