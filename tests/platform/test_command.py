"""A wrong environment: an error of one line in a command, a traceback elsewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.support.projects import Project

EXPECTED = (
    "outside='rise': expected one of 'raise', 'warn', 'run'. Did you mean 'raise'? "
    "It comes from the environment: PENSTOCK_OUTSIDE."
)


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("-m penstock list", 2),
        (f"{Path(sys.executable).with_name('penstock')} list", 2),
        ("-m pytest -p penstock.pytest_plugin", 4),
        ("manage.py penstock list", 2),
        ("manage.py migrate", 1),
        ("main.py penstock", 1),
        ("-c pass", 0),
        ("-c", 1),
    ],
)
def test_a_wrong_variable_ends_a_command(
    command: str, status: int, tmp_path: Path
) -> None:
    """With the exit status for wrong usage; a program gets the exception."""
    project = Project(tmp_path)
    arguments = command.split()
    if arguments == ["-c"]:
        arguments.append("import sys; sys.argv = []; import penstock")
    for name in ("manage.py", "main.py"):
        project.write(name, "import penstock")

    result = project.penstock(
        *arguments, program=(sys.executable,), env={"PENSTOCK_OUTSIDE": "rise"}
    )

    assert result.returncode == status
    if status > 1:
        assert result.stderr == f"Error: {EXPECTED}\n"
    elif status:
        assert result.stderr.endswith(f"ConfigurationError: {EXPECTED}\n")
        assert "Traceback" in result.stderr
