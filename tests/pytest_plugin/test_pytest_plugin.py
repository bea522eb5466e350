"""The plugin, as somebody's own test run sees it: a process of its own each time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SHOP = """
    from penstock import flow

    orders = flow("orders")

    @orders.entrypoint
    def receive(*names):
        for name in names:
            STEPS[name]()

    @orders.step(after=receive)
    def validate(): ...

    @orders.step(after=validate)
    def charge(): ...

    @orders.step(after=charge)
    def ship(): ...

    STEPS = {"validate": validate, "charge": charge, "ship": ship}
"""
CLEAN = """
    import subprocess, sys
    import pytest
    import shop

    @pytest.mark.parametrize("number", range(8))
    def test_in_turn(number):
        shop.receive("validate", "charge")

    def test_in_a_process():
        program = "import shop; shop.receive('validate')"
        subprocess.run([sys.executable, "-c", program], check=True)
"""
BROKEN = """
    import shop

    def test_hidden():
        try:
            shop.receive("ship")
        except Exception:
            pass

    def test_contradicted():
        shop.receive("validate", "charge")

    def test_fails_by_itself():
        shop.receive("charge")
        assert 0
"""

CROSSING = """
    import json, subprocess, sys
    import penstock, shop

    PROGRAM = "import json, sys, penstock, shop\\n" \\
        "with penstock.continue_flow(json.loads(sys.argv[1])): shop.charge()"

    def test_in_two_processes():
        carriers = []
        shop.STEPS["send"] = lambda: carriers.append(penstock.inject())
        shop.receive("validate", "send")
        command = [sys.executable, "-c", PROGRAM, json.dumps(carriers[0])]
        subprocess.run(command, check=True)
"""

TASKS = """
    import pytest
    from celery import Celery
    from penstock import flow
    from penstock.contrib.celery import flow_task

    app = Celery("shop", broker="memory://", backend="cache+memory://")
    orders = flow("orders")

    @orders.entrypoint
    def receive(*calls):
        for call in calls:
            call()

    @orders.step(after=receive)
    def reserve(): ...

    @orders
    @flow_task(after=reserve)
    def notify(): ...

    @pytest.mark.parametrize("is_eager", [True, False])
    def test_early(is_eager):
        app.conf.task_always_eager = is_eager
        receive(notify.delay, reserve)

    @pytest.mark.parametrize("is_eager", [True, False])
    def test_in_order(is_eager):
        app.conf.task_always_eager = is_eager
        receive(reserve, notify.delay)
"""

Run = "Callable[..., tuple[int, str]]"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a package to test."""
    (tmp_path / "shop.py").write_text(dedent(SHOP))
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    return tmp_path


@pytest.fixture
def run(project: Path) -> Callable[..., tuple[int, str]]:
    """Return how to run tests there: their text and the options."""

    def run_tests(tests: str, *options: str, **variables: str) -> tuple[int, str]:
        (project / "test_shop.py").write_text(dedent(tests))
        surroundings = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("PENSTOCK_", "PYTEST_"))
        }
        command = [sys.executable, "-m", "pytest", "-q", "-W", "error", *options]
        if not variables:  # other plugins take seconds
            variables = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
            command += ["-p", "penstock.pytest_plugin"]
        result = subprocess.run(
            [*command, "-p", "no:cacheprovider"],
            cwd=project,
            env={**surroundings, "PYTHONPATH": str(project), **variables},
            capture_output=True,
            text=True,
            check=False,
        )
        return result.returncode, result.stdout + result.stderr

    return run_tests


def report(path: Path) -> dict[str, Any]:
    """Return a report, without what differs from run to run."""
    flows: dict[str, Any] = json.loads(path.read_text())["flows"]
    for flow in flows.values():
        for violation in flow["violations"]:
            del violation["run"]
    return flows


def test_it_is_silent_unless_asked(run: Any) -> None:
    """Whoever has penstock installed sees nothing of it."""
    code, output = run(BROKEN.replace("assert 0", ""), AUTOLOAD="yes")

    assert code == 0
    assert "penstock" not in output


def test_the_table_names_missing_edges(run: Any) -> None:
    """Per flow: steps, edges, percent; subprocesses included."""
    code, output = run(CLEAN, "--penstock-cov", AUTOLOAD="yes")

    assert code == 0
    assert "penstock: declared edges that ran" in output
    assert ["orders", "3/4", "2/3", "67", "charge", "->", "ship"] in [
        line.split() for line in output.splitlines()
    ]


def test_workers_and_one_process_count_the_same(run: Any, project: Path) -> None:
    """Four of xdist, and a subprocess: every number is that of one process."""
    pytest.importorskip("xdist", reason="needs pytest-xdist")
    run(CLEAN, "--penstock-report=one.json")
    run(CLEAN, "--penstock-report=four.json", "-p", "xdist", "-n4")

    one, four = report(project / "one.json"), report(project / "four.json")
    assert one == four
    assert one["orders"]["runs"] == 9
    assert one["orders"]["steps"] == {
        "receive": 9,
        "validate": 9,
        "charge": 8,
        "ship": 0,
    }


def test_an_edge_between_processes_counts(run: Any) -> None:
    """The message says what had ended when it was sent."""
    code, output = run(CROSSING, "--penstock-cov")

    assert code == 0, output
    assert "2/3" in output
    assert "charge -> ship" in output


def test_a_task_that_is_sent_too_early_fails(run: Any) -> None:
    """Eagerly and by a message; in the right order neither fails."""
    pytest.importorskip("celery", reason="needs celery")

    code, output = run(TASKS, "--penstock-strict", "-W", "default")

    assert code == 1
    assert "2 failed, 2 passed" in output
    assert "ran, called by 'receive', when 'reserve' had not ended" in output
    assert "was sent, called by 'receive', when 'reserve' had not ended" in output


@pytest.mark.parametrize(("least", "code"), [("66", 0), ("67", 1)])
def test_too_little_fails(run: Any, least: str, code: int) -> None:
    """And says what was reached."""
    found, output = run(CLEAN, f"--penstock-fail-under={least}")

    assert found == code
    assert ("FAIL: 66.7 % of the edges ran, and 67 % have to" in output) is bool(code)


def test_strict_fails_the_test_that_broke_the_order(run: Any) -> None:
    """After the call, so that ``except Exception`` hides nothing."""
    code, output = run(BROKEN, "--penstock-strict")

    assert code == 1
    assert "2 failed, 1 passed" in output
    assert "FAILED test_shop.py::test_hidden" in output
    assert "orders/ship" in output
    assert "declare after=['charge', 'receive']" in output
    assert "penstock call -" in output  # a section of what fails by itself


def test_strict_minds_subprocesses(run: Any) -> None:
    """No test can be blamed; the session fails."""
    code, output = run(
        CLEAN.replace("receive('validate')", "receive('ship')"), "--penstock-strict"
    )

    assert code == 1
    assert "R1 orders/ship" in output


def test_strict_minds_what_fixtures_do_at_the_end(run: Any) -> None:
    """It is an error of the test's teardown."""
    code, output = run(
        """
        import pytest, shop

        @pytest.fixture
        def late():
            yield
            shop.receive("ship")

        def test_it(late): ...
        """,
        "--penstock-strict",
    )

    assert code == 1
    assert "ERROR test_shop.py::test_it" in output


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pytest.ini", "[pytest]\npenstock_strict = true\npenstock_fail_under = 99\n"),
        (
            "pyproject.toml",
            "[tool.penstock.pytest]\nstrict = true\nfail-under = 99\n",
        ),
    ],
)
def test_settings_stand_in_files(run: Any, project: Path, file: str, text: str) -> None:
    """The same as by options."""
    (project / file).write_text(text)

    code, output = run(BROKEN)

    assert code == 1
    assert "FAILED test_shop.py::test_hidden" in output
    assert "99 % have to" in output


@pytest.mark.parametrize(
    ("options", "toml", "message"),
    [
        (["--penstock-fail-under=much"], "", "expects a number, not 'much'"),
        ([], "strct = true", "has no setting 'strct'"),
        ([], "strict = 'maybe'", "true or false, not 'maybe'"),
    ],
)
def test_wrong_settings_are_told(
    run: Any, project: Path, options: list[str], toml: str, message: str
) -> None:
    """Before any test runs."""
    (project / "pyproject.toml").write_text(f"[tool.penstock.pytest]\n{toml}\n")

    code, output = run(CLEAN, *options)

    assert code == 4
    assert message in output


@pytest.mark.parametrize(
    ("toml", "message"),
    [
        ("tool.penstock = 1", "[tool.penstock] should be an object"),
        ("tool.penstock.pytest = 1", "[tool.penstock].pytest should be an object"),
    ],
)
def test_settings_that_are_not_a_table(
    run: Any, project: Path, toml: str, message: str
) -> None:
    """One line that names the file, and no traceback."""
    (project / "pyproject.toml").write_text(toml)

    code, output = run(CLEAN)

    assert code == 4
    assert f"pyproject.toml: {message}" in output


def test_fixtures(run: Any) -> None:
    """Runs of a test, a step alone, and flows that no other test sees."""
    code, output = run(
        """
        import penstock, shop

        def test_runs(flow_runs):
            shop.receive("validate")
            (run,) = flow_runs
            assert run.path == ["receive", "validate"]
            run.assert_visited("validate")
            run.assert_not_visited("ship")

        def test_alone(in_flow):
            with in_flow("orders", done={"charge"}):
                shop.ship()

        def test_apart(penstock_registry):
            assert penstock.declared_flows() == ()
            penstock.flow("mine").entrypoint(name="begin")(lambda: None)()
        """,
        "--penstock-cov",
        "--penstock-strict",
        "--penstock-diagram=flows.md",
    )

    assert code == 0, output
    assert "1/3" in output
    assert "mine" not in output


def test_a_diagram_shows_the_evidence(run: Any, project: Path) -> None:
    """Mermaid in Markdown, as a forge shows it."""
    run(CLEAN, "--penstock-diagram=flows.md")

    text = (project / "flows.md").read_text()
    assert text.startswith("## orders\n\n```mermaid\ngraph TD\n")
    assert "2 of 3 edges seen" in text
    assert "validate -->|8×| charge" in text
    assert "charge -->|unseen| ship" in text
    assert text.endswith("\n```\n")


@pytest.mark.parametrize(
    ("name", "start"), [("flows.txt", "orders: 2 of 3"), ("flows.svg", "<svg")]
)
def test_the_suffix_of_a_diagram_is_its_format(
    run: Any, project: Path, name: str, start: str
) -> None:
    """Anything that can be drawn, all flows in one."""
    if name.endswith("svg"):
        pytest.importorskip("resvg_py", reason="needs draw")
    code, output = run(CLEAN, f"--penstock-diagram={name}")

    assert code == 0, output
    assert (project / name).read_text().startswith(start)


def test_a_diagram_of_no_format_is_told_at_once(run: Any, project: Path) -> None:
    """And not after all the tests have run."""
    code, output = run(CLEAN, "--penstock-diagram=flows.doc")

    assert code == pytest.ExitCode.USAGE_ERROR
    assert "--penstock-diagram: the suffix of 'flows.doc' does not name" in output
    assert not (project / "flows.doc").exists()


def test_evidence_of_logs(run: Any, project: Path) -> None:
    """What production has run counts, and its violations fail no test."""
    program = """
        import logging, penstock, shop
        handler = logging.FileHandler("app.log")
        handler.setFormatter(penstock.JSONFormatter())
        logging.basicConfig(level=logging.INFO, handlers=[handler])
        shop.receive("validate", "charge", "ship")
        shop.receive("charge")
    """
    command = [sys.executable, "-c", dedent(program)]
    subprocess.run(command, cwd=project, check=True)
    options = ("--penstock-cov", "--penstock-strict", "--penstock-fail-under=100")

    code, out = run(CLEAN, *options, "--penstock-evidence=app.log")

    assert code == 0, out
    assert "app.log: 2 runs of orders: 1 in order, 1 out of order, 0 unknown." in out
    assert "orders: charge after validate: out of order in 50.00 %" in out


def test_evidence_that_is_not_there(run: Any) -> None:
    """It fails the session, in one line."""
    code, out = run(CLEAN, "--penstock-cov", "--penstock-evidence=nowhere.log")

    assert code == 1
    assert "nowhere.log" in out


def test_report_that_cannot_be_written(run: Any) -> None:
    """A report without a folder is one line, fails the session, and costs no other."""
    code, output = run(
        CLEAN, "--penstock-report=no/such/a.json", "--penstock-diagram=flows.md"
    )

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "'no/such/a.json' cannot be written: there is no folder 'no/such'" in output
    assert "Traceback" not in output


def test_a_diagram_that_cannot_be_written_fails(run: Any) -> None:
    """The tests have passed; what was asked for is not there."""
    code, output = run(CLEAN, "--penstock-diagram=no/such/folder/flows.md")

    assert code == pytest.ExitCode.TESTS_FAILED
    assert "9 passed" in output
    assert "no/such/folder/flows.md: " in output


def test_a_diagram_has_what_nobody_here_declares(run: Any, project: Path) -> None:
    """Names of other flows and services, and one that is not there."""
    declared = """
    from penstock import flow

    orders = flow("orders")
    after = ["charge", "receive", "billing:invoice", "other/shop:publish", "gone"]

    @orders.entrypoint
    def receive():
        ship()
        charge()

    charge = orders.step(name="charge", after="receive")(lambda: None)
    ship = orders.step(name="ship", after=after)(lambda: None)
    """
    (project / "shop.py").write_text(dedent(declared))
    run(
        "import shop\ndef test_it(): shop.receive()",
        "--penstock-diagram=flows.md",
    )

    text = (project / "flows.md").read_text()
    assert 'receive(["receive<br/>1 call"])' in text
    assert "receive -->|1×| ship" in text
    assert "charge -->|contradicted 1×| ship" in text
    for name in ("gone", "billing_invoice", "other_shop_publish"):
        assert f"|unseen| {name}" not in text
        assert name in text
