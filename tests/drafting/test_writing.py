"""Markers in the source."""

from __future__ import annotations

import ast
import subprocess
from typing import TYPE_CHECKING

import pytest

from penstock._project.imports import MissingTargetError
from penstock.drafting.plan import DraftPlan, PlannedStep
from penstock.drafting.writing import apply_changes, changes_for, refuse_dirty
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

SHOP = '''\
# -*- coding: latin-1 -*-
"""A shop: \xe4."""

from __future__ import annotations
import os


def place(order):
    pay(order)


class Till:
    @staticmethod
    @os.fspath
    def pay(order):
        pass
'''
MARKED = '''\
# -*- coding: latin-1 -*-
"""A shop: \xe4."""

from __future__ import annotations
import os
from orders_flow import orders


@orders.entrypoint
def place(order):
    pay(order)


class Till:
    @staticmethod
    @os.fspath
    @orders.step(name="charge", after="place")
    def pay(order):
        pass
'''
PLAN = DraftPlan(
    "orders",
    "shop:place",
    (
        PlannedStep("shop:place", "place", ()),
        PlannedStep("shop:Till.pay", "charge", ("place",)),
    ),
    "sales",
)


def write(folder: Path, plan: DraftPlan = PLAN) -> int:
    """Write the markers of a plan for ``shop.py``; return the number of changes."""
    changes = changes_for(plan, {"shop": folder / "shop.py"}, folder)
    apply_changes(changes)
    return len(changes)


def test_only_markers_and_the_import_change(tmp_path: Path) -> None:
    """The innermost decorator is the marker; every other byte stays."""
    path = tmp_path / "shop.py"
    path.write_bytes(SHOP.encode("latin-1"))

    write(tmp_path)

    assert path.read_bytes().decode("latin-1") == MARKED
    assert (tmp_path / "orders_flow.py").read_text() == (
        '"""A flow on functions of several modules."""\n\n'
        "from penstock import flow\n\n"
        'orders = flow("orders", owner="sales", outside="warn")\n'
    )


def test_windows_line_ends_stay(tmp_path: Path) -> None:
    """New lines end as those around them."""
    path = tmp_path / "shop.py"
    path.write_bytes(SHOP.replace("\n", "\r\n").encode("latin-1"))

    write(tmp_path)

    assert path.read_bytes().decode("latin-1") == MARKED.replace("\n", "\r\n")


def test_twice_changes_nothing(tmp_path: Path) -> None:
    """What is marked already is left alone."""
    (tmp_path / "shop.py").write_bytes(SHOP.encode("latin-1"))

    assert [write(tmp_path), write(tmp_path)] == [2, 0]


def test_an_edited_plan_replaces_its_marker(tmp_path: Path) -> None:
    """The marker follows the plan; a long one takes several lines."""
    (tmp_path / "shop.py").write_bytes(SHOP.encode("latin-1"))
    write(tmp_path)
    steps = (
        PLAN.steps[0],
        PlannedStep(
            "shop:Till.pay", "charge_the_whole_order_at_once", ("place", "x" * 40)
        ),
    )

    write(tmp_path, DraftPlan("orders", "shop:place", steps))

    text = (tmp_path / "shop.py").read_bytes().decode("latin-1")
    assert (
        "    @orders.step(\n"
        '        name="charge_the_whole_order_at_once",\n'
        f'        after=["place", "{"x" * 40}"],\n'
        "    )\n    def pay(order):\n"
    ) in text
    assert 'charge"' not in text


def test_the_handle_has_a_free_name(tmp_path: Path) -> None:
    """A name that the code uses already is not taken."""
    (tmp_path / "shop.py").write_text('"""Shop."""\norders = []\ndef place(): ...\n')

    write(tmp_path, DraftPlan("orders", "shop:place", PLAN.steps[:1]))

    assert (tmp_path / "shop.py").read_text() == (
        '"""Shop."""\n\nfrom orders_flow import orders_flow\norders = []\n'
        "@orders_flow.entrypoint\ndef place(): ...\n"
    )


def test_a_function_that_is_gone(tmp_path: Path) -> None:
    """Nothing is written if a function of the plan is not there."""
    (tmp_path / "shop.py").write_text("def place(): ...\n")

    with pytest.raises(MissingTargetError, match=r"no function 'Till\.pay' any more"):
        write(tmp_path)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    """The error names the file."""
    with pytest.raises(ConfigurationError, match=r"shop\.py: No such file"):
        write(tmp_path)


def test_dirty_files_are_refused(tmp_path: Path) -> None:
    """A file whose state is not in Git is not changed, until it is committed."""
    path = tmp_path / "shop.py"
    path.write_text("def place(): ...\n")
    plan = DraftPlan("orders", "shop:place", PLAN.steps[:1])
    changes = changes_for(plan, {"shop": path}, tmp_path)
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b"]

    for command in (["init", "-q"], ["add", "."]):
        with pytest.raises(ConfigurationError, match="not in Git"):
            refuse_dirty(changes)
        subprocess.run([*git, *command], cwd=tmp_path, check=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=tmp_path, check=True)
    refuse_dirty(changes)


def test_the_diff(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change shows itself as a unified diff."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop.py").write_text("def place(): ...")

    _, change = changes_for(
        DraftPlan("orders", "shop:place", PLAN.steps[:1]),
        {"shop": tmp_path / "shop.py"},
        tmp_path,
    )

    assert change.diff.splitlines()[:2] == ["--- a/shop.py", "+++ b/shop.py"]
    assert "+@orders.entrypoint\n" in change.diff


def test_comments_at_the_beginning_stay(tmp_path: Path) -> None:
    """In a file without imports, the import comes before the first statement."""
    (tmp_path / "shop.py").write_text(
        "# -*- coding: utf-8 -*-\n\n@print\ndef place(): ...\n"
    )

    write(tmp_path, DraftPlan("orders", "shop:place", PLAN.steps[:1]))

    assert (tmp_path / "shop.py").read_text() == (
        "# -*- coding: utf-8 -*-\n\nfrom orders_flow import orders\n\n"
        "@print\n@orders.entrypoint\ndef place(): ...\n"
    )


def test_a_name_cannot_leave_its_string(tmp_path: Path) -> None:
    """A plan from elsewhere brings names, never code, and is found again."""
    (tmp_path / "shop.py").write_text("def place(): ...\n")
    plan = DraftPlan('a\'\n"""\nimport os #(', "shop:place", PLAN.steps[:1], 'b"\n')

    assert [write(tmp_path, plan), write(tmp_path, plan)] == [2, 0]

    (path,) = tmp_path.glob("*_flow.py")
    *_, declared = ast.parse(path.read_text()).body
    assert len(ast.parse(path.read_text()).body) == 3
    assert isinstance(declared, ast.Assign)
