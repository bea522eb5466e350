"""Find where a name is defined, by type: ty, jedi, or a resolver of a package."""

from __future__ import annotations

from penstock.checking.findings import Place

from .base import Resolver, ResolverError

__all__ = ["Place", "Resolver", "ResolverError"]
