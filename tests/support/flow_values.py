"""What the tests of drawing share: flows as values, in few words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock import FlowInfo, StepInfo

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["After", "flow_of"]

After = str | None | list[str | tuple[str, ...]]


def flow_of(
    name: str,
    steps: Mapping[str, After],
    *,
    service: str = "",
    more: Iterable[StepInfo] = (),
) -> FlowInfo:
    """Return a flow; what comes after None is an entrypoint, a tuple is a join."""
    infos = (
        StepInfo(name=step, flow=name, is_entrypoint=after is None, after=_after(after))
        for step, after in steps.items()
    )
    return FlowInfo(name=name, steps=(*infos, *more), service=service)


def _after(after: After) -> tuple[tuple[str, ...], ...]:
    if after is None:
        return ()
    items = [after] if isinstance(after, str) else after
    return tuple((item,) if isinstance(item, str) else item for item in items)
