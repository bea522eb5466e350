"""Tasks of Django 6."""

from __future__ import annotations

import logging
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

import penstock

if TYPE_CHECKING:
    from collections.abc import Callable

    Mark = Callable[[Callable[..., Any]], Any]

# Django has them since 6.0, and no types.
mark: Any = import_module("django.tasks").task
task: Mark = mark
task_with_context: Mark = partial(mark, takes_context=True)


@task
def seen(*args: Any, **kwargs: Any) -> Any:
    """Return the ID, what it came from, and the arguments."""
    logging.getLogger("site").info("seen")
    context = penstock.get_flow_context()
    assert context is not None
    return [context.correlation_id, dict(context.metadata), list(args), kwargs]


@task_with_context
def with_context(context: Any, number: int) -> Any:
    """Return the ID and whether there is a context of the task."""
    return [penstock.current_flow_id(), context.attempt, number]


@task
async def awaited() -> Any:
    """Return the ID, asynchronously."""
    return penstock.current_flow_id()


@task
def nested() -> Any:
    """Enqueue another task."""
    return [penstock.current_flow_id(), seen.enqueue().return_value[0]]


@task
def failing() -> None:
    """Fail, and leave a flow open."""
    penstock.start_flow("left-open").__enter__()
    raise ZeroDivisionError
