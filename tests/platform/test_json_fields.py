"""Fields of JSON documents: their values, and what is wrong with them where."""

from __future__ import annotations

import pytest

from penstock._platform.json_fields import JsonError, JsonObject, parse_json

REPORT = b'{"flows": {"orders": {"runs": 2, "steps": {"charge": 3}}, "mails": {}}}'


def test_objects_inside_objects() -> None:
    """An object knows its keys, in the order of the document."""
    flows = parse_json(REPORT).object("flows")

    assert flows.keys == ("orders", "mails")
    assert flows.object("orders").number("runs") == 2
    assert flows.object("orders").object("steps").keys == ("charge",)
    assert flows.object("mails").number("runs") == 0


def test_an_error_names_the_whole_path() -> None:
    """However deep a value lies, the message leads to it."""
    steps = parse_json(REPORT).object("flows").object("orders").object("steps")

    with pytest.raises(JsonError, match=r"^flows\.orders\.steps\.charge should be a s"):
        steps.text("charge")


def test_an_object_that_is_missing() -> None:
    """Only values that can be empty have a default."""
    with pytest.raises(JsonError, match=r"^flows should be an object, and is null$"):
        JsonObject({}).object("flows")
