"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from penstock.renderers.formats import DIRECTIONS

from ._option_values import moment_us, pair

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Decorator = Callable[[Any], Any]

targets_argument: Decorator = click.argument("targets", nargs=-1)

direction_option: Decorator = click.option(
    "--direction",
    type=click.Choice(DIRECTIONS),
    default="TD",
    show_default=True,
    help="Where edges point: top-down, left-right, and so on.",
)

service_option: Decorator = click.option(
    "--service",
    metavar="NAME",
    help="The service of these flows. By default what the program configures, else "
    "$OTEL_SERVICE_NAME.",
)

map_option: Decorator = click.option(
    "--map",
    "fields",
    metavar="FIELD=KEY",
    type=pair,
    multiple=True,
    help="The key that your lines have for a field, such as service=app; may be given "
    "several times.",
)

target_option: Decorator = click.option(
    "--target",
    "-t",
    "targets",
    metavar="TARGET",
    multiple=True,
    help="Where flows are declared, instead of what pyproject.toml says; may be given "
    "several times.",
)


flow_option: Decorator = click.option(
    "--flow", metavar="NAME", default="", help="Only this flow."
)


def since_option(what: str) -> Decorator:
    """Return ``--since``, which does *what*."""
    return click.option(
        "--since",
        "since_us",
        metavar="TIME",
        type=moment_us,
        help=f"{what}: 90m, 1h, 2d, or a time such as 2026-11-30T10:15.",
    )


def format_option(names: Iterable[str], explained: str) -> Decorator:
    """Return ``--format`` with the choices *names*; the first is the default."""
    choices = list(names)
    return click.option(
        "--format",
        "-f",
        "form",
        type=click.Choice(choices),
        default=choices[0],
        show_default=True,
        help=explained,
    )


def file_option(*names: str, explained: str) -> Decorator:
    """Return an option that names a file to write."""
    path = click.Path(dir_okay=False, path_type=Path)
    return click.option(*names, metavar="FILE", type=path, help=explained)


def evidence_option(explained: str) -> Decorator:
    """Return ``--evidence``, which names recorded runs."""
    return click.option(
        "--evidence",
        metavar="SOURCE",
        multiple=True,
        help="A conformance report, a log as JSON lines, a folder of either, or "
        f"clickhouse://HOST/DATABASE: {explained} May be given several times.",
    )
