"""The reference leaves nothing out.

White-box: it compares the pages with the tables that the code uses.
"""

from __future__ import annotations

import dataclasses
import inspect
import json
import logging
import re
from pathlib import Path

import pytest

import penstock
from penstock._propagation.wire import MAX_BYTES, MAX_DEPTH, MAX_DONE, MAX_KEYS
from penstock.checking.findings import CODES
from penstock.renderers.formats import _SUFFIXES, FORMATS
from penstock.runs.field_layouts import ALIASES

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def page(name: str) -> str:
    """Return a page of the reference."""
    return (REFERENCE / f"{name}.md").read_text(encoding="utf-8")


def test_every_setting_is_in_the_table() -> None:
    """The page lists each argument of configure() and each variable that it reads."""
    arguments = list(inspect.signature(penstock.configure).parameters)[1:]
    read = re.findall(r'_environment\(\s*"(\w+)"', inspect.getsource(penstock.reset))
    variables = ["PENSTOCK_DISABLED", *(f"PENSTOCK_{name}" for name in read)]
    assert len(variables) > len(arguments) // 2
    named = [f"`{name}=`" for name in arguments] + [f"`{name}`" for name in variables]

    assert [name for name in named if name not in page("settings")] == []


def test_every_field_is_in_the_table(caplog: pytest.LogCaptureFixture) -> None:
    """The page lists each field that a step adds to its log records."""

    @penstock.flow("orders")
    @penstock.entrypoint
    def receive() -> None:
        raise KeyError

    with (
        caplog.at_level(logging.INFO, logger="penstock"),
        pytest.raises(KeyError),
    ):
        receive()
    plain = vars(logging.makeLogRecord({}))
    fields = {name for record in caplog.records for name in vars(record)} - set(plain)

    assert fields
    assert [
        name for name in fields - {"message"} if f"`{name}`" not in page("logs")
    ] == []


def test_every_key_of_stored_logs_is_in_the_table() -> None:
    """The page lists the keys in which each field is looked for, in that order."""
    rows = [
        f"| `{field}` | {', '.join(f'`{key}`' for key in keys)} |"
        for field, keys in ALIASES.items()
    ]

    assert [row for row in rows if row not in page("stored-logs")] == []


def test_every_error_is_in_the_table() -> None:
    """The page lists each error with the built-in that it derives from."""
    public = [getattr(penstock, name) for name in penstock.__all__]
    errors = [e for e in penstock.PenstockError.__subclasses__() if e in public]

    for error in errors:
        built_in = error.__mro__[2].__name__
        assert f"| `{error.__name__}` | `{built_in}` |" in page("errors")


def test_every_format_is_in_the_table() -> None:
    """The page lists each format and each suffix that selects one."""
    assert [
        name for name in [*FORMATS, *_SUFFIXES] if f"`{name}`" not in page("formats")
    ] == []


@pytest.mark.parametrize("code", CODES)
def test_every_finding_has_a_row_and_a_page(code: str) -> None:
    """The page lists each code with its level and meaning, and explains it."""
    level, meaning = CODES[code]
    row = rf"^\| \[`{code}`\]\({code}\.md\) \| {level}\b.* \| {re.escape(meaning)} \|$"

    assert re.search(row, page("findings/index"), re.MULTILINE)
    assert page(f"findings/{code}").startswith(f"# {code}: {meaning}\n")


def test_every_key_of_a_manifest_is_in_the_tables() -> None:
    """The page lists the keys of each level of the document."""
    penstock.configure(source_url="https://forge.example/{path}")

    @penstock.flow("orders")
    @penstock.step(after="receive")
    def charge() -> None: ...

    @penstock.flow("orders")
    @penstock.entrypoint
    def receive() -> None: ...

    manifest = json.loads(penstock.generate_dag("orders", format="json"))
    (flow,) = manifest["flows"]
    keys = {*manifest, *flow, *flow["steps"][0], *flow["edges"][0]}
    described = {
        name
        for line in page("manifest").splitlines()
        if line.startswith("| `")
        for name in line.split("|")[1].replace("`", "").replace(",", "").split()
    }

    assert described == keys | {"service"}


def test_limits_are_those_of_the_code() -> None:
    """The page and the code have the same limits."""
    wire = page("wire")

    assert f"| the field | {MAX_BYTES} bytes" in wire
    assert f"| `done` | {MAX_DONE} bytes" in wire
    assert f"| keys of metadata | {MAX_KEYS} |" in wire
    assert f"| depth of a value | {MAX_DEPTH} |" in wire
    assert f"| a name (flow, step, service) | {MAX_BYTES // 8} bytes |" in wire


@pytest.mark.parametrize("klass", [penstock.FlowInfo, penstock.StepInfo])
def test_values_describe_their_attributes(klass: type) -> None:
    """The docstring that the page shows describes each attribute."""
    doc = inspect.getdoc(klass) or ""

    assert [f.name for f in dataclasses.fields(klass) if f"{f.name}:" not in doc] == []
