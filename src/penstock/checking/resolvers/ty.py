"""Ask ty's language server where a name is defined."""

from __future__ import annotations

import shutil
import sys
from linecache import getlines
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from penstock.checking.findings import Place
from penstock.errors import MissingExtraError

from .base import text_before
from .language_server import LanguageServer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_ANSWER_S = 30.0  # Django, 150,000 lines, takes 1 s for the first, and 5 ms for others


def find_ty() -> str | None:
    """Return the path of ty, next to this Python or on PATH, or None."""
    beside = str(Path(sys.executable).parent)
    return shutil.which("ty", path=beside) or shutil.which("ty")


class TyResolver:
    """Asks ty, without depending on a specific version of it.

    Args:
        root: Folder of the project.
        import_path: Folders that its modules are imported from.
        timeout_s: How long one answer may take.

    Raises:
        MissingExtraError: ty is not installed.
        ResolverError: It does not start.
    """

    def __init__(
        self, root: Path, import_path: Sequence[Path], *, timeout_s: float = _ANSWER_S
    ) -> None:
        program = find_ty()
        if program is None:
            msg = (
                "'ty' is neither beside this Python nor on the PATH. "
                "Install it with: pip install ty"
            )
            raise MissingExtraError(msg)
        roots = [str(folder.absolute()) for folder in import_path if folder.is_dir()]
        environment = {"python": sys.prefix, "root": roots}
        configuration = {"environment": environment}
        options = {"diagnosticMode": "off", "configuration": configuration}
        command = [program, "server"]
        self._server = LanguageServer(command, root, options, timeout_s=timeout_s)
        self._opened: set[str] = set()

    def definitions(self, path: str, line: int, column: int) -> Sequence[Place]:
        """Return what ty's "go to definition" finds."""
        before = text_before(path, line, column)
        document = {"uri": Path(path).as_uri()}
        if path not in self._opened:
            self._opened.add(path)
            text = "".join(getlines(path))
            file = {**document, "languageId": "python", "version": 1, "text": text}
            self._server.notify("textDocument/didOpen", {"textDocument": file})
        character = len(before.encode("utf-16-le")) // 2
        position = {"line": line - 1, "character": character}
        question = {"textDocument": document, "position": position}
        answer = self._server.request("textDocument/definition", question)
        return list(_places(answer))

    def close(self) -> None:
        """End the server."""
        self._server.close()


def _places(answer: Any) -> Iterator[Place]:
    """Yield the places in an answer: a location, a list of them, or None."""
    for location in answer if isinstance(answer, list) else [answer]:
        try:
            address = urlsplit(location["uri"])
            line: int = location["range"]["start"]["line"]
        except (AttributeError, KeyError, TypeError):
            continue
        if address.scheme == "file":
            yield Place(url2pathname(address.path), line + 1)
