"""The SARIF log has what code scanning needs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

# Keys that version 2.1.0 of the format knows, for the objects that are used here.
KNOWN = {
    "log": {"$schema", "version", "runs"},
    "run": {"tool", "results", "columnKind"},
    "driver": {"name", "semanticVersion", "rules"},
    "rule": {"id", "shortDescription", "defaultConfiguration"},
    "result": {
        "ruleId",
        "ruleIndex",
        "level",
        "message",
        "locations",
        "relatedLocations",
        "partialFingerprints",
    },
    "location": {"id", "physicalLocation", "message"},
}


@pytest.fixture
def log(project: CheckedProject) -> dict[str, Any]:
    """Return the log of a project with findings, one of them in an odd file."""
    project.write("shop/odd name%.py", "x = (\n")
    found: dict[str, Any] = json.loads(
        project.check("shop.orders", "--format", "sarif").stdout
    )
    return found


def test_objects_have_known_keys(log: dict[str, Any]) -> None:
    """Nothing is there that the format does not have."""
    (run,) = log["runs"]
    driver = run["tool"]["driver"]

    assert log["version"] == "2.1.0"
    assert set(log) <= KNOWN["log"]
    assert set(run) <= KNOWN["run"]
    assert set(driver) <= KNOWN["driver"]
    assert all(set(rule) <= KNOWN["rule"] for rule in driver["rules"])
    for result in run["results"]:
        assert set(result) <= KNOWN["result"]
        for location in result["locations"] + result.get("relatedLocations", []):
            assert set(location) <= KNOWN["location"]


def test_results_name_their_rule(log: dict[str, Any]) -> None:
    """By its name and by its place among the rules."""
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]

    assert rules == sorted(set(rules))
    assert [one["ruleId"] for one in run["results"]] == ["PEN000", "PEN101", "PEN201"]
    for result in run["results"]:
        assert rules[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"error", "warning", "note"}
        assert result["message"]["text"]


def test_places_are_relative_addresses(log: dict[str, Any]) -> None:
    """From the folder on where the check runs, with odd characters escaped."""
    places = [
        one["locations"][0]["physicalLocation"] for one in log["runs"][0]["results"]
    ]

    assert [place["artifactLocation"]["uri"] for place in places] == [
        "shop/odd%20name%25.py",
        "shop/orders.py",
        "shop/orders.py",
    ]
    assert [place["region"] for place in places[:2]] == [
        {"startLine": 1},
        {"startLine": 9},
    ]


def test_fingerprints_survive_other_lines(
    project: CheckedProject, log: dict[str, Any]
) -> None:
    """A finding that moves is the same finding."""
    path = project.root / "shop/orders.py"
    path.write_text("\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    moved = json.loads(project.check("shop.orders", "-f", "sarif").stdout)

    def fingerprints(one: dict[str, Any]) -> list[str]:
        results = one["runs"][0]["results"]
        return [result["partialFingerprints"]["penstock/v1"] for result in results]

    assert fingerprints(moved) == fingerprints(log)
