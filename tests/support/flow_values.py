"""Short ways to write flows as values, and to draw them.

``draw`` draws flows that no module declares, with the options of ``generate_dag``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from penstock import FlowInfo, StepInfo
from penstock._dag import draw

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["After", "draw", "draw_text", "flow_of"]

After = str | None | list[str | tuple[str, ...]]


def flow_of(
    name: str,
    steps: Mapping[str, After],
    *,
    service: str = "",
    more: Iterable[StepInfo] = (),
) -> FlowInfo:
    """Return a flow; a step after None is an entrypoint, a tuple is an ``all_of``."""
    infos = (
        StepInfo(name=step, flow=name, is_entrypoint=after is None, after=_after(after))
        for step, after in steps.items()
    )
    return FlowInfo(name=name, steps=(*infos, *more), service=service)


def draw_text(
    form: str, flows: Iterable[FlowInfo], known: Iterable[FlowInfo] = (), **options: Any
) -> str:
    """Return the drawing in a format that is text."""
    return str(draw(flows, known, format=form, **options))


def _after(after: After) -> tuple[tuple[str, ...], ...]:
    if after is None:
        return ()
    items = [after] if isinstance(after, str) else after
    return tuple((item,) if isinstance(item, str) else item for item in items)
