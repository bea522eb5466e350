"""What the call path reads: the settings, the recorders and who watches."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final, Protocol

from penstock._platform.call_ids import call_numbers

from .header_names import InboundNames
from .ids import is_valid_id, mint_id, pool

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from penstock._context import Call

LOGGER = logging.getLogger("penstock")
_nothing = logging.NullHandler()
_nothing.setLevel(logging.CRITICAL + 1)  # present, and never called
LOGGER.addHandler(_nothing)


class Recorder(Protocol):
    """What the call path calls for each backend; cheaper than ``span()``.

    ``start`` returns whatever the recorder needs to ``finish``. A generator's
    recording is paused while its body does not run.
    """

    def enabled(self) -> bool:
        """Tell whether it wants this step recorded."""
        ...

    def start(self, call: Call, /) -> object:
        """Record that the step of *call* starts."""
        ...

    def start_paused(self, call: Call, /) -> object:
        """Record that a generator starts; its recording is not current yet."""
        ...

    def finish(
        self, call: Call, started: Any, exc: BaseException | None, *, inner: bool
    ) -> None:
        """Record that it ended; *inner* if no step below reported *exc* already."""
        ...

    def missed(self, call: Call, exc: BaseException, *, inner: bool) -> None:
        """Record a failure of a step whose start was quiet."""
        ...

    def resume(self, started: Any) -> None:
        """Make the recording current: the generator's body runs again."""
        ...

    def pause(self, started: Any) -> None:
        """Make it not current: the generator's consumer runs."""
        ...


ASK_EACH_TIME: Final[Mapping[int, bool]] = {logging.INFO: True}
"""The answers where every backend has to be asked for each call."""


class State:
    """The settings, in the form that is cheapest to read on every call.

    Attributes:
        answers: A logger's cache of "is this level on?" where one logging
            backend is all there is, else ``ASK_EACH_TIME``. ``answers[level]`` is False
            where no backend wants a step recorded; True, or no answer, means "ask".
        call_numbers: Gives each call its number. It is here because state pickles by
            name: a wrapper that cloudpickle copies must go on counting with the rest.
        level: The key to look up in *answers*.
        record_fields: What an integration adds to log records: how to read each
            field, None where there is nothing to say. Replaced, never changed.
        raw_headers: *headers* as ASGI has them.
        pool: Correlation IDs to use up first; empty where ``new_id`` was set.
        is_watched: Whether something reads the current step.
        is_numbered: Whether something reads the ID of the current call.
        unjudged: Like *answers*, but ``ASK_EACH_TIME`` where runs are judged, so that
            no entrypoint is missed.
        judge: The ``Judge`` of ``penstock.conformance``, which the call path does
            not import; None where conformance is off.
        recorders: One for each active backend.
    """

    __slots__ = (
        "_watchers",
        "answers",
        "call_numbers",
        "headers",
        "inbound_headers",
        "inbound_names",
        "is_numbered",
        "is_valid_id",
        "is_watched",
        "judge",
        "level",
        "new_id",
        "outside",
        "pool",
        "propagate",
        "raw_headers",
        "record_fields",
        "recorders",
        "service",
        "source_url",
        "trust_inbound",
        "unjudged",
    )

    def __init__(self) -> None:
        self.answers: Mapping[int, bool] = ASK_EACH_TIME
        self.unjudged: Mapping[int, bool] = ASK_EACH_TIME
        self.call_numbers: Iterator[int] = call_numbers
        self.level = logging.INFO
        self.is_watched = False
        self.is_numbered = False
        self.judge: Any = None
        self.recorders: tuple[Recorder, ...] = ()
        self.record_fields: Mapping[str, Callable[[], str | None]] = {}
        self.outside = "raise"
        self.pool = pool
        self.new_id: Callable[[], str] = mint_id
        self.service = ""
        self.source_url = ""
        self.headers: tuple[str, ...] = ()
        self.raw_headers: tuple[bytes, ...] = ()
        self.inbound_headers: tuple[str, ...] = ()
        self.inbound_names = InboundNames(())
        self.is_valid_id: Callable[[str], bool] = is_valid_id
        self.propagate: frozenset[str] = frozenset()
        self.trust_inbound: str | None = None
        self._watchers: set[object] = set()

    def __reduce__(self) -> str:
        """Pickle it by name: a function that is sent by value uses it as a global."""
        return "state"

    def judge_by(self, judge: object) -> None:
        """Have every call judged from now on, or none (None)."""
        self.judge = judge
        self.unjudged = self.answers if judge is None else ASK_EACH_TIME
        (self.unwatch if judge is None else self.watch)("conformance")

    def watch(self, reader: object) -> None:
        """Keep the current step known, because *reader* will ask for it."""
        self._watchers.add(reader)
        self._count_watchers()

    def unwatch(self, reader: object) -> None:
        """Forget that *reader* asks for the current step."""
        self._watchers.discard(reader)
        self._count_watchers()

    def _count_watchers(self) -> None:
        self.is_watched = bool(self._watchers)
        self.is_numbered = bool(self._watchers - {"conformance"})


state = State()


_said: set[object] = set()


def say(template: str, *args: object, once: object = None) -> None:
    """Log a warning; a broken log handler does not break the call.

    Where logging is not set up, it goes to stderr, as Python shows any warning.

    Args:
        template: The message, with a place for each of *args*.
        *args: What is filled into it.
        once: What the warning is about; only the first about an equal one is logged.
    """
    if once is not None:
        if once in _said:
            return
        _said.add(once)
    try:  # importing contextlib would cost 1 ms
        LOGGER.warning(template, *args, stacklevel=2)
        _show_unhandled(template, args)
    except Exception:  # noqa: BLE001, S110  # there is nowhere else to say it
        pass


def _show_unhandled(template: str, args: tuple[object, ...]) -> None:
    """Let the handler of last resort show a warning that no other handler has got."""
    has_others = logging.root.handlers or LOGGER.handlers != [_nothing]
    if has_others or not LOGGER.isEnabledFor(logging.WARNING):
        return
    if logging.lastResort is not None:
        record = LOGGER.makeRecord(
            LOGGER.name, logging.WARNING, "", 0, template, args, None
        )
        logging.lastResort.handle(record)
