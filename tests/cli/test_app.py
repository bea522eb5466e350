"""The command as a whole: help, documents, and doing without the extra."""

from __future__ import annotations

import importlib
import os
import re
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.support.projects import Project

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "cli.md"

click = pytest.importorskip("click", reason="needs click")
pytest.importorskip("rich", reason="needs rich")

from click.testing import CliRunner  # noqa: E402  # only where click is

from penstock.cli import main  # noqa: E402  # the same
from penstock.cli._app import app  # noqa: E402  # the same
from tests.support.projects import PROCESS  # noqa: E402  # the same

COMMANDS = sorted(app.commands)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_has_help(command: str) -> None:
    """Every command explains itself and each of its options."""
    result = CliRunner().invoke(app, [command, "--help"])

    assert result.exit_code == 0
    assert app.commands[command].help
    for option in app.commands[command].params:
        assert isinstance(option, click.Argument) or getattr(option, "help", None)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_is_documented(command: str) -> None:
    """The reference has a section for every command, with all of its options."""
    page = REFERENCE.read_text(encoding="utf-8")
    _, _, section = page.partition(f"\n## `penstock {command}`\n")
    section, _, _ = section.partition("\n## ")

    assert section
    for option in app.commands[command].params:
        for name in option.opts:
            assert f"`{name}" in section or isinstance(option, click.Argument), name


def test_no_command_shows_help(shop: Project) -> None:
    """``penstock`` alone lists its commands."""
    result = shop.penstock()

    assert result.returncode == 2
    assert all(command in result.stderr + result.stdout for command in COMMANDS)


def test_unknown_command(shop: Project) -> None:
    """A command that does not exist is a usage error."""
    result = shop.penstock("lst")

    assert result.returncode == 2
    assert "lst" in result.stderr


def test_version(shop: Project) -> None:
    """``--version`` says which penstock this is."""
    result = shop.penstock("--version")

    assert result.stdout == f"penstock {version('penstock')}\n"


@pytest.mark.parametrize(
    ("package", "arguments"),
    [("click", ["list"]), ("rich", ["check"]), ("rich", ["--help"])],
    ids=str,
)
def test_without_the_extra(
    shop: Project, package: str, arguments: Sequence[str]
) -> None:
    """Without click or rich the script says what to install, and no more."""
    code = f"import sys; sys.modules[{package!r}] = None\n"
    code += "from penstock.cli import main; main()"

    result = shop.penstock(*arguments, program=(sys.executable, "-c", code))

    assert result.returncode == 2
    assert result.stderr == (
        f"Error: '{package}' is not installed. "
        "Install it with: pip install 'penstock[cli]'\n"
    )


def test_only_what_a_command_needs_is_imported(shop: Project) -> None:
    """Modules of other commands are not imported."""
    code = "import sys; from penstock.cli import main; sys.argv[1:] = ['--version']\n"
    code += "try: main()\nfinally: print(*sys.modules)"

    imported = shop.penstock(program=(sys.executable, "-c", code)).stdout.split()

    assert "penstock.cli._app" in imported
    assert not {f"penstock.cli.{name}" for name in COMMANDS}.intersection(imported)


def test_import_of_main_runs_nothing() -> None:
    """Tools that import every module of a package do not start the command."""
    assert importlib.import_module("penstock.__main__").main is main


def test_script_is_installed(shop: Project) -> None:
    """The console script is the same program."""
    script = Path(sys.executable).with_name("penstock")
    if not script.exists():
        pytest.skip("needs penstock installed")

    result = shop.penstock("list", "shop.orders", program=(str(script),))

    assert result.returncode == 0, result.stderr
    assert "orders" in result.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    """Every command shows one command line, and the help fits a narrow terminal."""
    result = CliRunner().invoke(
        app, [command, "--help"], prog_name="penstock", terminal_width=60
    )
    words = " ".join(result.output.split())

    assert f"Example: penstock {command} " in words
    assert max(map(len, result.output.splitlines())) <= 60


@pytest.mark.skipif(os.name == "nt", reason="Windows keeps folders that are in use")
def test_folder_that_is_gone(shop: Project) -> None:
    """A command in a folder that somebody has deleted ends in one line."""
    gone = shop.root / "gone"
    gone.mkdir()
    code = "import os; os.rmdir(os.getcwd()); from penstock.cli import main; main()"

    result = shop.penstock(
        "list", cwd="gone", program=(sys.executable, "-P", "-c", code)
    )

    assert result.returncode == 2
    assert result.stderr == "Error: the current folder: No such file or directory.\n"


@pytest.mark.parametrize("status", [0, 1])
def test_thread_of_the_program(shop: Project, status: int) -> None:
    """A thread that a module starts does not keep the command alive."""
    shop.write(
        "shop/worker.py",
        """
        import threading, time
        import shop.orders
        threading.Thread(target=time.sleep, args=(600,), name="poller").start()
        """,
    )
    shop.write("old.json", '{"penstock": 1, "flows": []}')
    command = ["diff", "old.json", "shop.worker", *["--exit-code"] * status]

    result = shop.penstock(*command, program=PROCESS)

    assert result.returncode == status
    assert result.stdout.startswith("+ flow orders")
    assert result.stderr == "Not waiting for threads of the program: poller.\n"


def test_thread_that_ends(shop: Project) -> None:
    """The command waits a moment for threads that end by themselves."""
    shop.write(
        "shop/worker.py",
        """
        import threading, time
        import shop.orders
        threading.Thread(target=time.sleep, args=(0.1,)).start()
        """,
    )

    result = shop.penstock("list", "shop.worker", program=PROCESS)

    assert (result.returncode, result.stderr) == (0, "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shop: Project, shell: str) -> None:
    """Each shell gets its script, and completes commands and options."""
    name = "_PENSTOCK_COMPLETE"
    script = shop.penstock(program=PROCESS, env={name: f"{shell}_source"})
    words = {
        "COMP_WORDS": "penstock ex",
        "COMP_CWORD": "1" if shell != "fish" else "ex",
    }
    found = shop.penstock(program=PROCESS, env={name: f"{shell}_complete", **words})

    assert name in script.stdout
    assert {"explain", "export"} <= set(re.split(r"[\s,]", found.stdout))
