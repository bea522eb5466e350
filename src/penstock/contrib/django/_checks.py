"""Findings as Django's system checks.

Declarations are checked at every start, so that has to be quick: what Django has
imported by then is judged, and nothing else is imported or read unless that seems
wrong. The source is read where ``check --deploy`` asks for it.
"""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._platform.optional import requires
from penstock._registry import declared_flows
from penstock.errors import MissingExtraError, PenstockError

with requires("django", extra="django"):
    from django import conf
    from django.core import checks
    from django.urls import get_resolver

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from penstock.checking.findings import Finding

__all__ = ["check_declarations", "check_source", "register_checks"]

_TAG = "penstock"
_LEVELS = {"error": checks.ERROR, "warning": checks.WARNING, "info": checks.INFO}
_reported: set[tuple[str, ...]] = set()


def register_checks() -> None:
    """Let Django run the checks; to do so again changes nothing."""
    checks.register(check_declarations, _TAG)
    checks.register(check_source, _TAG, deploy=True)


def check_declarations(*, app_configs: Any = None, **_kwargs: Any) -> list[Any]:
    """Tell what is wrong with the declared names: PEN001, PEN002 and PEN003.

    At the start of other commands than ``check`` an error is told as a warning: what
    is declared wrong runs all the same, and should not stop a migration.
    """
    _reported.clear()
    messages = _told(_of_declarations, app_configs)
    if sys.argv[1:2] != ["check"]:
        for message in messages:
            message.level = min(message.level, checks.WARNING)
    return messages


def check_source(*, app_configs: Any = None, **_kwargs: Any) -> list[Any]:
    """Tell all that ``penstock check`` finds, but for what was told already."""
    return _told(_of_source, app_configs)


def _told(find: Callable[[], Iterable[Finding]], apps: Any) -> list[Any]:
    """Return what *find* finds, as messages; a start never fails because of us."""
    try:
        found = [f for f in find() if _is_of(f, apps) and _key(f) not in _reported]
        _reported.update(map(_key, found))
        return [_message(finding) for finding in found]
    except MissingExtraError as exc:
        what = f"the code was not held against the flows: {exc}"
        return [checks.Info(what, obj="penstock", id="penstock.I803")]
    except PenstockError as exc:
        what = f"the flows were not checked: {exc}"
        return [checks.Warning(what, obj="penstock", id="penstock.W801")]
    except Exception as exc:  # noqa: BLE001  # a mistake of ours stops no migration
        what = f"the check itself failed: {type(exc).__name__}: {exc}"
        return [checks.Warning(what, obj="penstock", id="penstock.W802")]


def _of_declarations() -> Iterable[Finding]:
    # Imports stand where they are needed: a server checks nothing, most starts find
    # nothing, and jedi may be missing. Together they take 50 ms.
    from penstock.checking.quick import is_doubtful  # noqa: PLC0415  # see above

    with suppress(Exception):  # told by Django's own check of URLs
        if getattr(conf.settings, "ROOT_URLCONF", None):
            _ = get_resolver().url_patterns
    if not is_doubtful(declared_flows()):
        return []
    from ._findings import of_declarations  # noqa: PLC0415  # see above

    return of_declarations()


def _of_source() -> Iterable[Finding]:
    from ._source import of_source  # noqa: PLC0415  # see above

    return of_source()


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.code, finding.flow, finding.step, *finding.edge)


def _is_of(finding: Finding, apps: Any) -> bool:
    """Tell whether a finding lies in one of *apps*, where those alone are asked for."""
    path = Path(finding.place.path)
    return apps is None or any(path.is_relative_to(app.path) for app in apps)


def _message(finding: Finding) -> Any:
    from penstock._project.shown import shown_path  # noqa: PLC0415  # see above

    label = f"{finding.label}: " if finding.label else ""
    what = f"{finding.code} {label}{finding.message}"
    if finding.found:
        what += f" (found: {finding.found})"
    hint = finding.suggestion or None
    if hint and finding.declared_at:
        hint += f" in {shown_path(finding.declared_at.path)}:{finding.declared_at.line}"
    place = f"{shown_path(finding.place.path)}:{finding.place.line}"
    letter = finding.level[0].upper()
    number = finding.code.removeprefix("PEN")
    level, code = _LEVELS[finding.level], f"penstock.{letter}{number}"
    return checks.CheckMessage(level, what, hint=hint, obj=place, id=code)
