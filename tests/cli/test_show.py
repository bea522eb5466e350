"""``penstock show``."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.request import url2pathname

import pytest

import penstock
from penstock.cli import _following
from penstock.runs.lines import StoredLine
from tests.support.projects import PROCESS, Project, surroundings
from tests.support.stored_lines import stored_log
from tests.support.terminals import run_in_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

pytest.importorskip("click", reason="needs click")
pytest.importorskip("rich", reason="needs rich")

MODULE = """
    import logging

    import penstock
    from penstock import flow

    orders = flow("orders")


    @orders.entrypoint
    def receive(order_id, *, ships_first=False):
        penstock.set_flow_context_value("order_id", order_id)
        if ships_first:
            ship()
        charge()
        if not ships_first:
            ship()


    @orders.step(after=receive)
    def charge():
        logging.getLogger("bank").warning("asking the bank")


    @orders.step(after="charge")
    def ship(): ...
"""


class Stored(NamedTuple):
    """A project with the log of two runs: A-1 in order, A-2 out of order."""

    project: Project
    lines: list[str]
    ids: list[str]

    def show(self, *arguments: str, **options: Any) -> Any:
        """Run ``penstock show``."""
        return self.project.penstock("show", *arguments, **options)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Stored]:
    """Run the flow twice, and keep what it logs."""
    project = Project(tmp_path)
    module = project.write("shop.py", MODULE)
    names: dict[str, Any] = {"__name__": "shop"}
    exec(compile(module.read_text(), str(module), "exec"), names)  # noqa: S102  # a user's module
    penstock.configure(service="shop")
    penstock.install_log_fields("order_id")
    with stored_log() as log:
        names["receive"]("A-1")
        names["receive"]("A-2", ships_first=True)
    penstock.uninstall_log_fields()
    ids = list(dict.fromkeys(json.loads(one)["correlation_id"] for one in log.written))
    project.write("logs/shop.log", "\n".join(log.written) + "\n")
    yield Stored(project, log.written, ids)
    penstock.forget_flow()


def tree_of(text: str) -> list[str]:
    """Return the names in the tree."""
    return [line.split("  ")[0] for line in text.split("\n\n")[1].splitlines()]


def test_by_id(stored: Stored) -> None:
    """The beginning of an ID is enough; the tree is the result, counts are not."""
    result = stored.show(stored.ids[0][:8], "logs", "-t", "shop")

    assert result.returncode == 0
    assert result.stdout.startswith(f"operation  {stored.ids[0]}\nwhen ")
    assert "calls      3 calls in shop\norder      orders: in order\n" in result.stdout
    assert tree_of(result.stdout) == [
        "orders/receive (shop)",
        "├─ orders/charge",
        "└─ orders/ship",
    ]
    assert result.stderr == "Read 7 lines in 1 file.\n"


def test_by_metadata(stored: Stored) -> None:
    """Metadata that one line has finds all of the operation."""
    result = stored.show("--where", "order_id=A-2", "logs", "-t", "shop")

    assert result.returncode == 0
    assert stored.ids[1] in result.stdout
    assert "order      orders: out of order: 'ship' was called when" in result.stdout
    assert re.search("─ orders/ship +out of order ", result.stdout)


def test_several_keys(stored: Stored) -> None:
    """One line has to have all of them."""
    both = ("--where", "order_id=A-2", "--where")

    assert stored.show(*both, "logger=bank", "logs").returncode == 0
    assert stored.show(*both, "logger=till", "logs").returncode == 1


def test_other_lines(stored: Stored) -> None:
    """With --logs they are below their call."""
    shown = stored.show(stored.ids[0], "logs", "--logs").stdout

    assert re.search(r"charge .*\n│ +[0-9:.]+ WARNING bank: asking the bank\n", shown)
    assert "asking" not in stored.show(stored.ids[0], "logs").stdout


def test_formats(stored: Stored) -> None:
    """Each format is printed as it is."""
    arguments = (stored.ids[1], "logs", "-t", "shop", "-f")
    read = {"files": 1, "lines": 7, "skipped": {}, "unread": {}}
    found = json.loads(stored.show(*arguments, "json").stdout)
    (resource,) = json.loads(stored.show(*arguments, "otlp").stdout)["resourceSpans"]
    diagram = stored.show(*arguments, "mermaid").stdout

    assert found["read"] == read
    assert found["operations"][0]["order"][0]["verdict"] == "out of order"
    assert len(resource["scopeSpans"][0]["spans"]) == 3
    assert diagram.startswith(f"sequenceDiagram\n    title {stored.ids[1]}\n")


def test_several_operations(stored: Stored) -> None:
    """They are listed, and a run ID chooses one."""
    log = "\n".join(stored.lines).replace(stored.ids[1], stored.ids[0])
    stored.project.write("logs/shop.log", log)
    runs = dict.fromkeys(json.loads(one).get("run_id") for one in stored.lines)
    one, two = filter(None, runs)
    listed = stored.show(stored.ids[0], "logs")
    drawn = stored.show(stored.ids[0], "logs", "-f", "mermaid")
    page = stored.show(stored.ids[0], "logs", "-f", "html")

    assert listed.returncode == 0
    assert [row.split()[0:3:2] for row in listed.stdout.splitlines()[4:]] == [
        [one, "orders/receive"],
        [two, "orders/receive"],
    ]
    assert len(tree_of(stored.show(two, "logs").stdout)) == 3
    assert drawn.returncode == 2
    assert f"diagram shows one. Name a run ID: {one}, {two}." in drawn.stderr
    assert f"a page shows one. Name a run ID: {one}, {two}." in page.stderr


def test_a_page(stored: Stored) -> None:
    """The suffix of --output is enough; the picture needs the declarations."""
    command = (stored.ids[1], "logs", "-t", "shop")
    result = stored.show(*command, "-o", "run.html")
    page = (stored.project.root / "run.html").read_text(encoding="utf-8")

    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "Read 7 lines in 1 file.\n"
    assert page.startswith("<!DOCTYPE html>")
    assert ".edge:is(#edge-charge-ship) {" in page
    assert "asking the bank" not in page
    assert stored.show(*command, "-f", "html").stdout == page


def test_other_formats_in_a_file(stored: Stored) -> None:
    """--output writes any format, without colours, and --follow none."""
    command = (stored.ids[0], "logs", "-o", "run.txt")
    result = stored.show(*command)
    following = stored.show(*command, "--follow")

    assert result.returncode == 0
    assert "orders/receive (shop)" in (stored.project.root / "run.txt").read_text()
    assert following.returncode == 2
    assert "--follow prints text only." in following.stderr


def test_open(stored: Stored) -> None:
    """``--open`` shows a page in the browser, in a temporary file or in --output."""
    command = (stored.ids[0], "logs", "--open")
    env = {"BROWSER": "echo"}
    temporary = stored.show(*command, program=PROCESS, env=env)
    named = stored.show(*command, "-o", "run.htm", program=PROCESS, env=env)

    path = Path(url2pathname(temporary.stdout.strip().removeprefix("file://")))
    assert path.suffix == ".html"
    assert "orders/receive" in path.read_text(encoding="utf-8")
    assert named.stdout.strip() == (stored.project.root / "run.htm").as_uri()
    path.unlink()


def test_nothing_found(stored: Stored) -> None:
    """The status is 1, and the message says where it looked and what else to try."""
    result = stored.show("nope", "logs")
    where = stored.show("--where", "order_id=B", "logs", "--since", "1h")

    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "No line in 1 file (logs) has an ID that is 'nope' or begins with it. Name "
        "more logs, or look for metadata: --where order_id=A-1\n"
    )
    assert where.returncode == 1
    assert "(logs) has order_id=B. --since leaves out older lines. " in where.stderr


def test_an_id_under_an_unknown_key(stored: Stored) -> None:
    """The message says that lines have the text, and what to do about it."""
    stored.project.write("logs/other.log", '{"req": "17f0"}\n{"req": "x wxyz"}\n')

    result = stored.show("17f0", "logs")
    within = stored.show("wxyz", "logs")

    assert result.returncode == 1
    assert result.stderr.endswith(
        "The text is elsewhere in 1 line, as req: --where req=17f0\n"
        "If it is an ID under a key that penstock does not know, name that: "
        "--map correlation_id=req\n"
    )
    assert within.stderr.endswith(
        "The text is elsewhere in 1 line.\n"
        "If it is an ID under a key that penstock does not know, name that: "
        "--map correlation_id=KEY\n"
    )
    assert stored.show("17f0", "logs", "--map", "correlation_id=req").returncode == 0


def test_metadata_under_another_key(stored: Stored) -> None:
    """The message names the keys that have the value."""
    values = ", ".join(f'"{key}": "A 1"' for key in "gfedcba")
    stored.project.write("logs/other.log", f"{{{values}}}\n")

    assert stored.show("--where", "order=A 1", "logs").stderr.endswith(
        "The text is elsewhere in 1 line, as a, b, c, d, e and 2 more: "
        "--where 'a=A 1'\n"
    )


def test_name_of_a_flow(stored: Stored) -> None:
    """Who gives the name of a flow wants it drawn, perhaps."""
    result = stored.show("orders", "logs", "-t", "shop")

    assert result.returncode == 1
    assert "To draw that: penstock dag orders\n" in result.stderr


def test_project(stored: Stored) -> None:
    """The project says where logs and flows are, and how fields are called."""
    stored.project.write(
        "pyproject.toml",
        """
        [tool.penstock]
        import = ["shop"]
        runs = ["logs/*.log"]
        fields = { service = "app" }
        """,
    )
    log = "\n".join(stored.lines).replace('"service"', '"app"')
    stored.project.write("logs/shop.log", log)
    stored.project.write("deep/er/x.txt", "")
    shown = stored.show(stored.ids[0], cwd="deep/er").stdout
    nothing = stored.show("nope", cwd="deep/er").stderr

    assert "calls      3 calls in shop\norder      orders: in order\n" in shown
    assert "No line in 1 file (`runs` in pyproject.toml) has" in nothing
    assert (
        "3 calls in shop"
        not in stored.show(stored.ids[0], "--map", "service=nope", cwd="deep/er").stdout
    )


def test_flows_of_a_manifest(stored: Stored) -> None:
    """What is declared can come from a manifest, without importing anything."""
    stored.project.penstock("export", "shop", "-o", "m.json")
    (stored.project.root / "shop.py").unlink()

    shown = stored.show(stored.ids[1], "logs", "-t", "m.json").stdout

    assert "orders: out of order" in shown


def test_without_declarations(stored: Stored) -> None:
    """The operation is shown all the same; why its order is unknown is said."""
    plain = stored.show(stored.ids[0], "logs")
    stored.project.write("pyproject.toml", '[tool.penstock]\nimport = ["gone"]\n')
    broken = stored.show(stored.ids[0], "logs")

    assert "order      unknown, because no declaration was found: name your " in (
        plain.stdout
    )
    stored.project.write("pyproject.toml", "")
    stored.project.write("manage.py", "")
    django = stored.show(stored.ids[0], "logs")

    assert "because the flows of this project cannot be imported\n" in broken.stdout
    assert "declaration was found: run it as python manage.py penstock" in django.stdout
    assert "Warning: there is no module 'gone'." in broken.stderr
    stored.project.write("broken.py", "import no_such_module\n")
    stored.project.write("pyproject.toml", '[tool.penstock]\nimport = ["broken"]\n')
    failed = stored.show(stored.ids[0], "logs")

    assert "'no_such_module'\n  broken.py:1  import no_such_module\n" in failed.stderr
    assert broken.returncode == plain.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "no ID given. Name one, or metadata: penstock show --where order_id=A-1"),
        (["4711"], "no logs given. Name files, folders or - (stdin): penstock show ID"),
        (["4711", "gone/"], "there is no file or folder 'gone/'"),
        (["4711", "https://a/b"], "'https://a/b' is not a file. Of URLs, penstock"),
        (["4711", "logs", "-t", "gone"], "there is no module 'gone'"),
        (["4711", "logs", "--where", "x"], "'x': expected KEY=VALUE."),
        (["4711", "logs", "--map", "=x"], "'=x': expected KEY=VALUE."),
        (["4711", "logs", "--map", "servce=x"], "there is no log field 'servce'"),
        (["4711", "logs", "--since", "noon"], "'noon': expected how long ago, such as"),
        (["4711", "logs", "--since", "999999w"], "'999999w': expected how long ago"),
        (["4711", "logs", "--follow", "-f", "json"], "--follow prints text only."),
        (["", "logs"], "What to look for is empty."),
    ],
    ids=str,
)
def test_mistakes(stored: Stored, arguments: list[str], message: str) -> None:
    """A wrong argument is one line with status 2."""
    result = stored.show(*arguments)

    assert (result.returncode, result.stdout) == (2, "")
    assert re.search("^Error: .*" + re.escape(message), result.stderr, re.MULTILINE)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("1h", True),
        ("90m", True),
        ("2d", True),
        ("2000-01-01", True),
        ("2000-01-01T10:15+02:00", True),
        ("2100-01-01T10:15", False),
    ],
)
def test_since(stored: Stored, text: str, *, found: bool) -> None:
    """Older lines are left out."""
    result = stored.show(stored.ids[0], "logs", "--since", text)

    assert (result.returncode == 0) == found


def test_what_is_skipped_is_counted(stored: Stored) -> None:
    """Garbage is not silent, and one bad file does not hide the others."""
    stored.project.write("logs/bad.log", f'{{"correlation_id": "{stored.ids[0]}",\n')

    result = stored.show(stored.ids[0], "logs")

    assert result.returncode == 0
    assert "Read 7 lines in 2 files.\nSkipped 1 line: " in result.stderr


def test_hostile_lines(stored: Stored) -> None:
    """Nothing that a line says reaches the terminal as it is."""
    hostile = "x\x1b]0;title\x07\x9b31m\n\u202e"
    line = {
        **json.loads(stored.lines[0]),
        "flow": hostile,
        "step": hostile,
        "service": hostile,
        "correlation_id": "hostile",
        "root_id": "hostile",
    }
    stored.project.write("logs/bad.log", json.dumps(line))
    stored.project.write("logs/b\x1bad.log", json.dumps(line)[:-5])

    for form in ("text", "html", "mermaid", "json", "otlp"):
        result = stored.show("hostile", "logs", "-f", form)
        said = result.stdout + result.stderr
        assert result.returncode == 0
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", said), said


def test_in_a_terminal(stored: Stored) -> None:
    """Failures have a colour, unless NO_COLOR is set."""
    command = [*PROCESS, "show", stored.ids[1], "logs", "-t", "shop"]
    env = surroundings() | {"TERM": "xterm", "COLUMNS": "60"}
    root = stored.project.root
    coloured = run_in_terminal(command, cwd=root, env=env)
    plain = run_in_terminal(command, cwd=root, env=env | {"NO_COLOR": "1"})

    assert coloured.returncode == plain.returncode == 0
    assert "\x1b[31mout of order\x1b[0m" in coloured.text
    assert "\x1b" not in plain.text
    assert max(map(len, plain.text.splitlines())) <= 60


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
def test_reader_has_left(stored: Stored) -> None:
    """A broken pipe is quiet, and stdin is a source."""
    log = (stored.project.root / "logs/shop.log").read_bytes()
    process = subprocess.Popen(
        [*PROCESS, "show", stored.ids[0], "-"],
        cwd=stored.project.root,
        env=surroundings(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, said = process.communicate(log)

    assert process.returncode == 141
    assert said == b""


@pytest.mark.skipif(os.name == "nt", reason="needs a signal for Ctrl+C")
def test_follow(stored: Stored) -> None:
    """Each call is printed once, when it has ended, and Ctrl+C ends it quietly."""
    log = stored.project.root / "logs/shop.log"
    half = [one for one in stored.lines if '"step": "receive"' not in one]
    rest = [one for one in stored.lines if '"step": "receive"' in one]
    log.write_text("\n".join(half) + "\n")
    process = subprocess.Popen(
        [*PROCESS, "show", stored.ids[0], "logs", "--follow"],
        cwd=stored.project.root,
        env=surroundings(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
    )
    assert process.stdout is not None
    timer = Timer(30, process.kill)
    timer.start()
    first = [process.stdout.readline() for _ in range(2)]
    with log.open("a") as file:
        file.write("\n".join(rest) + "\n")
    last = process.stdout.readline()
    process.send_signal(signal.SIGINT)
    more, said = process.communicate()
    timer.cancel()

    assert [line.split()[1] for line in (*first, last)] == [
        "orders/charge",
        "orders/ship",
        "orders/receive",
    ]
    assert (more, said, process.returncode) == ("", "", 0)


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
def test_follow_in_a_terminal(stored: Stored) -> None:
    """The tree is drawn again after each batch."""
    command = (
        f"{sys.executable} -m penstock show {stored.ids[0]} - --follow < logs/shop.log"
    )
    env = surroundings() | {"TERM": "xterm", "COLUMNS": "80"}
    shown = run_in_terminal(["sh", "-c", command], cwd=stored.project.root, env=env)

    assert shown.returncode == 0
    assert shown.text.count("orders/receive") == 1
    assert "\x1b[2J" in shown.text


def test_batches() -> None:
    """Lines that come together are shown together; a failure comes after them."""

    def lines() -> Iterator[StoredLine]:
        yield StoredLine(1, {})
        yield StoredLine(2, {})
        time.sleep(3 * _following._TOGETHER_S)  # noqa: SLF001  # how long it waits
        yield StoredLine(3, {})
        raise penstock.PenstockError("gone")

    found = []

    def show() -> None:
        for batch in _following.batches(lines()):
            found.append([line.time_us for line in batch])  # noqa: PERF401  # until it fails

    with pytest.raises(penstock.PenstockError, match="gone"):
        show()

    assert found == [[1, 2], [3]]


def test_help_has_an_example(stored: Stored) -> None:
    """The command can be tried as it is shown."""
    shown = stored.show("--help").stdout

    assert "Example: penstock show 4711abcd logs/" in shown
