"""``check_project``: the check as a function."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock import ManifestError, PenstockError, flow
from penstock.checking import CheckResult, check_project
from tests.support.projects import within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.checking.conftest import CheckedProject


@pytest.fixture
def inside(project: CheckedProject) -> Iterator[CheckedProject]:
    """Work in the folder of the project."""
    with within(project.root, {}):
        yield project


def codes(result: CheckResult) -> list[str]:
    """Return the findings in few words."""
    return [f"{finding.code} {finding.label}" for finding in result.findings]


@pytest.mark.usefixtures("inside")
def test_findings() -> None:
    """The result has the findings, and what was checked."""
    result = check_project(["shop.orders"])

    assert codes(result) == ["PEN101 orders/ship", "PEN201 orders/pack"]
    assert result.findings[0].suggestion == 'after=["pack", "receive"]'
    assert [one.name for one in result.flows] == ["orders"]
    assert not result.is_clean
    assert str(result).startswith("shop/orders.py:")
    assert str(result).endswith("1 flow, 5 steps: 1 error, 1 warning")


def test_targets_of_the_project(inside: CheckedProject) -> None:
    """Without a target, pyproject.toml names them; a baseline holds old findings."""
    inside.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.*"]\n')
    inside.check("--baseline", "b.json", "--update-baseline")

    assert len(check_project().findings) == 2
    assert check_project(baseline="b.json").is_clean
    assert len(check_project(baseline="b.json", use_baseline=False).findings) == 2


@pytest.mark.usefixtures("inside")
def test_flows_that_are_declared_already() -> None:
    """Without any target, the flows of the process are checked."""

    @flow("here").entrypoint
    def start() -> None: ...

    assert [one.name for one in check_project().flows] == ["here"]


@pytest.mark.usefixtures("inside")
def test_nothing_to_check() -> None:
    """Without a target and a flow there is an error, not a clean result."""
    with pytest.raises(PenstockError, match="no target given"):
        check_project()
    with pytest.raises(ManifestError, match=r"no manifest 'none\.json'"):
        check_project(system=["none.json"])
