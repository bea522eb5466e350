"""Findings as SARIF 2.1.0, the format of code scanning."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from typing import TYPE_CHECKING
from urllib.parse import quote

from penstock.checking.findings import CODES

from .places import place_here, repository_path

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo
    from penstock.checking.findings import Finding, Place
    from penstock.checking.pipeline import CheckResult

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(result: CheckResult) -> dict[str, object]:
    """Return the log of one run."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "penstock",
                        "semanticVersion": version("penstock"),
                        "rules": [_rule(code) for code in CODES],
                    }
                },
                "columnKind": "unicodeCodePoints",
                "results": [_result(one, result.flows) for one in result.findings],
            }
        ],
    }


def _rule(code: str) -> dict[str, object]:
    level, meaning = CODES[code]
    return {
        "id": code,
        "shortDescription": {"text": meaning},
        "defaultConfiguration": {"level": _LEVELS[level]},
    }


def _result(finding: Finding, flows: Sequence[FlowInfo]) -> dict[str, object]:
    place = place_here(finding, flows)
    text = f"{finding.label}: {finding.message}" if finding.label else finding.message
    if finding.fix:
        text += f" Fix: {finding.fix}"
    result: dict[str, object] = {
        "ruleId": finding.code,
        "ruleIndex": list(CODES).index(finding.code),
        "level": _LEVELS[finding.level],
        "message": {"text": text},
        "locations": [] if place is None else [_location(place)],
        "partialFingerprints": {"penstock/v1": _fingerprint(finding)},
    }
    if finding.declared_at is not None and place == finding.place:
        result["relatedLocations"] = [
            {
                "id": 1,
                **_location(finding.declared_at),
                "message": {"text": f"declared: {finding.declared}"},
            }
        ]
    return result


def _location(place: Place) -> dict[str, object]:
    uri = quote(repository_path(place.path))
    return {
        "physicalLocation": {
            "artifactLocation": {"uri": uri},
            "region": {"startLine": max(place.line, 1)},
        }
    }


def _fingerprint(finding: Finding) -> str:
    """Return a hash that stays the same when lines move."""
    parts = (finding.code, finding.flow, finding.step, *finding.edge)
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
