"""The ``penstock`` field: what it holds, and what a receiver takes from it."""

from __future__ import annotations

import re
from time import time
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from penstock._context import Done, caller_of
from penstock._platform.clock import utc
from penstock._runtime.ids import is_valid_id, refusal
from penstock._runtime.state import say, state

if TYPE_CHECKING:
    from collections.abc import Mapping

    from penstock._context import Scope

__all__ = ["MAX_BYTES", "MAX_DONE", "NOTHING", "Sent", "pack", "unpack"]

MAX_BYTES = 4096
MAX_DONE = MAX_BYTES // 2
"""How much of the field the names of steps may take."""

_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)

MAX_KEYS = 64
MAX_DEPTH = 8


class Sent(NamedTuple):
    """What a receiver takes from a ``penstock`` field."""

    correlation_id: str | None = None
    parent_id: str | None = None
    root_id: str | None = None
    flow: str = ""
    metadata: Mapping[str, object] = MappingProxyType({})
    done: Done | None = None
    call: str = ""
    run_id: str | None = None
    call_id: str | None = None
    step: str | None = None
    sent_at: str | None = None


NOTHING = Sent()


def pack(scope: Scope, call: str = "") -> str:
    """Return the field for *scope*: ASCII JSON of at most ``MAX_BYTES`` bytes.

    Keys: ``id``, where no header has it, ``parent`` and ``root`` are correlation IDs,
    ``flow``, ``step``, ``run_id`` and ``call_id`` say where the message was sent,
    ``sent_at`` when, ``service`` by whom, ``meta`` is the allow-listed metadata.
    Metadata that is not JSON, or too long, is dropped with one warning. Where
    conformance is on, ``done`` names the steps that are before the call; it ends with
    null if it is not complete. ``call`` is the step that the message calls, as
    flow/step, if the sender has judged and counted that call.
    """
    context = scope[0]
    sender_id, step = caller_of(scope)
    fields: dict[str, Any] = {
        "id": "" if state.headers else context.correlation_id,
        "parent": context.parent_id,
        "root": context.root_id,
        "flow": context.flow,
        "step": step,
        "run_id": context.run_id,
        "call_id": sender_id,
        "sent_at": utc(time()),
        "service": state.service,
        "call": call,
    }
    sent = {key: value for key, value in fields.items() if value and _fits(value, key)}
    room = MAX_BYTES - len(_json(sent)) - len(',"meta":{}')
    metadata = _packed(context.metadata, room) if state.propagate else ""
    parts = [_json(sent)[1:-1]]
    if metadata:
        parts.append(f'"meta":{{{metadata}}}')
    done = None if state.judge is None else state.judge.done_before(scope)
    if done is not None:
        room = MAX_BYTES - len(",".join(parts)) - len('{,"done":[null]}')
        parts.append(_packed_names(done, min(room, MAX_DONE)))
    return f"{{{','.join(filter(None, parts))}}}"


def _packed_names(done: Done, room: int) -> str:
    parts: list[str] = []
    is_all = done.is_all
    for name in sorted(done.steps):
        part = _json(name)
        if len(part) + 1 > room:
            is_all = False
            continue
        room -= len(part) + 1
        parts.append(part)
    return f'"done":[{",".join(parts if is_all else [*parts, "null"])}]'


def unpack(field: str | None, *, labels_only: bool = False) -> Sent:
    """Read a field that came in, leaving out whatever is wrong with it.

    With *labels_only* read the ID and which call has sent it, and nothing else.
    """
    if not field:
        return NOTHING
    try:
        sent = _parse(field)
        correlation_id = _adopted(sent.get("id"))
        call_id, step = _label(sent.get("call_id")), _label(sent.get("step"))
        if labels_only:
            return Sent(correlation_id, call_id=call_id, step=step)
        metadata = sent.get("meta")
        known = metadata if isinstance(metadata, dict) else {}
        return Sent(
            correlation_id,
            _relative(sent.get("parent")),
            _relative(sent.get("root")),
            str(sent.get("flow", "")),
            {key: known[key] for key in _allowed(known)[:MAX_KEYS]},
            _steps_done(sent),
            str(sent.get("call", "")),
            _label(sent.get("run_id")),
            call_id,
            step,
            _time(sent.get("sent_at")),
        )
    except (ValueError, RecursionError, AttributeError):
        return NOTHING


def _steps_done(sent: Mapping[str, object]) -> Done | None:
    names = sent.get("done")
    if not isinstance(names, list):
        return None
    steps = frozenset(name for name in names if isinstance(name, str))
    is_all = all(isinstance(name, str) for name in names)
    return Done(str(sent.get("service", "")), str(sent.get("flow", "")), steps, is_all)


def _adopted(value: object) -> str | None:
    if isinstance(value, str) and not refusal(value, state.is_valid_id):
        return value
    return None


def _relative(value: object) -> str | None:
    """Return a parent or root, also one that the sender made itself."""
    if isinstance(value, str) and is_valid_id(value):
        return value
    return _adopted(value)


def _label(value: object) -> str | None:
    """Return a name that only appears in logs, if it has the form of an ID."""
    return value if isinstance(value, str) and is_valid_id(value) else None


def _time(value: object) -> str | None:
    return value if isinstance(value, str) and _UTC.fullmatch(value) else None


def _allowed(metadata: Mapping[str, object]) -> list[str]:
    return sorted(state.propagate & metadata.keys())


def _fits(value: str, key: str) -> bool:
    """Tell whether a name is short enough to travel."""
    if len(_json(value)) <= MAX_BYTES // 8:
        return True
    _say_once(key, "it is too long")
    return False


def _packed(metadata: Mapping[str, object], room: int) -> str:
    """Return the inside of a JSON object that takes at most *room* bytes."""
    parts: list[str] = []
    allowed = _allowed(metadata)
    for key in allowed[MAX_KEYS:]:
        _say_once(key, f"more than {MAX_KEYS} keys")
    for key in allowed[:MAX_KEYS]:
        try:
            if not _is_json(metadata[key], MAX_DEPTH):
                _say_once(key, f"{type(metadata[key]).__name__} is not JSON")
                continue
            part = f"{_json(key)}:{_json(metadata[key])}"
        except (ValueError, RuntimeError):  # too deep, NaN, or changed meanwhile
            _say_once(key, "it cannot be written as JSON")
            continue
        if len(part) + 1 > room:
            _say_once(key, f"the field would exceed {MAX_BYTES} bytes")
            continue
        room -= len(part) + 1
        parts.append(part)
    return ",".join(parts)


def _is_json(value: object, depth: int) -> bool:
    """Tell whether JSON reads *value* back unchanged."""
    if value is None or type(value) in {str, int, float, bool}:
        return True
    if depth == 0:
        return False
    if type(value) is list:
        return all(_is_json(item, depth - 1) for item in value)
    return type(value) is dict and all(
        type(key) is str and _is_json(item, depth - 1) for key, item in value.items()
    )


def _json(value: object) -> str:
    from json import dumps  # noqa: PLC0415  # +2 ms on import

    text = dumps(value, separators=(",", ":"), allow_nan=False)
    return text.replace("\x7f", "\\u007f")  # the one control character that JSON leaves


def _parse(field: str) -> dict[str, Any]:
    """Return the first object in *field*: servers join headers that came twice.

    Raises:
        ValueError: It is not one, too long, or not ASCII.
    """
    from json import JSONDecoder  # noqa: PLC0415  # +2 ms on import

    start = field[:MAX_BYTES].lstrip()
    sent, end = JSONDecoder(parse_constant=_refuse_constant).raw_decode(start)
    is_alone = start[end:].lstrip()[:1] in {"", ","}
    is_ascii_object = isinstance(sent, dict) and start.isascii()
    if not is_alone or not is_ascii_object or not _is_json(sent, MAX_DEPTH + 2):
        msg = "not an object of moderate depth"
        raise ValueError(msg)
    return cast("dict[str, Any]", sent)


def _refuse_constant(name: str) -> object:
    raise ValueError(name)


def _say_once(key: str, reason: str) -> None:
    text = "Metadata %r was not sent: %s. Logged only once."
    say(text, key, reason, once=("metadata", key))
