"""Ask ty, by its language server, where a name is defined.

ty is young: nothing here counts on one version of it. What it answers may be any shape
that the protocol allows, and what is none is no answer.
"""

from __future__ import annotations

import os
import shutil
import sys
import tokenize
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from penstock.checking.findings import Place

from .language_server import LanguageServer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["TyResolver", "find_ty"]

_UNITS = {"utf-8": ("utf-8", 1), "utf-16": ("utf-16-le", 2), "utf-32": ("utf-32-le", 4)}
_ANSWER_S = 30.0  # Django, 150,000 lines, takes 1 s for the first, and 5 ms for others


def find_ty() -> str | None:
    """Return ty beside this Python, else on the PATH; None where there is none."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("ty", path=beside) or shutil.which("ty")


class TyResolver:
    """Asks ty, which has types for everything, and answers at once.

    Args:
        program: The executable.
        root: Folder of the project.
        import_path: Where imports begin.
        timeout_s: How long it may take for one answer.

    Attributes:
        name: What people call it.
        asked: How many questions ty got.
        unasked: None.

    Raises:
        ResolverError: It does not start.
    """

    name = "ty"

    def __init__(
        self,
        program: str,
        root: Path,
        import_path: Iterable[Path],
        *,
        timeout_s: float = _ANSWER_S,
    ) -> None:
        self.asked: int = 0
        self.unasked: int = 0
        self._lines: dict[str, list[str]] = {}
        settings = _settings(import_path)
        self._server = LanguageServer(
            [program, "server"], root, settings, timeout_s=timeout_s
        )
        answer = self._server.ask("initialize", _introduction(root, settings))
        self._units = _UNITS[_encoding(answer)]
        self._server.tell("initialized", {})

    def close(self) -> None:
        """End the server."""
        self._server.close()

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return what ty's "go to definition" finds."""
        self.asked += 1
        try:
            text = self._read(path)[line - 1].encode()[:column].decode()
        except (OSError, ValueError, SyntaxError, IndexError):
            return ()  # it has changed since it was parsed
        encoding, size = self._units
        place = {"line": line - 1, "character": len(text.encode(encoding)) // size}
        document = {"uri": Path(path).as_uri()}
        question = {"textDocument": document, "position": place}
        return list(_places(self._server.ask("textDocument/definition", question)))

    def _read(self, path: str) -> list[str]:
        """Return the lines of a file, which the server has been told, too."""
        if path not in self._lines:
            with tokenize.open(path) as file:
                text = file.read()
            document = {
                "uri": Path(path).as_uri(),
                "languageId": "python",
                "version": 1,
                "text": text,
            }
            self._server.tell("textDocument/didOpen", {"textDocument": document})
            self._lines[path] = text.split("\n")
        return self._lines[path]


def _settings(import_path: Iterable[Path]) -> dict[str, Any]:
    roots = [str(folder.absolute()) for folder in import_path if folder.is_dir()]
    environment = {"python": sys.prefix, "root": roots}
    return {"diagnosticMode": "off", "configuration": {"environment": environment}}


def _introduction(root: Path, settings: dict[str, Any]) -> dict[str, Any]:
    uri = root.absolute().as_uri()
    return {
        "processId": os.getpid(),
        "clientInfo": {"name": "penstock"},
        "rootUri": uri,
        "workspaceFolders": [{"uri": uri, "name": root.name}],
        "initializationOptions": settings,
        "capabilities": {
            "general": {"positionEncodings": list(_UNITS)},
            "workspace": {"configuration": True, "workspaceFolders": True},
            "textDocument": {"definition": {"linkSupport": True}},
        },
    }


def _encoding(answer: Any) -> str:
    """Return what columns are counted in: UTF-16, where nothing else is said."""
    try:
        told = answer["capabilities"]["positionEncoding"]
    except (KeyError, TypeError):
        return "utf-16"
    return told if told in _UNITS else "utf-16"


def _places(answer: Any) -> Iterator[Place]:
    """Yield the places of an answer: one location, several, or links to such."""
    for item in answer if isinstance(answer, list) else [answer]:
        try:
            uri = item.get("targetUri") or item["uri"]
            where = item.get("targetSelectionRange") or item["range"]
            line = int(where["start"]["line"]) + 1
        except (AttributeError, KeyError, TypeError, ValueError):
            continue
        address = urlsplit(str(uri))
        if address.scheme == "file":
            yield Place(url2pathname(address.path), line)
