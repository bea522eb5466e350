"""Everything penstock raises; each error is also the built-in it resembles."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConfigurationError",
    "FlowDefinitionError",
    "FlowOrderError",
    "ManifestError",
    "MissingExtraError",
    "NotInFlowError",
    "PenstockError",
    "RenderError",
    "UnknownFlowError",
]


class PenstockError(Exception):
    """Base of every error that penstock raises."""


class FlowDefinitionError(PenstockError, ValueError):
    """A flow, entrypoint or step is declared in a way that cannot be right."""


class NotInFlowError(PenstockError, RuntimeError):
    """Something that needs a flow context ran outside every flow."""


class FlowOrderError(PenstockError, RuntimeError):
    """A step was called before what it is declared to come after.

    Attributes:
        flow: The flow that runs.
        step: The step that was called.
        code: The rule that broke: ``R1``, or ``R3`` for an ``all_of``.
    """

    def __init__(
        self, message: str, *, flow: str = "", step: str = "", code: str = ""
    ) -> None:
        super().__init__(message)
        self.flow = flow
        self.step = step
        self.code = code


class UnknownFlowError(PenstockError, KeyError):
    """No flow of that name is registered.

    Attributes:
        flow: The name that was asked for.
    """

    def __init__(self, message: str, *, flow: str) -> None:
        super().__init__(message)
        self.flow = flow

    def __str__(self) -> str:
        """Give the message itself; a plain ``KeyError`` would quote it."""
        return str(self.args[0])

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword argument that ``__init__`` asks for."""
        return _rebuild_unknown_flow, (str(self), self.flow)


def _rebuild_unknown_flow(message: str, flow: str) -> UnknownFlowError:
    return UnknownFlowError(message, flow=flow)


class ConfigurationError(PenstockError, ValueError):
    """A setting has an unknown name or a value that it cannot take."""


class MissingExtraError(PenstockError, ModuleNotFoundError):
    """A package that an optional part of penstock needs is not installed."""


class ManifestError(PenstockError, ValueError):
    """A file that should be a penstock manifest is not one that can be read."""


class RenderError(PenstockError, RuntimeError):
    """A diagram could not be drawn or written."""


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'orders'?"``, or ``""`` where nothing is near."""
    if not isinstance(name, str):
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  # 1 ms, on errors only

    near = get_close_matches(name, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""
