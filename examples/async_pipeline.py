"""Three pages at once, each under its own ID: ``python -m examples.async_pipeline``."""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING

from penstock import current_flow_id, flow

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

pipeline = flow("pages", owner="search")
PAGES = {
    "a": "the quick brown fox",
    "b": "the lazy dog and the fox",
    "c": "a dog",
}


@pipeline.entrypoint
async def ingest(page: str) -> tuple[str, str, int]:
    """Count the words of one page."""
    words: Counter[str] = Counter()
    async for line in fetch(page):
        words.update(line.split())
    commonest, count = await summarise(words)
    return str(current_flow_id()), commonest, count


@pipeline.step(after=ingest, tags=("network",))
async def fetch(page: str) -> AsyncIterator[str]:
    """Bring a page, word by word; the other pages have their turn meanwhile."""
    for word in PAGES[page].split():
        await asyncio.sleep(0)
        yield word


@pipeline.step(after=fetch)
async def summarise(words: Counter[str]) -> tuple[str, int]:
    """Return the commonest word."""
    return min(words.items(), key=lambda pair: (-pair[1], pair[0]))


async def ingest_all() -> list[tuple[str, str, int]]:
    """Ingest every page at the same time."""
    return await asyncio.gather(*map(ingest, PAGES))


def main() -> None:
    """Ingest three pages, and show that each had an ID of its own."""
    results = asyncio.run(ingest_all())
    for page, (_, word, count) in zip(PAGES, results, strict=True):
        print(f"page {page}: {word!r} comes {count} times")
    print(f"{len({flow_id for flow_id, _, _ in results})} IDs")


if __name__ == "__main__":
    main()
