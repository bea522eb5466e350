"""Which lines of a Markdown document are code."""

from __future__ import annotations

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from penstock._documents.blocks import lines_of
from penstock._documents.markdown import MarkdownLines


def code_in(document: str) -> list[int]:
    """Return the numbers, from 0, of the lines that are code."""
    lines = MarkdownLines()
    return [n for n, line in enumerate(lines_of(document)) if lines.is_code(line)]


@pytest.mark.parametrize(
    ("document", "code"),
    [
        # Fences.
        ("```\na\n```\nb", [0, 1, 2]),
        ("```\na\n``\n~~~\n````  \nb", [0, 1, 2, 3, 4]),
        ("~~~ a`b\na\n~~~", [0, 1, 2]),
        ("``` a`b\na", []),
        ("   ```\na\n    ```\n", [0, 1, 2]),
        ("a\n```\nb", [1, 2]),
        # A fence ends with what it is in.
        ("- ```\n  a\n\nb", [0, 1, 2]),
        ("1. a\n   ```\nb", [1]),
        ("> ```\nb", [0]),
        ("> - ```\n>   a\n> b", [0, 1]),
        ("```\n> ```\na\n```\nb", [0, 1, 2, 3]),
        ("- ```\n  - a\n  ```\n  b", [0, 1, 2]),
        # Indented code cannot interrupt a paragraph, and depends on the list item.
        ("# a\n    b", [1]),
        ("a\n===\n    b", [2]),
        ("a\n\n    b\n\n    c", [2, 4]),
        ("* * *\n    b", [1]),
        ("- a\n\n    b", []),
        ("- a\n\n      b", [2]),
        ("-     a", [0]),
        ("-\ta\n\n\tb", []),
        (">\t\ta", [0]),
        ("- a\n\nb\n\n    c", [4]),
        # An empty item has one line to begin in, and does not interrupt a paragraph.
        ("-\n  a\n\n      b", [3]),
        ("-\n\n      b", [2]),
        ("- -\n\n      b", [2]),
        ("a\n-\n      b", [2]),
        ("a\n1. b\n\n    c", []),
        ("a\n2. b\n\n    c", [3]),
        # In raw HTML nothing is a fence.
        ("<pre>\n```\n\n</pre>\nb", []),
        ("<!-- a\n```\n-->\nb", []),
        ("<?a\n```\n?>\n<!A\n```\n>\n<![CDATA[\n```\n]]>\nb", []),
        ("<details>\n```\n</details>\n\n```\na", [4, 5]),
        ("</DIV >\n```\n\nb", []),
        ("<a b='c' d>\n```\n\nb", []),
        ("a\n<b>\n```\nc", [2, 3]),
        ("> <div>\n```\na", [1, 2]),
        # A paragraph goes on without the signs before it.
        ("> a\nb\n    c", [2]),
        ("> a\n===\n    b", [2]),
        ("> a\n---\n    b", [2]),
    ],
)
def test_code(document: str, code: list[int]) -> None:
    """Code is what CommonMark says, and what is indented like code."""
    assert [n for n in code_in(document) if lines_of(document)[n].strip()] == [
        n for n in code if lines_of(document)[n].strip()
    ]


def test_depth_has_a_limit() -> None:
    """Many signs on a line, and many lines below it, do not take long."""
    assert code_in("- " * 50_000 + "\n" * 1_000) == []


_PIECES = (
    *("", " ", "  ", "    ", "\t", ">", "> ", "- ", "-", "* ", "1. ", "2. ", "10) "),
    *("```", "~~~~", "``` a`", "`", "a", "# a", "===", "---", "- - -", "__ _"),
    *("<div>", "</div", "<!--", "-->", "<pre>", "</PRE>", "<a b='c' d>", "<b c= >"),
    *("<?", "?>", "<!x", "<![CDATA[", "]]>"),
)
_LINE = st.lists(st.sampled_from(_PIECES), max_size=4).map("".join)


@given(st.lists(_LINE, min_size=1, max_size=6).map("\n".join))
def test_code_is_what_another_parser_says(document: str) -> None:
    """markdown-it agrees on every line, except for indented text that is not code."""
    markdown_it = pytest.importorskip("markdown_it", reason="needs markdown-it-py")
    # It takes an indented ">" below a quotation for a part of that.
    assume(not re.search(r"(?: {4}|\t) *>", document))
    parser = markdown_it.MarkdownIt("commonmark", {"maxNesting": 999})
    parser.core.ruler.enableOnly(["normalize", "block"])
    tokens = parser.parse(document)
    maps = [token.map for token in tokens if token.type in {"fence", "code_block"}]
    theirs = {number for begin, end in maps for number in range(begin, end)}
    ours = set(code_in(document))

    for number, line in enumerate(lines_of(document)):
        if line.strip(" \t\n>"):
            assert number in ours or number not in theirs
            assert number in theirs or number not in ours or re.search(" {4}|\t", line)
