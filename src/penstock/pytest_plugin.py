"""Edge coverage and strict order in pytest; silent unless it is asked for.

At the top it imports nothing but pytest: it is there in every test run of whoever
has penstock installed.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from penstock.recording._book import Finding
    from penstock.testing import Run

__all__: list[str] = []

_MODE, _FOLDER = "PENSTOCK_CONFORMANCE", "PENSTOCK_CONFORMANCE_DIR"
_OPTIONS = {
    "cov": "show which declared edges the tests have exercised",
    "fail-under": "fail if less than PCT percent of the edges were exercised",
    "strict": "fail each test in which a declared edge broke",
    "report": "write the counts to FILE, as JSON",
    "diagram": "write a diagram of each flow to FILE, its edges coloured by evidence",
}
_VALUES = {"fail-under": "PCT", "report": "FILE", "diagram": "FILE"}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, and settings of the same names."""
    group = parser.getgroup("penstock", "the declared order of flows")
    for name, text in _OPTIONS.items():
        if name in _VALUES:
            group.addoption(f"--penstock-{name}", metavar=_VALUES[name], help=text)
        else:
            group.addoption(
                f"--penstock-{name}", action="store_true", default=None, help=text
            )
        parser.addini(_ini(name), f"{text}; see --penstock-{name}")


def pytest_configure(config: pytest.Config) -> None:
    """Begin to record, if any option asks for it."""
    settings = _settings(config)
    if settings.is_asked:
        coverage = _Coverage(settings, is_worker=hasattr(config, "workerinput"))
        config.pluginmanager.register(coverage, "penstock-coverage")


@pytest.fixture
def penstock_registry() -> Iterator[None]:
    """Declare flows that no other test sees, and that count for nothing."""
    from penstock.testing import isolated_registry  # noqa: PLC0415  # see the top

    with isolated_registry():
        yield


@pytest.fixture
def flow_runs() -> Iterator[list[Run]]:
    """Give the runs of this test so far, each with its ``path``."""
    from penstock.testing import watch_runs  # noqa: PLC0415  # see the top

    with watch_runs() as runs:
        yield runs


@pytest.fixture
def in_flow() -> Callable[..., Any]:
    """Give ``penstock.testing.in_flow``, to run one step alone."""
    from penstock.testing import in_flow  # noqa: PLC0415  # see the top

    return in_flow


@dataclass(frozen=True, slots=True)
class _Settings:
    is_asked: bool
    shows: bool
    fail_under: float | None
    is_strict: bool
    report: str
    diagram: str


def _settings(config: pytest.Config) -> _Settings:
    said = {name: _said(config, name) for name in _OPTIONS}
    try:
        least = float(said["fail-under"]) if said["fail-under"] else None
    except ValueError:
        msg = f"--penstock-fail-under takes a number, not {said['fail-under']!r}"
        raise pytest.UsageError(msg) from None
    flags = {name: _flag(name, said[name]) for name in ("cov", "strict")}
    files = bool(said["report"] or said["diagram"])
    shows = flags["cov"] or least is not None
    asked = shows or flags["strict"] or files
    report, diagram = said["report"], said["diagram"]
    return _Settings(asked, shows, least, flags["strict"], report, diagram)


def _ini(name: str) -> str:
    return f"penstock_{name.replace('-', '_')}"


def _said(config: pytest.Config, name: str) -> str:
    """Return a setting: the option, else the ini file, else pyproject.toml."""
    given = config.getoption(_ini(name))
    if given is None:
        given = config.getini(_ini(name)) or None
    if given is None:
        given = _project(config).get(name)
    return "" if given is None or given is False else str(given)


def _project(config: pytest.Config) -> dict[str, object]:
    path = config.rootpath / "pyproject.toml"
    if not path.is_file():
        return {}
    import tomllib  # noqa: PLC0415  # see the top

    content = tomllib.loads(path.read_text(encoding="utf-8"))
    table: dict[str, object] = (
        content.get("tool", {}).get("penstock", {}).get("pytest", {})
    )
    for key in table:
        if key not in _OPTIONS:
            msg = (
                f"{path}: [tool.penstock.pytest] has no setting {key!r}. "
                f"Known: {', '.join(_OPTIONS)}."
            )
            raise pytest.UsageError(msg)
    return table


def _flag(name: str, value: str) -> bool:
    if value.lower() in {"", "0", "false", "no", "off"}:
        return False
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    msg = f"penstock_{name} is true or false, not {value!r}"
    raise pytest.UsageError(msg)


class _Coverage:
    """Records while tests run, fails those that break the order, and tells the rest."""

    def __init__(self, settings: _Settings, *, is_worker: bool) -> None:
        from penstock import configure  # noqa: PLC0415  # see the top
        from penstock.recording import judge  # noqa: PLC0415  # the same

        self._settings = settings
        self._is_worker = is_worker
        self._broken: list[tuple[Finding, str]] = []
        self._before = {name: os.environ.get(name) for name in (_MODE, _FOLDER)}
        self._merged: dict[str, Any] = {"flows": {}}
        if os.environ.get(_MODE) not in {"record", "warn", "raise"}:
            os.environ[_MODE] = "record"
        if not is_worker:
            os.environ[_FOLDER] = tempfile.mkdtemp(prefix="penstock-")
        self._folder = Path(os.environ[_FOLDER])
        configure(conformance=os.environ[_MODE])
        judge.teller.hearers = (*judge.teller.hearers, self._hear)

    def _hear(self, finding: Finding, run: str, is_one: bool) -> None:  # noqa: FBT001  # Hear
        if is_one:
            self._broken.append((finding, run))
        elif (finding, run) in self._broken:
            self._broken.remove((finding, run))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Begin a test with nothing broken."""
        self._broken.clear()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, object, object]:
        """Fail the test after the call, so that no ``except`` in it hides anything."""
        return (yield from self._checked(item, "call"))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_teardown(
        self, item: pytest.Item
    ) -> Generator[None, object, object]:
        """Do the same for what its fixtures do at the end."""
        return (yield from self._checked(item, "teardown"))

    def _checked(self, item: pytest.Item, when: str) -> Generator[None, object, object]:
        try:
            result = yield
        except BaseException:
            if self._settings.is_strict and self._broken:
                item.add_report_section(when, "penstock", self._told())
            raise
        if self._settings.is_strict and self._broken:
            pytest.fail(self._told(), pytrace=False)
        return result

    def _told(self) -> str:
        findings = dict.fromkeys(finding for finding, _ in self._broken)
        self._broken.clear()
        lines = [f"{finding.code} {finding.message}" for finding in findings]
        return "\n".join(["the declared order broke:", *lines])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Gather what every process has counted; judge the whole."""
        from penstock import ConformanceReport, conformance_report  # noqa: PLC0415  # see the top
        from penstock.recording import judge  # noqa: PLC0415  # the same
        from penstock.recording._files import write_report  # noqa: PLC0415  # the same

        if self._is_worker:
            write_report(self._folder, judge)
            os.environ.pop(_FOLDER)  # it is written, and not once more at the exit
            return
        files = sorted(self._folder.glob("*.json"))
        merged = ConformanceReport.merge([conformance_report(), *files])
        self._merged = merged.to_dict()
        self._write()
        if session.exitstatus == pytest.ExitCode.OK and self._fails():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _write(self) -> None:
        if self._settings.report:
            import json  # noqa: PLC0415  # see the top

            text = json.dumps(self._merged, indent=2) + "\n"
            Path(self._settings.report).write_text(text, encoding="utf-8")
        if self._settings.diagram:
            from penstock.recording._diagram import draw_evidence  # noqa: PLC0415  # see the top

            text = draw_evidence(self._merged)
            Path(self._settings.diagram).write_text(text, encoding="utf-8")

    def _fails(self) -> bool:
        least = self._settings.fail_under
        too_little = least is not None and _percent(self._edges()) < least
        return too_little or (self._settings.is_strict and bool(self._violations()))

    def _edges(self) -> list[dict[str, Any]]:
        return [e for flow in self._merged["flows"].values() for e in flow["edges"]]

    def _violations(self) -> list[str]:
        flows = self._merged["flows"].values()
        found = (f"{v['code']} {v['message']}" for f in flows for v in f["violations"])
        return list(dict.fromkeys(found))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table, and what broke."""
        if self._is_worker or not (self._settings.shows or self._violations()):
            return
        terminalreporter.section("penstock: declared edges that ran")
        for line in _table(self._merged["flows"]) if self._settings.shows else ():
            terminalreporter.write_line(line)
        for violation in self._violations():
            terminalreporter.write_line(violation, red=True)
        least, reached = self._settings.fail_under, _percent(self._edges())
        if least is not None and reached < least:
            said = f"FAIL: {reached:.1f} % of the edges ran, and {least:g} % have to"
            terminalreporter.write_line(said, red=True, bold=True)

    def pytest_unconfigure(self) -> None:
        """Put back what was there."""
        from penstock.recording import judge  # noqa: PLC0415  # see the top

        judge.teller.hearers = tuple(
            one for one in judge.teller.hearers if one != self._hear
        )
        if self._is_worker:  # its report is written, and it ends
            return
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self._folder, ignore_errors=True)


def _percent(edges: list[dict[str, Any]]) -> float:
    ran = sum(edge["status"] == "witnessed" for edge in edges)
    return 100 * ran / len(edges) if edges else 100.0


def _table(flows: dict[str, Any]) -> list[str]:
    rows = [("flow", "steps", "edges", "%", "missing")]
    rows += [_row(name, [flow]) for name, flow in flows.items()]
    if len(flows) != 1:
        rows.append((*_row("TOTAL", list(flows.values()))[:-1], ""))
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            [row[0].ljust(widths[0]), *map(str.rjust, row[1:4], widths[1:4]), row[4]]
        ).rstrip()
        for row in rows
    ]


def _row(name: str, flows: list[dict[str, Any]]) -> tuple[str, str, str, str, str]:
    edges = [edge for flow in flows for edge in flow["edges"]]
    ran = [edge for edge in edges if edge["status"] == "witnessed"]
    counts = [count for flow in flows for count in flow["steps"].values()]
    steps = f"{sum(map(bool, counts))}/{len(counts)}"
    missing = ", ".join(_named(edge) for edge in edges if edge not in ran)
    percent = f"{_percent(edges):.0f}" if edges else "-"
    return name, steps, f"{len(ran)}/{len(edges)}", percent, missing


def _named(edge: dict[str, Any]) -> str:
    broken = " (contradicted)" if edge["status"] == "contradicted" else ""
    return f"{edge['before']} -> {edge['after']}{broken}"
