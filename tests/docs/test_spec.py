"""The programs of the documents that penstock was built from run unchanged."""

from __future__ import annotations

import doctest
import hashlib
import json
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.docs.blocks import Block, blocks_of
from tests.docs.spec_programs import AS_PRINTED, PROGRAMS, Program

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
DIGESTS = {
    "readme.md": "47e7b11cd7c919be55a0102e974690328ad73e66ce739c75586389e32a179518",
    "usage-guide.md": (
        "120c7841b527847af8cd77d7687404f138451676b31927c566719d4a54de702d"
    ),
}
Results = dict[str, dict[str, str]]


def spec(name: str) -> Path:
    """Return the path of a document."""
    return HERE / "spec" / name


def blocks(name: str) -> list[Block]:
    """Return the blocks of a document."""
    return blocks_of(spec(name).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """Run both documents, each in a process and an empty folder of its own."""
    found: dict[str, Results] = {}
    for name in DIGESTS:
        result = subprocess.run(
            [sys.executable, "-W", "error", str(HERE / "run_spec.py"), spec(name)],
            cwd=tmp_path_factory.mktemp("spec"),
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
        )
        assert result.returncode == 0, result.stderr
        found[name] = json.loads(result.stdout)
    return found


@pytest.mark.parametrize("name", DIGESTS)
def test_document_is_word_for_word(name: str) -> None:
    """The document has not been edited."""
    assert hashlib.sha256(spec(name).read_bytes()).hexdigest() == DIGESTS[name]


@pytest.mark.parametrize("name", DIGESTS)
def test_no_program_is_forgotten(name: str) -> None:
    """Each Python block is one program, in the order of the document."""
    code = [block for block in blocks(name) if block.language == "python"]
    programs = [program for program in PROGRAMS if program.document == name]

    assert len(code) == len(programs)
    for block, program in zip(code, programs, strict=True):
        assert program.is_in(block.text)


@pytest.mark.parametrize(
    "program", PROGRAMS, ids=lambda program: f"{program.document}: {program.holds}"
)
def test_program_prints_what_the_document_says(
    program: Program, results: dict[str, Results]
) -> None:
    """A reader who copies it gets what the document shows."""
    if program.left_out:
        pytest.skip(program.left_out)
    result = results[program.document][program.holds]
    if program.needs and result["raised"] == f"needs {program.needs}":
        pytest.skip(result["raised"])
    if find_spec("resvg_py") is None and "'penstock[draw]'" in result["raised"]:
        pytest.skip("needs draw")  # it ran as far as it could, for those that follow

    assert result["raised"].startswith(program.raises)
    assert bool(result["raised"]) == bool(program.raises)
    if program.prints == AS_PRINTED:
        want = printed_for(program)
        assert doctest.OutputChecker().check_output(
            want, result["printed"], doctest.ELLIPSIS
        ), result["printed"]
    else:
        assert re.fullmatch(f"{program.prints}\n", result["printed"]), result["printed"]


def printed_for(program: Program) -> str:
    """Return the output below a program's block, or in the comment at its end."""
    found = blocks(program.document)
    at = next(i for i, block in enumerate(found) if program.is_in(block.text))
    _, is_comment, comment = found[at].text.partition("# Output:\n")
    if is_comment:
        lines = (line.removeprefix("#   ") for line in comment.splitlines())
        # The ID is an example.
        return "".join(f"{line}\n" for line in lines).replace("a1b2c3d4...", "...")
    assert found[at + 1].purpose == "output"
    return f"{found[at + 1].text}\n"


def test_log_lines_of_one_order_share_an_id(results: dict[str, Results]) -> None:
    """The guide: all log entries within that call share the same ID."""
    printed = results["usage-guide.md"]['f.receive_order("ORD-001")']["printed"]

    assert len(re.findall("cid=", printed)) == 9
    assert len(set(re.findall("cid=(\\w+)", printed))) == 1


def test_basic_flow_runs_alone(tmp_path: Path) -> None:
    """The guide's program is complete: in its own file it logs the same lines."""
    (block,) = (b for b in blocks("usage-guide.md") if "ORD-001" in b.text)
    (tmp_path / "app.py").write_text(block.text, encoding="utf-8")

    result = subprocess.run(
        [sys.executable, "-W", "error", "app.py"],
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    )

    assert result.stdout.count("cid=") == 1
    assert result.stderr.count("[order_processing/") == 8


def test_structure_is_there() -> None:
    """Each module of the guide's last page exists, except those still to come."""
    package = ROOT / "src" / "penstock"
    (tree,) = (
        b.text for b in blocks("usage-guide.md") if b.text.startswith("penstock/")
    )
    named = re.findall(r"(\w+\.py) ", tree)
    to_come = {"django.py", "celery.py"}

    here = {path.name for path in package.rglob("*.py")}
    assert set(named) - here <= to_come
    assert len(named) == 13
