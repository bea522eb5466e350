from __future__ import annotations

import gzip
import io
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from penstock.errors import LogSourceError
from penstock.runs.blocks import BLOCK, blocks_of, is_plain

if TYPE_CHECKING:
    from types import ModuleType

DATA = b"".join(b"line %d of a log\n" % n for n in range(200_000))


def read(data: bytes) -> tuple[bytes, list[str]]:
    """Return what is unpacked, and what is said to be damaged."""
    damaged: list[str] = []
    return b"".join(blocks_of(io.BytesIO(data), damaged.append)), damaged


@pytest.fixture
def zstd() -> ModuleType:
    """Return the module that packs with zstd."""
    name = "compression.zstd" if sys.version_info >= (3, 14) else "backports.zstd"
    module: ModuleType = pytest.importorskip(name, reason="needs zstd")
    return module


def test_plain_files_are_read_as_they_are() -> None:
    """Blocks have a limited size, and an empty file has none."""
    assert read(DATA) == (DATA, [])
    assert read(b"") == (b"", [])
    assert max(map(len, blocks_of(io.BytesIO(DATA), print))) == BLOCK


def test_gzip_is_unpacked() -> None:
    """Several members, as logrotate and appending make them, and zeros at the end."""
    packed = gzip.compress(DATA)

    assert read(packed) == (DATA, [])
    assert read(packed + packed + bytes(512)) == (DATA + DATA, [])
    assert max(map(len, blocks_of(io.BytesIO(packed), print))) == BLOCK


@given(st.integers(min_value=11, max_value=2000))
def test_a_cut_gzip_file_is_read_as_far_as_it_goes(missing: int) -> None:
    """Its start is there, and it is said to be cut off."""
    text = b"".join(b"line %d\n" % (n * n) for n in range(1000))

    found, damaged = read(gzip.compress(text)[:-missing])

    assert text.startswith(found)
    assert damaged == ["the gzip data are cut off"]


def test_damaged_gzip_is_read_up_to_there() -> None:
    """An error in the middle ends the file, and is said."""
    packed = bytearray(gzip.compress(DATA))
    packed[20_000:20_100] = b"\xff" * 100

    found, damaged = read(bytes(packed))

    assert found.startswith(DATA[:10_000])
    assert len(damaged) == 1
    assert "gzip data are damaged" in damaged[0]


def test_members_are_found_wherever_reads_end() -> None:
    """The two bytes that begin a member may come one by one, as from a pipe."""
    packed = gzip.compress(b"one\n") + gzip.compress(b"two\n")

    class Trickle(io.BytesIO):
        def read(self, _size: int | None = -1, /) -> bytes:
            return super().read(1)

    assert b"".join(blocks_of(Trickle(packed), print)) == b"one\ntwo\n"


def test_zstd_is_unpacked(zstd: ModuleType) -> None:
    """Several frames, in blocks of a limited size."""
    packed = zstd.compress(DATA)

    assert read(packed + packed) == (DATA + DATA, [])
    assert max(map(len, blocks_of(io.BytesIO(packed), print))) <= BLOCK


def test_damaged_zstd_is_read_up_to_there(zstd: ModuleType) -> None:
    """What is cut off or followed by garbage is read as far as it goes."""
    packed = zstd.compress(DATA)

    found, damaged = read(packed[:-10])
    assert DATA.startswith(found)
    assert damaged == ["the zstd data are cut off"]
    found, damaged = read(packed + b"garbage")
    assert found == DATA
    assert "zstd data are damaged" in damaged[0]


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"BZh91AY", "bzip2"),
        ("{}".encode("utf-16"), "UTF-16"),
        (b"PAR1....", "Parquet"),
    ],
)
def test_other_formats_are_named(head: bytes, name: str) -> None:
    """A file that penstock cannot search is an error, rather than without hits."""
    assert not is_plain(head)
    with pytest.raises(LogSourceError, match=f"its format is {name}"):
        read(head)
