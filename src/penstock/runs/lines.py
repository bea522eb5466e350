"""One line of a log, or one span, with its fields under penstock's own names."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class StoredLine:
    """One log line, or one OpenTelemetry span.

    Attributes:
        time_us: When it was written, in microseconds since 1970 (UTC); for a span,
            when it ended. None if the line does not say.
        fields: What is known of the table of log fields (``backends.log_fields``),
            under those names and with the right types; a name with an absent or
            malformed value is missing. ``duration_ms``, ``first_item_ms`` are floats,
            ``calls`` is a list of dicts, all others strings. More keys: ``level``,
            ``logger``, ``message``, ``host.name`` and ``process.pid`` (strings). A span
            that is linked to others has ``links``, a list of strings like ``call_id``.
        extra: The other keys of the line, such as metadata.
        source: The file that it comes from, as the user named it; ``-`` for stdin.
        is_span: Whether it is a span. Its ``call_id`` is ``span:`` and its span ID,
            its ``parent_call_id`` likewise; ``logged_call_id`` is the ID in the log
            lines that it was made from; a span of something else than a step has no
            ``flow_event``.
    """

    time_us: int | None
    fields: dict[str, Any]
    extra: dict[str, Any] = field(default_factory=dict)
    source: str = "-"
    is_span: bool = False


@dataclass(slots=True)
class ReadCounts:
    """How much was read, and what was skipped and why.

    Attributes:
        files: The files that were read.
        hits: Lines that belong to what was asked for.
        skipped: For each reason, in words, how many lines were skipped.
        unread: Files and folders that could not be read, or not to their end, and why.
        elsewhere: Lines with the text that was looked for, but not as ID or metadata.
        elsewhere_keys: The keys that have just this text in such lines.
        is_sampled: Whether the data say that only some of the runs were kept.
    """

    files: int = 0
    hits: int = 0
    skipped: dict[str, int] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    elsewhere: int = 0
    elsewhere_keys: set[str] = field(default_factory=set)
    is_sampled: bool = False

    def skip(self, reason: str) -> None:
        """Count a line that was skipped."""
        self.skipped[reason] = self.skipped.get(reason, 0) + 1


def is_about_call(line: StoredLine) -> bool:
    """Tell whether penstock wrote a line, or a span, about a call of a step."""
    return all(map(line.fields.get, ("flow_event", "flow", "step")))


def outcome_of(line: StoredLine) -> str:
    """Return how a call ended, from the line that says so."""
    otherwise = "error" if line.fields["flow_event"] == "step.error" else "ok"
    outcome: str = line.fields.get("outcome") or otherwise
    return outcome
