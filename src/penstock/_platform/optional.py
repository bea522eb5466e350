"""Guard imports of packages that an extra installs."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from penstock.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def requires(package: str, *, extra: str) -> Iterator[None]:
    """Guard imports of *package*, which ``penstock[extra]`` installs.

    Raises:
        MissingExtraError: *package* is not installed. If it is installed but broken,
            its own error passes through.
    """
    try:
        yield
    except ModuleNotFoundError as exc:
        if (exc.name or "").partition(".")[0] != package:
            raise
        msg = (
            f"{package!r} is not installed. "
            f"Install it with: pip install 'penstock[{extra}]'"
        )
        raise MissingExtraError(msg, name=exc.name) from exc
