"""The command ``penstock`` and its subcommands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from penstock._platform.optional import requires
from penstock.errors import PenstockError, plain

with requires("click", extra="cli"):
    import click

from .catalog import catalog
from .check import check_flows
from .dag import dag
from .diff import diff
from .docs import docs
from .explain import explain
from .export import export
from .list import list_flows
from .show import show

__all__ = ["Failure", "app"]


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


app.add_command(list_flows)
app.add_command(dag)
app.add_command(docs)
app.add_command(diff)
app.add_command(export)
app.add_command(check_flows)
app.add_command(explain)
app.add_command(catalog)
app.add_command(show)
