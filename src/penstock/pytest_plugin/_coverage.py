"""Record a test run, fail tests that break the order, report the rest."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock._config import configure
from penstock._platform.file import write_file
from penstock._registry import declared_flows
from penstock.conformance import ConformanceReport, conformance_report
from penstock.conformance.files import write_report
from penstock.conformance.judge import process_judge
from penstock.errors import PenstockError, plain
from penstock.renderers.formats import find_renderer, format_of

from ._diagram import write_diagram
from ._table import percent_of, table_of

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from penstock.conformance.violations import Violation

    from ._settings import Settings

_MODE, _FOLDER = "PENSTOCK_CONFORMANCE", "PENSTOCK_CONFORMANCE_DIR"


class Coverage:
    """Records while tests run, fails those that break the order, reports the rest."""

    def __init__(self, settings: Settings, *, is_worker: bool) -> None:
        if settings.diagram and not is_worker:
            _check(Path(settings.diagram))
        self._settings = settings
        self._is_worker = is_worker
        self._broken: list[tuple[Violation, str]] = []
        self._before = {name: os.environ.get(name) for name in (_MODE, _FOLDER)}
        self._file_messages: list[str] = []
        self._is_complete = True
        self._tested: dict[str, Any] = {"flows": {}}
        self._merged: dict[str, Any] = {"flows": {}}
        self._notes: Sequence[str] = ()
        if os.environ.get(_MODE) not in {"record", "warn", "raise"}:
            os.environ[_MODE] = "record"
        if not is_worker:
            os.environ[_FOLDER] = tempfile.mkdtemp(prefix="penstock-")
        self._folder = Path(os.environ[_FOLDER])
        configure(conformance=os.environ[_MODE])
        reporter = process_judge.reporter
        reporter.listeners = (*reporter.listeners, self._listen)

    def _listen(self, violation: Violation, run: str, is_found: bool) -> None:  # noqa: FBT001  # Listener
        if is_found:
            self._broken.append((violation, run))
        elif (violation, run) in self._broken:
            self._broken.remove((violation, run))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_setup(self) -> Generator[None, object, object]:
        """Start a test without violations."""
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
        """Fail the test after the teardown of its fixtures."""
        return (yield from self._checked(item, "teardown"))

    def _checked(self, item: pytest.Item, when: str) -> Generator[None, object, object]:
        try:
            result = yield
        except BaseException:
            if self._settings.is_strict and self._broken:
                item.add_report_section(when, "penstock", self._message())
            raise
        if self._settings.is_strict and self._broken:
            pytest.fail(self._message(), pytrace=False)
        return result

    def _message(self) -> str:
        violations = dict.fromkeys(violation for violation, _ in self._broken)
        self._broken.clear()
        lines = [f"{violation.code} {violation.message}" for violation in violations]
        return "\n".join(["the declared order was broken:", *lines])

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Merge the reports of all processes, and fail the session if necessary."""
        if self._is_worker:
            write_report(self._folder, process_judge)
            os.environ.pop(_FOLDER)  # already written, so not again at exit
            return
        files = sorted(self._folder.glob("*.json"))
        tested = ConformanceReport.merge([conformance_report(), *files])
        self._tested = tested.to_dict()
        self._merged = ConformanceReport.merge([tested, *self._recorded()]).to_dict()
        self._write()
        if session.exitstatus == pytest.ExitCode.OK and self._fails():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _recorded(self) -> Iterator[dict[str, Any]]:
        """Yield what runs outside the tests have shown, as a report."""
        source = self._settings.evidence
        if source:
            from penstock.checking.recorded import read_evidence  # noqa: PLC0415  # 60 ms

            try:
                found = read_evidence([source], declared_flows())
            except PenstockError as exc:
                self._file_messages.append(str(exc))
                self._is_complete = False
                return
            self._notes = found.notes
            yield {"flows": found.flows}

    def _write(self) -> None:
        if self._settings.report:
            text = json.dumps(self._merged, indent=2) + "\n"
            try:
                write_file(self._settings.report, text.encode())
            except PenstockError as exc:
                self._file_messages.append(str(exc))
                self._is_complete = False
        if self._settings.diagram:
            try:
                found = write_diagram(self._merged, Path(self._settings.diagram))
            except PenstockError as exc:
                found, self._is_complete = [str(exc)], False
            self._file_messages += (f"{self._settings.diagram}: {one}" for one in found)

    def _fails(self) -> bool:
        least = self._settings.fail_under
        too_little = least is not None and percent_of(self._edges()) < least
        if not self._is_complete:
            return True
        return too_little or (self._settings.is_strict and bool(self._violations()))

    def _edges(self) -> list[dict[str, Any]]:
        return [e for flow in self._merged["flows"].values() for e in flow["edges"]]

    def _violations(self) -> list[str]:
        flows = self._tested["flows"].values()
        found = (f"{v['code']} {v['message']}" for f in flows for v in f["violations"])
        return list(dict.fromkeys(found))

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Print the table and the violations."""
        messages = [*self._violations(), *self._file_messages]
        if self._is_worker or not (self._settings.shows or messages):
            return
        terminalreporter.section("penstock: declared edges that ran")
        for line in table_of(self._merged["flows"]) if self._settings.shows else ():
            terminalreporter.write_line(line)
        for line in self._notes:
            terminalreporter.write_line(plain(line))
        for line in messages:
            terminalreporter.write_line(line, red=True)
        least, reached = self._settings.fail_under, percent_of(self._edges())
        if least is not None and reached < least:
            line = f"FAIL: {reached:.1f} % of the edges ran, and {least:g} % have to"
            terminalreporter.write_line(line, red=True, bold=True)

    def pytest_unconfigure(self) -> None:
        """Restore listeners and environment variables."""
        reporter = process_judge.reporter
        reporter.listeners = tuple(
            one for one in reporter.listeners if one != self._listen
        )
        if self._is_worker:  # it ends here
            return
        for name, value in self._before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
        shutil.rmtree(self._folder, ignore_errors=True)


def _check(path: Path) -> None:
    """Check before the tests run that *path* can be drawn after them."""
    try:
        find_renderer(format_of(path))
    except PenstockError as exc:
        msg = f"--penstock-diagram: {exc}"
        raise pytest.UsageError(msg) from None
