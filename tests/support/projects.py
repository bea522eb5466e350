"""A project in a folder of its own, and the command line that is run in it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Project", "surroundings"]

# What the surroundings may say, and no test wants to hear.
_UNWANTED = ("DJANGO_SETTINGS_MODULE", "GITHUB_ACTIONS", "OTEL_", "PENSTOCK_")


@dataclass(frozen=True, slots=True)
class Project:
    """A project in a folder of its own."""

    root: Path

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")
        return path

    def penstock(
        self,
        *arguments: str,
        cwd: str = ".",
        program: tuple[str, ...] = (sys.executable, "-m", "penstock"),
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run ``penstock`` with *arguments* in the folder *cwd*, with *env* added."""
        return subprocess.run(
            [*program, *arguments],
            cwd=self.root / cwd,
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=surroundings() | (env or {}),
        )


def surroundings() -> dict[str, str]:
    """Return the environment, without what no test wants to hear."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(_UNWANTED)
    }
