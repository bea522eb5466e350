"""A small project on disk, with three flows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.projects import Project

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


@pytest.fixture
def shop(tmp_path: Path) -> Project:
    """Return a project with three flows in one package."""
    pytest.importorskip("click", reason="needs click")
    pytest.importorskip("rich", reason="needs rich")
    project = Project(tmp_path)
    for name, text in FILES.items():
        project.write(name, text)
    return project
