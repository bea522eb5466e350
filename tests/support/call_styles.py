"""Functions of every kind, and ways to call them, for tests of calls."""

from __future__ import annotations

import inspect
import os
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import contextmanager
from itertools import count
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import penstock
from penstock import entrypoint, flow, step

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS: tuple[str, ...] = ("sync", "async", "generator", "async generator")
MODES = ("quiet", "logged", "watched", "traced")
"""Nothing listens; the log does; log fields read the step; a backend with span()."""

Work = Callable[[], Any]
_numbers = count(1)


def unique(stem: str) -> str:
    """Return a name that no other test uses, for messages that appear once per name."""
    return f"{stem}_{next(_numbers)}"


def function(kind: str, work: Work) -> Callable[[], Any]:
    """Return a function of *kind* whose body returns, or yields, ``work()``."""

    def plain() -> object:
        return work()

    async def awaited() -> object:
        return work()

    def items() -> Generator[object]:
        yield work()

    async def async_items() -> AsyncGenerator[object]:
        yield work()

    return dict(zip(KINDS, (plain, awaited, items, async_items), strict=True))[kind]


def marked(kind: str, work: Work, *, role: str, in_flow: str = "") -> Callable[[], Any]:
    """Return a function of *kind* marked as an entrypoint or a step."""
    mark = entrypoint if role == "entrypoint" else step
    func = mark(name=unique("body"))(function(kind, work))
    return flow(in_flow or unique("flow"))(func)


async def finish(func: Callable[[], Any]) -> Any:
    """Call *func* to its end, however it runs; return its result or last item."""
    made = func()
    if inspect.isasyncgen(made):
        return [item async for item in made][-1]
    if inspect.isgenerator(made):
        return list(made)[-1]
    return await made if isinstance(made, Awaitable) else made


def run_python(program: str, *args: str, **environment: str) -> tuple[str, str]:
    """Run *program* in a process of its own; return its output and its errors.

    penstock's and OpenTelemetry's variables do not reach it; coverage's do.
    """
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PENSTOCK_", "OTEL_"))
    }
    result = subprocess.run(
        [sys.executable, "-c", dedent(program), *args],
        env={**env, "PYTHONPATH": os.pathsep.join(sys.path), **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    return result.stdout, result.stderr


class Traces(penstock.TracingBackend):
    """A backend as the documentation shows it, which remembers its calls."""

    def __init__(self) -> None:
        self.events: list[tuple[str, str]] = []
        self.attrs: list[dict[str, object]] = []
        self.wants = True
        self._name = unique("traces")

    def __repr__(self) -> str:
        return f"<{self._name}>"

    def enabled(self) -> bool:
        return self.wants

    @contextmanager
    def span(self, step_name: str, flow_name: str, **attrs: object) -> Iterator[None]:
        self.attrs.append({"flow": flow_name, "step": step_name, **attrs})
        self.events.append(("enter", step_name))
        try:
            yield
        except BaseException as exc:
            self.events.append((type(exc).__name__, step_name))
            raise
        else:
            self.events.append(("exit", step_name))

    def get_correlation_id(self) -> str:
        return penstock.current_flow_id() or ""
