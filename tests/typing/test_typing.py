"""mypy and pyright agree on the types of what is decorated."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

HERE = Path(__file__).parent
BIN = Path(sys.executable).parent
PROGRAMS = sorted(str(path) for path in HERE.glob("[!t]*.py"))


def check(*command: str) -> None:
    """Run a type checker as `make typing` does; skip where there is none."""
    if find_spec(command[0]) is None:
        pytest.skip(f"{command[0]} is not installed; `make typing` brings it")

    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=HERE.parents[1],
        # pyright looks for the package in the python that is found first.
        env={**os.environ, "PATH": f"{BIN}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert not done.returncode, done.stdout + done.stderr


def test_mypy_infers_every_form() -> None:
    """In strict mode, with each ``assert_type`` and each needed ``ignore``."""
    check("mypy", *PROGRAMS)


def test_pyright_infers_every_form() -> None:
    """In strict mode, the same programs."""
    check("pyright", *PROGRAMS)


def test_every_public_name_is_typed() -> None:
    """``pyright --verifytypes`` finds nothing unknown or ambiguous."""
    check("pyright", "--verifytypes", "penstock", "--ignoreexternal")
