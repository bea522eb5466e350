"""The figures of steps as an HTML page."""

from __future__ import annotations

import re

from penstock.runs.figures import StepFigures
from penstock.runs.lines import ReadCounts
from penstock.runs.output.figures_page import figures_as_page
from tests.support.figures import shop_figures
from tests.support.flow_values import flow_of
from tests.support.html_pages import Page

HOSTILE = "</style></script><script>alert(1)</script>\x00\u202e\ud800\n${x}\" onload='x"
ORDERS = flow_of("orders", {"receive": None, "charge": "receive", "ship": "charge"})
MAIL = flow_of("mail", {"send": None})


def page_of(
    *figures: StepFigures, counts: ReadCounts | None = None, sources: str = "logs/"
) -> str:
    """Return a page about the shop, or about other figures."""
    found = figures or shop_figures()
    return figures_as_page(found, [ORDERS, MAIL], counts or ReadCounts(), [sources])


def rows_of(page: str) -> list[str]:
    """Return the words of each row."""
    rows = re.findall(r'<tr class="row.*?</tr>', page, re.DOTALL)
    return [" ".join(" ".join(Page(one).words).split()) for one in rows]


def facts_of(page: str) -> dict[str, list[str]]:
    """Return what the header says, by name."""
    found = re.findall(r"<dt>(.*?)</dt>(.*?)</div>", page)
    return {name: Page(about).words for name, about in found}


def test_the_rows() -> None:
    """They are ordered by flow, where most time goes first, and what never ran last."""
    assert rows_of(page_of()) == [
        "mail/ send 2 0 % 0 % 2",
        "orders/ receive shop 10 0 % 1.0 ms 2.0 ms 3.0 ms 100 %",
        "orders/ charge till 1,200 0.083 % 12.3 ms 101 ms 2.50 s 3.1 %",
        "orders/ ship 0",
    ]
    assert ' data-key="0.000833"' in page_of()


def test_one_flow_is_named_once() -> None:
    """Its name is the heading, and not in each row."""
    page = page_of(shop_figures()[1])

    assert '<h1 dir="auto">orders </h1>' in page
    assert "No end" in page_of()
    assert "No end" not in page
    assert rows_of(page)[0].startswith("charge 1,200")


def test_the_header() -> None:
    """It says how many runs there are, from when to when, and what was not read."""
    counts = ReadCounts(
        files=2,
        hits=2424,
        skipped={"not JSON": 3},
        unread={"c.gz": "it is cut"},
        is_sampled=True,
    )
    page = page_of(counts=counts)

    assert '<h1 dir="auto">mail, orders <span class="mark doubtful">of the kept' in page
    assert facts_of(page) == {
        "runs": ["10"],
        "calls": ["1,212 calls in mail, shop, till"],
        "when": ["2026-09-21T14:13:20Z to 2026-09-21T15:13:20Z"],
        "read": ["2,424 lines in 2 files"],
        "sources": ["logs/"],
        "sampled": ["others were dropped by sampling"],
        "skipped": ["3 lines: not JSON", "c.gz: it is cut"],
    }


def test_what_is_not_known_is_left_out() -> None:
    """Lines may say neither a time nor a service, and a server has no files."""
    page = page_of(StepFigures("orders", "ship", "", 1, 0, 1, (), 0.0))

    assert set(facts_of(page)) == {"runs", "calls", "read", "sources"}
    assert facts_of(page)["calls"] == ["1 call"]


def test_the_picture() -> None:
    """It has the same figures, and each row says which card is its own."""
    page = page_of()

    assert "p95 101 ms · 0.083 % errors" in Page(page).words
    cards = re.findall('data-card="(.*?)"', page)
    drawn = [one["id"] for one in Page(page).of_class("node")]
    assert sorted(cards) == ["step-charge", "step-receive", "step-send", "step-ship"]
    assert set(cards) <= set(drawn)


def test_without_declarations() -> None:
    """The table is all there is."""
    page = figures_as_page(shop_figures(), [], ReadCounts(), [])

    assert "<aside" not in page
    assert "data-card=" not in page.split("<script>")[0]
    assert len(rows_of(page)) == 3


def test_hostile_text() -> None:
    """Names, services, sources and reasons are words, wherever they come from."""
    figures = StepFigures(HOSTILE, HOSTILE, HOSTILE, 1, 1, 0, (1.0, 1.0, 1.0), 1.0)
    other = StepFigures(HOSTILE, "b", "other", 1, 0, 0, (), 0.0)
    counts = ReadCounts(skipped={HOSTILE: 1}, unread={HOSTILE: HOSTILE})
    flows = [flow_of(HOSTILE, {HOSTILE: None})]
    found = Page(figures_as_page([figures, other], flows, counts, [HOSTILE]))

    assert [tag for tag, _ in found.elements].count("script") == 1
    assert not any("onload" in given for _, given in found.elements)
    assert not any("style" in given for _, given in found.elements)
    assert set(found.inside) == {"style", "script"}
    assert "\x00" not in "".join(found.words)
