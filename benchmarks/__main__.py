"""Measure everything and print it: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import json
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from . import calls, declaring, layout, recorded, volume
from .peers import peers, side_by_side
from .report import results
from .requests import requests

if TYPE_CHECKING:
    from .peers import Peer
    from .report import Row


def main() -> int:
    """Print the tables; return 1 if a row misses its limit."""
    given = _arguments()
    print(f"{platform.python_implementation()} {platform.python_version()}\n")
    parts = (calls.rows, recorded.rows, declaring.rows, volume.rows)
    rows = list(chain.from_iterable(part(given.seconds) for part in parts))
    rows += layout.rows()
    print(results(rows), flush=True)
    found: list[Peer] = []
    if not given.no_peers:
        found = list(peers(given.seconds / 2))
        print(f"\n{side_by_side(found)}")
        print(f"\n{requests(given.seconds)}")
    if given.json:
        given.json.write_text(_as_json(rows, found), encoding="utf-8")
    missed = [row.what for row in rows if row.misses]
    if missed:
        print(f"\n{len(missed)} missed: {'; '.join(missed)}", file=sys.stderr)
    return int(bool(missed))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--seconds", type=float, default=4.0, help="how long to measure each group"
    )
    parser.add_argument(
        "--no-peers", action="store_true", help="leave out other packages"
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="also write the results to this file"
    )
    return parser.parse_args()


def _as_json(rows: list[Row], found: list[Peer]) -> str:
    result = {
        "date": datetime.now(UTC).date().isoformat(),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "rows": [{**asdict(row), "verdict": row.verdict} for row in rows],
        "peers": [peer._asdict() for peer in found],
    }
    return json.dumps(result, indent=2) + "\n"


if __name__ == "__main__":
    sys.exit(main())
