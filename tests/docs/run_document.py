"""Run one Markdown document as its reader would: ``python run_document.py FILE``.

It runs in a process and an empty folder of its own, because what a reader tries out
configures logging, registers flows and writes files. These are the rules:

- ``python`` blocks run in order, in one namespace. A block whose first line is a
  comment with a file name, as ``# shop/orders.py``, is saved as that file instead.
- A block without a language, or of ``text``, ``mermaid``, ``json``, ``dot`` or
  ``html``, directly below a ``python`` block, or below one line such as "Output:", is
  what that block prints, to stdout and stderr; ``...`` stands for anything.
- ``pycon`` blocks are doctests in the same namespace.
- In ``console`` blocks lines that begin with ``$`` are commands, and the lines below
  what they print; in ``bash``, ``sh`` and ``shell`` blocks every line is a command.
  Nothing is installed and no ``make`` is run: the extras and targets have to exist.
  ``python -m venv`` makes an environment without pip, which takes seconds. ``pytest``
  loads penstock's plugin and none of the other plugins that are installed here.
- ``toml`` and ``json`` blocks must parse.
- ``<!-- needs: structlog -->`` says which package the page needs; the tests skip it
  where that is not installed.
- ``<!-- no-run: the reason -->`` above a block leaves it out. A comment that begins
  with a line ``<!-- setup`` holds Python that runs and that no reader sees.
"""

from __future__ import annotations

import doctest
import io
import json
import os
import re
import shlex
import subprocess
import sys
import tomllib
import traceback
from contextlib import redirect_stderr, redirect_stdout
from itertools import dropwhile
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
sys.path[0] = str(ROOT)  # instead of this file's folder

from tests.docs.blocks import (  # noqa: E402  # needs the line above
    Block,
    DocumentError,
    blocks_of,
)

FLAGS = doctest.ELLIPSIS | doctest.REPORT_UDIFF
ASSIGNS = re.compile(r"[A-Z_]+=")  # a setting for one command, in front of it
SAVED = re.compile(r"^# (?P<path>[\w./-]+\.(?:py|toml|yaml|yml|json|md))\n")
RUN = {"penstock", "python", "pytest", "cat", "grep", "ls", "sphinx-build"}
NOT_RUN = {"cd", "git", "pre-commit", "source", "uv"}


class Document:
    """A document that is being run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.module = ModuleType("__main__")
        self.module.__file__ = str(path)
        self.printed = io.StringIO()

    def run(self) -> None:
        """Run every block; stop at the first that does not do what it says."""
        sys.modules["__main__"] = self.module
        with redirect_stdout(self.printed), redirect_stderr(self.printed):
            for block in blocks_of(self.path.read_text(encoding="utf-8")):
                try:
                    self._run_block(block)
                except DocumentError:
                    raise
                except BaseException as exc:
                    raise DocumentError(self._told(exc, block)) from exc

    def _run_block(self, block: Block) -> None:
        if block.purpose == "output":
            self._compare(block, block.text, self.printed.getvalue(), block.line)
        elif block.purpose == "code" and (saved := SAVED.match(block.text)):
            file = Path(saved["path"])
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text + "\n", encoding="utf-8")
            if file.suffix == ".py":
                compile(block.text, str(file), "exec")
        elif block.purpose == "code":
            self._forget_printed()
            RUNNERS[block.language](self, block)

    def python(self, block: Block) -> None:
        """Run a block of Python in the document's namespace."""
        # Blank lines on top, so that tracebacks and flows name the document's lines.
        source = "\n" * (block.line - 1) + block.text
        # `dont_inherit`: this file's `from __future__ import` is not the reader's.
        code = compile(source, str(self.path), "exec", dont_inherit=True)
        exec(code, self.module.__dict__)  # noqa: S102  # it is what readers run

    def pycon(self, block: Block) -> None:
        """Run a block of interactive Python, and compare what it shows."""
        test = doctest.DocTestParser().get_doctest(
            block.text, self.module.__dict__, "block", str(self.path), block.line - 1
        )
        told: list[str] = []
        runner = doctest.DocTestRunner(verbose=False, optionflags=FLAGS)
        runner.run(test, out=told.append, clear_globs=False)
        self.module.__dict__.update(test.globs)
        if told:
            raise DocumentError("".join(told))

    def console(self, block: Block) -> None:
        """Run the commands of a block, and compare what they print."""
        text = re.sub(r"\\\n\s*", "", block.text)
        if block.language == "console":
            parts = re.split(r"(?m)^\$ ", text)[1:]
        else:
            parts = [line for line in text.splitlines() if not line.startswith("#")]
        for part in filter(str.strip, parts):
            command, _, expected = part.partition("\n")
            self._command(block, command.strip(), expected)

    def _command(self, block: Block, command: str, expected: str) -> None:
        words = shlex.split(command, comments=True)
        name, *arguments = dropwhile(ASSIGNS.match, words)
        if name == "pip":
            self._check_extras(block, " ".join(arguments))
        elif name == "make":
            shell = ["make", "--dry-run", "--directory", str(ROOT), *arguments]
            self._shell(block, shlex.join(shell), "")
        elif arguments[:2] == ["-m", "venv"]:
            self._shell(block, f"{command} --without-pip", expected)
        elif name in RUN:
            self._shell(block, command, expected)
        elif name not in NOT_RUN:
            msg = f"{self.path}:{block.line}: the runner does not know {name!r}"
            raise DocumentError(msg)

    def _check_extras(self, block: Block, arguments: str) -> None:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
        known = project["project"]["optional-dependencies"]
        for extras in re.findall(r"penstock\[([^]]*)\]", arguments):
            for extra in extras.split(","):
                if extra not in known:
                    msg = f"{self.path}:{block.line}: there is no extra {extra!r}"
                    raise DocumentError(msg)

    def _shell(self, block: Block, command: str, expected: str) -> None:
        bin_folder = str(Path(sys.executable).parent)
        result = subprocess.run(  # noqa: S602  # our own documents, with their pipes
            command,
            shell=True,
            check=False,
            text=True,
            encoding="utf-8",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ
            | {
                "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
                "COLUMNS": "80",
                "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
                "PYTEST_PLUGINS": "penstock.pytest_plugin",
            },
        )
        if expected.strip():
            self._compare(block, expected, result.stdout, block.line)
        # A command may fail to show how: then the document has what it prints.
        elif result.returncode:
            msg = f"{self.path}:{block.line}: {command!r} failed\n{result.stdout}"
            raise DocumentError(msg)

    def toml(self, block: Block) -> None:
        """Parse a block of TOML."""
        tomllib.loads(block.text)

    def json(self, block: Block) -> None:
        """Parse a block of JSON."""
        json.loads(block.text)

    def _compare(self, block: Block, want: str, got: str, line: int) -> None:
        want, got = (_without_trailing_space(text) for text in (want, got))
        checker = doctest.OutputChecker()
        if not checker.check_output(want, got, FLAGS):
            example = doctest.Example("", want)
            difference = checker.output_difference(example, got, FLAGS)
            msg = f"{self.path}:{line}: this is not what is printed\n{difference}"
            raise DocumentError(msg)

    def _forget_printed(self) -> None:
        self.printed.seek(0)
        self.printed.truncate()

    def _told(self, exc: BaseException, block: Block) -> str:
        frames = [
            frame
            for frame in traceback.extract_tb(exc.__traceback__)
            if frame.filename != __file__
        ]
        told = traceback.format_list(frames) + traceback.format_exception_only(exc)
        return f"{self.path}:{block.line}: the block raises\n{''.join(told)}"


RUNNERS = {
    "python": Document.python,
    "pycon": Document.pycon,
    "toml": Document.toml,
    "json": Document.json,
    **dict.fromkeys(("console", "bash", "sh", "shell"), Document.console),
}


def _without_trailing_space(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()) + "\n"


def main() -> None:
    """Run the document in ``sys.argv``, in the current folder."""
    sys.path[0] = str(Path.cwd())  # readers have neither this repository nor its tests
    try:
        Document(Path(sys.argv[1])).run()
    except DocumentError as exc:
        sys.exit(str(exc))


if __name__ == "__main__":
    main()
