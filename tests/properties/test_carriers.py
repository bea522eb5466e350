"""What is sent arrives, and nothing that comes in does harm."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from penstock import configure, continue_flow, inject, start_flow

ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._:@=/+~-]{0,127}", fullmatch=True)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner)
    ),
    max_leaves=12,
)
metadata = st.dictionaries(st.text(max_size=12), values, max_size=6)
NAMES = ("x-correlation-id", "X-Request-ID", "traceparent", "penstock", "other")


def as_bytes(headers: Any) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI has them."""
    return [(key.lower().encode(), value.encode()) for key, value in headers.items()]


@given(root=ids, correlation_id=ids, sent=metadata, is_bytes=st.booleans())
def test_round_trip(
    root: str, correlation_id: str, sent: dict[str, object], *, is_bytes: bool
) -> None:
    """ID, parent, root and allowed metadata arrive as they were, within the cap."""
    configure(propagate=[key for key in sent if key.strip() == key != ""])
    with start_flow(root), start_flow(correlation_id) as context:
        for key, value in sent.items():
            context.set(key, value)
        headers = inject()

    with continue_flow(as_bytes(headers) if is_bytes else headers) as continued:
        assert continued.correlation_id == correlation_id
        assert (continued.parent_id, continued.root_id) == (root, root)
        arrived = continued.metadata
    assert len(headers["penstock"]) <= 4096
    assert headers["penstock"].isascii()
    for key, value in arrived.items():
        assert key in sent
        assert json.dumps(value) == json.dumps(sent[key])
    small = all(len(json.dumps(sent)) < 2_000 and _depth(v) <= 8 for v in sent.values())
    if small:
        assert set(arrived) == {key for key in sent if key.strip() == key != ""}


def _depth(value: object) -> int:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        return 1 + max(map(_depth, value), default=0)
    return 0


anything: Any = (
    st.none()
    | st.binary(max_size=200)
    | st.text(max_size=200)
    | st.integers()
    | st.lists(st.text(max_size=3), max_size=3)
)


@given(
    carrier=st.lists(
        st.tuples(st.sampled_from(NAMES) | anything, anything)
        | st.tuples(anything)
        | anything,
        max_size=6,
    )
)
@example(carrier=[("penstock", "[" * 4_000)])
@example(carrier=[("penstock", '{"meta":{"tenant":' + "9" * 4_050 + "}}")])
def test_hostile_headers_do_no_harm(carrier: list[Any]) -> None:
    """Every carrier gives a context whose ID can be sent on."""
    configure(propagate="tenant")

    with continue_flow(carrier) as context:
        assert inject()["X-Correlation-ID"] == context.correlation_id
        assert context.correlation_id.isascii()
        assert context.correlation_id.isprintable()
        assert 0 < len(context.correlation_id) <= 128
        assert set(context.metadata) <= {"tenant"}


@given(field=st.binary(max_size=300) | st.text(max_size=300))
def test_a_hostile_field_costs_only_itself(field: str | bytes) -> None:
    """The ID beside a bad field is accepted."""
    with continue_flow({"x-correlation-id": "order-17", "penstock": field}) as context:
        assert context.correlation_id == "order-17"


@given(
    said=st.recursive(
        leaves | st.just(10**400),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["meta", "parent", "root", "tenant", "x"]), inner
            )
        ),
    )
)
def test_well_formed_nonsense_costs_only_itself(said: object) -> None:
    """JSON that penstock did not write changes only what a carrier may change."""
    configure(propagate="tenant")
    carrier = {"x-correlation-id": "order-17", "penstock": json.dumps(said)}

    with continue_flow(carrier) as context:
        assert context.correlation_id == "order-17"
        assert context.parent_id is None or isinstance(context.parent_id, str)
        assert isinstance(context.root_id, str)
        inject()
