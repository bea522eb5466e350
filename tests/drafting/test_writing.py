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


ENTRY = "@orders.entrypoint"
IMPORT = "from orders_flow import orders"


@pytest.mark.parametrize(
    ("before", "after", "function"),
    [
        pytest.param(
            "class K:\n\tdef place(self):\n\t\treturn 1\n",
            f"{IMPORT}\n\nclass K:\n\t{ENTRY}\n\tdef place(self):\n\t\treturn 1\n",
            "K.place",
            id="tabs",
        ),
        pytest.param(
            "import os\n\fdef place(): ...\n\f\n",
            f"import os\n{IMPORT}\n{ENTRY}\n\fdef place(): ...\n\f\n",
            "place",
            id="form feeds",
        ),
        pytest.param(
            'X = "\v\x1c\x85\u2028"\ndef place(): ...',
            f'{IMPORT}\n\nX = "\v\x1c\x85\u2028"\n{ENTRY}\ndef place(): ...',
            "place",
            id="line ends of Unicode",
        ),
        pytest.param(
            "\ufeffimport os\r\ndef place(): ...\r\n",
            f"\ufeffimport os\r\n{IMPORT}\r\n{ENTRY}\r\ndef place(): ...\r\n",
            "place",
            id="BOM",
        ),
        pytest.param(
            "import os\rdef place(): ...\r",
            f"import os\r{IMPORT}\r{ENTRY}\rdef place(): ...\r",
            "place",
            id="old Macs",
        ),
        pytest.param(
            "import os\n\n# above\n@os.fspath  # why\n# between\n"
            "async def place(): ...\n",
            f"import os\n{IMPORT}\n\n# above\n@os.fspath  # why\n# between\n{ENTRY}\n"
            "async def place(): ...\n",
            "place",
            id="comments",
        ),
        pytest.param(
            '"""Doc."""\nfrom __future__ import annotations\n'
            "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n"
            "    from decimal import Decimal\ndef place(): ...\n",
            '"""Doc."""\nfrom __future__ import annotations\n'
            f"from typing import TYPE_CHECKING\n{IMPORT}\nif TYPE_CHECKING:\n"
            f"    from decimal import Decimal\n{ENTRY}\ndef place(): ...\n",
            "place",
            id="TYPE_CHECKING",
        ),
        pytest.param(
            "@overload\ndef place(): ...\n@overload\ndef place(x): ...\n"
            "def place(x=1): ...\n",
            f"{IMPORT}\n\n@overload\ndef place(): ...\n@overload\ndef place(x): ...\n"
            f"{ENTRY}\ndef place(x=1): ...\n",
            "place",
            id="overloads",
        ),
        pytest.param(
            "try:\n    import x\nexcept ImportError:\n    def place(): ...\n"
            "else:\n    def place(): ...\n",
            f"{IMPORT}\n\ntry:\n    import x\nexcept ImportError:\n    {ENTRY}\n"
            f"    def place(): ...\nelse:\n    {ENTRY}\n    def place(): ...\n",
            "place",
            id="branches of try",
        ),
        pytest.param(
            "match 1:\n    case 1:\n        def place(): ...\n"
            "    case _:\n        def place(): ...\n",
            f"{IMPORT}\n\nmatch 1:\n    case 1:\n        {ENTRY}\n"
            f"        def place(): ...\n    case _:\n        {ENTRY}\n"
            "        def place(): ...\n",
            "place",
            id="branches of match",
        ),
        pytest.param(
            "class A:\n    class B:\n        if 1:\n            def place(): ...\n"
            "        else:\n            def place(): ...\n",
            f"{IMPORT}\n\nclass A:\n    class B:\n        if 1:\n            {ENTRY}\n"
            "            def place(): ...\n"
            f"        else:\n            {ENTRY}\n            def place(): ...\n",
            "A.B.place",
            id="nested classes",
        ),
    ],
)
def test_odd_files(tmp_path: Path, before: str, after: str, function: str) -> None:
    """Only the lines of the marker and of the import are new, and only once."""
    path = tmp_path / "shop.py"
    path.write_bytes(before.encode())
    plan = DraftPlan("orders", "x", (PlannedStep(f"shop:{function}", "place", ()),))

    assert [write(tmp_path, plan), write(tmp_path, plan)] == [2, 0]

    assert path.read_bytes().decode() == after
    compile(path.read_bytes(), "shop.py", "exec")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            ["import os", "from shop.cart import a", "# why", "from shop.tax import b"],
            [*range(2), "NEW", *range(2, 4)],
        ),
        (["import os", "", "from shop.tax import b"], [0, 1, "NEW", 2]),
        (["from shop.cart import a"], [0, "NEW"]),
        (["from shopping.tax import b", "from .orders import c"], [0, 1, "NEW"]),
    ],
)
def test_imports_stay_sorted(
    tmp_path: Path, before: list[str], after: list[int | str]
) -> None:
    """The import stands among those of its package, and comments stay in place."""
    path = tmp_path / "shop" / "views.py"
    path.parent.mkdir()
    path.write_text("\n".join([*before, "", "", "def place(): ...", ""]))
    plan = DraftPlan("sales", "x", (PlannedStep("shop.views:place", "place", ()),))

    apply_changes(changes_for(plan, {"shop.views": path}, tmp_path))

    new = "from shop.sales_flow import sales"
    imports = path.read_text().split("\n\n\n")[0].split("\n")
    assert imports == [new if n == "NEW" else before[int(n)] for n in after]


def test_long_markers_are_split(tmp_path: Path) -> None:
    """A marker is as long as formatters allow, one name a line if need be."""
    names = [f"a_step_with_a_long_name_{one}" for one in range(4)]
    code = "".join(f"def {name}(): ...\n" for name in [*names, "last"])
    (tmp_path / "shop.py").write_text(code)
    steps = [PlannedStep(f"shop:{name}", name, ()) for name in names]
    last = PlannedStep("shop:last", "last", tuple(names))

    write(tmp_path, DraftPlan("orders", "x", (*steps, last)))

    text = (tmp_path / "shop.py").read_text()
    listed = "".join(f'        "{name}",\n' for name in names)
    assert f"@orders.step(\n    after=[\n{listed}    ],\n)\ndef last" in text
    compile(text, "shop.py", "exec")
