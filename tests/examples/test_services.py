"""The example of three services: fresh manifests, and commands that do what it says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SERVICES = ROOT / "examples" / "services"
README = (SERVICES / "README.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"```(bash|mermaid)\n(.*?)```", re.DOTALL)

pytest.importorskip("click", reason="needs click")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder that has the example, without its manifests."""
    target = tmp_path / "examples" / "services"
    shutil.copytree(SERVICES, target, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(command: str, folder: Path) -> str:
    """Run a line of the document, and return what it prints."""
    line = command.replace("penstock ", f"'{sys.executable}' -m penstock ", 1)
    if command.startswith("("):  # the first "penstock" is the folder's
        line = command.replace("&& penstock ", f"&& '{sys.executable}' -m penstock ")
    environment = {k: v for k, v in os.environ.items() if k != "OTEL_SERVICE_NAME"}
    done = subprocess.run(
        ["sh", "-c", line],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_commands_do_as_the_document_says(copy: Path) -> None:
    """Every command runs, and the diagram below it is what it prints."""
    if shutil.which("sh") is None:
        pytest.skip("this system has no sh")
    for old in copy.rglob("penstock.json"):
        old.unlink()
    printed = ""
    shown = []
    for kind, text in BLOCK.findall(README):
        if kind == "mermaid":
            assert printed == text
            shown.append(text)
        else:
            printed = "".join(run(line, copy) for line in text.splitlines())

    assert len(shown) == 2
    for service in ("shop", "billing", "shipping"):
        fresh = (copy / "examples/services" / service / "penstock.json").read_bytes()
        assert fresh == (SERVICES / service / "penstock.json").read_bytes()


def test_rows_of_the_table_run(copy: Path) -> None:
    """The commands in the list of examples run, too."""
    table = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")
    commands = re.findall(r"`(penstock \w+ examples/services/[^`]*)`", table)

    assert len(commands) == 2
    assert "charge --> pack" in run(commands[0], copy)
