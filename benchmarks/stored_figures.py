"""Measure ``stats``, ``runs`` and ``check --evidence`` beside a bare query of DuckDB.

    python -m benchmarks.stored_figures /tmp/logs/*.log

Each reads all files, in a process of its own. ``benchmarks.stored_runs`` writes logs to
measure. The bare query pairs the lines of each call, as it must to know which calls
have no end; ``ends`` counts the lines of ends alone; ``python`` does so with orjson.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from time import perf_counter
from typing import Any

from .processes import rss_kib, run

_WAYS = ("bare", "stats", "runs", "check", "ends", "python")


def main() -> None:
    """Print how long each takes, and how much memory."""
    paths = sys.argv[1:]
    size = sum(Path(path).stat().st_size for path in paths)
    print(f"{size / 1e9:.2f} GB in {len(paths)} files")
    bare_s = 0.0
    for way in _WAYS:
        found = json.loads(run("-m", "benchmarks.stored_figures", f"--{way}", *paths))
        bare_s = bare_s or found["seconds"]
        ratio = found["seconds"] / bare_s
        print(
            f"{way:<7}{found['seconds']:7.1f} s  {ratio:5.2f} x bare  "
            f"{found['mib']:6.0f} MiB  {found['calls']:,} calls",
            flush=True,
        )


def _measured(way: str, paths: list[str]) -> dict[str, Any]:
    started = perf_counter()
    ways = {
        "bare": _bare,
        "stats": _stats,
        "runs": _runs,
        "check": _check,
        "ends": _ends,
        "python": _python,
    }
    calls = ways[way.removeprefix("--")](paths)
    seconds = perf_counter() - started
    return {"seconds": seconds, "mib": rss_kib(peak=True) / 1024, "calls": calls}


def _stats(paths: list[str]) -> int:
    from penstock.runs.figures import RunFilter  # noqa: PLC0415  # a part of the time
    from penstock.runs.open_runs import open_runs  # noqa: PLC0415  # the same

    return sum(one.calls for one in open_runs(paths).figures(RunFilter()))


def _runs(paths: list[str]) -> int:
    from penstock.runs.figures import RunFilter  # noqa: PLC0415  # a part of the time
    from penstock.runs.open_runs import open_runs  # noqa: PLC0415  # the same

    return sum(one.calls for one in open_runs(paths).latest(RunFilter()))


def _check(paths: list[str]) -> int:
    from penstock._registry import declared_flows  # noqa: PLC0415  # a part of the time
    from penstock.runs.evidence import count_order  # noqa: PLC0415  # the same
    from penstock.runs.open_runs import open_runs  # noqa: PLC0415  # the same

    from .stored_runs import FLOW  # noqa: PLC0415  # declares the flow of the logs

    found = count_order([open_runs(paths)], tuple(declared_flows()))
    return sum(found.flow(FLOW.name).steps.values())


_TABLE = (
    "read_json({}, format = 'newline_delimited', records = true, ignore_errors = true, "
    "columns = {{flow_event: 'VARCHAR', flow: 'VARCHAR', step: 'VARCHAR', "
    "service: 'VARCHAR', call_id: 'VARCHAR', run_id: 'VARCHAR', outcome: 'VARCHAR', "
    "duration_ms: 'DOUBLE'}})"
)
_FIGURES = (
    "SELECT flow, step, service, count(*), count(*) FILTER (outcome = 'error'), "
    "quantile_cont(duration_ms, [0.5, 0.95, 0.99]), sum(duration_ms)"
)


def _bare(paths: list[str]) -> int:
    calls = (
        "SELECT any_value(flow) AS flow, any_value(step) AS step, "  # noqa: S608  # our own paths
        "any_value(service) AS service, any_value(call_id = run_id) AS is_entry, "
        "max(duration_ms) AS duration_ms, max(outcome) AS outcome "
        f"FROM {_TABLE.format(paths)} WHERE flow_event IS NOT NULL GROUP BY call_id"
    )
    more = "count(*) FILTER (outcome IS NULL), sum(duration_ms) FILTER (is_entry)"
    return _asked(f"{_FIGURES}, {more} FROM ({calls}) GROUP BY ALL")


def _ends(paths: list[str]) -> int:
    return _asked(
        f"{_FIGURES} FROM {_TABLE.format(paths)} "
        "WHERE flow_event IN ('step.end', 'step.error') GROUP BY ALL"
    )


def _asked(query: str) -> int:
    import duckdb  # noqa: PLC0415  # a part of the time

    return sum(row[3] for row in duckdb.execute(query).fetchall())


def _python(paths: list[str]) -> int:
    import orjson  # noqa: PLC0415  # a part of the time

    durations: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for path in paths:
        with Path(path).open("rb") as file:
            for line in file:
                if b'"duration_ms"' not in line:
                    continue
                try:
                    entry = orjson.loads(line)
                except ValueError:
                    continue
                key = entry["flow"], entry["step"], entry["service"]
                durations[key].append(entry["duration_ms"])
    for found in durations.values():
        found.sort()
    return sum(map(len, durations.values()))


if __name__ == "__main__":
    if sys.argv[1].startswith("--"):
        print(json.dumps(_measured(sys.argv[1], sys.argv[2:])))
    else:
        main()
