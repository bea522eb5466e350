"""White-box tests of log fields that integrations add."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

import penstock
from penstock import entrypoint, flow
from penstock._runtime.state import state

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def task_id() -> Iterator[list[str | None]]:
    """Let records have a ``task_id``: the last item of the list that this gives."""
    values: list[str | None] = [None]
    state.record_fields = {"task_id": lambda: values[-1]}
    yield values
    state.record_fields = {}


def test_log_fields_have_them(
    task_id: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    """Every record has the field, "-" where nothing is to be said; extra wins."""
    penstock.install_log_fields()
    log = logging.getLogger("app")
    try:
        log.warning("outside")
        task_id.append("t-1")
        log.warning("inside")
        log.warning("mine", extra={"task_id": "t-2"})
    finally:
        penstock.uninstall_log_fields()

    said = {record.getMessage(): vars(record)["task_id"] for record in caplog.records}
    assert said == {"outside": "-", "inside": "t-1", "mine": "t-2"}


def test_lines_about_steps_have_them(
    task_id: list[str | None], caplog: pytest.LogCaptureFixture
) -> None:
    """The logging backend adds the field where there is something to say."""

    @flow("orders")
    @entrypoint
    def receive() -> None:
        task_id.append("t-1")

    caplog.set_level(logging.INFO, "penstock")
    receive()

    first, last = caplog.records
    assert not hasattr(first, "task_id")
    assert vars(last)["task_id"] == "t-1"
