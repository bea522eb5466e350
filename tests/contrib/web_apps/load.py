"""Send many requests at once, pipelined, and look for IDs in the wrong place."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from tests.contrib.django_site.servers import request

if TYPE_CHECKING:
    from tests.contrib.django_site.servers import Answer, Server

__all__ = ["crossed_or_leaked"]

BATCH = 50


def crossed_or_leaked(server: Server, paths: list[str], count: int) -> list[str]:
    """Send *count* requests, a third of them with an ID; return what is wrong."""
    batches = [range(i, i + BATCH) for i in range(0, count, BATCH)]

    def batch(numbers: range) -> list[tuple[int, Answer]]:
        asked = [
            request(
                f"/{paths[i % len(paths)]}",
                *([f"X-Request-ID: sent-{i}"] if i % 3 == 0 else []),
                close=not server.keeps,
            )
            for i in numbers
        ]
        answers = server.ask(*asked) if server.keeps else server.ask_each(*asked)
        return list(zip(numbers, answers, strict=True))

    with ThreadPoolExecutor(server.connections) as pool:
        answers = [pair for pairs in pool.map(batch, batches) for pair in pairs]
    fresh = [one.shown for i, one in answers if i % 3]
    wrong = [
        f"{i} was answered as {one.shown}" for i, one in answers if _is_wrong(i, one)
    ]
    if len(answers) != count or len(set(fresh)) != len(fresh):
        wrong.append(f"{len(answers)} answers, {len(set(fresh))} of {len(fresh)} IDs")
    return wrong


def _is_wrong(number: int, answer: Answer) -> bool:
    """Tell whether an answer shows, or saw, an ID that is not its own."""
    if number % 3 == 0 and answer.shown != f"sent-{number}":
        return True
    if number % 3 and len(answer.shown) != 32:
        return True
    return answer.status == 200 and answer.body not in {answer.shown, "left-open"}
