"""Stored calls, and the operations that they form."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from .lines import StoredLine

OrderVerdict = Literal["in order", "out of order", "unknown"]

NO_START = "no line says when it began"
"""The doubt about a call whose start is missing."""

Recorded = Literal["each", "run", "late", "span"]


@dataclass(slots=True, eq=False)
class StoredCall:
    """One call of a step or an entrypoint.

    Times are microseconds since 1970 by the clock of the host that made the call.

    Attributes:
        flow: Its flow.
        step: Its step.
        service: The service, ``""`` if unknown; likewise the next two.
        host: The host.
        process: What tells its process from others of the host.
        call_id: Its ID, ``""`` for lines of older versions; likewise the others.
        run_id: The ID of the entry call of its run.
        correlation_id: The ID of its run.
        root_id: The ID of the operation.
        parent_id: The ID of the run that started its run.
        parent_call_id: The call that made it.
        parent_step: The step that made it, ``flow/step`` or ``step``.
        start_us: When it began, None if no line says.
        end_us: When it ended, None if no line says: it has *no end*.
        first_item_us: When a generator gave its first item.
        sent_at_us: If a message brought it: when that was sent, by the sender's clock.
        outcome: How it ended, as in the table of log fields; ``""`` if it has no end.
        error_type: The class of its exception.
        recorded: What its times are from: lines of its own (``each``), the line of
            its run (``run``), a line of its own beside that (``late``), or a span.
        parent: The call that made it, None at the top and where that is not known.
        children: The calls that it made, by start.
        lines: Other lines that were written inside it.
        doubts: What is not certain about it, in words.
    """

    flow: str
    step: str
    service: str = ""
    host: str = ""
    process: str = ""
    call_id: str = ""
    run_id: str = ""
    correlation_id: str = ""
    root_id: str = ""
    parent_id: str = ""
    parent_call_id: str = ""
    parent_step: str = ""
    start_us: int | None = None
    end_us: int | None = None
    first_item_us: int | None = None
    sent_at_us: int | None = None
    outcome: str = ""
    error_type: str = ""
    recorded: Recorded = "each"
    parent: StoredCall | None = None
    children: list[StoredCall] = field(default_factory=list)
    lines: list[StoredLine] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Operation:
    """A root run and everything that it caused, in all services.

    Attributes:
        root_id: The root's correlation ID.
        roots: The calls without a known parent, by start; the first is the entry.
        calls: All calls, depth first.
        lines: Other lines that belong to none of the calls.
        gaps: What shows that lines are missing, in words with counts: starts
            without an end, ends without a start, unknown parents, no entry.
    """

    root_id: str
    roots: list[StoredCall] = field(default_factory=list)
    calls: list[StoredCall] = field(default_factory=list)
    lines: list[StoredLine] = field(default_factory=list)
    gaps: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OrderJudgement:
    """The verdict on one run of one flow, or on the part that is stored.

    Attributes:
        flow: The flow.
        run_id: The run, ``""`` if unknown.
        verdict: The verdict.
        reasons: Why, in words; empty if it is in order.
        edges: The edges that were broken, as (predecessor, step).
        calls: The calls that broke them.
    """

    flow: str
    run_id: str
    verdict: OrderVerdict
    reasons: tuple[str, ...] = ()
    edges: tuple[tuple[str, str], ...] = ()
    calls: tuple[StoredCall, ...] = ()
