"""A queue of messages, and how an ID travels through it.

The queue stands for Kafka, SQS, a database table, or whatever you use. Each
message has headers; ``inject()`` writes the flow context into them, and
``continue_flow()`` reads it.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from penstock import continue_flow, inject

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

__all__ = ["Message", "Queue", "consume", "consume_together"]

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Message:
    """What one side writes and the other reads."""

    part: str
    headers: dict[str, str] = field(default_factory=dict)


class Queue:
    """Messages, first in, first out."""

    def __init__(self) -> None:
        self._waiting: deque[Message] = deque()

    def put(self, part: str) -> None:
        """Add a message; its headers carry the current flow, if any."""
        self._waiting.append(Message(part, inject()))

    def __iter__(self) -> Iterator[Message]:
        """Remove and yield messages until the queue is empty."""
        while self._waiting:
            yield self._waiting.popleft()


def consume(queue: Queue, handle: Callable[[Message], object]) -> None:
    """Handle one message after another; give up on those that fail."""
    for message in queue:
        with continue_flow(message.headers):
            try:
                handle(message)
            except Exception as exc:  # noqa: BLE001  # the next one may be good
                logger.warning("gave up on %s: %s", message.part, exc)


async def consume_together(
    queue: Queue, handle: Callable[[Message], Awaitable[object]]
) -> None:
    """Handle all messages concurrently, each in its own task."""

    async def handle_one(message: Message) -> None:
        with continue_flow(message.headers):
            await handle(message)

    await asyncio.gather(*map(handle_one, queue))
