"""A language server whose behaviour is defined by ``manners.json`` in its folder.

Run as a program; it writes its process ID to the file ``pid``. When it is asked for a
definition,

- ``{"answers": [...]}`` gives this, with ``"here"`` for a place in the file, on the
  line after the column in question;
- ``{"ends": 3}`` ends with that status;
- ``{"says": "hello"}`` prints what is not a message;
- ``{"hangs": true}`` makes the file ``asked``, and never answers.

``{"is_stubborn": true}`` goes on after SIGTERM, SIGINT and the end of its input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
MANNERS: dict[str, Any] = json.loads((HERE / "manners.json").read_text("utf-8"))


def read() -> dict[str, Any]:
    """Return the next message."""
    length = 0
    while line := sys.stdin.buffer.readline().strip():
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    if not length:
        end()
    message: dict[str, Any] = json.loads(sys.stdin.buffer.read(length))
    return message


def write(content: dict[str, Any]) -> None:
    """Send a message."""
    body = json.dumps({"jsonrpc": "2.0", **content}).encode()
    sys.stdout.buffer.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    sys.stdout.flush()


def end() -> None:
    """End at the end of the input, unless that is ignored."""
    if MANNERS.get("is_stubborn"):
        time.sleep(600)
    sys.exit(0)


def definition(params: dict[str, Any]) -> Any:
    """Answer as defined in ``manners.json``."""
    if "ends" in MANNERS:
        sys.exit(MANNERS["ends"])
    if "says" in MANNERS:
        print(MANNERS["says"], flush=True)  # noqa: T201  # what no server may do
    if MANNERS.get("hangs"):
        (HERE / "asked").touch()
        time.sleep(600)
    uri, column = params["textDocument"]["uri"], params["position"]["character"]
    place = {"start": {"line": column, "character": 0}, "end": {}}
    text = json.dumps(MANNERS["answers"])
    text = text.replace('"here"', json.dumps({"uri": uri, "range": place}))
    text = text.replace('"where"', json.dumps(place))
    return json.loads(text.replace('"file"', json.dumps(uri)))


(HERE / "pid").write_text(str(os.getpid()), "utf-8")
if MANNERS.get("is_stubborn"):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
while True:
    asked = read()
    if "id" not in asked:
        continue
    result: Any = {"capabilities": {}}
    if asked["method"] == "textDocument/definition":
        # Other messages may come first, and are not the answer.
        write({"method": "window/logMessage", "params": {"type": 3, "message": "hm"}})
        write({"id": asked["id"], "method": "workspace/configuration", "params": {}})
        result = definition(asked["params"])
    write({"id": asked["id"], "result": result})
