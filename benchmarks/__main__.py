"""Measure everything and print it: ``python -m benchmarks``."""

from __future__ import annotations

import argparse
import sys

from . import calls
from .report import results


def main() -> int:
    """Print the tables; return 1 if a row misses its limit."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--seconds", type=float, default=3.0, help="for each group")
    given = parser.parse_args()
    rows = list(calls.rows(given.seconds))
    print(results(rows))
    return int(any(row.misses for row in rows))


if __name__ == "__main__":
    sys.exit(main())
