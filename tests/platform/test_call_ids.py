"""IDs of calls, also over forks."""

from __future__ import annotations

import os

import pytest

from penstock import after_fork, get_flow_context, start_flow
from penstock._platform import call_ids
from penstock._platform.call_ids import call_id, call_numbers


def test_an_id_is_the_processs_prefix_and_a_number() -> None:
    """Two calls have two IDs, of one prefix."""
    first, second = call_id(next(call_numbers)), call_id(next(call_numbers))

    prefix, _, number = first.partition("-")
    assert len(prefix) == 16
    assert second == f"{prefix}-{int(number) + 1}"


def test_a_child_keeps_the_ids_from_before_the_fork(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What began in the parent keeps its ID; the next call has another prefix."""
    monkeypatch.setattr(call_ids, "_prefixes", call_ids._prefixes.copy())  # noqa: SLF001  # put back
    before = next(call_numbers)
    known = call_id(before)

    after_fork()
    between = next(call_numbers)
    in_child = call_id(between)
    after_fork()

    assert call_id(before) == known
    assert call_id(between) == in_child
    prefixes = {
        call_id(n).partition("-")[0] for n in (before, between, next(call_numbers))
    }
    assert len(prefixes) == 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_a_real_fork_shares_no_new_id() -> None:
    """Parent and child count on from the same number, under two prefixes."""
    reader, writer = os.pipe()
    with start_flow():
        context = get_flow_context()
        assert context is not None
        known = context.run_id
        pid = os.fork()
        if not pid:
            new = call_id(next(call_numbers))
            os.write(writer, f"{context.run_id} {new}".encode())
            os._exit(0)
        os.waitpid(pid, 0)
        inherited, new = os.read(reader, 100).decode().split()
        os.close(reader)
        os.close(writer)

    assert inherited == known
    assert new.partition("-")[0] != call_id(next(call_numbers)).partition("-")[0]
