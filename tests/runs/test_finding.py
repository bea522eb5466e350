from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from penstock.errors import ConfigurationError, TooManyRunsError
from penstock.runs.finding import MAX_OPERATIONS, find_operations
from penstock.runs.log_files import LogFiles

if TYPE_CHECKING:
    from pathlib import Path

ROOT, OTHER = "a1" * 16, "b2" * 16


def line(**fields: Any) -> str:
    """Return a line as ``JSONFormatter`` writes it."""
    return json.dumps({"timestamp": "2026-11-30T12:00:00.000000Z", **fields})


def written(folder: Path, *lines: str) -> LogFiles:
    """Return a log of these lines."""
    path = folder / "app.log"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return LogFiles([str(path)])


def messages(files: LogFiles, wanted: Any) -> dict[str, list[str]]:
    """Return the messages that are found for each operation."""
    found = find_operations(files, wanted)
    return {root: [one.fields["message"] for one in found[root]] for root in found}


@pytest.mark.parametrize("wanted", [ROOT, ROOT[:8], "run-1", "call-2", "trace-9"])
def test_an_operation_is_found_by_each_of_its_ids(tmp_path: Path, wanted: str) -> None:
    """Root, run, call and trace IDs all lead to every line of the operation."""
    ids = {"root_id": ROOT, "correlation_id": ROOT, "run_id": "run-1"}
    files = written(
        tmp_path,
        line(message="start", **ids, call_id="call-1", trace_id="trace-9"),
        line(message="inside", **ids, call_id="call-2", trace_id="trace-9"),
        line(message="of another", root_id=OTHER, correlation_id=OTHER),
        line(message="end", root_id=ROOT, correlation_id="nested"),
        line(message="of the trace alone", trace_id="trace-9"),
    )

    found = messages(files, wanted)[ROOT]

    assert sorted(found) == ["end", "inside", "of the trace alone", "start"]
    assert files.counts.hits == 4


def test_an_id_wins_over_longer_ones_that_begin_with_it(tmp_path: Path) -> None:
    """``order-1`` is not ``order-17``, though it is its beginning."""
    files = written(
        tmp_path,
        line(message="right", root_id="order-1", correlation_id="order-1"),
        line(message="longer", root_id="order-17", correlation_id="order-17"),
    )

    assert messages(files, "order-1") == {"order-1": ["right"]}
    assert list(messages(files, "order-")) == ["order-1", "order-17"]


def test_an_operation_is_found_by_metadata(tmp_path: Path) -> None:
    """One line with the value is enough to find the others; all values must match."""
    files = written(
        tmp_path,
        line(message="plain", root_id=ROOT, correlation_id=ROOT),
        line(message="tagged", root_id=ROOT, order_id="Ä-1", items=3, paid=True),
        line(message="other", root_id=OTHER, order_id="Ä-1", items=4, paid=True),
    )
    wanted = {"order_id": "Ä-1", "items": "3", "paid": "true"}

    found = messages(files, wanted)

    assert {root: sorted(found[root]) for root in found} == {ROOT: ["plain", "tagged"]}


def test_too_short_a_beginning_is_refused(tmp_path: Path) -> None:
    """What fits too many operations is an error, rather than a full memory."""
    many = range(MAX_OPERATIONS + 1)
    files = written(tmp_path, *(line(root_id=f"run-{n}", tag="x") for n in many))

    with pytest.raises(TooManyRunsError, match="'run' is in more than 100 "):
        find_operations(files, "run")
    with pytest.raises(TooManyRunsError, match=r"^tag=x is in more than 100 "):
        find_operations(files, {"tag": "x"})
    traces = written(tmp_path, *(line(trace_id=f"t-{n}", tag="x") for n in many))
    with pytest.raises(TooManyRunsError, match="is in more than"):
        find_operations(traces, {"tag": "x"})
    with pytest.raises(ConfigurationError, match="empty"):
        find_operations(files, "")


def test_a_run_without_a_root_id_stands_for_itself(tmp_path: Path) -> None:
    """Lines of structlog or older versions have no root ID; others may tell it."""
    files = written(
        tmp_path,
        line(message="alone", flow_id="run-7"),
        line(message="of a part", correlation_id="part-1"),
        line(message="tells", correlation_id="part-1", root_id="whole-1"),
        line(message="below", correlation_id="run-8", parent_id="run-7"),
    )

    assert messages(files, "run-7") == {"run-7": ["alone", "below"]}
    assert messages(files, "part-1") == {"whole-1": ["of a part", "tells"]}


def test_values_are_found_however_they_are_escaped(tmp_path: Path) -> None:
    """Writers of JSON escape what is not ASCII, or they do not."""
    entry = {"root_id": ROOT, "name": "\u540d\u524d"}
    path = tmp_path / "app.log"
    plain = json.dumps(entry | {"message": "plain"}, ensure_ascii=False)
    escaped = json.dumps(entry | {"message": "escaped"})
    upper = escaped.replace("escaped", "upper").replace("u540d", "u540D")
    path.write_text(f"{plain}\n{escaped}\n{upper}", encoding="utf-8")

    found = messages(LogFiles([str(path)]), {"name": "\u540d\u524d"})

    assert found == {ROOT: ["plain", "escaped", "upper"]}


def test_a_value_on_a_line_without_ids_is_no_operation(tmp_path: Path) -> None:
    """Such a line was written outside flows; one with a trace leads on."""
    files = written(
        tmp_path,
        line(message="outside", order_id="A-1"),
        line(message="in a trace", order_id="A-2", trace_id="t-2"),
        line(message="in a flow", root_id=ROOT, trace_id="t-2"),
        line(message="in it, too", root_id=ROOT),
    )

    assert messages(files, {"order_id": "A-1"}) == {}
    assert messages(files, {"order_id": "A-2"}) == {
        ROOT: ["in a trace", "in a flow", "in it, too"]
    }


def test_a_trace_of_several_operations_is_in_each(tmp_path: Path) -> None:
    """Lines that have its ID alone may belong to any; others are not mixed."""
    files = written(
        tmp_path,
        line(message="a", root_id=ROOT, trace_id="t-1"),
        line(message="b", root_id=OTHER, trace_id="t-1"),
        line(message="both", trace_id="t-1"),
    )

    assert messages(files, "t-1") == {ROOT: ["a", "both"], OTHER: ["b", "both"]}
    assert messages(files, ROOT) == {ROOT: ["a", "both"]}
    assert len(find_operations(files, ROOT, logs=False)[ROOT]) == 1


def test_not_all_of_very_many_traces_are_read(tmp_path: Path) -> None:
    """The operation itself is complete, and what was not looked for is said."""
    files = written(
        tmp_path,
        *(line(message="own", root_id=ROOT, trace_id=f"t-{n:03}") for n in range(70)),
        *(line(message="trace", trace_id=f"t-{n:03}") for n in range(70)),
    )

    found = messages(files, ROOT)[ROOT]

    assert (found.count("own"), found.count("trace")) == (70, 64)
    assert files.counts.unread == {
        "6 more traces": "after 64 of them, no more are read"
    }


@pytest.mark.parametrize("wanted", ["17", {"order_id": "17"}], ids=str)
def test_a_root_that_contains_what_is_wanted_is_another_id(
    tmp_path: Path, wanted: Any
) -> None:
    """All lines with the root are found, though they have not just this ID."""
    files = written(
        tmp_path,
        line(message="first", root_id="17-run", correlation_id="17-run"),
        line(message="hit", root_id="17-run", correlation_id="17", order_id=17),
        line(message="other", root_id="17-other", correlation_id="17-other"),
    )

    assert messages(files, wanted) == {"17-run": ["first", "hit"]}


def test_an_id_may_be_long(tmp_path: Path) -> None:
    """Only a part of it is searched for, and all of it is compared."""
    long = "a" * 100_000
    files = written(
        tmp_path,
        line(message="hit", root_id=long, correlation_id="run-1"),
        line(message="more", root_id=long),
        line(message="other", root_id=f"{long}b"),
    )

    assert messages(files, "run-1") == {long: ["hit", "more"]}
