"""Read the lines that contain an ID, out of files, folders and streams."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

from penstock.errors import LogSourceError, MissingExtraError

from .blocks import blocks_of
from .field_layouts import FieldLayout
from .line_scanner import LineScanner
from .lines import ReadCounts
from .parsing import LineError, parse_line
from .sources import find_sources
from .spooled_stream import SpooledStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .blocks import Readable
    from .lines import StoredLine
    from .sources import LogSource

__all__ = ["LogFiles"]


class LogFiles:
    """The logs in files, folders and streams.

    Streams are kept in a temporary file, because they can be read only once.

    Args:
        paths: Files, folders, patterns, or ``-`` for stdin. What is compressed with
            gzip or zstd is unpacked.
        fields: The key that the lines have for a field, where it is another one.
        since_us: Leave out lines that are older, in microseconds since 1970.

    Attributes:
        counts: What was read and skipped.

    Raises:
        LogSourceError: There is nothing at one of *paths*.
        ConfigurationError: There is no such field.
    """

    def __init__(
        self,
        paths: Sequence[str],
        *,
        fields: Mapping[str, str] | None = None,
        since_us: int | None = None,
    ) -> None:
        self._paths = paths
        self._layout = FieldLayout(fields or {})
        self._since_us = since_us
        self._streams: dict[str, SpooledStream] = {}
        self._read: set[str] = set()
        self.counts: ReadCounts = ReadCounts()
        self._sources = find_sources(paths, self._unreadable)

    def containing(
        self, needles: Sequence[bytes], without: Sequence[bytes] = ()
    ) -> Iterator[StoredLine]:
        """Yield every line that contains one of *needles* and none of *without*.

        Lines that cannot be parsed are counted. A line of OTLP holds several spans: it
        yields all of them, and also if it contains one of *without*.

        Raises:
            LogSourceError: None of the files can be read.
        """
        for source in self._sources:
            scanner = LineScanner(needles, without, self.counts.skip)
            try:
                for block in self._blocks(source):
                    yield from self._parsed(scanner.feed(block), source)
            except (OSError, MissingExtraError) as exc:
                self._unreadable(exc, source.path)
            yield from self._parsed(scanner.finish(), source)
        self.counts.files = len(self._read)
        if not self._read:
            unread = self.counts.unread.items()
            raise LogSourceError(*(f"{path!r}: {why}." for path, why in unread))

    def _parsed(
        self, lines: Iterable[bytes], source: LogSource
    ) -> Iterator[StoredLine]:
        for data in lines:
            try:
                found = parse_line(data, self._layout, source.path)
            except LineError as exc:
                self.counts.skip(str(exc))
                continue
            for line in found:
                if not self._is_old(line):
                    yield line

    def _is_old(self, line: StoredLine) -> bool:
        if self._since_us is None or line.time_us is None:
            return False
        return line.time_us < self._since_us

    def _blocks(self, source: LogSource) -> Iterator[bytes]:
        def damaged(reason: str) -> None:
            self.counts.unread[source.path] = reason

        with ExitStack() as stack:
            file: Readable = (
                self._stream(source.path)
                if source.is_stream
                # Unbuffered: a buffer would copy everything once more.
                else stack.enter_context(Path(source.path).open("rb", buffering=0))
            )
            self._read.add(source.path)
            yield from blocks_of(file, damaged)

    def _stream(self, path: str) -> SpooledStream:
        stream = self._streams.get(path)
        if stream is None:
            stream = self._streams[path] = SpooledStream(path)
            finalize(self, stream.close)
        stream.rewind()
        return stream

    def _unreadable(self, exc: Exception, path: str | None = None) -> None:
        at = path or str(getattr(exc, "filename", ""))
        self.counts.unread[at] = getattr(exc, "strerror", None) or str(exc)
