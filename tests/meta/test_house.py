"""The source stays easy to enter: few rooms, one meaning per name, flat inheritance."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "penstock"

MAX_MODULES_IN_ROOT = 12
MAX_ROOMS = 30
MAX_ROWS = 20
MAX_DEPTH = 2


def classes() -> Iterator[tuple[str, ast.ClassDef]]:
    """Yield every class of the library, with its module's path."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ClassDef):
                yield path.relative_to(SOURCE).as_posix(), node


def layers() -> dict[str, Any]:
    """Return the contract of import-linter that lists every room."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    contracts = tomllib.loads(text)["tool"]["importlinter"]["contracts"]
    (contract,) = (each for each in contracts if each["id"] == "layers")
    found: dict[str, Any] = contract
    return found


def depths() -> dict[str, int]:
    """Return how many of our own classes stand in the longest line of each class."""
    bases = {
        node.name: [
            ast.unparse(base).partition("[")[0].rpartition(".")[2]
            for base in node.bases
        ]
        for _, node in classes()
        if not node.name.endswith("Error")
    }

    def depth(name: str, below: tuple[str, ...] = ()) -> int:
        if name not in bases or name in below:
            return 0
        return 1 + max((depth(base, (*below, name)) for base in bases[name]), default=0)

    return {name: depth(name) for name in bases}


def test_a_class_name_has_one_meaning() -> None:
    """No two modules define a class of the same name."""
    modules = defaultdict(set)
    for module, node in classes():
        modules[node.name].add(module)
    del modules["FlowMiddleware"]  # each server has one, as its users expect

    assert {name: at for name, at in modules.items() if len(at) > 1} == {}


def test_inheritance_is_flat() -> None:
    """A class of ours inherits from at most one level of our own classes."""
    assert {name: n for name, n in depths().items() if n > MAX_DEPTH} == {}


def test_the_root_has_few_modules() -> None:
    """What belongs together stands in a package."""
    assert len(list(SOURCE.glob("*.py"))) <= MAX_MODULES_IN_ROOT


def test_there_are_few_rooms() -> None:
    """Modules and packages in the root, each of which stands in a row of the layers."""
    rooms = [room for row in layers()["layers"] for room in row.split(" | ")]

    assert len(set(rooms)) == len(rooms) <= MAX_ROOMS


def test_layers_are_few_and_have_no_exceptions() -> None:
    """import-linter sees each room in a row, and each import pointing downwards."""
    assert len(layers()["layers"]) <= MAX_ROWS
    assert layers()["exhaustive"]
    assert "ignore_imports" not in layers()
