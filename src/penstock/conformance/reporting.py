"""Tell of findings: to the log, to whoever listens, to the call that is stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._runtime.state import say
from penstock.errors import FlowOrderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .counters import Book, Finding

    Hear = Callable[[Finding, str, bool], None]

__all__ = ["Teller"]


class Teller:
    """Says each finding once, as the mode wants it.

    Attributes:
        mode: ``record``, ``warn`` or ``raise``.
        hearers: Are told of each finding, and of each that is taken back.
    """

    def __init__(self) -> None:
        self.mode: str = "record"
        self.hearers: tuple[Hear, ...] = ()
        self._said: set[object] = set()

    def clear(self) -> None:
        """Forget what was said."""
        self._said.clear()

    def note(self, book: Book, finding: Finding, run: str) -> bool:
        """Count a finding; return whether it is to be said, too."""
        book.add(finding, run)
        for hear in self.hearers:
            hear(finding, run, True)  # noqa: FBT003  # it is one
        if self.mode == "record":
            return False
        is_new = finding not in self._said
        self._said.add(finding)
        return is_new

    def take_back(self, book: Book, finding: Finding, run: str) -> None:
        """Count it no longer."""
        book.take_back(finding, run)
        for hear in self.hearers:
            hear(finding, run, False)  # noqa: FBT003  # it is none any more

    def tell(self, finding: Finding, *, is_new: bool) -> None:
        """Stop the call that broke the order, or say so.

        Raises:
            FlowOrderError: The mode is ``raise``, and a call is to blame.
        """
        if self.mode == "raise" and finding.code != "R2":
            flow, step, code, message, _ = finding
            raise FlowOrderError(message, flow=flow, step=step, code=code)
        if is_new:
            say("%s %s", finding.code, finding.message)

    def report(self, exc: Exception) -> None:
        """Say once per cause that we failed."""
        trace = exc.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        cause = type(exc), trace and (trace.tb_frame.f_code, trace.tb_lineno)
        if cause not in self._said:
            self._said.add(cause)
            text = "Conformance failed, and the step ran all the same: %r. Said once."
            say(text, exc)
