"""Report violations: log them, call listeners, or stop the call."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._runtime.state import say
from penstock.errors import FlowOrderError

if TYPE_CHECKING:
    from collections.abc import Callable

    from .violations import Violation

    Listener = Callable[[Violation, str, bool], None]


class Reporter:
    """Reports each violation once, depending on the mode.

    Attributes:
        mode: ``record``, ``warn`` or ``raise``.
        listeners: Called with each violation, its run, and True, or False if a later
            call has corrected it.
    """

    def __init__(self) -> None:
        self.mode: str = "record"
        self.listeners: tuple[Listener, ...] = ()
        self._reported: set[object] = set()

    def clear(self) -> None:
        """Forget what was reported."""
        self._reported.clear()

    def notify(self, violation: Violation, run: str, *, is_found: bool) -> None:
        """Call the listeners."""
        for listen in self.listeners:
            listen(violation, run, is_found)

    def report(self, violation: Violation, *, is_late: bool) -> None:
        """Stop the call that broke the order, or log it if it is too late for that.

        Raises:
            FlowOrderError: The mode is ``raise``, and it is not late.
        """
        flow, step, code, message, _ = violation
        if self.mode == "raise" and not is_late:
            raise FlowOrderError(message, flow=flow, step=step, code=code)
        if self.mode != "record" and self._is_new(violation):
            say("%s %s", code, message)

    def report_failure(self, exc: Exception) -> None:
        """Log once per cause that penstock itself failed."""
        trace = exc.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        if self._is_new(
            (type(exc), trace and (trace.tb_frame.f_code, trace.tb_lineno))
        ):
            text = "Conformance failed, and the step ran anyway: %r. Logged only once."
            say(text, exc)

    def _is_new(self, cause: object) -> bool:
        if cause in self._reported:
            return False
        self._reported.add(cause)
        return True
