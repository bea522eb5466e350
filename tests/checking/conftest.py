"""A small project on disk, and the check that runs on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.checking.resolvers.ty import find_ty
from tests.support.projects import Project

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.projects import Result

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


class CheckedProject(Project):
    """A project, with what the check says of it."""

    __slots__ = ()

    def check(self, *arguments: str, env: dict[str, str] | None = None) -> Result:
        """Run ``penstock check`` with *arguments*, with *env* added."""
        return self.penstock("check", *arguments, env=env)

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


def needed() -> None:
    """Skip the test if a package is missing that a check needs."""
    for package in ("click", "rich", "jedi"):
        pytest.importorskip(package, reason=f"needs {package}")


@pytest.fixture
def project(tmp_path: Path) -> CheckedProject:
    """Return a project with a flow that is wrong in one place."""
    needed()
    made = CheckedProject(tmp_path)
    made.write("shop/__init__.py", "")
    made.write("shop/orders.py", ORDERS)
    return made


@pytest.fixture(params=["jedi", "ty"])
def resolver(request: pytest.FixtureRequest) -> str:
    """Return each resolver in turn."""
    name: str = request.param
    if name == "ty" and find_ty() is None:
        pytest.skip("needs ty")
    return name
