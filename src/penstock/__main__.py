"""Run the command line by ``python -m penstock``."""

from __future__ import annotations

from .cli import main

if __name__ == "__main__":
    main()
