"""Plans as TOML."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from penstock.drafting.plan import DraftPlan, PlannedStep
from penstock.errors import ConfigurationError

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("tomlkit")
from penstock.drafting.plan_file import read_plan, write_plan

PLAN = DraftPlan(
    "orders",
    "shop:place",
    (
        PlannedStep("shop:place", "place", (), "entry"),
        PlannedStep(
            "shop:pay", "pay", ("place",), "calls save()", (("place", 3),), 2, 4, True
        ),
        PlannedStep("shop:ship", "ship", ("pay",), is_sent=True),
    ),
    "sales",
)

_HEAD = 'flow = "orders"\nentry = "shop:place"\n'


def test_round_trip(tmp_path: Path) -> None:
    """What is written is read again; what was left out is a comment."""
    path = tmp_path / "draft.toml"

    write_plan(path, replace(PLAN, others=(("shop:log", "2 lines"),)))

    assert read_plan(path) == PLAN
    assert '# function = "shop:log"  # 2 lines\n' in path.read_text()


def test_comments_and_order_stay(tmp_path: Path) -> None:
    """A second run adds what is missing, and changes nothing else."""
    path = tmp_path / "draft.toml"
    text = (
        '# ours\nentry = "shop:place"\nflow = "orders"\n\n'
        '[[step]]\nname = "pay"  # not charge\nfunction = "shop:pay"\n\n'
        '[[step]]\nfunction = "shop:ship"\n'
    )
    path.write_text(text)
    plan = read_plan(path)
    first, second = plan.steps

    write_plan(path, replace(plan, steps=(first, replace(second, name="ship"))))

    assert path.read_text() == f'{text}name = "ship"\n'


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("flow = ", "line 1"),
        ("step = [1]", r"one \[\[step\]\] for each"),
        (f'{_HEAD}[[step]]\nfunction = "a:b"\ncalls = "x"\n', "is not a number"),
        (f'{_HEAD}[[step]]\nfunction = "a:b"\nrecorded = 1\n', "is not a table"),
        ('flow = "orders"\nentry = "shop:place"\n', r"one \[\[step\]\] for each"),
        (f'{_HEAD}[[step]]\nfunction = "place"\n', "is not module:function"),
        (f'{_HEAD}[[step]]\nfunction = "a:b"\nafter = 3\n', "after = 3 is not a list"),
        (f'{_HEAD}[[step]]\nfunction = "a:b"\nafer = []\n', "Did you mean 'after'"),
        ('flow = 3\n[[step]]\nfunction = "a:b"\n', "flow = 3 is not a name"),
        (
            'flow = "a"\nentry = "a:b"\n' + '[[step]]\nfunction = "a:b"\n' * 2,
            "two steps have the function 'a:b'",
        ),
    ],
)
def test_what_is_no_plan(tmp_path: Path, text: str, message: str) -> None:
    """The error names the file and what is wrong."""
    path = tmp_path / "draft.toml"
    path.write_text(text)

    with pytest.raises(ConfigurationError, match=rf"draft\.toml: .*{message}"):
        read_plan(path)


def test_what_was_left_out_and_is_a_step_now(tmp_path: Path) -> None:
    """Only that function leaves the list of what was left out."""
    path = tmp_path / "draft.toml"
    others = (("shop:log", "2 lines"), ("shop:bill", "9 lines"))
    write_plan(path, replace(PLAN, others=others))
    path.write_text(f'{path.read_text()}\n[[step]]\nfunction = "shop:bill"\n')

    write_plan(path, read_plan(path))

    listed = [one for one in path.read_text().splitlines() if one.startswith("# func")]
    assert listed == ['# function = "shop:log"  # 2 lines']
    assert [one.function for one in read_plan(path).steps][-1] == "shop:bill"
