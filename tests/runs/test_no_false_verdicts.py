"""Programs that keep to their order, judged from what they have stored."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import LoggingBackend, configure
from penstock._registry import registry
from penstock.runs.judging import judge
from penstock.runs.trees import operations_of
from tests.conformance.test_no_false_findings import PROGRAMS, Shop
from tests.support.stored_lines import stored_line

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("clean_counts")

SEEN = {
    ("process_pool_with_bind_flow", "each"): "reserve",
    ("process_pool_with_bind_flow", "run"): "reserve",
    ("fork_in_a_run", "each"): "charge",
}
"""What is missing before ``send``, where no process knows that but the log shows it.

The call that is bound for a pool never runs; the child sends too early.
"""


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("mode", ["each", "run"])
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_no_false_verdict(
    program: Callable[[Shop], None],
    mode: str,
    tmp_path: Path,
    lines: list[logging.LogRecord],
) -> None:
    """Nothing is out of order, with lines of any kind."""
    configure(LoggingBackend(lines=mode))
    handler = logging.FileHandler(tmp_path / "log")
    handler.setFormatter(penstock.JSONFormatter())
    logger = logging.getLogger("penstock")
    logger.addHandler(handler)
    shop = Shop()

    for _ in range(2):
        program(shop)

    logger.removeHandler(handler)
    handler.close()
    assert lines
    written = (tmp_path / "log").read_text(encoding="utf-8").splitlines()
    found = [
        each
        for operation in operations_of(map(stored_line, written))
        for each in judge(operation, registry.infos())
    ]
    assert found
    broken = [each.reasons for each in found if each.verdict == "out of order"]
    missing = SEEN.get((program.__name__, mode))
    reason = f"'send' was called when {missing!r} had not ended"
    assert broken == [(reason,)] * (2 if missing else 0)
