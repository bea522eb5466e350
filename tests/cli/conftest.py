"""A small project on disk, and the command run in it as users run it."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "shop/__init__.py": "",
    "shop/orders.py": '''
        """Orders."""
        from penstock import all_of, entrypoint, flow, step

        orders = flow("orders", owner="payments", description="From click to parcel.")

        @orders
        class OrderFlow:
            @entrypoint
            def receive(self, order_id):
                """Take the order."""

            @step(after="receive", tags=("io",))
            def charge(self, order): ...

            @step(after="receive")
            def reserve(self, order): ...

            @step(after=all_of("charge", "reserve"))
            def ship(self, order): ...
    ''',
    "shop/billing.py": """
        from penstock import flow

        billing = flow("billing")

        @billing.entrypoint
        def invoice(order): ...

        @billing.step(after="orders:ship")
        def remind(order): ...

        def plain(): ...
    """,
    "shop/deep/er/audit.py": """
        from penstock import flow

        audit = flow("audit")

        @audit.entrypoint
        def record(entry): ...
    """,
    "shop/__main__.py": "raise SystemExit('the program ran')",
}


@dataclass(frozen=True, slots=True)
class Shop:
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
        inherited = {
            name: value
            for name, value in os.environ.items()
            if name not in {"DJANGO_SETTINGS_MODULE", "OTEL_SERVICE_NAME"}
            and not name.startswith("PENSTOCK_")
        }
        return subprocess.run(
            [*program, *arguments],
            cwd=self.root / cwd,
            check=False,
            capture_output=True,
            text=True,
            encoding="utf-8",
            env=inherited | (env or {}),
        )


@pytest.fixture
def shop(tmp_path: Path) -> Shop:
    """Return a project with three flows in one package."""
    pytest.importorskip("click", reason="needs click")
    pytest.importorskip("rich", reason="needs rich")
    project = Shop(tmp_path)
    for name, text in FILES.items():
        project.write(name, text)
    return project
