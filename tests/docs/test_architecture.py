"""The map of the code names what is there, and leaves nothing out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "src" / "penstock"
PAGE = (ROOT / "docs" / "explanation" / "architecture.md").read_text("utf-8")
GUIDE = (ROOT / "CONTRIBUTING.md").read_text("utf-8")


def rooms() -> list[str]:
    """Return the packages and modules of the root, the front door aside."""
    return sorted(
        path.stem
        for path in SOURCE.iterdir()
        if path.suffix == ".py" or (path / "__init__.py").is_file()
        if path.stem != "__init__"
    )


@pytest.mark.parametrize("room", rooms())
def test_every_package_is_on_the_map(room: str) -> None:
    """The table of imports has each of them in the first column."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| `")]

    assert any(f"`{room}`" in row.split("|")[1] for row in rows)


@pytest.mark.parametrize("text", [PAGE, GUIDE], ids=["architecture", "contributing"])
def test_every_path_exists(text: str) -> None:
    """A file that a page names is below ``src/penstock``, or below the root."""
    paths = re.findall(r"`((?:[\w.]+/)*[\w.]+\.(?:py|toml|md))`", text)

    assert paths
    assert [
        path
        for path in paths
        if not (SOURCE / path).is_file() and not (ROOT / path).is_file()
    ] == []


def test_stages_name_the_module_that_does_them() -> None:
    """Each step of penstock's own flow is tagged with a package or module."""
    program = (ROOT / "examples" / "penstock_itself.py").read_text("utf-8")
    tags = re.findall(r'tags=\("(\w+)",\)', program)

    assert tags
    assert set(tags) <= set(rooms())
