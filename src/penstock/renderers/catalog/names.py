"""Turn the name of a flow into the name of its page."""

from __future__ import annotations

import re
from hashlib import sha256

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_-]{0,59}")
_HASHED = re.compile(r".*-[0-9a-f]{16}")
_UNFIT = re.compile(r"[^a-z0-9_]+")
_MAX_LENGTH = 40
# Windows reserves these names for devices, with any suffix.
_DEVICES = frozenset(
    ["con", "prn", "aux", "nul"]
    + [f"{port}{n}" for port in ("com", "lpt") for n in "0123456789"]
)


def page_name(flow: str) -> str:
    """Return the name of a flow's page, without a suffix.

    It depends on the flow's name alone, so that links stay valid. A name that is not
    a portable file name is shortened and gets part of its hash, so that no two flows
    share a page, even on a file system that ignores case.
    """
    if _PLAIN.fullmatch(flow) and flow not in _DEVICES and not _HASHED.fullmatch(flow):
        return flow
    stem = _UNFIT.sub("-", flow.lower()[:_MAX_LENGTH]).strip("-_")
    digest = sha256(flow.encode(errors="surrogatepass")).hexdigest()[:16]
    return f"{stem or 'flow'}-{digest}"
