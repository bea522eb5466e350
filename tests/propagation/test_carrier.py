from __future__ import annotations

import json
import logging
from collections import UserDict
from email.message import Message
from typing import Any

import pytest

from penstock import (
    ConfigurationError,
    configure,
    continue_flow,
    current_flow_id,
    entrypoint,
    flow,
    get_flow_context,
    inject,
    start_flow,
)
from tests.support.call_styles import unique

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPAN = "00f067aa0ba902b7"


def adopted(carrier: Any, **options: Any) -> str | None:
    """Return the ID under which a continued flow runs, None if it is a new one."""
    with continue_flow(carrier, **options) as context:
        correlation_id = context.correlation_id
    is_new = len(correlation_id) == 32 and correlation_id != TRACE
    return None if is_new else correlation_id


def test_inject_writes_the_id_and_one_field_for_the_rest() -> None:
    """Headers are text, of ASCII alone."""
    with start_flow("order-17"):
        headers = inject()

    assert headers["X-Correlation-ID"] == "order-17"
    assert set(headers) == {"X-Correlation-ID", "penstock"}
    assert all(value.isascii() for value in headers.values())


def test_inject_adds_to_a_carrier_in_place() -> None:
    """What is there already stays, and any mutable mapping will do."""
    carrier: UserDict[str, str] = UserDict(accept="text/html")

    with start_flow("order-17"):
        assert inject(carrier) is carrier

    assert set(carrier) == {"accept", "X-Correlation-ID", "penstock"}


def test_outside_a_flow_nothing_is_injected() -> None:
    """There is nothing to say, so headers stay as they are."""
    assert inject() == {}
    assert inject({"accept": "*/*"}) == {"accept": "*/*"}


def test_the_names_of_headers_are_configured() -> None:
    """Several headers may carry the ID out; others may bring it in."""
    configure(headers=("X-One", "X-Two"), inbound_headers="X-Three, X-Four")

    with start_flow("order-17"):
        headers = inject()

    assert (headers["X-One"], headers["X-Two"]) == ("order-17", "order-17")
    assert "X-Correlation-ID" not in headers
    assert adopted({"x-four": "a", "X-Correlation-ID": "b"}) == "a"
    assert adopted({"x-four": "a", "x-three": "b"}) == "b"


def test_no_header_may_be_configured() -> None:
    """An empty list sends the field alone, which then carries the ID as well."""
    configure(headers=())

    with start_flow("order-16"), start_flow("order-17"):
        carrier = inject()

    assert set(carrier) == {"penstock"}
    with continue_flow(carrier) as context:
        assert context.correlation_id == "order-17"
        assert (context.parent_id, context.root_id) == ("order-16", "order-16")
    configure(is_valid_id=lambda text: text != "order-17")
    assert adopted(carrier) is None
    configure(is_valid_id=lambda text: text == "order-17")
    assert adopted({"traceparent": f"00-{TRACE}-{SPAN}-01", **carrier}) == "order-17"


@pytest.mark.parametrize(
    ("header", "at_id", "at_all"),
    [
        ({}, "order-17", "order-17"),
        ({"traceparent": f"00-{TRACE}-{SPAN}-01"}, "order-17", "order-17"),
        ({"X-Request-ID": "proxy-1"}, "proxy-1", "order-17"),
        ({"X-Request-ID": "two words"}, "order-17", "order-17"),
    ],
    ids=["alone", "trace", "proxy", "refused"],
)
def test_an_id_in_the_field_is_adopted(
    header: dict[str, str], at_id: str, at_all: str
) -> None:
    """Where strangers may have written the field, a header counts more."""
    configure(headers=())
    with start_flow("order-17"):
        carrier = inject()

    assert adopted({**header, **carrier}, trust="id") == at_id
    assert adopted({**header, **carrier}, trust="all") == at_all
    assert adopted({**header, **carrier}, trust="none") is None


@pytest.mark.parametrize("odd", ["two words", "x" * 200, "a\nb", 7, None, ["a"]])
def test_an_id_in_the_field_has_the_form_of_an_id(odd: object) -> None:
    """It is checked like one in a header."""
    carrier = {"penstock": json.dumps({"id": odd})}

    assert adopted(carrier, trust="id") is None
    assert adopted(carrier, trust="all") is None


@pytest.mark.parametrize(
    "carrier",
    [
        {"X-Correlation-ID": "order-17"},
        {"x-correlation-id": "order-17"},
        {"X-CORRELATION-ID": "order-17"},
        {b"x-correlation-id": b"order-17"},
        [("X-Correlation-ID", "order-17")],
        [(b"X-Correlation-ID", b"order-17"), (b"X-Correlation-ID", b"second")],
        (("x-correlation-id", bytearray(b"order-17")),),
        [["x-correlation-id", memoryview(b"order-17")]],
        iter([("x-correlation-id", "order-17")]),
        UserDict({"x-correlation-id": "order-17"}),
    ],
    ids=[
        "dict", "lower", "upper", "bytes", "pairs", "first of two", "bytearray",
        "memoryview", "iterator", "mapping",
    ],
)  # fmt: skip
def test_carriers_of_every_kind(carrier: Any) -> None:
    """Mappings and pairs, text and bytes, in any case."""
    assert adopted(carrier) == "order-17"


def test_a_message_of_the_standard_library_is_a_carrier() -> None:
    """So are the headers of ``http.client`` and ``http.server``."""
    message = Message()
    message["X-Correlation-ID"] = "order-17"

    assert adopted(message) == "order-17"


@pytest.mark.parametrize(
    "carrier",
    [
        None,
        {},
        [],
        [("only one",)],
        ["x-correlation-id", "text"],
        [None, 7, ("a", "b", "c")],
        {None: None, 7: b"\xff", ("a",): object()},
        {"X-Correlation-ID": None},
        {"X-Correlation-ID": 17},
        {"X-Correlation-ID": ["order-17"]},
        b"x-correlation-id: order-17",
        "X-Correlation-ID: a text",
        17,
        object(),
    ],
)
def test_what_is_no_carrier_gives_a_fresh_id(carrier: Any) -> None:
    """Nothing that comes in makes a request fail."""
    assert adopted(carrier) is None


class Broken(dict[str, str]):
    """Headers of a framework that has lost its connection."""

    def items(self) -> Any:
        raise OSError


def test_a_carrier_that_fails_gives_a_fresh_id() -> None:
    """Reading headers may run code of others; its failure is not the request's."""
    assert adopted(Broken()) is None


@pytest.mark.parametrize(
    "good",
    [
        "a",
        "0",
        "x" * 128,
        "order-17",
        "0b2f7c1e9a3d4e5f8a7b6c5d4e3f2a1b-1",
        "7f9c24e8-3b0d-4b57-9b6b-0c9a5d3e2f10",
        "01ARZ3NDEKTSV4RRFFQ69G5FAV",
        "Root=1-67891233-abcdef012345678912345678",
        "a.b_c:d@e=f/g+h~i-j",
    ],
    ids=lambda text: text[:12],
)
def test_an_inbound_id_of_the_right_form_is_adopted(good: str) -> None:
    """UUIDs, ULIDs, trace IDs of clouds, and your own order numbers."""
    assert adopted({"x-correlation-id": good}) == good


BAD = {
    "empty": "",
    "129 characters": "x" * 129,
    "1 MB": "x" * 1_000_000,
    "CRLF": "order-17\r\nSet-Cookie: admin=1",
    "final newline": "order-17\n",
    "NUL": "order\x0017",
    "escape sequence": "\x1b[31morder\x1b[0m",
    "Arabic digits": "\N{ARABIC-INDIC DIGIT ONE}\N{ARABIC-INDIC DIGIT SEVEN}",
    "full width": "\N{FULLWIDTH LATIN SMALL LETTER A}bc",
    "script": "<script>alert(1)</script>",
    "braces": "{order}",
    "UUID in braces": "{7f9c24e8-3b0d-4b57-9b6b-0c9a5d3e2f10}",
    "percent": "%s%s%s%n",
    "space": "two words",
    "leading dash": "-rf",
    "leading dot": "../../etc/passwd",
    "quote": "a'b",
    "semicolon": "a;b",
    "template": "${jndi:ldap://evil}",
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
@pytest.mark.parametrize("encode", [str, "latin-1"], ids=["text", "bytes"])
def test_an_inbound_id_of_a_wrong_form_is_replaced(
    warnings: list[logging.LogRecord], bad: str, encode: Any
) -> None:
    """A new ID, and one line with the reason, which never repeats the value."""
    value: Any = bad if encode is str else bad.encode("utf-8")

    assert adopted({"x-correlation-id": value}) is None

    (line,) = [record.getMessage() for record in warnings]
    assert "X-Correlation-ID was not adopted" in line
    assert not bad or bad not in line
    assert len(line) < 200
    assert line.isprintable()


def test_a_bad_header_leaves_the_next_its_chance() -> None:
    """The first header that brings a good ID wins, in the configured order."""
    carrier = {
        "traceparent": f"00-{TRACE}-{SPAN}-01",
        "x-request-id": "request-1",
        "x-correlation-id": "not good",
    }

    assert adopted(carrier) == "request-1"
    assert adopted({**carrier, "x-correlation-id": "order-17"}) == "order-17"
    assert adopted({**carrier, "x-request-id": ""}) == TRACE


@pytest.mark.parametrize(
    "good",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-00",
        f"01-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what-comes-later",
    ],
)
def test_the_trace_id_of_a_valid_traceparent_is_adopted(good: str) -> None:
    """As W3C Trace Context reads it, later versions included."""
    assert adopted({"traceparent": good}) == TRACE


BAD_TRACEPARENTS = {
    "empty": "",
    "trace ID alone": TRACE,
    "no flags": f"00-{TRACE}-{SPAN}",
    "too many parts": f"00-{TRACE}-{SPAN}-01-more",
    "version ff": f"ff-{TRACE}-{SPAN}-01",
    "zero trace": f"00-{'0' * 32}-{SPAN}-01",
    "zero span": f"00-{TRACE}-{'0' * 16}-01",
    "upper case": f"00-{TRACE.upper()}-{SPAN}-01",
    "short trace": f"00-{TRACE[:-1]}-{SPAN}-01",
    "no hex": f"00-{TRACE[:-1]}g-{SPAN}-01",
    "short version": f"0-{TRACE}-{SPAN}-01",
    "no separator": f"01-{TRACE}-{SPAN}-01.more",
    "newline": f"00-{TRACE}-{SPAN}-01\n",
    "1 MB": f"cc-{TRACE}-{SPAN}-01-" + "x" * 1_000_000,
    "Arabic digit": f"00-{TRACE}-{SPAN}-0\N{ARABIC-INDIC DIGIT ONE}",
}


@pytest.mark.parametrize("bad", BAD_TRACEPARENTS.values(), ids=BAD_TRACEPARENTS)
def test_a_traceparent_that_is_not_valid_is_not_adopted(
    warnings: list[logging.LogRecord], bad: str
) -> None:
    """A malformed one is as good as none; the log says so."""
    assert adopted({"traceparent": bad}) is None
    assert len(warnings) == 1


def test_the_ambient_context_is_not_adopted() -> None:
    """What runs around is ignored: the headers tell, or nothing does."""
    with start_flow("ambient"), continue_flow({}) as context:
        assert context.correlation_id != "ambient"
        assert context.parent_id is None
        assert context.root_id == context.correlation_id
    assert current_flow_id() is None


def test_parent_root_and_allowed_metadata_come_along() -> None:
    """The other side knows where it comes from, and what it may know."""
    configure(propagate=("tenant", "tags"))

    @flow(unique("orders"))
    @entrypoint
    def receive() -> dict[str, str]:
        return inject()

    with start_flow("root"), start_flow("order-17", tenant="acme", tags=[1, "a"]):
        headers = receive()

    with start_flow("ambient"), continue_flow(headers) as context:
        assert context.is_carried
        assert (context.correlation_id, context.parent_id, context.root_id) == (
            "order-17",
            "root",
            "root",
        )
        assert dict(context.metadata) == {"tenant": "acme", "tags": [1, "a"]}


@pytest.mark.parametrize(
    ("trust", "correlation_id", "metadata"),
    [
        ("none", None, {}),
        ("id", "order-17", {}),
        ("all", "order-17", {"tenant": "acme"}),
    ],
)
@pytest.mark.parametrize("by", ["argument", "setting", "both"])
def test_trust_decides_what_is_believed(
    trust: str, correlation_id: str | None, metadata: dict[str, str], by: str
) -> None:
    """``none``, ``id`` or ``all``, by the call or by ``configure``."""
    configure(propagate="tenant")
    with start_flow("root"), start_flow("order-17", tenant="acme"):
        headers = inject()
    if by != "argument":
        configure(trust_inbound="none" if by == "both" else trust)
    given = None if by == "setting" else trust

    with continue_flow(headers, trust=given) as context:
        assert dict(context.metadata) == metadata
        assert context.parent_id == ("root" if trust == "all" else None)
    assert adopted(headers, trust=given) == correlation_id


@pytest.mark.parametrize("bad", ["", "ID", "everything"])
def test_an_unknown_trust_is_refused(bad: str) -> None:
    """A misspelt level must not believe more, or less, than was meant."""
    with pytest.raises(ConfigurationError, match="'none', 'id', 'all'"):
        continue_flow({}, trust=bad)


def test_a_validator_decides_which_ids_are_believed() -> None:
    """``is_valid_id`` decides about IDs that come in."""
    configure(is_valid_id=lambda text: text.startswith("{"), new_id=lambda: "{new}")

    with continue_flow({"x-correlation-id": "{order}"}) as context:
        assert context.correlation_id == "{order}"
    with continue_flow({"x-correlation-id": "order"}) as context:
        assert context.correlation_id == "{new}"


def test_a_validator_cannot_allow_what_breaks_headers() -> None:
    """Line breaks, spaces around and megabytes stay out, whatever it says."""
    configure(is_valid_id=lambda _text: True)

    assert adopted({"x-correlation-id": "a\r\nb"}) is None
    assert adopted({"x-correlation-id": "x" * 1_000_000}) is None
    assert adopted({"x-correlation-id": " around "}) is None
    assert adopted({"x-correlation-id": "any thing"}) == "any thing"


def test_a_validator_that_raises_refuses(warnings: list[logging.LogRecord]) -> None:
    """The request goes on under a new ID; the log names the error."""

    def is_valid_id(text: str) -> bool:
        raise LookupError(text)

    configure(is_valid_id=is_valid_id)

    assert adopted({"x-correlation-id": "order-17"}) is None
    assert "the validator raised LookupError" in warnings[0].getMessage()
    assert "order-17" not in warnings[0].getMessage()


def test_a_validator_decides_about_inbound_ids_only() -> None:
    """A run's own ID, from ``new_id`` or ``start_flow()``, is used and sent."""
    configure(is_valid_id=lambda text: text.startswith("ord-"), new_id=lambda: "mine")

    with start_flow():
        assert inject()["X-Correlation-ID"] == "mine"
    with start_flow("import 17"):
        assert inject()["X-Correlation-ID"] == "import 17"


def test_an_id_that_cannot_be_sent_is_not_sent(
    warnings: list[logging.LogRecord],
) -> None:
    """IDs are checked again before they leave; the publish goes on without."""
    with start_flow() as context:
        context.correlation_id = "a\r\nb"
        assert [inject(), inject()] == [{}, {}]

    assert len(warnings) == 1
    assert "not sent" in warnings[0].getMessage()


def test_continued_is_left_again() -> None:
    """``with`` gives the context back that was there before."""
    with start_flow("outer"):
        with continue_flow({"x-correlation-id": "order-17"}) as context:
            assert get_flow_context() is context
        assert current_flow_id() == "outer"


def test_a_log_handler_that_raises_does_not_fail_a_request() -> None:
    """Refusing an ID is told to the log; the log's trouble is its own."""

    class Failing(logging.Handler):
        def handle(self, record: logging.LogRecord) -> bool:
            raise OSError(record.msg)

    handler = Failing()
    logger = logging.getLogger("penstock")
    logger.addHandler(handler)
    try:
        assert adopted({"x-correlation-id": "not good"}) is None
    finally:
        logger.removeHandler(handler)


@pytest.mark.parametrize("name", ["X-My-ID", "x-correlation-id"])
def test_what_is_sent_under_a_name_of_its_own_is_read(name: str) -> None:
    """Two services that agree on ``headers=`` need agree on nothing else."""
    configure(headers=name)

    with start_flow("order-17"):
        sent = inject()
    with continue_flow(sent), continue_flow({name: "order-18", **sent}) as context:
        assert context.correlation_id == "order-17"


def test_a_call_belongs_to_the_flow_that_its_message_comes_from() -> None:
    """A function of several flows is a step of the one that sent it."""
    first, second = flow(unique("first")), flow(unique("second"))
    seen: list[str] = []

    @second.step
    @first.step
    def receipt() -> None:
        seen.append(inject()["penstock"])

    @second.entrypoint
    def send() -> dict[str, str]:
        return inject()

    with continue_flow(send()) as context:
        receipt()
        assert context.flow == second.name
    with start_flow():
        receipt()

    assert second.name in seen[0]
    assert second.name not in seen[1]


@pytest.mark.parametrize("sent", ["elsewhere", "\\r\\n", "", 3, None, [], {}])
def test_a_flow_that_is_not_declared_here_is_ignored(sent: object) -> None:
    """Nobody writes into our logs by naming a flow."""
    field = json.dumps({"flow": sent})
    with continue_flow({"penstock": field}, trust="all") as context:
        assert context.flow == ""


def test_a_sender_that_is_not_trusted_chooses_no_flow() -> None:
    """At a public edge the field is not read at all."""
    name = unique("orders")
    flow(name)(entrypoint(name="receive")(lambda: None))
    carrier = {"penstock": json.dumps({"flow": name})}

    with continue_flow(carrier, trust="id") as context:
        assert context.flow == ""
