"""A language server that behaves as its folder's ``manners.json`` says.

Run as a program. When it is asked for a definition, ``{"ends": 3}`` ends with that
status, ``{"says": "hello"}`` says what is no message, and ``{"answers": [...]}`` gives
this, with ``"here"`` for a place in the file, on the line after the asked column.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

MANNERS: dict[str, Any] = json.loads(
    Path(__file__).with_name("manners.json").read_text(encoding="utf-8")
)


def read() -> dict[str, Any]:
    """Return the next message."""
    length = 0
    while line := sys.stdin.buffer.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if not length:
        sys.exit(0)
    message: dict[str, Any] = json.loads(sys.stdin.buffer.read(length))
    return message


def write(content: dict[str, Any]) -> None:
    """Send a message."""
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.flush()


def definition(params: dict[str, Any]) -> Any:
    """Answer as told, and as rudely."""
    if "ends" in MANNERS:
        sys.exit(MANNERS["ends"])
    if "says" in MANNERS:
        print(MANNERS["says"], flush=True)  # noqa: T201  # what no server may do
    if MANNERS.get("asks"):
        write({"id": 7, "method": "workspace/configuration", "params": {"items": [{}]}})
        (settings,) = read()["result"]
        assert settings["configuration"]["environment"]["root"]
    uri, column = params["textDocument"]["uri"], params["position"]["character"]
    place = {"start": {"line": column, "character": 0}, "end": {}}
    text = json.dumps(MANNERS["answers"])
    text = text.replace('"here"', json.dumps({"uri": uri, "range": place}))
    text = text.replace('"where"', json.dumps(place))
    return json.loads(text.replace('"file"', json.dumps(uri)))


while True:
    asked = read()
    if asked["method"] == "exit":
        sys.exit(0)
    if "id" not in asked:
        continue
    result: Any = {"capabilities": MANNERS.get("can", {})}
    if asked["method"] == "textDocument/definition":
        result = definition(asked["params"])
    write({"id": asked["id"], "result": result})
