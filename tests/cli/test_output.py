"""What all commands print: names that are not ours, and narrow character sets."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.support.projects import Project

pytest.importorskip("click", reason="needs click")
pytest.importorskip("rich", reason="needs rich")

HOSTILE = "x\x1b]0;title\x07\x9b31m\n::error::made up\u2028"


def hostile(**more: Any) -> str:
    """Return a manifest in which every name and path is hostile."""
    step = {
        "name": f"step{HOSTILE}",
        "entrypoint": True,
        "path": f"path{HOSTILE}.py",
        "line": 1,
        **more,
    }
    flow = {"name": f"flow{HOSTILE}", "owner": f"owner{HOSTILE}", "steps": [step]}
    whole = {"penstock": 1, "service": f"service{HOSTILE}", "flows": [flow]}
    return json.dumps(whole)


@pytest.mark.parametrize(
    "arguments",
    [
        ["dag", "m.json"],
        ["dag", "m.json", "-f", "text"],
        ["dag", "m.json", "--flow", "nope"],
        ["catalog", "m.json", "-o", "site"],
        ["list", "m.json"],
        ["list", "m.json", "-f", "concise"],
        ["list", "m.json", "-f", "json"],
        ["check", "m.json"],
        ["check", "m.json", "-f", "json"],
        ["check", "m.json", "-f", "github"],
        ["check", "m.json", "-f", "sarif"],
        ["docs", "--check", "-t", "m.json", "a.md"],
        ["diff", "m.json", "good.json"],
        ["diff", "good.json", "m.json", "-f", "json"],
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("after", [[], [[f"gone{HOSTILE}"]]], ids=["good", "bad"])
def test_manifest_controls_no_terminal(
    shop: Project, arguments: list[str], after: list[list[str]]
) -> None:
    """Neither a result nor an error passes a name or a path on as it is."""
    shop.write("m.json", hostile(after=after))
    shop.write("good.json", '{"penstock": 1, "flows": []}')
    shop.write("a.md", "<!-- penstock:nope -->\n<!-- /penstock -->\n")
    if arguments[0] == "check":
        pytest.importorskip("jedi", reason="needs jedi")

    result = shop.penstock(*arguments)
    said = result.stdout + result.stderr

    assert "Traceback" not in said
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", said), said
    command = re.compile("::(error|warning|notice) file=")
    lines = [line.strip() for line in said.splitlines()]
    assert all(command.match(line) for line in lines if line.startswith("::")), said


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1"])
def test_drawings_without_their_characters(shop: Project, encoding: str) -> None:
    """Boxes and arrows become ASCII in the same place."""
    out = io.TextIOWrapper(io.BytesIO(), encoding)
    drawn = shop.penstock("dag", "shop.orders", "-f", "text", stdout=out).stdout
    whole = shop.penstock("dag", "shop.orders", "-f", "text").stdout

    assert drawn.isascii()
    assert not re.search(r"\\|\?", drawn)
    assert list(map(len, drawn.splitlines())) == list(map(len, whole.splitlines()))


def test_every_character_of_a_drawing_has_a_replacement(shop: Project) -> None:
    """Also those of joins, cycles and other services."""
    shop.write(
        "all.py",
        """
        from penstock import all_of, flow
        f = flow("all")
        @f.entrypoint
        def start(): ...
        @f.step(after=["start", "d"])
        def a(): ...
        @f.step(after="start")
        def b(): ...
        @f.step(after=all_of("a", "b"))
        def c(): ...
        @f.step(after=["c", "other/shop:x"])
        def d(): ...
        """,
    )
    out = io.TextIOWrapper(io.BytesIO(), "ascii")
    options = ("-f", "text", "--detail")

    assert "\\" not in shop.penstock("dag", "all", *options, stdout=out).stdout


@pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_output(shop: Project, closed: str) -> None:
    """A shell may close an output; the exit status is still right."""
    script = f"{shlex.quote(sys.executable)} -m penstock list"

    for target, status in (("shop.orders", 0), ("shop.nope", 2)):
        done = shop.penstock(program=("sh", "-c", f"{script} {target} {closed}"))
        assert done.returncode == status
        assert "Traceback" not in done.stderr
