from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from penstock.runs.line_scanner import MAX_LINE, LineScanner

NEEDLES = [b"needle", b"other"]

texts = st.lists(
    st.sampled_from([b"\n", b"a", b"needle", b"eedl", b"other", b"\r", b"\0"])
)


def scan(blocks: list[bytes], needles: list[bytes]) -> tuple[list[bytes], list[str]]:
    """Return the lines that are found, and the reasons for those that are skipped."""
    skipped: list[str] = []
    scanner = LineScanner(needles, skipped.append)
    found = [line for block in blocks for line in scanner.feed(block)]
    return [*found, *scanner.finish()], skipped


@given(texts, st.lists(st.integers(0, 60)))
def test_lines_are_found_wherever_blocks_end(
    parts: list[bytes], cuts: list[int]
) -> None:
    """Each line with a needle is found once, in order, across any borders."""
    data = b"".join(parts)
    ends = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    blocks = [data[start:end] for start, end in pairwise(ends)]

    found, skipped = scan(blocks, NEEDLES)

    lines = data.split(b"\n")
    assert found == [one for one in lines if any(needle in one for needle in NEEDLES)]
    assert not skipped


def test_a_line_that_is_too_long_is_skipped() -> None:
    """The lines around it are found, and it takes no memory."""
    block = b"x" * (1 << 20)
    blocks = [b"needle 1\nneedle", *[block] * (MAX_LINE // len(block)), b"\nneedle 2"]

    found, skipped = scan(blocks, NEEDLES)

    assert found == [b"needle 1", b"needle 2"]
    assert skipped == ["longer than 16 MiB"]


def test_needles_may_be_added() -> None:
    """What follows is searched for the new ones, too, also in the same block."""
    needles = [b"one"]
    lines = LineScanner(needles, print).feed(b"x\ntwo\none\ntwo\none\n")

    assert next(lines) == b"one"
    needles.append(b"two")
    assert list(lines) == [b"two", b"one"]
