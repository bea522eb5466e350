from __future__ import annotations

import logging
import os
import uuid
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import ConfigurationError, configure, current_flow_id, entrypoint, flow
from tests.support.call_styles import unique

if TYPE_CHECKING:
    from collections.abc import Callable


def ids(count: int) -> list[str]:
    """Return the IDs of *count* runs."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> str:
        return current_flow_id() or ""

    return [receive() for _ in range(count)]


def test_an_id_is_a_uuid4_in_hex() -> None:
    """32 lower-case digits with the version and variant of RFC 9562."""
    for made in ids(200):
        parsed = uuid.UUID(hex=made)
        assert parsed.hex == made
        assert (parsed.version, parsed.variant) == (4, uuid.RFC_4122)


def test_ids_do_not_repeat() -> None:
    """Over many batches each ID comes once."""
    assert len(set(ids(10_000))) == 10_000


def test_every_random_bit_is_random() -> None:
    """Nothing but version and variant is the same in all of them."""
    numbers = [int(made, 16) for made in ids(500)]
    always, ever = (1 << 128) - 1, 0
    for number in numbers:
        always &= number
        ever |= number

    assert always == (4 << 76) | (2 << 62)
    assert ever == (1 << 128) - 1 - (0xB << 76) - (1 << 62)


@pytest.mark.parametrize("mode", ["quiet", "logged"])
def test_new_id_replaces_the_generator(
    caplog: pytest.LogCaptureFixture, mode: str
) -> None:
    """IDs come from the configured function, whoever listens."""
    if mode == "logged":
        caplog.set_level(logging.INFO)
    numbers = iter(range(100))
    configure(new_id=lambda: f"order-{next(numbers)}")

    assert ids(3) == ["order-0", "order-1", "order-2"]


def test_reset_goes_back_to_uuids() -> None:
    """``configure`` of something else keeps the generator; ``reset`` does not."""
    from penstock import reset  # noqa: PLC0415  # reads better where it is used

    configure(new_id=lambda: "mine")
    configure(service="shop")
    assert ids(1) == ["mine"]
    reset()
    assert len(ids(1)[0]) == 32


def test_new_id_may_give_a_uuid() -> None:
    """What is no text is made one: ``uuid.uuid7`` is a fine generator."""
    made = uuid.uuid4()
    configure(new_id=lambda: made)

    assert ids(1) == [str(made)]


class Unprintable(Exception):  # noqa: N818  # a sample
    """An exception that cannot be turned into text."""

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


class Mute:
    """A generator without a name for the log."""

    def __call__(self) -> str:
        return ""

    def __repr__(self) -> str:
        raise RuntimeError


def raising(exc: Exception) -> Callable[[], str]:
    """Return a function that raises *exc*."""

    def new_id() -> str:
        raise exc

    return new_id


@pytest.mark.parametrize(
    ("new_id", "why"),
    [
        (raising(ValueError("no luck")), "ValueError"),
        (lambda: None, "None"),
        (lambda: "", "empty"),
        (lambda: " around ", "unsafe"),
        (lambda: "a\r\nSet-Cookie: b", "unsafe"),
        (lambda: "x" * 2_000, "length"),
        (lambda: "\N{ARABIC-INDIC DIGIT ONE}", "unsafe"),
    ],
    ids=["raises", "none", "empty", "space", "injection", "long", "digit"],
)
def test_a_bad_generator_breaks_no_call(
    warnings: list[logging.LogRecord], new_id: Callable[[], Any], why: str
) -> None:
    """A UUID4 takes the place of what it should have made; the log says so once."""
    configure(new_id=new_id)

    made = ids(3)

    assert [len(one) for one in made] == [32, 32, 32]
    said = [record.getMessage() for record in warnings]
    assert len(said) == 1
    assert why in said[0]


@pytest.mark.parametrize(
    "new_id", [raising(Unprintable()), Mute()], ids=["error", "name"]
)
def test_even_a_generator_that_cannot_be_named_breaks_no_call(
    monkeypatch: pytest.MonkeyPatch, new_id: Callable[[], str]
) -> None:
    """Neither its exception nor its own ``repr`` gets in the way."""
    monkeypatch.setattr(logging, "raiseExceptions", False)
    configure(new_id=new_id)

    assert len(ids(1)[0]) == 32


def test_a_generator_whose_errors_differ_is_told_once(
    warnings: list[logging.LogRecord],
) -> None:
    """The cause is the kind of failure, not its text."""
    numbers = iter(range(100))

    def new_id() -> str:
        raise ValueError(next(numbers))

    configure(new_id=new_id)
    ids(3)

    assert len(warnings) == 1


def test_a_base_exception_of_the_generator_passes() -> None:
    """Ctrl-C is not ours to keep."""

    def new_id() -> str:
        raise KeyboardInterrupt

    configure(new_id=new_id)

    with pytest.raises(KeyboardInterrupt):
        ids(1)
    assert current_flow_id() is None


@pytest.mark.parametrize("bad", ["uuid4", 0, 7, []])
def test_new_id_takes_a_function(bad: Any) -> None:
    """Anything else is refused, and the old generator stays."""
    with pytest.raises(ConfigurationError, match=r"new_id.*function"):
        configure(new_id=bad)

    assert len(ids(1)[0]) == 32


def test_a_fork_while_ids_are_minted_leaves_the_child_none_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What was under way at the fork belongs to the parent alone."""
    random = b"\x5a" * 16
    urandom, after_fork = os.urandom, penstock.after_fork
    calls = []

    def forking(size: int) -> bytes:
        calls.append(size)
        if len(calls) == 1:
            after_fork()
            return random * (size // 16)
        return urandom(size)

    after_fork()
    monkeypatch.setattr(os, "urandom", forking)
    made = ids(100)

    assert len(set(made)) == 100
    assert not any("5a5a5a5a" in one for one in made)
