from __future__ import annotations

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.runs.line_scanner import MAX_LINE
from penstock.runs.pieces import join_pieces

LONG = json.dumps({"message": "x" * 50, "root_id": "a1" * 16})


def cri(stream: str, tag: str, text: str) -> str:
    """Return a line of containerd."""
    return f"2026-11-30T12:00:00.000000001Z {stream} {tag} {text}\n"


def docker(stream: str, text: str) -> str:
    """Return a line of Docker's json-file driver."""
    line = {"log": text, "stream": stream, "time": "2026-11-30T12:00:00Z"}
    return json.dumps(line, separators=(",", ":")) + "\n"


CRI = [
    cri("stdout", "F", "first"),
    cri("stdout", "P", LONG[:30]),
    cri("stderr", "F", "between"),
    cri("stdout", "P", LONG[30:60]),
    "garbage\n",
    cri("stdout", "F", LONG[60:]),
    cri("stdout", "F", "last"),
]
DOCKER = [
    docker("stdout", "first\n"),
    docker("stdout", LONG[:30]),
    docker("stderr", "between\n"),
    docker("stdout", LONG[30:] + "\n"),
    docker("stdout", "last\n"),
]


def joined(lines: list[str], *cuts: int) -> list[str]:
    """Return the lines after they came in blocks that are cut anywhere."""
    data = "".join(lines).encode()
    ends = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    blocks = [data[start:end] for start, end in pairwise(ends)]
    return b"".join(join_pieces(iter(blocks))).decode().splitlines(keepends=True)


@given(st.lists(st.integers(100, 700)))
def test_pieces_of_containerd_are_joined(cuts: list[int]) -> None:
    """A long line is whole again, where its last piece was; others stay."""
    whole = cri("stdout", "P", LONG)

    assert joined(CRI, *cuts) == [CRI[0], CRI[2], CRI[4], whole, CRI[6]]


@given(st.lists(st.integers(100, 700)))
def test_pieces_of_docker_are_joined(cuts: list[int]) -> None:
    """The strings of the pieces are one string again."""
    whole = docker("stdout", LONG + "\n")

    assert joined(DOCKER, *cuts) == [DOCKER[0], DOCKER[2], whole, DOCKER[4]]


def test_what_is_unfinished_stays() -> None:
    """A last piece that never came loses nothing else."""
    assert joined(CRI[:2]) == [CRI[0], cri("stdout", "P", LONG[:30])]


def test_other_files_are_left_alone() -> None:
    """Lines that only look like pieces further down are not joined."""
    lines = ["an application\n", CRI[1], CRI[2], "the end"]

    assert joined(lines, 5) == lines


def test_pieces_are_not_kept_without_limit() -> None:
    """A line that never ends is given up at the length at which lines are skipped."""
    piece = cri("stdout", "P", "x" * (1 << 20)).encode()
    many = [CRI[0].encode(), *[piece] * (MAX_LINE // len(piece) + 3), b"x" * 10]

    assert max(map(len, join_pieces(iter(many)))) < MAX_LINE + 3 * len(piece)


def test_a_line_without_an_end_is_not_kept_without_limit() -> None:
    """It is passed on in parts, for the scanner to skip."""
    blocks = [CRI[0].encode(), *[b"x" * (1 << 20)] * 40]

    assert max(map(len, join_pieces(iter(blocks)))) < MAX_LINE + (2 << 20)
