"""Name a page after a flow, whatever the flow is called."""

from __future__ import annotations

import re
from hashlib import sha256

__all__ = ["page_name"]

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_LIKE_OURS = re.compile(r".*-[0-9a-f]{16}")
_UNFIT = re.compile(r"[^a-z0-9_]+")
_MAX_LENGTH = 40
# Windows takes these for devices, whatever suffix they have.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{port}{n}" for port in ("com", "lpt") for n in "0123456789"]
)


def page_name(flow: str) -> str:
    """Return the name of a flow's page, without a suffix.

    It depends on nothing but the flow's name, so that links to it stay. It is that
    name where every system can have such a file; any other gets a part of its hash,
    so that no two flows have one page, also where case makes no difference.
    """
    if (
        _PLAIN.fullmatch(flow)
        and flow not in _DEVICES
        and not _LIKE_OURS.fullmatch(flow)
    ):
        return flow
    stem = _UNFIT.sub("-", flow.lower()[:_MAX_LENGTH]).strip("-_")
    digest = sha256(flow.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{stem or 'flow'}-{digest}"
