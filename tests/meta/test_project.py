"""The project keeps what it promises about itself."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import penstock

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "penstock"
PROJECT: dict[str, Any] = tomllib.loads(
    (ROOT / "pyproject.toml").read_text(encoding="utf-8")
)
EXTRAS: dict[str, list[str]] = PROJECT["project"]["optional-dependencies"]

# What lies outside the core: these need a package, or exist for one.
NOT_CORE = (
    "backends/otel.py",
    "checking",
    "cli",
    "contrib",
    "pytest_plugin",
    "renderers/picture/png.py",
    "runs/duckdb_engine.py",
    "runs/zstd.py",
)


def modules() -> Iterator[tuple[str, ast.Module]]:
    """Yield every module of the library, as its path below ``src/penstock``."""
    for path in sorted(SOURCE.rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        yield path.relative_to(SOURCE).as_posix(), tree


def tracked() -> list[Path]:
    """Return the files that git tracks; skip outside a checkout."""
    try:
        listed = subprocess.run(
            ["git", "ls-files", "-z"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        )
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("this is not a git checkout")
    return [
        path for name in listed.stdout.split("\0") if (path := ROOT / name).is_file()
    ]


def test_all_is_sorted() -> None:
    """The front door lists its names in order, each once."""
    assert list(penstock.__all__) == sorted(set(penstock.__all__))


def test_every_public_name_is_there() -> None:
    """Each name in ``__all__`` can be imported, the lazy ones too."""
    for name in penstock.__all__:
        assert getattr(penstock, name) is not None


def test_public_names_are_documented() -> None:
    """The reference has every public name, by a directive or in code quotes."""
    pages = "\n".join(
        path.read_text(encoding="utf-8")
        for path in (ROOT / "docs" / "reference").rglob("*.md")
    )
    directives = "autofunction|autoclass|autoexception|autodata|autodecorator|`"

    missing = [
        name
        for name in penstock.__all__
        if not re.search(rf"(?:{directives})[^\n]*\b{name}\b", pages)
    ]

    assert not missing


@pytest.mark.parametrize("path", sorted((ROOT / "tests").rglob("test_*.py")), ids=str)
def test_tests_have_a_sentence(path: Path) -> None:
    """Each test has a sentence that says what it shows."""
    tree = ast.parse(path.read_text(encoding="utf-8"))

    silent = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name.startswith("test_")
        and not ast.get_docstring(node)
    ]

    assert not silent


SUPPRESSION = re.compile(
    r"# (?:noqa: [A-Z0-9, ]+|type: ignore\[[\w, -]+\]|pragma: no cover)(?P<more>.*)"
)


def test_every_suppression_has_a_reason() -> None:
    """Each comment that silences a tool says why, on its line."""
    silent = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("src", "tests", "examples", "benchmarks")
        for path in (ROOT / folder).rglob("*.py")
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if (found := SUPPRESSION.search(line)) and "#" not in found["more"]
    ]

    assert not silent


def required_extras() -> dict[str, str]:
    """Return the extras that the source names in ``requires(..., extra=)``."""
    found: dict[str, str] = {}
    for path, tree in modules():
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Call)
                and getattr(node.func, "id", "") == "requires"
            ):
                for keyword in node.keywords:
                    if keyword.arg == "extra" and isinstance(
                        keyword.value, ast.Constant
                    ):
                        found[str(keyword.value.value)] = path
    return found


def used_extras() -> set[str]:
    """Return the extras that have a use: in a message, or for an integration."""
    integrations = {path.stem for path in (SOURCE / "contrib").glob("*.py")}
    return set(required_extras()) | (integrations & set(EXTRAS))


def test_messages_name_extras_that_exist() -> None:
    """``pip install 'penstock[x]'`` works for each x that a message names."""
    assert not {x: at for x, at in required_extras().items() if x not in EXTRAS}


def test_every_extra_has_a_use() -> None:
    """Each extra is one that the source names."""
    assert used_extras() == set(EXTRAS) - {"all"}


def test_all_has_every_extra() -> None:
    """``penstock[all]`` lists every other extra."""
    (everything,) = EXTRAS["all"]

    assert everything == f"penstock[{','.join(sorted(set(EXTRAS) - {'all'}))}]"


def test_core_imports_the_standard_library_alone() -> None:
    """The core imports no third party, not even in functions or for types."""
    standard = sys.stdlib_module_names | {"annotationlib"}  # there since 3.14
    foreign = {
        (path, name)
        for path, tree in modules()
        if not path.startswith(NOT_CORE)
        for name in imported(tree)
        if name not in standard | {"penstock"}
    }

    assert not foreign


def imported(tree: ast.Module) -> Iterator[str]:
    """Yield the top-level names that a module imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]


def test_fragments_have_a_known_type() -> None:
    """Each changelog fragment is ``<issue or +word>.<type>.md`` and says something."""
    types = {entry["directory"] for entry in PROJECT["tool"]["towncrier"]["type"]}
    name = re.compile(rf"(?:\d+|\+[\w-]+)\.(?:{'|'.join(types)})(?:\.\d+)?\.md")
    fragments = [p for p in (ROOT / "changelog.d").iterdir() if p.name != "README.md"]

    assert [p.name for p in fragments if not name.fullmatch(p.name)] == []
    assert [
        p.name for p in fragments if not p.read_text(encoding="utf-8").strip()
    ] == []


def test_no_machine_is_in_the_repository() -> None:
    """No tracked file names a package index or a folder of one machine."""
    # Assembled here, so that this file does not contain them.
    hosts = ["pypi" + ".org", "python" + "hosted", "npm" + "js", "deb" + "ian.org"]
    folders = ["/ho" + "me/[a-z]", "/Us" + "ers/[A-Z]", "/ro" + "ot/", "/wo" + "rk/"]
    machine = re.compile("|".join([*map(re.escape, hosts), *folders]))

    found = []
    for path in tracked():
        content = path.read_bytes().decode("utf-8", "ignore")
        found += [(path.name, match[0]) for match in machine.finditer(content)]

    assert not found


def test_no_lock_file_is_tracked() -> None:
    """Lock files name the index that they were made with."""
    locks = {"uv.lock", "poetry.lock", "package-lock.json", "pylock.toml"}

    assert not locks & {path.name for path in tracked()}


def test_type_checkers_read_the_typing_programs() -> None:
    """`make typing` checks the forms in tests/typing strictly, with both checkers."""
    mypy, pyright = PROJECT["tool"]["mypy"], PROJECT["tool"]["pyright"]
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert mypy["strict"]
    assert pyright["typeCheckingMode"] == "strict"
    for read, left_out in [
        (mypy["files"], mypy["exclude"]),
        (pyright["include"], pyright["exclude"]),
    ]:
        assert "tests" in read
        assert not [path for path in left_out if path.startswith("tests/typing")]
    assert "pyright --verifytypes penstock --ignoreexternal" in makefile
