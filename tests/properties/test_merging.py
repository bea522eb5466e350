"""Merging reports adds their counts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from penstock import ConformanceReport

Report = dict[str, Any]


@st.composite
def counts(draw: st.DrawFn) -> Report:
    """Draw a report, with findings of more runs than are named."""
    name = st.sampled_from(["a", "b"])
    number = st.integers(0, 3)
    runs = draw(st.lists(st.integers(0, 60), max_size=30, unique=True))
    flow = {
        "runs": draw(number),
        "steps": draw(st.dictionaries(name, number)),
        "edges": [
            {"before": "a", "after": "b", "witnessed": draw(number), "contradicted": 1}
        ],
        "violations": [
            {
                "step": draw(name),
                "run": str(run),
                "code": "R1",
                "message": "wrong",
                "count": draw(number),
            }
            for run in runs
        ],
        "foreign": [{"flow": "mail", "step": draw(name), "count": draw(number)}],
    }
    return {"flows": {draw(st.sampled_from(["orders", "billing"])): flow}}


def in_one_order(value: Any) -> Any:
    """Return a report with each of its lists sorted: their order says nothing."""
    if isinstance(value, dict):
        return {key: in_one_order(one) for key, one in value.items()}
    if isinstance(value, list):
        return sorted((in_one_order(one) for one in value), key=repr)
    return value


@given(st.lists(counts(), max_size=5), st.data())
def test_reports_merge_in_any_order_and_in_any_groups(
    reports: list[Report], data: st.DataObject
) -> None:
    """Merging part of the reports first changes nothing."""
    shuffled = data.draw(st.permutations(reports))
    cut = data.draw(st.integers(0, len(reports)))
    groups = [ConformanceReport.merge(shuffled[:cut]).to_dict(), *shuffled[cut:]]

    one = ConformanceReport.merge(reports)
    other = ConformanceReport.merge(groups)

    assert in_one_order(one.to_dict()) == in_one_order(other.to_dict())
