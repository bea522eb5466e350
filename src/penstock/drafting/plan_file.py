"""A plan as a TOML file, whose comments and order stay when it is written again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from penstock._platform.file import write_file
from penstock._platform.optional import requires
from penstock.errors import ConfigurationError, did_you_mean

with requires("tomlkit", extra="draft"):
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

from .plan import DraftPlan, PlannedStep

if TYPE_CHECKING:
    from pathlib import Path

    from tomlkit import TOMLDocument

__all__ = ["read_plan", "write_plan"]

_HEAD = """\
The draft of a flow. Delete the steps that do not matter, rename the others, and add
[[step]] with a function from the list at the end. Then draw it again:
  penstock draft --plan {file}
What is missing in a step is filled in; what you write stays. Write the markers:
  penstock draft --plan {file} --write"""
_REST = "Left out. To add one: [[step]], and this line without the #."
_MODULE = re.compile(r"[\w.]+:[\w.]+")
_KEYS = {"function", "name", "after", "why", "recorded", "calls", "overrides"}
_FLAGS = {"guess", "message"}


def read_plan(path: Path) -> DraftPlan:
    """Read a plan.

    Raises:
        ConfigurationError: The file is not a plan.
    """
    try:
        fields: dict[str, Any] = _document(path).unwrap()
        plan = _plan(fields)
    except (TOMLKitError, ValueError, OSError) as exc:
        msg = f"{path}: {getattr(exc, 'strerror', None) or exc}"
        raise ConfigurationError(msg) from exc
    return plan


def write_plan(path: Path, plan: DraftPlan) -> None:
    """Write *plan*; in a file that is there, add only what its steps lack."""
    document = _document(path) if path.exists() else _new(path, plan)
    tables: Any = document["step"]
    for table, step in zip(tables, plan.steps, strict=True):
        for key, value in _fields(step).items():
            if table.get(key) != value:
                table[key] = _item(value)
    functions = "|".join(re.escape(step.function) for step in plan.steps)
    listed = rf'^# function = "({functions})"  # .*\n'  # what was left out, once
    text = re.sub(listed, "", tomlkit.dumps(document), flags=re.MULTILINE)
    write_file(path, text.encode())


def _document(path: Path) -> TOMLDocument:
    return tomlkit.parse(path.read_text(encoding="utf-8-sig"))


def _plan(fields: dict[str, Any]) -> DraftPlan:
    steps = fields.get("step") or []
    if not isinstance(steps, list) or not all(isinstance(s, dict) for s in steps):
        steps = []
    if not steps:
        msg = "a plan has one [[step]] for each step, the entrypoint first."
        raise ValueError(msg)
    plan = DraftPlan(
        _text(fields, "flow"),
        _text(fields, "entry"),
        tuple(map(_step, steps)),
        _text(fields, "owner", needed=False),
    )
    for kind in ("name", "function"):
        seen: set[str] = set()
        for one in plan.steps:
            value: str = getattr(one, kind)
            if value and value in seen:
                msg = f"two steps have the {kind} {value!r}. Change or delete one."
                raise ValueError(msg)
            seen.add(value)
    return plan


def _step(fields: Any) -> PlannedStep:
    for key in fields:
        if key not in _KEYS | _FLAGS:
            msg = f"a step has no {key!r}.{did_you_mean(key, _KEYS | _FLAGS)}"
            raise ValueError(msg)
    function = _text(fields, "function")
    if not _MODULE.fullmatch(function):
        msg = f"function = {function!r} is not module:function."
        raise ValueError(msg)
    return PlannedStep(
        function,
        _text(fields, "name", needed=False),
        _texts(fields, "after") if "after" in fields else None,
        _text(fields, "why", needed=False),
        _counts(fields.get("recorded", {})),
        _count(fields, "calls"),
        _count(fields, "overrides"),
        bool(fields.get("guess")),
        bool(fields.get("message")),
    )


def _text(fields: dict[str, Any], key: str, *, needed: bool = True) -> str:
    value = fields.get(key, "")
    if not isinstance(value, str) or (needed and not value):
        msg = f"{key} = {value!r} is not a name."
        raise ValueError(msg)
    return value


def _texts(fields: dict[str, Any], key: str) -> tuple[str, ...]:
    value = fields.get(key, [])
    value = [value] if isinstance(value, str) else value
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        msg = f"{key} = {value!r} is not a list of names."
        raise ValueError(msg)
    return tuple(value)


def _count(fields: dict[str, Any], key: str) -> int:
    value = fields.get(key, 0)
    if not isinstance(value, int):
        msg = f"{key} = {value!r} is not a number."
        raise ValueError(msg)  # noqa: TRY004  # about what was read, not an argument
    return value


def _counts(value: Any) -> tuple[tuple[str, int], ...]:
    if not isinstance(value, dict) or not all(
        isinstance(one, int) for one in value.values()
    ):
        msg = f"recorded = {value!r} is not a table of names with numbers of runs."
        raise ValueError(msg)
    return tuple(value.items())


def _fields(step: PlannedStep) -> dict[str, Any]:
    """Return what the file says about a step; what is not known is left out."""
    fields = {
        "function": step.function,
        "name": step.name,
        "after": None if step.after is None else list(step.after),
        "why": step.why or None,
        "recorded": dict(step.recorded) or None,
        "calls": step.calls or None,
        "overrides": step.overrides or None,
        "guess": step.is_guess or None,
        "message": step.is_sent or None,
    }
    return {key: value for key, value in fields.items() if value is not None}


def _item(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    table = tomlkit.inline_table()
    table.update(value)
    return table


def _new(path: Path, plan: DraftPlan) -> TOMLDocument:
    document = tomlkit.document()
    for line in _HEAD.format(file=path.name).splitlines():
        document.add(tomlkit.comment(line))
    document.add("flow", tomlkit.string(plan.flow))
    document.add("entry", tomlkit.string(plan.entry))
    if plan.owner:
        document.add("owner", tomlkit.string(plan.owner))
    tables = tomlkit.aot()
    for step in plan.steps:
        table = tomlkit.table()
        for key, value in _fields(step).items():
            table.add(key, _item(value))
        tables.append(table)
    document.add("step", tables)
    if plan.others:
        tables[-1].add(tomlkit.nl())
        for line in (
            _REST,
            *(f'function = "{one}"  # {why}' for one, why in plan.others),
        ):
            tables[-1].add(tomlkit.comment(line))
    return document
