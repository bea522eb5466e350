"""The flows at a git revision, as a process of its own imports them there.

The parent calls ``flows_at``. The child is this module, run in the checkout; it looks
for modules there wherever it would look in the working tree.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from penstock._manifests.manifest import dump_manifest, load_manifest
from penstock._project.imports import TargetError
from penstock._project.load import load_flows
from penstock._project.settings import Project, find_project
from penstock.errors import PenstockError

from .checkout import Checkout, checked_out

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo

__all__ = ["flows_at"]

_OURS = Path(__file__).resolve().parents[2]
_LIBRARY = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
_INSTALLED = frozenset(("site-packages", "dist-packages"))
_TAIL = 5  # lines of what a child said that died


def flows_at(
    revision: str, targets: Sequence[str], service: str | None
) -> tuple[FlowInfo, ...]:
    """Return the flows of *targets* at *revision*; what was not there brings none.

    Raises:
        TargetError: There is no such revision, or importing its modules failed.
    """
    project = find_project(Path.cwd())
    with checked_out(revision) as checkout:
        question = {
            "checkout": [str(path) for path in checkout],
            "root": str(_moved(project.root, checkout)),
            "targets": [
                _moved_target(target, checkout) for target in targets or project.targets
            ],
            "service": service,
        }
        here = _moved(Path.cwd(), checkout)
        here.mkdir(parents=True, exist_ok=True)
        told = _run(question, here)
        answer = checkout.scratch / "manifest.json"
        if not answer.exists():
            fault = checkout.scratch / "error.txt"
            message = fault.read_text(encoding="utf-8") if fault.exists() else told
            message = message.replace(f"{checkout.tree}{os.sep}", "")
            msg = f"at {revision}: {message}"
            raise TargetError(msg)
        return load_manifest(answer)


def _run(question: object, folder: Path) -> str:
    """Run the child; return the end of what it said."""
    done = subprocess.run(  # noqa: S603  # this very interpreter and module
        # -P: not even a folder "penstock" of the revision hides this one.
        [sys.executable, "-P", "-m", __name__],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        input=json.dumps(question).encode(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        check=False,
    )
    lines = done.stderr.decode(errors="replace").splitlines()[-_TAIL:]
    return "\n".join((f"importing ended with status {done.returncode}", *lines))


def _moved(path: Path, checkout: Checkout) -> Path:
    """Return where in the checkout a path of the working tree is; others stay."""
    path = path.resolve()
    if path.is_relative_to(checkout.top) and not path.is_relative_to(checkout.tree):
        return checkout.tree / path.relative_to(checkout.top)
    return path


def _moved_target(target: str, checkout: Checkout) -> str:
    return str(_moved(Path(target), checkout)) if target.endswith(".json") else target


def main() -> None:
    """Answer the question on stdin, in the files that it names."""
    question = json.load(sys.stdin)
    checkout = Checkout(*map(Path, question["checkout"]))
    sys.path[:] = [
        entry if _is_installed(Path(entry)) else str(_moved(Path(entry), checkout))
        for entry in sys.path
    ]
    try:
        flows, known = load_flows(
            question["targets"],
            service=question["service"],
            project=Project(Path(question["root"])),
            allow_missing=True,
        )
        _refuse_strangers(checkout)
        manifest = dump_manifest(flows, known)
    except PenstockError as exc:
        (checkout.scratch / "error.txt").write_text(str(exc), encoding="utf-8")
        sys.exit(2)
    (checkout.scratch / "manifest.json").write_bytes(manifest.encode())


def _refuse_strangers(checkout: Checkout) -> None:
    """Refuse modules of the working tree: they are not what the revision had."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or _is_installed(Path(file)):
            continue
        path = Path(file).resolve()
        if path.is_relative_to(_OURS) or _moved(path, checkout) == path:
            continue
        msg = (
            f"module {name!r} was imported from the working tree, {path}: an editable "
            "install finds it there. Put the folder that it is in on PYTHONPATH."
        )
        raise TargetError(msg)


def _is_installed(path: Path) -> bool:
    """Tell whether a path is of the environment, which may lie in the tree."""
    return not _INSTALLED.isdisjoint(path.parts) or any(
        path.is_relative_to(folder) for folder in _LIBRARY
    )


if __name__ == "__main__":
    main()
