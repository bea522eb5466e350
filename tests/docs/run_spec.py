"""Run the programs of one spec document: ``python run_spec.py FILE`` prints JSON.

They run in the order of the document and in one namespace, because later blocks use
what earlier ones import and define; in a process of their own, because they configure
logging.
"""

from __future__ import annotations

import io
import json
import sys
from contextlib import nullcontext, redirect_stderr, redirect_stdout
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

sys.path[0] = str(Path(__file__).parents[2])  # instead of this file's folder

import penstock  # noqa: E402  # needs the line above
from tests.docs.blocks import blocks_of  # noqa: E402  # after the path
from tests.docs.spec_programs import PROGRAMS, Program  # noqa: E402  # the same

if TYPE_CHECKING:
    from tests.docs.blocks import Block


def main() -> None:
    """Run every program of the document in ``sys.argv``, in the current folder."""
    path = Path(sys.argv[1])
    blocks = blocks_of(path.read_text(encoding="utf-8"))
    module = ModuleType("__main__")
    sys.modules["__main__"] = module
    results = {
        program.holds: _ran(program, _block_of(program, blocks), path, module)
        for program in PROGRAMS
        if program.document == path.name and not program.left_out
    }
    sys.stdout.write(json.dumps(results))


def _block_of(program: Program, blocks: list[Block]) -> Block:
    return next(block for block in blocks if program.is_in(block.text))


def _ran(
    program: Program, block: Block, path: Path, module: ModuleType
) -> dict[str, str]:
    if program.needs and find_spec(program.needs) is None:
        return {"printed": "", "raised": f"needs {program.needs}"}
    printed = io.StringIO()
    raised = ""
    # Blank lines on top, so that flows name the document's own lines.
    source = "\n" * (block.line - 1) + block.text
    flow = penstock.start_flow() if program.in_flow else nullcontext()
    with redirect_stdout(printed), redirect_stderr(printed):
        _exec(program.given, "given", module)
        try:
            with flow:
                _exec(source, str(path), module)
        except Exception as exc:  # noqa: BLE001  # the test compares it
            raised = f"{type(exc).__name__}: {exc}"
        _exec(program.then, "then", module)
    return {"printed": printed.getvalue(), "raised": raised}


def _exec(source: str, name: str, module: ModuleType) -> None:
    # `dont_inherit`: this file's `from __future__ import` is not the document's.
    code = compile(source, name, "exec", dont_inherit=True)
    exec(code, module.__dict__)  # noqa: S102  # the document's own programs


if __name__ == "__main__":
    main()
