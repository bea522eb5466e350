"""Read the recipes from their page, as a reader copies them."""

from __future__ import annotations

import os
import re
import sys
from itertools import dropwhile
from pathlib import Path
from typing import NamedTuple

from tests.docs.blocks import blocks_of

__all__ = ["Line", "lines_of", "reader", "shown_below"]

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "how-to" / "recipes.md"
BLOCKS = blocks_of(PAGE.read_text(encoding="utf-8"))
NAME = re.compile(r"# (?P<path>[\w/]+\.py)\n")
LINE = re.compile(r"(?m)^(?P<id>[\w-]{1,8}) (?P<logger>[\w.()-]+): (?P<message>.*)$")


class Line(NamedTuple):
    """A line in the format of the page's ``logs.py``."""

    flow_id: str
    logger: str
    message: str

    def __str__(self) -> str:
        return f"{self.flow_id} {self.logger}: {self.message}"


def lines_of(log: str) -> list[Line]:
    """Return the lines of *log* that have the page's format."""
    return [Line(*match.groups()) for match in LINE.finditer(log)]


def reader(folder: Path) -> dict[str, str]:
    """Save the page's files in *folder*; return the environment to run them in."""
    for block in BLOCKS:
        if name := NAME.match(block.text):
            path = folder / name["path"]
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(block.text + "\n", encoding="utf-8")
    commands = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": commands, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}"}


def shown_below(name: str) -> list[str]:
    """Return the log lines that the page shows below the file *name*."""
    below = dropwhile(lambda block: not block.text.startswith(f"# {name}\n"), BLOCKS)
    return next(block.text for block in below if block.language == "text").splitlines()
