"""Store parts in SQLite, without penstock.

Its log lines still have the correlation ID, because ``install_log_fields()`` adds it to
every record of the process.
"""

from __future__ import annotations

import logging
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from .parts import Part, Requirement

__all__ = ["Row", "Store"]

logger = logging.getLogger(__name__)

SCHEMA = """
create table if not exists parts (
    name text primary key,
    version text not null,
    summary text not null,
    licence text not null default '',
    files_checked integer,
    files_changed integer,
    missing text not null default ''
);
create table if not exists requirements (
    part text not null references parts (name),
    name text not null,
    versions text not null,
    condition text not null,
    primary key (part, name, versions, condition)
);
"""


class Row(NamedTuple):
    """One part, as the database has it."""

    name: str
    version: str
    licence: str
    needs: int
    files: int
    changed: int
    missing: str


class Store:
    """Parts and their requirements, in one file."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path)
        self._database.executescript(SCHEMA)

    def upsert(self, part: Part, needed: Iterable[Requirement]) -> None:
        """Insert or update a part."""
        rows = [(part.name, r.name, r.versions, r.condition) for r in needed]
        with self._database as database:
            database.execute(
                "insert into parts (name, version, summary) values (?, ?, ?) "
                "on conflict (name) do update "
                "set version = excluded.version, summary = excluded.summary",
                (part.name, part.version, part.summary),
            )
            database.execute("delete from requirements where part = ?", (part.name,))
            database.executemany(
                "insert or ignore into requirements values (?, ?, ?, ?)", rows
            )
        logger.info("upserted %s %s", part.name, part.version)

    def set_licence(self, name: str, licence: str) -> None:
        """Set the licence of a part."""
        with self._database as database:
            database.execute(
                "update parts set licence = ? where name = ?", (licence, name)
            )

    def set_findings(self, name: str, checked: int, changed: int, missing: str) -> None:
        """Set the result of the integrity check."""
        with self._database as database:
            database.execute(
                "update parts set files_checked = ?, files_changed = ?, missing = ? "
                "where name = ?",
                (checked, changed, missing, name),
            )

    def table(self) -> list[Row]:
        """Return every part, by name."""
        found = self._database.execute(
            "select name, version, licence, (select count(*) from requirements "
            "where part = parts.name), files_checked, files_changed, missing "
            "from parts order by name"
        )
        return [Row(*row) for row in found]

    def names(self) -> set[str]:
        """Return the names of all parts."""
        return {name for (name,) in self._database.execute("select name from parts")}

    def close(self) -> None:
        """Close the file."""
        self._database.close()
