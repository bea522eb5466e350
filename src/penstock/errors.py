"""Every error that penstock raises; each also derives from a fitting built-in."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "ConfigurationError",
    "FlowDefinitionError",
    "FlowOrderError",
    "LogSourceError",
    "ManifestError",
    "MissingExtraError",
    "NotInFlowError",
    "PenstockError",
    "RenderError",
    "TooManyRunsError",
    "UnknownFlowError",
]


class PenstockError(Exception):
    """Base of every error that penstock raises.

    Its arguments are the lines of the message. Names and paths in them may come from
    another repository, so control characters are escaped whenever they are shown.
    """

    def __str__(self) -> str:
        """Return the message."""
        return "\n".join(plain(str(line)) for line in self.args)


class FlowDefinitionError(PenstockError, ValueError):
    """The declaration of a flow, entrypoint or step is wrong."""


class NotInFlowError(PenstockError, RuntimeError):
    """Something that needs a flow context ran outside a flow."""


class FlowOrderError(PenstockError, RuntimeError):
    """A step was called before the steps that it is declared after.

    Attributes:
        flow: The running flow.
        step: The step that was called.
        code: The broken rule: ``R1``, or ``R3`` for an ``all_of``.
    """

    def __init__(
        self, message: str, *, flow: str = "", step: str = "", code: str = ""
    ) -> None:
        super().__init__(message)
        self.flow = flow
        self.step = step
        self.code = code


class TooManyRunsError(PenstockError, LookupError):
    """What was looked for is found in too many stored runs."""


class UnknownFlowError(PenstockError, KeyError):
    """No flow with that name is declared.

    Attributes:
        flow: The unknown name.
    """

    def __init__(self, message: str, *, flow: str = "") -> None:
        super().__init__(message)
        self.flow = flow


class ConfigurationError(PenstockError, ValueError):
    """A setting has an unknown name, or a value that it cannot have."""


class LogSourceError(PenstockError, OSError):
    """There are no logs where they should be, or they cannot be read."""


class MissingExtraError(PenstockError, ModuleNotFoundError):
    """An optional part of penstock needs a package that is not installed."""


class ManifestError(PenstockError, ValueError):
    """A file is not a manifest that penstock can read."""


class RenderError(PenstockError, RuntimeError):
    """A diagram could not be drawn or written."""


def plain(text: str) -> str:
    """Return *text* on one line, with control characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else repr(c)[1:-1] for c in text)


def did_you_mean(name: object, known: Iterable[str]) -> str:
    """Return ``" Did you mean 'orders'?"``, or ``""`` if nothing is similar."""
    near = closest(name, known)
    return f" Did you mean {near!r}?" if near else ""


def closest(name: object, known: Iterable[str]) -> str:
    """Return the most similar name, or ``""`` if nothing is similar."""
    if not isinstance(name, str):
        return ""
    from difflib import get_close_matches  # noqa: PLC0415  # 1 ms, on errors only

    return next(iter(get_close_matches(name, list(known), n=1)), "")
