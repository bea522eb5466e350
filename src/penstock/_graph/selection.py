"""Select flows by name, and suggest a name if there is no such flow."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors import UnknownFlowError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from penstock._types import FlowInfo

_MAX_LISTED = 20


def select_flows(
    names: Collection[str], flows: Collection[FlowInfo]
) -> tuple[FlowInfo, ...]:
    """Return the *flows* whose name is in *names*.

    Raises:
        UnknownFlowError: No flow has one of the names.
    """
    check_names(names, flows)
    return tuple(flow for flow in flows if flow.name in names)


def check_names(names: Iterable[str], flows: Iterable[FlowInfo]) -> None:
    """Check that each of *names* is the name of one of *flows*.

    Raises:
        UnknownFlowError: One of them is not.
    """
    declared = sorted({flow.name for flow in flows})
    for name in names:
        if name not in declared:
            raise UnknownFlowError(_unknown(name, declared), flow=name)


def _unknown(name: str, declared: list[str]) -> str:
    if not declared:
        return (
            f"there is no flow {name!r}, because no flow is declared yet. Import the "
            "modules that declare flows first."
        )
    listed = ", ".join(declared[:_MAX_LISTED])
    more = len(declared) - _MAX_LISTED
    rest = f" and {more} more" if more > 0 else ""
    near = did_you_mean(name, declared)
    return f"there is no flow {name!r}.{near} Flows are: {listed}{rest}."
