"""A small project on disk, and the check run on it as users run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = """
    from penstock import flow

    orders = flow("orders", owner="payments")


    @orders.entrypoint
    def receive(order):
        validate(order)
        ship(order)


    @orders.step(after="receive")
    def validate(order):
        return charge(order)


    @orders.step(after="validate")
    def charge(order): ...


    @orders.step(after="pack")
    def ship(order): ...


    @orders.step(after="charge")
    def pack(order): ...
"""


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

    def check(
        self, *arguments: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run ``penstock check`` with *arguments*, with *env* added."""
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DJANGO_SETTINGS_MODULE", "GITHUB_ACTIONS"}
            and not name.startswith(("PENSTOCK_", "OTEL_"))
        }
        return subprocess.run(
            [sys.executable, "-m", "penstock", "check", *arguments],
            cwd=self.root,
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=inherited | (env or {}),
        )

    def findings(self, *arguments: str) -> list[dict[str, Any]]:
        """Return what ``penstock check`` finds."""
        result = self.check(*arguments, "--format", "json")
        assert result.returncode in {0, 1}, result.stderr
        found: list[dict[str, Any]] = json.loads(result.stdout)
        return found

    def codes(self, *arguments: str) -> list[str]:
        """Return the findings as ``PEN101 ship``, sorted."""
        found = self.findings(*arguments)
        return sorted(f"{one['code']} {one['step']}".strip() for one in found)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Return a project with a flow that is wrong in one place."""
    for package in ("click", "rich", "jedi"):
        pytest.importorskip(package, reason=f"needs {package}")
    made = Project(tmp_path)
    made.write("shop/__init__.py", "")
    made.write("shop/orders.py", ORDERS)
    return made
