"""``manage.py penstock``: the command line of penstock in a Django project."""

from __future__ import annotations

from contextlib import redirect_stdout
from io import BytesIO, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._platform.optional import requires
from penstock.cli import threads_left_behind
from penstock.errors import MissingExtraError

with requires("django", extra="django"):
    from django.core.management.base import CommandError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    class BaseCommand:
        """Django's, which has no types."""

        stdout: Any

        def run_from_argv(self, argv: list[str]) -> None:
            """Run the command as ``manage.py`` does."""

    class CommandParser(argparse.ArgumentParser):
        """The same."""

else:
    from django.core.management.base import BaseCommand, CommandParser

__all__ = ["Command"]

_OF_DJANGO = ("--settings", "--pythonpath")
_FLAGS = ("--traceback", "--no-color", "--force-color", "--skip-checks")


class Command(BaseCommand):
    """Passes its arguments to ``penstock``."""

    help = "List, draw, export and check the flows of this project."
    # A wrong flow must not stop the command that shows it.
    requires_system_checks: Sequence[str] = ()

    _program = ""

    def create_parser(
        self, prog_name: str, subcommand: str, **_kwargs: Any
    ) -> CommandParser:
        """Return a parser that takes Django's options and leaves the rest alone."""
        return _Parser(prog=_program(prog_name, subcommand))

    def print_help(self, prog_name: str, subcommand: str) -> None:
        """Print the help of ``penstock``, for ``manage.py help penstock``."""
        program = _program(prog_name, subcommand)
        _app()(["--help"], prog_name=program, standalone_mode=False)

    def run_from_argv(self, argv: list[str]) -> None:
        """Run the command line *argv*, and exit as ``penstock`` does."""
        self._program = _program(argv[0], argv[1])
        super().run_from_argv(argv)

    def handle(self, *arguments: str, **_options: Any) -> None:
        """Run ``penstock`` with *arguments*.

        Raises:
            CommandError: The extra ``cli`` is missing, or ``call_command`` runs a
                command whose exit status is not 0.
        """
        app = _app()
        if self._program:
            with threads_left_behind():
                app(list(arguments), prog_name=self._program, windows_expand_args=False)
        else:
            self._call(app, arguments)

    def _call(self, app: Any, arguments: Sequence[str]) -> None:
        """Run within a program: do not exit, and print to Django's ``stdout``."""
        # A command calls sys.exit if its status is not 0.
        with TextIOWrapper(BytesIO(), "utf-8") as result, redirect_stdout(result):
            try:
                app(list(arguments), prog_name="penstock")
            except SystemExit as exc:
                status = int(exc.code or 0)
            else:
                status = 0
            result.flush()
            result.seek(0)
            self.stdout.write(result.read(), ending="")
        if status:
            msg = f"penstock {' '.join(arguments)} ended with status {status}"
            raise CommandError(msg, returncode=status)


class _Parser(CommandParser):
    """Takes the options that every command of Django has, at any position."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(add_help=False, allow_abbrev=False, **kwargs)
        for name in _OF_DJANGO:
            self.add_argument(name)
        for name in _FLAGS:
            self.add_argument(name, action="store_true")

    def parse_args(self, *args: Any, **kwargs: Any) -> Any:
        """Return Django's options, and all other arguments as ``args``."""
        options, options.args = self.parse_known_args(*args, **kwargs)
        return options


def _program(prog_name: str, subcommand: str) -> str:
    name = Path(prog_name).name
    return f"{'python -m django' if name == '__main__.py' else name} {subcommand}"


def _app() -> Any:
    try:
        # Here, so that a missing extra is a message, not a traceback.
        from penstock.cli._app import app  # noqa: PLC0415  # click may be missing
    except MissingExtraError as exc:
        raise CommandError(str(exc), returncode=2) from exc
    return app
