"""The command line: ``penstock`` and ``python -m penstock``."""

from __future__ import annotations

import sys

from penstock.errors import MissingExtraError

__all__ = ["main"]


def main() -> None:
    """Run the command in ``sys.argv`` and exit: 0 clean, 1 findings, 2 failure."""
    try:
        # Here, so that a missing extra is a message, not a traceback.
        from ._app import app  # noqa: PLC0415  # click may be missing
    except MissingExtraError as exc:
        sys.exit(_complain(exc))
    # Windows must not expand shop.** to files: it stands for modules.
    app(prog_name="penstock", windows_expand_args=False)


def _complain(exc: MissingExtraError) -> int:
    print(f"Error: {exc}", file=sys.stderr)  # noqa: T201  # click is what is missing
    return 2
