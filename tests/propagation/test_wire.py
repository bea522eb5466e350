from __future__ import annotations

import dataclasses
import datetime as dt
import decimal
import enum
import json
import pathlib
import threading
import uuid
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from penstock import (
    configure,
    continue_flow,
    entrypoint,
    flow,
    inject,
    set_flow_context_value,
    start_flow,
    step,
)
from tests.support.call_styles import unique

if TYPE_CHECKING:
    import logging

MAX_BYTES = 4096


@pytest.fixture
def key() -> str:
    """Return a key that may travel; each test has one that was never warned about."""
    name = unique("key")
    configure(propagate=(name,))
    return name


def field(**metadata: object) -> dict[str, Any]:
    """Return what the field of a flow with *metadata* says."""
    with start_flow("order-17", **metadata):
        text = inject()["penstock"]
    assert text.isascii()
    assert text.isprintable()
    assert len(text) <= MAX_BYTES
    said: dict[str, Any] = json.loads(text)
    return said


def arrives(value: object, key: str) -> object:
    """Return what the other side reads under *key*."""
    with start_flow("order-17", **{key: value}):
        headers = inject()
    assert headers["penstock"].isprintable()
    with continue_flow(headers) as context:
        return context.metadata.get(key, "nothing")


def test_the_field_says_where_the_call_was_made() -> None:
    """Flow, step and service of the caller, parent and root of the run."""
    configure(service="shop")
    orders = flow(unique("orders"))

    @orders.step
    def publish() -> str:
        return inject()["penstock"]

    @orders.entrypoint
    def receive() -> str:
        return publish()

    with start_flow("root"), start_flow("order-17"):
        text = receive()

    said = json.loads(text)
    assert said["flow"] == orders.name
    assert said["service"] == "shop"
    assert (said["parent"], said["root"]) == ("root", "root")


def test_the_field_names_the_step_where_the_log_is_on(
    lines: list[logging.LogRecord],
) -> None:
    """Where somebody watches steps, the field knows which one called."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> str:
        return inject()["penstock"]

    assert json.loads(receive())["step"] == "receive"
    assert len(lines) == 2


def test_names_that_are_too_long_stay_here(warnings: list[logging.LogRecord]) -> None:
    """A flow of an absurd name is left out; the ID still travels."""

    @flow("x" * 600)
    @step
    def publish() -> dict[str, str]:
        return inject()

    with start_flow("order-17"):
        configure(service=unique("service") + "y" * 600)
        headers = publish()

    assert headers["X-Correlation-ID"] == "order-17"
    assert "service" not in json.loads(headers["penstock"])
    assert any("too long" in record.getMessage() for record in warnings)


def test_metadata_stays_here_unless_it_is_allowed() -> None:
    """By default nothing travels; what travels is what was named."""
    assert "meta" not in field(tenant="acme", password="hunter2")  # noqa: S106  # sample
    configure(propagate=("tenant",))
    assert field(tenant="acme", user="alice")["meta"] == {"tenant": "acme"}
    assert "meta" not in field(user="alice")


def test_a_receiver_ignores_what_it_does_not_allow() -> None:
    """The sender's list does not decide what the receiver believes."""
    configure(propagate=("tenant", "role"))
    with start_flow("order-17", tenant="acme", role="admin"):
        headers = inject()
    configure(propagate="tenant")

    with continue_flow(headers) as context:
        assert dict(context.metadata) == {"tenant": "acme"}


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        0,
        -1.5,
        10**30,
        "",
        "naïve ☃ \U0001f40d",
        'quote " and \\ and \x00',
        "\ud800",
        "delete \x7f\r\n",
        [],
        [1, [2, [3]]],
        {"a": {"b": [None, False]}},
    ],
    ids=ascii,
)
def test_json_travels(key: str, value: object) -> None:
    """What JSON can say arrives as it was."""
    assert arrives(value, key) == value


class Colour(enum.StrEnum):
    RED = "red"


class Odd:
    """An object that nothing can be done with."""

    def __repr__(self) -> str:
        raise RuntimeError

    __str__ = __repr__
    __hash__ = None  # type: ignore[assignment]  # a sample

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    def __bool__(self) -> bool:
        raise RuntimeError

    def __iter__(self) -> Any:
        raise RuntimeError


@dataclasses.dataclass
class Order:
    number: int = 17


class Pair(NamedTuple):
    a: str
    b: int


def circle() -> list[object]:
    """Return a list that holds itself, twice."""
    items: list[object] = []
    items += [items, items]
    return items


def deep(levels: int) -> list[Any]:
    """Return lists in lists."""
    value: list[Any] = []
    for _ in range(levels):
        value = [value]
    return value


ODD = {
    "bytes": b"secret-value",
    "bytearray": bytearray(b"secret-value"),
    "set": {"secret-value"},
    "tuple": ("secret-value",),
    "named tuple": Pair("secret-value", 2),
    "datetime": dt.datetime.now(dt.UTC),
    "decimal": decimal.Decimal("1.5"),
    "uuid": uuid.uuid4(),
    "path": pathlib.Path("secret-value"),
    "enum": Colour.RED,
    "dataclass": Order(),
    "object": object(),
    "hostile": Odd(),
    "function": arrives,
    "class": Order,
    "lock": threading.Lock(),
    "generator": (item for item in "secret-value"),
    "NaN": float("nan"),
    "infinity": float("inf"),
    "complex": 1j,
    "exception": ValueError("secret-value"),
    "ordered": OrderedDict(a=1),
    "odd keys": {1: "secret-value"},
    "circle": circle(),
    "deep": deep(100_000),
    "nine levels": deep(9),
    "digits": 10**5_000,
    "too much": "secret-value" * 1_000,
    "nested": {"a": [b"secret-value"]},
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
def test_what_cannot_travel_is_dropped_with_one_warning(
    warnings: list[logging.LogRecord], key: str, value: object
) -> None:
    """The publish goes on; the log names the key, and never the value."""
    assert arrives(value, key) == "nothing"
    assert arrives(value, key) == "nothing"

    (line,) = [record.getMessage() for record in warnings]
    assert key in line
    assert "secret-value" not in line
    assert len(line) < 200


def test_a_value_that_changes_meanwhile_breaks_no_publish(key: str) -> None:
    """Another thread may change a value that is being written."""

    class Changing(threading.Thread):
        def __init__(self) -> None:
            super().__init__()
            self.value: dict[str, int] = {}
            self.stop = False

        def run(self) -> None:
            while not self.stop:
                for number in range(200):
                    self.value[str(number)] = number
                self.value.clear()

    changing = Changing()
    changing.start()
    try:
        with start_flow("order-17", **{key: changing.value}):
            for _ in range(2_000):
                assert "X-Correlation-ID" in inject()
    finally:
        changing.stop = True
        changing.join()


def test_what_fits_travels_beside_what_does_not() -> None:
    """One value too many costs that value alone."""
    names = [unique("fit"), unique("huge"), unique("late")]
    configure(propagate=names)

    meta = field(**dict(zip(names, ("a", "x" * 5_000, "b"), strict=True)))["meta"]

    assert meta == {names[0]: "a", names[2]: "b"}


def test_the_field_is_capped_in_bytes() -> None:
    """Many values that fit alone do not fit together."""
    names = [unique("part") for _ in range(20)]
    configure(propagate=names)

    meta = field(**dict.fromkeys(names, "☃" * 100))["meta"]

    assert 0 < len(meta) < 20


def test_the_field_is_capped_in_keys_both_ways() -> None:
    """64 keys go out, and no more than 64 come in."""
    names = [unique("k") for _ in range(100)]
    configure(propagate=names)
    forged = json.dumps({"meta": dict.fromkeys(names, 1)})

    assert len(field(**dict.fromkeys(names, 1))["meta"]) == 64
    with continue_flow({"penstock": forged}) as context:
        assert len(context.metadata) == 64


@pytest.mark.parametrize("second", [", {}", ',{"parent":"b"}', "," + "x" * 9_000])
def test_the_first_of_two_fields_counts(second: str) -> None:
    """WSGI servers join headers that came twice with commas."""
    both = json.dumps({"parent": "a", "root": "a"}) + second

    with continue_flow({"x-correlation-id": "order-17", "penstock": both}) as context:
        assert (context.parent_id, context.root_id) == ("a", "a")


HOSTILE = {
    "empty": "",
    "text": "hello",
    "null": "null",
    "number": "17",
    "string": '"order"',
    "list": "[]",
    "list of objects": '[{"meta":{}}]',
    "cut off": '{"parent":"a"',
    "trailing": '{"parent":"a"} {',
    "NaN": '{"meta":{"tenant":NaN}}',
    "infinity": '{"meta":{"tenant":-Infinity}}',
    "deep lists": "[" * 4_000,
    "deep objects": '{"meta":' * 500,
    "deep value": '{"meta":{"tenant":' + "[" * 50 + "]" * 50 + "}}",
    "digits": '{"meta":{"tenant":' + "9" * 4_050 + "}}",
    "1 MB": '{"meta":{"tenant":"' + "x" * 1_000_000 + '"}}',
    "not ASCII": '{"meta":{"tenant":"\N{SNOWMAN}"}}',
    "bytes": b"\xff\xfe\x00",
    "meta is text": '{"meta":"tenant"}',
    "meta is a list": '{"meta":["tenant"]}',
    "pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07os.kill.",
}


@pytest.mark.parametrize("value", HOSTILE.values(), ids=HOSTILE)
def test_bad_inbound_bytes_never_raise(value: object) -> None:
    """Whatever is wrong with the field, the ID beside it is adopted."""
    configure(propagate="tenant")

    with continue_flow({"x-correlation-id": "order-17", "penstock": value}) as context:
        assert context.correlation_id == "order-17"
        assert context.parent_id is None
        assert context.root_id == "order-17"
        assert set(context.metadata) <= {"tenant"}
        assert context.metadata.get("tenant") in {None, int("9" * 4_050)}


@pytest.mark.parametrize(
    "bad", [17, None, ["a"], "", "a b", "x" * 129, "a\r\nb", "<script>"], ids=repr
)
def test_a_bad_parent_or_root_is_left_out(bad: object) -> None:
    """They are IDs, and checked as such."""
    forged = json.dumps({"parent": bad, "root": bad})

    with continue_flow({"x-correlation-id": "a", "penstock": forged}) as context:
        assert (context.parent_id, context.root_id) == (None, "a")


def test_parent_and_root_are_adopted_beside_a_validator() -> None:
    """They come from a trusted sender, who may have made them."""
    configure(is_valid_id=lambda text: text.startswith("ord-"))
    with start_flow() as root, start_flow("ord-17"):
        headers = inject()

    with continue_flow(headers) as context:
        assert context.root_id == root.correlation_id


def test_parent_and_root_follow_the_configured_validator() -> None:
    """IDs of your own form travel as parents, too."""
    configure(is_valid_id=lambda text: text.startswith("{"), new_id=lambda: "{new}")
    with start_flow("{root}"), start_flow("{child}"):
        headers = inject()

    with continue_flow(headers) as context:
        assert (context.parent_id, context.root_id) == ("{root}", "{root}")


@pytest.mark.parametrize("trust", ["id", "all"])
@pytest.mark.parametrize("key", ["call_id", "step", "run_id", "sent_at"])
@pytest.mark.parametrize("odd", ["two words", "x" * 200, "a\nb", 7, None, ["a"], ""])
def test_labels_of_another_form_are_left_out(key: str, odd: object, trust: str) -> None:
    """They appear in logs, so they must have the form of an ID, or be a time."""
    headers = {"X-Correlation-ID": "order-17", "penstock": json.dumps({key: odd})}

    with continue_flow(headers, trust=trust) as context:
        found = (
            context.given_call_id,
            context.given_step,
            context.given_run_id,
            context.sent_at,
        )

    assert found == (None, None, None, None)


def test_at_id_only_the_labels_of_the_call_are_read() -> None:
    """Metadata, runs, flows and steps that ended are the sender's affair."""
    configure(propagate=["tenant"])
    orders = flow(unique("orders"))

    @orders.entrypoint
    def receive() -> dict[str, str]:
        set_flow_context_value("tenant", "acme")
        return inject()

    with continue_flow(receive(), trust="id") as context:
        assert context.given_call_id is not None
        assert (context.given_run_id, context.sent_at, context.flow) == (None, None, "")
        assert not context.metadata


def test_a_message_says_when_it_was_sent() -> None:
    """In UTC, by the sender's clock."""
    with start_flow():
        headers = inject()

    with continue_flow(headers) as context:
        assert context.sent_at == json.loads(headers["penstock"])["sent_at"]
        assert str(context.sent_at).endswith("Z")
