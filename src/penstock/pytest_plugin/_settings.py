"""The settings of a test run: options, the ini file or pyproject.toml."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from penstock._platform.json_fields import JsonError
from penstock._platform.pyproject import read_table
from penstock.errors import ConfigurationError

OPTIONS = {
    "cov": "show which declared edges the tests have exercised",
    "fail-under": "fail if less than PCT percent of the edges were exercised",
    "strict": "fail each test that breaks the declared order",
    "evidence": "add what runs have shown: a report, a log, or a folder of either",
    "report": "write the counts to FILE, as JSON",
    "diagram": "draw each flow into FILE (.md, .svg, .html, ...) with what runs showed",
}
VALUES = {
    "fail-under": "PCT",
    "evidence": "SOURCE",
    "report": "FILE",
    "diagram": "FILE",
}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings, from the options or the configuration."""

    is_asked: bool
    shows: bool
    fail_under: float | None
    is_strict: bool
    evidence: str
    report: str
    diagram: str


def settings_of(config: pytest.Config) -> Settings:
    """Return the settings of *config*.

    Raises:
        UsageError: One of them has a wrong value.
    """
    given = {name: _setting(config, name) for name in OPTIONS}
    try:
        least = float(given["fail-under"]) if given["fail-under"] else None
    except ValueError:
        msg = f"--penstock-fail-under expects a number, not {given['fail-under']!r}"
        raise pytest.UsageError(msg) from None
    flags = {name: _flag(name, given[name]) for name in ("cov", "strict")}
    files = bool(given["report"] or given["diagram"])
    shows = flags["cov"] or least is not None
    asked = shows or flags["strict"] or files
    names = (given[name] for name in ("evidence", "report", "diagram"))
    return Settings(asked, shows, least, flags["strict"], *names)


def ini_name(name: str) -> str:
    """Return the name of a setting in the ini file."""
    return f"penstock_{name.replace('-', '_')}"


def _setting(config: pytest.Config, name: str) -> str:
    """Return a setting: the option, else the ini file, else pyproject.toml."""
    given = config.getoption(ini_name(name))
    if given is None:
        given = config.getini(ini_name(name)) or None
    if given is None:
        given = _project(config).get(name)
    return "" if given is None or given is False else str(given)


def _project(config: pytest.Config) -> dict[str, object]:
    path = config.rootpath / "pyproject.toml"
    try:
        whole = read_table(path)
        table = whole.values("pytest") if whole is not None else {}
    except ConfigurationError as exc:
        raise pytest.UsageError(str(exc)) from exc
    except JsonError as exc:
        msg = f"{path}: {exc}"
        raise pytest.UsageError(msg) from exc
    for key in table:
        if key not in OPTIONS:
            msg = (
                f"{path}: [tool.penstock.pytest] has no setting {key!r}. "
                f"Known: {', '.join(OPTIONS)}."
            )
            raise pytest.UsageError(msg)
    return table


def _flag(name: str, value: str) -> bool:
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    msg = f"penstock_{name} must be true or false, not {value!r}"
    raise pytest.UsageError(msg)
