from __future__ import annotations

import pickle

import pytest

from penstock import UnknownFlowError, generate_dag


def test_an_unknown_flow_survives_a_process_pool() -> None:
    """The error comes back from another process with its message and its flow."""
    with pytest.raises(UnknownFlowError) as caught:
        generate_dag("ordesr")

    back = pickle.loads(pickle.dumps(caught.value))  # noqa: S301  # our own bytes

    assert str(back) == str(caught.value)
    assert back.flow == "ordesr"
    assert isinstance(back, KeyError)
