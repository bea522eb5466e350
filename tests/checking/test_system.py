"""Three services that share only their manifests, and one broken name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

SERVICES = Path(__file__).parents[2] / "examples" / "services"
SYSTEM = ("--system", "../manifests/*.json")
BROKEN = (
    "service 'billing' (owner finance) comes after 'shop/orders:publish', but service "
    "'shop' (owner storefront) has no step 'publish' in its flow 'orders'"
)
ELSEWHERE = (
    f"{BROKEN} (orders.py:15). It has 'receive', 'price', 'announce', 'confirm'."
)


@pytest.fixture
def system(project: CheckedProject) -> CheckedProject:
    """Return the three services, each in a folder, and a folder of manifests."""
    shutil.rmtree(project.root / "shop")
    for name in ("shop", "billing", "shipping"):
        shutil.copytree(SERVICES / name, project.root / name)
    (project.root / "manifests").mkdir()
    return project


def rename(system: CheckedProject, old: str, new: str) -> None:
    """Rename something in the shop, and export the manifests of all services."""
    path = system.root / "shop" / "orders.py"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    for name in ("shop", "billing", "shipping"):
        output = f"--output=../manifests/{name}.json"
        assert system.penstock("export", output, cwd=name).returncode == 0


def checked(system: CheckedProject, cwd: str, form: str = "concise") -> str:
    """Return what the check of one service prints."""
    result = system.penstock("check", *SYSTEM, "--format", form, cwd=cwd)
    assert result.stderr == ""
    return result.stdout


def test_all_agree(system: CheckedProject) -> None:
    """The services of the repository agree."""
    rename(system, "publish", "publish")

    for name in ("shop", "billing", "shipping", "manifests"):
        assert "PEN003" not in checked(system, name)
    assert checked(system, "manifests", "full") == "5 flows, 12 steps: no findings\n"


def test_every_service_learns_of_a_broken_name(system: CheckedProject) -> None:
    """Also the one that broke it, and a folder that has nothing but manifests."""
    rename(system, "publish", "announce")
    line = "payments.py:16: PEN003 payments/invoice: "

    assert checked(system, "billing") == f"{line}{ELSEWHERE}\n"
    assert checked(system, "manifests") == f"{line}{ELSEWHERE}\n"
    assert f"{line}{BROKEN}. It has 'receive', 'price', " in checked(system, "shop")
    assert f"{line}{ELSEWHERE}\n" in checked(system, "shipping")


def test_every_format_has_the_whole_finding(system: CheckedProject) -> None:
    """Both services, both owners, both places, and the declaration."""
    rename(system, "publish", "announce")

    declared = '  declared  after="shop/orders:publish"     payments.py:16\n'
    assert declared in checked(system, "billing", "full")
    (finding,) = json.loads(checked(system, "billing", "json"))
    place = (finding["path"], finding["line"], finding["flow"], finding["step"])
    assert place == ("payments.py", 16, "payments", "invoice")
    assert finding["message"] == ELSEWHERE
    assert checked(system, "billing", "github") == (
        f"::error file=payments.py,line=16,title=PEN003 payments/invoice::{ELSEWHERE}\n"
    )
    (run,) = json.loads(checked(system, "billing", "sarif"))["runs"]
    (result,) = run["results"]
    assert result["message"]["text"] == f"payments/invoice: {ELSEWHERE}"
    (at,) = result["locations"]
    assert at["physicalLocation"]["artifactLocation"]["uri"] == "payments.py"
    assert at["physicalLocation"]["region"]["startLine"] == 16


def test_annotations_name_a_file_of_this_repository(system: CheckedProject) -> None:
    """Another one cannot be shown in a change: the flow that is meant stands in."""
    rename(system, "publish", "announce")

    lines = checked(system, "shop", "github").splitlines()
    (line,) = [one for one in lines if "PEN003 payments/invoice" in one]
    assert line.startswith("::error file=orders.py,line=")
    assert line.endswith("(found at payments.py:16 of the other service)")
    (run,) = json.loads(checked(system, "shop", "sarif"))["runs"]
    places = [
        location["physicalLocation"]["artifactLocation"]["uri"]
        for result in run["results"]
        for location in result["locations"] + result.get("relatedLocations", [])
    ]
    assert set(places) == {"orders.py"}
    # In a third repository, nothing can stand in.
    lines = checked(system, "shipping", "github").splitlines()
    (line,) = [one for one in lines if "PEN003 payments/invoice" in one]
    assert line.startswith("::error title=PEN003 payments/invoice::")


@pytest.mark.parametrize(
    ("old", "new", "near", "fix"),
    [
        ("publish", "publishes", "'publishes'", "shop/orders:publishes"),
        ('flow("orders"', 'flow("order"', "'order'", "shop/order:publish"),
    ],
)
def test_what_may_be_meant(
    system: CheckedProject, old: str, new: str, near: str, fix: str
) -> None:
    """A near name is suggested, and applying the suggestion fixes the declaration."""
    rename(system, old, new)

    found = checked(system, "billing", "full")
    assert f"Did you mean {near}?\n" in found
    assert f'  fix       after="{fix}"\n' in found

    path = system.root / "billing" / "payments.py"
    text = path.read_text(encoding="utf-8").replace("shop/orders:publish", fix)
    path.write_text(text, encoding="utf-8")
    assert "PEN003" not in checked(system, "billing").replace("shop/returns", "")


BILLING = """
from penstock import flow
from penstock.contrib.kafka import flow_consumer

billing = flow("billing")


@flow_consumer
@billing.step(after="shop/orders:pay")
def charge(number):
    {calls}


@billing.step(after=charge)
def invoice(number):
    post(number)


@billing.step(after=invoice)
def post(number): ...
"""


@pytest.mark.parametrize(
    ("calls", "findings"),
    [
        ("invoice(number)", []),
        ("number and invoice(number)", []),
        ("invoice(number); post(number)", []),
        ("post(number); invoice(number)", ["PEN301 post"]),
    ],
)
def test_steps_that_another_service_starts(
    project: CheckedProject, calls: str, findings: list[str]
) -> None:
    """Their calls are followed; what ran before them is not known, so none is wrong."""
    text = BILLING.format(calls=calls)
    (project.root / "billing.py").write_text(text, encoding="utf-8")

    assert project.codes("billing") == findings
