"""Read the lines that contain an ID, out of files, folders and streams."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING
from weakref import finalize

from penstock.errors import LogSourceError, MissingExtraError

from .blocks import blocks_of
from .field_layouts import FieldLayout
from .followed_files import follow_files
from .line_scanner import LineScanner
from .lines import ReadCounts
from .offsets import offset_of
from .parsing import LineError, parse_line
from .sources import find_sources
from .spooled_stream import SpooledStream

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

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
        sources: The files and streams.

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
        self.sources: Sequence[LogSource] = find_sources(paths, self._unreadable)

    @property
    def has_streams(self) -> bool:
        """Whether stdin, a pipe or a device is among them."""
        return any(source.is_stream for source in self.sources)

    def keys_of(self, name: str) -> tuple[str, ...]:
        """Return the keys that lines may have for the field *name*."""
        return self._layout.keys_of(name)

    def containing(self, needles: Sequence[bytes]) -> Iterator[StoredLine]:
        """Yield every line that contains one of *needles*.

        A line of OTLP holds several spans: it yields all of them. Lines that cannot be
        parsed are counted, anew each time.

        Raises:
            LogSourceError: None of the files can be read.
        """
        self.counts.skipped.clear()
        for source in self.sources:
            scanner = LineScanner(needles, self.counts.skip)
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

    def follow(self, needles: Sequence[bytes]) -> Iterator[StoredLine]:
        """Yield what ``containing`` does, then wait for more lines, like ``tail -F``.

        It ends with ``KeyboardInterrupt``, which it catches. A stream ends it, too.

        Args:
            needles: The caller may add more while this runs.

        Raises:
            LogSourceError: A stream is not the only source, or cannot be read.
        """
        if not self.has_streams:
            with suppress(KeyboardInterrupt):
                yield from self._followed(needles)
        elif len(self.sources) == 1:
            yield from self.containing(needles)
        else:
            msg = "stdin, pipes and devices cannot be followed together with others."
            raise LogSourceError(msg)

    def _followed(self, needles: Sequence[bytes]) -> Iterator[StoredLine]:
        scanners: dict[LogSource, LineScanner] = {}
        for source, block in follow_files(self._found, self._blocks, self._unreadable):
            scanner = scanners.get(source)
            if scanner is None:
                scanner = scanners[source] = LineScanner(needles, self.counts.skip)
            if block is None:
                yield from self._parsed(scanners.pop(source).finish(), source)
            else:
                yield from self._parsed(scanner.feed(block), source)

    def _found(self) -> Iterator[LogSource]:
        """Yield the files that are there now."""
        for path in self._paths:
            with suppress(LogSourceError):  # a file is gone while it is rotated
                yield from find_sources([path], self._unreadable)

    def _parsed(
        self, lines: Iterable[bytes], source: LogSource
    ) -> Iterator[StoredLine]:
        for data in lines:
            try:
                found = parse_line(data, self._layout, source.path)
            except LineError as exc:
                self.counts.skip(str(exc))
            else:
                yield from (line for line in found if not self._is_old(line))

    def _is_old(self, line: StoredLine) -> bool:
        if self._since_us is None or line.time_us is None:
            return False
        return line.time_us < self._since_us

    def _blocks(self, source: LogSource) -> Iterator[bytes]:
        def damaged(reason: str) -> None:
            self.counts.unread[source.path] = reason

        if source.is_stream:
            blocks = blocks_of(self._stream(source.path), damaged)
            self._read.add(source.path)
            yield from blocks
            return
        # Unbuffered: a buffer would copy everything once more.
        with Path(source.path).open("rb", buffering=0) as file:
            if self._since_us is not None:
                file.seek(offset_of(self._since_us, file, self._time_of))
            blocks = blocks_of(file, damaged)
            self._read.add(source.path)
            yield from blocks

    def _time_of(self, data: bytes) -> int | None:
        """Return the time of a log line; spans are written in no order."""
        try:
            (line,) = parse_line(data, self._layout)
        except ValueError:  # garbage, or several spans
            return None
        return None if line.is_span else line.time_us

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
