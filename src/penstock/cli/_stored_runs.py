"""Find stored operations and judge their order, as options of commands say."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import click

from penstock._project.imports import TargetError
from penstock._project.load import NoFlowError, load_flows
from penstock._project.settings import find_project
from penstock._project.shown import counted, note
from penstock.runs.finding import find_operations
from penstock.runs.judging import judge
from penstock.runs.log_files import LogFiles
from penstock.runs.output.facts import Shown
from penstock.runs.trees import operations_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from penstock._project.settings import Project
    from penstock._types import FlowInfo
    from penstock.runs.lines import ReadCounts, StoredLine
    from penstock.runs.operation import Operation

_SPAN = re.compile(r"(\d+)([smhdw])")
_UNITS = {
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}
_US_PER_S = 1_000_000


class Pairs(click.ParamType):
    """``KEY=VALUE``."""

    name = "pair"

    def convert(
        self, value: str, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, str]:
        """Return key and value."""
        key, separator, wanted = value.partition("=")
        if not (key and separator and wanted):
            self.fail(f"expected KEY=VALUE, and got {value!r}.", param, ctx)
        return key, wanted
