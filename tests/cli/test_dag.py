"""``penstock dag``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import url2pathname

import pytest

from tests.support.images import needs_draw
from tests.support.projects import PROCESS

if TYPE_CHECKING:
    from tests.support.projects import Project

ORDERS = """\
graph TD
    receive --> charge
    receive --> reserve
    charge --> ship
    reserve --> ship
"""


def test_mermaid_by_default(shop: Project) -> None:
    """One flow, as the library itself draws it."""
    result = shop.penstock("dag", "shop.orders")

    assert (result.returncode, result.stdout, result.stderr) == (0, ORDERS, "")


def test_flow_by_name(shop: Project) -> None:
    """``--flow`` picks one of many; what it needs from the others is still known."""
    result = shop.penstock("dag", "shop.**", "--flow", "orders")

    assert result.stdout == ORDERS


def test_several_flows(shop: Project) -> None:
    """``--flow`` twice draws both, and nothing else."""
    result = shop.penstock("dag", "shop.**", "--flow=orders", "--flow=billing")

    assert "remind" in result.stdout
    assert "ship" in result.stdout
    assert "record" not in result.stdout


def test_everything(shop: Project) -> None:
    """Without ``--flow`` the whole system is drawn."""
    result = shop.penstock("dag", "shop.**")

    assert {name for name in ("remind", "ship", "record") if name in result.stdout} == {
        "remind",
        "ship",
        "record",
    }


@pytest.mark.parametrize(
    ("form", "says"),
    [("mermaid", "graph TD"), ("dot", "digraph"), ("json", "{"), ("text", "receive")],
)
def test_formats(shop: Project, form: str, says: str) -> None:
    """Each text format goes to stdout."""
    result = shop.penstock("dag", "shop.orders", "--format", form)

    assert result.returncode == 0, result.stderr
    assert says in result.stdout


def test_direction_and_detail(shop: Project) -> None:
    """Options reach the drawing."""
    result = shop.penstock("dag", "shop.orders", "--direction=LR", "--detail")

    assert "graph LR" in result.stdout
    assert "Take the order" in result.stdout


def test_overview(shop: Project) -> None:
    """Flows are boxes, but for those to expand."""
    result = shop.penstock("dag", "shop.**", "--overview")
    expanded = shop.penstock("dag", "shop.**", "--expand", "orders")

    assert 'orders["orders<br/>4 steps"]' in result.stdout
    assert "receive" not in result.stdout
    assert "receive" in expanded.stdout
    assert 'billing["billing<br/>2 steps"]' in expanded.stdout


def test_expand_what_is_not_there(shop: Project) -> None:
    """A misspelt flow is an error with a suggestion."""
    result = shop.penstock("dag", "shop.**", "--expand", "order")

    assert result.returncode == 2
    assert "Did you mean 'orders'?" in result.stderr


def test_file_by_its_suffix(shop: Project) -> None:
    """``-o`` writes a file of the format that its name says, and prints nothing."""
    result = shop.penstock("dag", "shop.orders", "-o", "orders.md")

    assert (result.returncode, result.stdout) == (0, "")
    written = (shop.root / "orders.md").read_text(encoding="utf-8")
    assert written == f"```mermaid\n{ORDERS}```\n"


def test_json_drawing_is_json(shop: Project) -> None:
    """What is piped on can be parsed."""
    result = shop.penstock("dag", "shop.orders", "-f", "json")

    assert json.loads(result.stdout)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--flow", "order"], "'order'. Did you mean 'orders'?"),
        (["--format", "gif"], "there is no format 'gif'"),
        (["-o", "orders.gif"], ".gif"),
        (["-o", "nowhere/orders.md"], "nowhere"),
        (["-o", "shop"], "is a directory"),
        (["--direction", "UP"], "'UP' is not one of"),
        (["--nope"], "No such option"),
    ],
)
def test_wrong_usage(shop: Project, arguments: list[str], told: str) -> None:
    """A wrong argument is one message, without a traceback."""
    result = shop.penstock("dag", "shop.orders", *arguments)

    assert result.returncode == 2
    assert told in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_predecessor_that_is_nowhere(shop: Project) -> None:
    """A wrong ``after`` is an error of the command, with its place and suggestion."""
    shop.write(
        "wrong.py",
        """
        from penstock import flow
        f = flow("wrong")
        @f.entrypoint
        def start(): ...
        @f.step(after="strat")
        def end(): ...
        """,
    )

    result = shop.penstock("dag", "wrong")

    assert result.returncode == 2
    assert "Did you mean 'start'?" in result.stderr
    assert "Traceback" not in result.stderr


def test_manifests_make_one_picture(shop: Project) -> None:
    """Flows of several repositories are drawn from their manifests."""
    shop.write(
        "till.py",
        """
        from penstock import flow
        till = flow("till")
        @till.entrypoint
        def open_till(): ...
        @till.step(after=["open_till", "shop/orders:ship"])
        def remind(order): ...
        """,
    )
    for module, service in (("shop.orders", "shop"), ("till", "till")):
        result = shop.penstock(
            "export", module, "-o", f"{service}.json", "--service", service
        )
        assert result.returncode == 0, result.stderr

    result = shop.penstock("dag", "shop.json", "till.json")

    assert result.returncode == 0, result.stderr
    assert "ship" in result.stdout
    assert "remind" in result.stdout


def write_big(shop: Project) -> None:
    """Write a module with a flow of 700 edges, whose drawing no pipe can hold."""
    shop.write(
        "big.py",
        """
        from penstock import flow
        f = flow("big")

        @f.entrypoint
        def start(): ...

        for i in range(700):
            f.step(after="start", name=f"{i:0>200}")(lambda: None)
        """,
    )


def test_warnings_are_one_line(shop: Project) -> None:
    """What a drawing warns of is said once, apart from the result."""
    write_big(shop)

    result = shop.penstock("dag", "big")

    assert result.returncode == 0
    assert len(result.stdout.splitlines()) == 701
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: the diagram of flow 'big' has 700 edges")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGPIPE")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_reader_that_leaves(shop: Project, unbuffered: str) -> None:
    """``penstock dag | head -1`` ends quietly, as any command does."""
    write_big(shop)

    with subprocess.Popen(
        [sys.executable, "-m", "penstock", "dag", "big"],
        cwd=shop.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONUNBUFFERED": unbuffered},
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.readline()
        process.stdout.close()
        told = process.stderr.read().decode()

    assert "Traceback" not in told
    assert "BrokenPipe" not in told
    assert process.returncode == 141


@needs_draw
def test_picture_into_a_pipe_or_a_file(shop: Project) -> None:
    """A PNG goes to a pipe byte for byte as it goes to a file."""
    result = shop.penstock("dag", "shop.orders", "-o", "orders.png")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")

    piped = shop.penstock("dag", "shop.orders", "--format", "png").output

    assert piped == (shop.root / "orders.png").read_bytes()
    assert piped.startswith(b"\x89PNG")


def test_page_with_links_to_the_source(shop: Project) -> None:
    """The project says where its source is read; what the program says wins."""
    url = "https://forge.example/src/{path}#L{line}"
    shop.write("pyproject.toml", f'[tool.penstock]\nsource-url = "{url}"\n')

    result = shop.penstock("dag", "shop.orders", "-o", "orders.html")
    other = shop.penstock(
        "export", "shop.orders", env={"PENSTOCK_SOURCE_URL": "https://other.example/"}
    )

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    page = (shop.root / "orders.html").read_text(encoding="utf-8")
    assert '"https://forge.example/src/shop/orders.py#L8"' in page
    assert '"source_url": "https://other.example/"' in other.stdout


@needs_draw
def test_picture_of_letters_that_no_font_has(shop: Project) -> None:
    """The warning is one line on stderr, and the picture is drawn."""
    shop.write(
        "odd.py",
        """
        from penstock import flow
        f = flow("odd")
        @f.entrypoint(name="\\U000F0000 private")
        def start(): ...
        """,
    )

    result = shop.penstock("dag", "odd", "-o", "odd.png")

    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("Warning: no font on this machine has ")
    assert "(U+F0000)" in result.stderr
    assert (shop.root / "odd.png").exists()


def test_open(shop: Project) -> None:
    """``--open`` shows a page in the browser, in a temporary file or in --output."""
    env = {"BROWSER": "echo"}
    command = ("dag", "shop.orders", "--open")

    temporary = shop.penstock(*command, program=PROCESS, env=env)
    named = shop.penstock(*command, "-o", "flow.svg", program=PROCESS, env=env)

    path = Path(url2pathname(temporary.stdout.strip().removeprefix("file://")))
    assert path.suffix == ".html"
    assert "receive" in path.read_text(encoding="utf-8")
    assert named.stdout.strip() == (shop.root / "flow.svg").as_uri()
    path.unlink()


def test_open_without_a_browser(shop: Project) -> None:
    """The file is written, and a note says where it is."""
    env = {"BROWSER": "false"}
    command = ("dag", "shop.orders", "-o", "flow.dot", "--open")

    result = shop.penstock(*command, program=PROCESS, env=env)

    assert result.returncode == 0
    assert "no browser here to open file:" in result.stderr


def test_colors_of_the_project(shop: Project) -> None:
    """Pinned colors are those of every picture, until the setting is gone."""
    told = "[tool.penstock]\n"
    pictures = []
    for table in (told, f'{told}colors = {{web = "pink"}}\n', told):
        shop.write("pyproject.toml", table)
        arguments = ("dag", "shop.orders", "--format", "svg")
        pictures.append(shop.penstock(*arguments, env={"PENSTOCK_SERVICE": "web"}))

    assert "pink-tint" in pictures[1].stdout
    assert "pink-tint" not in pictures[0].stdout
    assert pictures[0].stdout == pictures[2].stdout
