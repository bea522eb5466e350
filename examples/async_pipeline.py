"""Three pages at once, each with its own ID: ``python -m examples.async_pipeline``."""

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
    word, count = await summarise(words)
    return str(current_flow_id()), word, count


@pipeline.step(after=ingest, tags=("network",))
async def fetch(page: str) -> AsyncIterator[str]:
    """Yield a page word by word, while the other pages run, too."""
    for word in PAGES[page].split():
        await asyncio.sleep(0)
        yield word


@pipeline.step(after=fetch)
async def summarise(words: Counter[str]) -> tuple[str, int]:
    """Return the most common word."""
    return min(words.items(), key=lambda pair: (-pair[1], pair[0]))


async def ingest_all() -> list[tuple[str, str, int]]:
    """Ingest all pages concurrently."""
    return await asyncio.gather(*map(ingest, PAGES))


def main() -> None:
    """Ingest three pages, and show that each had its own ID."""
    results = asyncio.run(ingest_all())
    for page, (_, word, count) in zip(PAGES, results, strict=True):
        print(f"page {page}: {word!r} appears {count}x")
    print(f"{len({flow_id for flow_id, _, _ in results})} IDs")


if __name__ == "__main__":
    main()
