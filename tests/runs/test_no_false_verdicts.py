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
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from penstock.runs.lines import StoredLine

pytestmark = pytest.mark.usefixtures("clean_counts")

SEEN = {
    ("process_pool_with_bind_flow", "each"): "reserve",
    ("process_pool_with_bind_flow", "run"): "reserve",
    ("process_pool_with_bind_flow", "spans"): "reserve",
    ("fork_in_a_run", "each"): "charge",
    ("fork_in_a_run", "spans"): "reserve",
}
"""What is missing before ``send``, where no process knows that but the log shows it.

The call that is bound for a pool never runs. The child sends too early, and its spans
are lost without a trace.
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
    broken = broken_orders(map(stored_line, written))
    missing = SEEN.get((program.__name__, mode))
    reason = f"'send' was called when {missing!r} had not ended"
    assert broken == [(reason,)] * (2 if missing else 0)


@pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.__name__)
def test_no_false_verdict_from_spans(program: Callable[[Shop], None]) -> None:
    """Nor with spans, which say where they are from."""
    pytest.importorskip("opentelemetry.sdk", reason="needs opentelemetry")
    from tests.support.stored_spans import recorded_spans  # noqa: PLC0415  # see above

    with recorded_spans() as spans:
        shop = Shop()
        for _ in range(2):
            program(shop)

    missing = SEEN.get((program.__name__, "spans"))
    reason = f"'send' was called when {missing!r} had not ended"
    assert broken_orders(spans()) == [(reason,)] * (2 if missing else 0)


def broken_orders(lines: Iterable[StoredLine]) -> list[tuple[str, ...]]:
    """Return why runs are out of order."""
    found = [
        each
        for operation in operations_of(lines)
        for each in judge(operation, registry.infos())
    ]
    assert found
    return [each.reasons for each in found if each.verdict == "out of order"]
