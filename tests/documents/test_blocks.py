"""Marked blocks in Markdown."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter

import pytest

from penstock._documents.blocks import MarkerError, blocks_of, replace_blocks
from penstock.renderers.formats import fenced

OPEN = "<!-- penstock:orders -->"
CLOSE = "<!-- /penstock -->"


def requests(document: str) -> list[str]:
    """Return the requests of the blocks in *document*."""
    return [block.request for block in blocks_of(document)]


def filled(document: str, text: str) -> str:
    """Return *document* with *text* shown in every block."""
    blocks = blocks_of(document)
    return replace_blocks(document, blocks, [block.filled(text) for block in blocks])


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_text_is_replaced_with_the_line_ends_of_its_marker(newline: str) -> None:
    """The text between the markers is replaced, and nothing else."""
    before = newline.join(["a", OPEN, "old", "older", CLOSE, "z"])

    after = newline.join(["a", OPEN, "", "new", "er", "", CLOSE, "z"])
    assert filled(before, "new\ner") == after
    assert filled(after, "new\ner") == after


def test_blocks_know_their_place() -> None:
    """Lines count from 1; two blocks may follow each other."""
    document = f"{OPEN}\n{CLOSE}\n<!--penstock: a b -->\nx\n<!-- /penstock:a -->"

    assert [(b.line, b.request, b.text) for b in blocks_of(document)] == [
        (1, "orders", ""),
        (3, "a b", "x\n"),
    ]


@pytest.mark.parametrize(
    "code",
    [
        f"```\n{OPEN}\n```",
        f"```html\n{OPEN}\n``\n~~~\n```",
        f"````\n```\n{OPEN}\n```\n````",
        f"~~~ a`b\n{OPEN}\n~~~~",
        f"> ```\n> {OPEN}\n> ```",
        f"- ```\n  {OPEN}\n  ```",
        f"```\n> ```\n{OPEN}\n{CLOSE}\n```",
        f"- a\n\n      {OPEN}",
        f"    {OPEN}",
        f"\t{OPEN}",
        f"a `{OPEN}` b",
        f"`` {OPEN} ` ``",
        f"`a` `{OPEN}` ``b``",
        "<!-- penstocks:orders -->",
        "<!-- penstock is good -->",
        "<!-- needs: penstock -->",
    ],
)
def test_markers_in_code_are_none(code: str) -> None:
    """Other comments are not markers."""
    document = f"{code}\n\nx\n\n{OPEN}\n{CLOSE}\n"

    assert requests(document) == ["orders"]


@pytest.mark.parametrize(
    "prefix", ["", "  ", "> ", ">", "> > ", "* x\n\n    ", "1. x\n   - y\n\n\t"]
)
def test_markers_in_lists_and_quotations(prefix: str) -> None:
    """Four spaces make code, but not in a list."""
    own = prefix.rpartition("\n")[2]

    document = f"{prefix}{OPEN}\n{own}{CLOSE}\n"

    (block,) = blocks_of(document)
    assert block.prefix == own
    assert f"\n{own}text\n" in filled(document, "text")


@pytest.mark.parametrize(
    "before",
    [
        "- a\n  ```\n  code\n\ntext\n\n",
        "- a\n  ```\n",
        "> ```\n> code\n\n",
        "> ~~~\n",
        "1. a\n   - ```\n\n   b\n\n",
        "<pre>\n```\n</pre>\n",
        "<!-- a fence:\n```\n-->\n",
        "<div>\n```\n</div>\n\n",
        "a\n``` b`\n",
    ],
)
def test_block_after_a_fence_that_has_ended(before: str) -> None:
    """A fence ends with its list item or quotation, and HTML has none."""
    assert requests(f"{before}{OPEN}\n{CLOSE}\n") == ["orders"]


@pytest.mark.parametrize(
    "line",
    [
        "<!--penstock:" * 15_000,
        "<!--penstock:" * 15_000 + "-->",
        "<!-- penstock " * 15_000,
        "<!--" + " " * 200_000,
        f"{OPEN}{'`' * 200_000}",
        OPEN + "".join("`" * width + "a" for width in range(600)),
        f"`{OPEN}`" * 8_000,
        ">" * 200_000,
        "- " * 100_000,
        "* " * 100_000 + "a",
        "<a" + " b=c" * 50_000,
        "```" + "`" * 200_000 + "a`",
    ],
    ids=range(12),
)
def test_long_lines(line: str) -> None:
    """A line of 200 kB takes milliseconds, not minutes."""
    begin = perf_counter()
    with suppress(MarkerError):
        blocks_of(line)
    assert perf_counter() - begin < 5


def test_marker_in_a_marker() -> None:
    """A marker ends where its comment ends, and another is not a part of it."""
    for line in (f"<!-- penstock:a {OPEN}", f"{OPEN} {OPEN}", f"{OPEN} -->"):
        with pytest.raises(MarkerError, match="a line of its own"):
            blocks_of(line)


def test_end_of_a_list() -> None:
    """After a list, indented text is code again."""
    assert requests(f"- a\n\nText.\n\n    {OPEN}\n") == []


def test_broken_fence_in_a_block_hides_nothing() -> None:
    """A broken fence in a block does not hide the closing marker."""
    assert (
        filled(f"{OPEN}\n```\ngraph\n{CLOSE}\nz", "x") == f"{OPEN}\n\nx\n\n{CLOSE}\nz"
    )


@pytest.mark.parametrize(
    ("document", "line", "told"),
    [
        (f"a\n{OPEN}\n", 2, "'orders' is not closed"),
        (f"{OPEN}\n{OPEN}\n{CLOSE}", 1, "'orders' is not closed"),
        (f"a\n\n{CLOSE}", 3, "closes no block"),
        ("<!-- penstock: -->", 1, "names no flow"),
        (f"a {OPEN}", 1, "a line of its own"),
        (f"`a` {CLOSE} `b`", 1, "a line of its own"),
        (f"``a {CLOSE} `b", 1, "a line of its own"),
    ],
)
def test_wrong_markers(document: str, line: int, told: str) -> None:
    """Each error names the line."""
    with pytest.raises(MarkerError, match=told) as caught:
        blocks_of(document)

    assert caught.value.line == line


def test_fence_is_longer_than_what_it_holds() -> None:
    """Backticks in the text do not end the block."""
    assert fenced("a ```` b", "text") == "`````text\na ```` b\n`````"


def test_names_that_look_like_markers() -> None:
    """A drawing that contains a marker neither ends nor begins a block."""
    once = filled(f"{OPEN}\n{CLOSE}\n", f"{CLOSE}\n{OPEN}")

    assert requests(once) == ["orders"]
    assert filled(once, f"{CLOSE}\n{OPEN}") == once
