"""Guard imports of packages that an extra installs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock.errors import MissingExtraError

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["requires"]


class requires:  # noqa: N801  # reads as a statement: with requires("celery", ...)
    """Guard imports of *package*, which ``penstock[extra]`` installs.

    A class, because ``contextlib`` would slow down the import of penstock.

    Args:
        package: Top-level module name of the package.
        extra: The extra of penstock that installs it.

    Raises:
        MissingExtraError: *package* is not installed. If it is installed but broken,
            its own error passes through.
    """

    def __init__(self, package: str, *, extra: str) -> None:
        self._package = package
        self._extra = extra

    def __enter__(self) -> None:
        """Begin to guard."""

    def __exit__(
        self,
        _type: type[BaseException] | None,
        exc: BaseException | None,
        _traceback: TracebackType | None,
    ) -> None:
        """Turn "no module named *package*" into the command that installs it."""
        missing = isinstance(exc, ModuleNotFoundError) and (exc.name or "")
        if missing and missing.partition(".")[0] == self._package:
            msg = (
                f"{self._package!r} is not installed. "
                f"Install it with: pip install 'penstock[{self._extra}]'"
            )
            raise MissingExtraError(msg, name=missing) from exc
