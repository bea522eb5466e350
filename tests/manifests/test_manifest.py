"""Manifests: reading back what was written, and errors in files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock import FlowInfo, ManifestError, StepInfo
from penstock._manifests.manifest import dump_manifest, load_manifest, parse_manifest
from tests.support.flow_values import draw, flow_of

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = FlowInfo(
    "orders",
    (
        StepInfo(
            "charge",
            "orders",
            after=(("other/x:y",), ("receive", "reserve")),
            description="Charge it.",
            doc="Charge it.\n\nTwice.",
            tags=("io", "a"),
            module="shop.orders",
            qualname="Orders.charge",
            path="shop/orders.py",
            line=7,
            is_async=True,
            crosses=True,
            signature="(self, order: Order) -> None",
            is_generator=True,
        ),
        StepInfo("receive", "orders", is_entrypoint=True),
        StepInfo("reserve", "orders"),
    ),
    owner="payments",
    description="Sells.",
    tags=("core",),
    service="shop",
    source_url="https://forge.example/{path}",
)


def test_what_is_written_is_read_again() -> None:
    """A manifest contains everything about a flow."""
    mails = flow_of("mails", {"send": ["shop/orders:charge"]}, service="mail")
    flows = (mails, ORDERS)
    text = dump_manifest(flows)

    assert parse_manifest(text, source="x") == flows
    assert dump_manifest(parse_manifest(text.encode(), source="x")) == text


def test_json_from_generate_dag_is_a_manifest(tmp_path: Path) -> None:
    """``--format json`` and ``export`` write the same file."""
    draw([ORDERS], format="json", output=tmp_path / "dag.json")

    assert (tmp_path / "dag.json").read_text() == dump_manifest([ORDERS])
    assert load_manifest(tmp_path / "dag.json") == (ORDERS,)


def test_what_else_is_known() -> None:
    """A predecessor can be in a flow that is not written."""
    text = dump_manifest([flow_of("f", {"a": ["g:x"]})], [flow_of("g", {"x": None})])

    assert [flow["name"] for flow in json.loads(text)["flows"]] == ["f"]


def test_short_manifests() -> None:
    """Empty fields may be left out, and unknown fields are ignored."""
    document = {
        "penstock": 1,
        "new": 1,
        "flows": [{"name": "f", "steps": [{"name": "a"}]}],
    }

    assert parse_manifest(json.dumps(document), source="x") == (
        FlowInfo("f", (StepInfo("a", "f"),)),
    )


def document(**step: Any) -> dict[str, Any]:
    """Return a manifest with one step that has these fields."""
    steps = [{"name": "a", **step}]
    return {"penstock": 1, "flows": [{"name": "f", "steps": steps}]}


@pytest.mark.parametrize(
    ("manifest", "problem"),
    [
        ([], "the document should be an object, and is a list"),
        (None, "the document should be an object, and is null"),
        ({}, "'penstock' should be the version of the format"),
        ({"penstock": 0}, "'penstock' should be the version of the format"),
        ({"penstock": "1"}, "penstock should be an integer, and is a string"),
        ({"penstock": True}, "penstock should be an integer, and is true or false"),
        ({"penstock": 1}, "flows should be a list, and is null"),
        ({"penstock": 1, "service": 1, "flows": []}, "service should be a string"),
        ({"penstock": 1, "flows": [1]}, r"flows\[0\] should be an object"),
        ({"penstock": 1, "flows": [{}]}, r"flows\[0\] has no name"),
        (
            {"penstock": 1, "flows": [{"name": "f"}]},
            r"flows\[0\].steps should be a list",
        ),
        (document(name=""), r"flows\[0\].steps\[0\] has no name"),
        (
            document(name=["x"]),
            r"flows\[0\].steps\[0\].name should be a string, and is a",
        ),
        (
            document(line=1.5),
            r"line should be an integer, and is a number with a fr",
        ),
        (
            document(entrypoint=0),
            "entrypoint should be true or false, and is an integer",
        ),
        (
            document(tags=[{}]),
            r"steps\[0\].tags\[0\] should be a string, and is an object",
        ),
        (document(after="a"), "after should be a list, and is a string"),
        (document(after=["a"]), r"after\[0\] should be a list, and is a string"),
        (document(after=[[]]), r"after\[0\] should be a list of names, and is \[\]"),
        (document(after=[["a", ""]]), r"after\[0\] should be a list of names"),
        (
            {"penstock": 1, "flows": [{"name": "f", "steps": [{"name": "a"}] * 2}]},
            "step 'a' of flow 'f' appears twice",
        ),
        (
            {"penstock": 1, "flows": [{"name": "f", "steps": []}] * 2},
            "flow 'f' of service '' appears twice",
        ),
    ],
)
def test_wrong_manifests(manifest: object, problem: str) -> None:
    """The message names the file, the place in it, the problem and the fix."""
    with pytest.raises(
        ManifestError,
        match=f"^shop.json is not a manifest: .*{problem}.*penstock export$",
    ):
        parse_manifest(json.dumps(manifest), source="shop.json")


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        ("", "it is not JSON"),
        ("{", "it is not JSON"),
        (b"\xff\xfe\xfd", "it is not JSON"),
        ("[" * 100_000, "it is nested too deeply"),
        (
            '{"penstock": 1, "penstock": 1}',
            "the key 'penstock' of an object appears twice",
        ),
        ('{"penstock": ' + "1" * 5_000 + "}", "it is not JSON: Exceeds the limit"),
    ],
)
def test_files_that_are_something_else(data: str | bytes, problem: str) -> None:
    """Any other file is a ``ManifestError``."""
    with pytest.raises(ManifestError, match=f"^x.json is not a manifest: {problem}"):
        parse_manifest(data, source="x.json")


def test_a_manifest_of_a_newer_penstock() -> None:
    """A newer format asks for an upgrade, whatever else the file contains."""
    with pytest.raises(ManifestError, match=r"x.json has format 2.*pip install -U"):
        parse_manifest('{"penstock": 2, "flows": 7}', source="x.json")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """The message names the file."""
    with pytest.raises(
        ManifestError, match=r"none\.json' cannot be read: No such file"
    ):
        load_manifest(tmp_path / "none.json")


def test_a_file_that_is_huge(tmp_path: Path) -> None:
    """A file larger than any manifest is not read."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(10**12)

    with pytest.raises(ManifestError, match=r"huge\.json is not a manifest: it has"):
        load_manifest(path)
