"""Measure other packages that users might choose, each in its own process.

Each process also measures the floor, so its results are multiples of the floor
there: ``python -m benchmarks.peers NAME SECONDS`` prints JSON.
"""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING, NamedTuple

from .floors import floor, work
from .processes import ROOT, run
from .report import markdown
from .timing import Case, best
from .wrappers import WRAPPERS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Peer", "peers", "side_by_side"]

PUBLIC = "0.1.0"
_FOLDER = ROOT / "build" / "benchmarks" / f"penstock-{PUBLIC}"


class Peer(NamedTuple):
    """The cost of a package's wrappers, as multiples of the floor."""

    name: str
    version: str
    step: float | None
    entrypoint: float | None


# Name in the table, what it is measured by, and the distribution that brings it.
_DISTRIBUTIONS = {
    "opentelemetry, API": "opentelemetry-api",
    "opentelemetry, SDK": "opentelemetry-sdk",
    "eliot": "eliot",
    "structlog": "structlog",
    "logfire": "logfire",
    "loguru": "loguru",
}


def peers(seconds: float) -> Iterator[Peer]:
    """Measure each for *seconds* in its own process."""
    for name in WRAPPERS:
        try:
            found = json.loads(run("-m", "benchmarks.peers", name, str(seconds)))
        except RuntimeError as exc:
            print(f"{name}: {exc}", file=sys.stderr)
            found = {"step": None, "entrypoint": None}
        yield Peer(name, _version(name), found["step"], found["entrypoint"])


def side_by_side(found: list[Peer]) -> str:
    """Return the table."""
    lines = [
        (peer.name, peer.version, _times(peer.step), _times(peer.entrypoint))
        for peer in found
    ]
    return markdown(("in floors", "version", "step", "entrypoint"), lines)


def _times(ratio: float | None) -> str:
    return "not available" if ratio is None else f"{ratio:.1f}"


def _version(name: str) -> str:
    if name == "public penstock":
        return PUBLIC
    distribution = _DISTRIBUTIONS.get(name)
    try:
        return version(distribution) if distribution else "this"
    except ModuleNotFoundError:
        return ""


def _measure(name: str, seconds: float) -> dict[str, float]:
    if name == "public penstock":
        _put_public_first()
    wrapped = WRAPPERS[name]()
    cases = [
        Case("floor", floor(work())),
        Case("step", wrapped.step, within=wrapped.within),
        Case("entrypoint", wrapped.entrypoint),
    ]
    took = best(cases, seconds=seconds)
    return {case.name: took[case.name] / took["floor"] for case in cases}


def _put_public_first() -> None:
    """Make ``import penstock`` find the published package of that name and version.

    It asks for a newer Python than it needs, so its wheel is only unpacked.
    """
    if not _FOLDER.exists():
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install"]
        what = ["--quiet", "--no-deps", "--python-version", "3.14"]
        where = ["--only-binary", ":all:", "--target", str(_FOLDER)]
        command = [*pip, *what, *where, f"penstock=={PUBLIC}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    sys.path.insert(0, str(_FOLDER))
    import penstock  # noqa: PLC0415  # now that it is the other one

    if not str(penstock.__file__).startswith(str(_FOLDER)):
        raise ImportError(penstock.__file__)


if __name__ == "__main__":
    print(json.dumps(_measure(sys.argv[1], float(sys.argv[2]))))
