"""The parsed files of a project, where the interpreter looks for them."""

from __future__ import annotations

from penstock._project.source_files import Module

__all__ = ["Module"]
