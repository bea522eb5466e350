"""The command ``penstock`` and its subcommands."""

from __future__ import annotations

from typing import Any

from penstock._platform.optional import requires
from penstock.errors import PenstockError

with requires("click", extra="cli"):
    import click

from .catalog import catalog
from .check import check_flows
from .dag import dag
from .diff import diff
from .docs import docs
from .export import export
from .list import list_flows

__all__ = ["Failure", "app"]


class Failure(click.ClickException):
    """A command failed with an error that needs no traceback."""

    exit_code = 2


class _Commands(click.Group):
    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except PenstockError as exc:
            raise Failure(str(exc)) from exc


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Exit status: 0 clean, 1 findings, 2 wrong usage or a failed import.",
)
@click.version_option(package_name="penstock", message="%(prog)s %(version)s")
def app() -> None:
    """List, draw, export and check the flows of a program.

    A TARGET is a module (shop.orders), one name in it (shop.orders:OrderFlow), a
    pattern of modules (shop.**), or a manifest (penstock.json). Without targets, the
    list `import` under [tool.penstock] in pyproject.toml counts; without that, the
    modules of a Django project that declare flows.
    """


app.add_command(list_flows)
app.add_command(dag)
app.add_command(docs)
app.add_command(diff)
app.add_command(export)
app.add_command(check_flows)
app.add_command(catalog)
