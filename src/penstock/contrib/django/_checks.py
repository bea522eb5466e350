"""Findings as Django's system checks.

Declarations are checked at every start, so that has to be quick: penstock checks what
Django has imported by then, and imports or reads more only if that seems wrong. It
reads the source only for ``check --deploy``.
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

_TAG = "penstock"
_LEVELS = {"error": checks.ERROR, "warning": checks.WARNING, "info": checks.INFO}
_reported: set[tuple[str, ...]] = set()


def register_checks() -> None:
    """Register the checks with Django. More calls do nothing."""
    checks.register(check_declarations, _TAG)
    checks.register(check_source, _TAG, deploy=True)


def check_declarations(*, app_configs: Any = None, **_kwargs: Any) -> list[Any]:
    """Report wrong names in declarations: PEN001, PEN002 and PEN003.

    At the start of other commands than ``check`` an error becomes a warning: a flow
    that is declared wrong still runs, and should not stop a migration.
    """
    _reported.clear()
    messages = _messages(_of_declarations, app_configs)
    if sys.argv[1:2] != ["check"]:
        for message in messages:
            message.level = min(message.level, checks.WARNING)
    return messages


def check_source(*, app_configs: Any = None, **_kwargs: Any) -> list[Any]:
    """Report what ``penstock check`` finds, unless it is reported already."""
    return _messages(_of_source, app_configs)


def _messages(find: Callable[[], Iterable[Finding]], apps: Any) -> list[Any]:
    """Return what *find* finds, as messages; penstock never makes a start fail."""
    try:
        found = [f for f in find() if _is_of(f, apps) and _key(f) not in _reported]
        _reported.update(map(_key, found))
        return [_message(finding) for finding in found]
    except MissingExtraError as exc:
        what = f"the flows were not checked against the code: {exc}"
        return [checks.Info(what, obj="penstock", id="penstock.I803")]
    except PenstockError as exc:
        what = f"the flows were not checked: {exc}"
        return [checks.Warning(what, obj="penstock", id="penstock.W801")]
    except Exception as exc:  # noqa: BLE001  # a bug in penstock stops no migration
        what = f"the check itself failed: {type(exc).__name__}: {exc}"
        return [checks.Warning(what, obj="penstock", id="penstock.W802")]


def _of_declarations() -> Iterable[Finding]:
    # The imports are in functions, because a server checks nothing, most starts find
    # nothing, and jedi may be missing. Together they take 50 ms.
    from penstock.checking.quick import is_doubtful  # noqa: PLC0415  # see above

    with suppress(Exception):  # Django's own check of URLs reports it
        if getattr(conf.settings, "ROOT_URLCONF", None):
            _ = get_resolver().url_patterns
    if not is_doubtful(declared_flows()):
        return []
    from penstock.checking.pipeline import declaration_findings  # noqa: PLC0415  # same

    return declaration_findings()


def _of_source() -> Iterable[Finding]:
    from penstock._project.load import NoFlowError  # noqa: PLC0415  # see above
    from penstock.checking.pipeline import check_project  # noqa: PLC0415  # see above

    try:
        return check_project().findings
    except NoFlowError:  # a project without flows is fine
        return []


def _key(finding: Finding) -> tuple[str, ...]:
    return (finding.code, finding.flow, finding.step, *finding.edge)


def _is_of(finding: Finding, apps: Any) -> bool:
    """Tell whether a finding is in one of *apps*; None stands for all."""
    path = Path(finding.place.path)
    return apps is None or any(path.is_relative_to(app.path) for app in apps)


def _message(finding: Finding) -> Any:
    from penstock._project.shown import shown_path  # noqa: PLC0415  # see above

    label = f"{finding.label}: " if finding.label else ""
    what = f"{finding.code} {label}{finding.message}"
    if finding.found:
        what += f" (found: {finding.found})"
    hint = finding.fix or None
    if hint and finding.declared_at:
        hint += f" in {shown_path(finding.declared_at.path)}:{finding.declared_at.line}"
    place = f"{shown_path(finding.place.path)}:{finding.place.line}"
    letter = finding.level[0].upper()
    number = finding.code.removeprefix("PEN")
    level, code = _LEVELS[finding.level], f"penstock.{letter}{number}"
    return checks.CheckMessage(level, what, hint=hint, obj=place, id=code)
