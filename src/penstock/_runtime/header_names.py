"""The names of the headers that matter, in the forms that are cheapest to look up."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIELD = "penstock"
"""The one header or message field for everything but the correlation ID."""

TRACE = ("traceparent", "tracestate")
"""The headers of W3C Trace Context: which span has sent this."""

INBOUND_HEADERS = ("X-Correlation-ID", "X-Request-ID", "traceparent")
"""Headers that may bring an ID in, unless other ones are configured."""


class InboundNames:
    """The headers that a receiver looks for.

    Attributes:
        ids: Those that may bring an ID, the best first: as configured, in lower case.
        wanted: All that matter, as text and as bytes in lower case, as text.
        environ: The same names, with the keys that WSGI has for them.
    """

    __slots__ = ("environ", "ids", "wanted")

    def __init__(self, id_headers: Iterable[str]) -> None:
        self.ids = tuple((name, name.lower()) for name in id_headers)
        names = dict.fromkeys((*(lower for _, lower in self.ids), FIELD, *TRACE))
        self.wanted: Mapping[str | bytes, str] = {
            form: name for name in names for form in (name, name.encode())
        }
        self.environ = tuple(
            (name, f"HTTP_{name.upper().replace('-', '_')}") for name in names
        )

    @classmethod
    def configured(
        cls, inbound: tuple[str, ...], sent: tuple[str, ...]
    ) -> InboundNames:
        """Return what settings say; unless *inbound* is set, read the sent ones too."""
        if inbound != INBOUND_HEADERS:
            return cls(inbound)
        known = {name.lower() for name in inbound}
        return cls((*(name for name in sent if name.lower() not in known), *inbound))
