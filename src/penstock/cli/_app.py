"""The command ``penstock`` and its subcommands."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._platform.optional import requires
from penstock.errors import PenstockError, plain

with requires("click", extra="cli"):
    import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_FUNCTIONS = {
    "catalog": "catalog",
    "check": "check_flows",
    "dag": "dag",
    "diff": "diff",
    "docs": "docs",
    "draft": "draft",
    "explain": "explain",
    "export": "export",
    "list": "list_flows",
    "runs": "runs",
    "show": "show",
    "stats": "stats",
}
"""The module of each command, and its function there."""


class _LazyCommands(Mapping[str, click.Command]):
    """The commands. Each is imported when it is used: all of them take 0.1 s."""

    def __getitem__(self, name: str) -> click.Command:
        function = _FUNCTIONS[name]
        command: click.Command = getattr(
            import_module(f".{name}", __package__), function
        )
        return command

    def __iter__(self) -> Iterator[str]:
        return iter(_FUNCTIONS)

    def __len__(self) -> int:
        return len(_FUNCTIONS)


class Failure(click.ClickException):
    """A command failed with an error that needs no traceback."""

    exit_code = 2


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            Path.cwd()  # fails in a folder that is gone
            return super().invoke(ctx)
        except PenstockError as exc:
            raise Failure(str(exc)) from exc
        except OSError as exc:
            where = exc.filename or "the current folder"
            msg = plain(f"{where}: {exc.strerror or exc}.")
            raise Failure(msg) from exc


@click.group(
    cls=_Commands,
    commands=_LazyCommands(),
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 clean, 1 findings, 2 wrong usage or a failed import. "
    "Example: penstock list shop",
)
@click.version_option(package_name="penstock", message="%(prog)s %(version)s")
def app() -> None:
    """List, draw, export and check the flows of a program, and show its runs.

    A TARGET is a package or a module (shop), one name in it (shop.orders:OrderFlow),
    a pattern (shop.**), a file or a folder (shop/orders.py), a manifest
    (penstock.json), or the name of a flow that the project declares (orders). Without
    targets, the list `import` under [tool.penstock] in pyproject.toml counts; without
    that, the modules of a Django project that declare flows.
    """
