"""The registered flows, and programs on disk, for tests of declarations."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

from penstock import declared_flows

if TYPE_CHECKING:
    from pathlib import Path

    from penstock import FlowInfo, StepInfo


def the_flow(name: str) -> FlowInfo:
    """Return the flow declared as *name*."""
    return {info.name: info for info in declared_flows()}[name]


def the_step(flow: str, name: str) -> StepInfo:
    """Return one declared step."""
    found = the_flow(flow).step(name)
    assert found is not None
    return found


def steps_of(flow: str) -> dict[str, tuple[str, ...]]:
    """Return the steps of *flow* in their order, each with its predecessors."""
    return {step.name: step.predecessors for step in the_flow(flow).steps}


def write(folder: Path, files: dict[str, str]) -> None:
    """Write *files*, by their path in *folder*."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text), encoding="utf-8")


def run(folder: Path, *arguments: str, **environment: str) -> str:
    """Run Python in *folder* and return what it prints."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *arguments],
        cwd=folder,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout
