"""The flows at a git revision, imported in a process of its own.

The parent calls ``flows_at``. The child is this module, run among the files of the
revision; it looks for modules there wherever it would look in the working tree.
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
from penstock._project.targets import is_manifest
from penstock.errors import PenstockError

from .checkout import Checkout, checked_out, tracked

if TYPE_CHECKING:
    from collections.abc import Sequence

    from penstock._types import FlowInfo

_PENSTOCK = Path(__file__).resolve().parents[2]
_LIBRARY = tuple(Path(sysconfig.get_path(name)) for name in ("stdlib", "platstdlib"))
_INSTALLED = frozenset(("site-packages", "dist-packages"))
_FAILED = 2
_TAIL = 5  # lines of stderr of a child that died


def flows_at(
    revision: str, targets: Sequence[str], service: str | None
) -> tuple[FlowInfo, ...]:
    """Return the flows of *targets* at *revision*; a missing target brings none.

    Raises:
        TargetError: There is no such revision, or importing its modules failed.
    """
    project = find_project(Path.cwd())
    with checked_out(revision) as checkout:
        question = {
            "checkout": [str(path) for path in checkout],
            "root": str(_moved(project.root, checkout)),
            "targets": _targets(targets or project.targets, checkout),
            "declared_in": _targets(project.targets, checkout),
            "service": service,
        }
        here = _moved(Path.cwd(), checkout)
        here.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(  # noqa: S603  # this very interpreter and module
            # -P: a folder "penstock" of the revision does not hide this one.
            [sys.executable, "-P", "-m", __name__],
            cwd=here,
            env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
            input=json.dumps(question).encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            check=False,
        )
        if done.returncode == 0 and checkout.answer.exists():
            return load_manifest(checkout.answer)
        if done.returncode == _FAILED and checkout.answer.exists():
            message = checkout.answer.read_text(encoding="utf-8")
        else:
            lines = done.stderr.decode(errors="replace").splitlines()[-_TAIL:]
            message = f"importing ended with status {done.returncode}"
            message = "\n".join((message, *lines))
        message = message.replace(f"{checkout.tree}{os.sep}", "")
        raise TargetError(*f"at {revision}: {message}".splitlines())


def _targets(targets: Sequence[str], checkout: Checkout) -> list[str]:
    """Return *targets* with paths in the checkout."""
    return [
        str(_moved(Path(target), checkout))
        if is_manifest(target) or Path(target).is_absolute()
        else target
        for target in targets
    ]


def _moved(path: Path, checkout: Checkout) -> Path:
    """Return where *path* of the working tree is in the checkout; others stay."""
    path = path.resolve()
    if path.is_relative_to(checkout.top) and not path.is_relative_to(checkout.tree):
        return checkout.tree / path.relative_to(checkout.top)
    return path


def main() -> None:
    """Answer the question on stdin: write a manifest, or what went wrong."""
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
            project=Project(Path(question["root"]), tuple(question["declared_in"])),
            allow_missing=True,
        )
        _refuse_working_tree(checkout)
        _refuse_installed_copies(flows, checkout)
        manifest = dump_manifest(flows, known)
    except PenstockError as exc:
        checkout.answer.write_text(str(exc), encoding="utf-8")
        sys.exit(_FAILED)
    checkout.answer.write_bytes(manifest.encode())


def _refuse_working_tree(checkout: Checkout) -> None:
    """Refuse modules of the working tree, which are not those of the revision."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if file is None or _is_installed(Path(file)):
            continue
        path = Path(file).resolve()
        if path.is_relative_to(_PENSTOCK) or _moved(path, checkout) == path:
            continue
        msg = (
            f"module {name!r} was imported from the working tree, {path}: an editable "
            "install finds it there. Put the folder that it is in on PYTHONPATH."
        )
        raise TargetError(msg)


def _refuse_installed_copies(flows: Sequence[FlowInfo], checkout: Checkout) -> None:
    """Refuse modules whose source is in the repository, but was not imported."""
    for module in sorted({step.module for flow in flows for step in flow.steps}):
        file = getattr(sys.modules.get(module), "__file__", None)
        if file is None or not _is_installed(path := Path(file)):
            continue
        parts = module.split(".")
        package = parts if path.stem == "__init__" else parts[:-1]
        name = "/".join((*package, path.name))
        for source in tracked(checkout.top, f":(glob)**/{name}"):
            folder = checkout.tree / source.removesuffix(name)
            msg = (
                f"module {module!r} was imported from the installed copy {file}, which "
                f"is the same at every revision, and not from {source}. Set "
                f"PYTHONPATH={os.path.relpath(folder)}."
            )
            raise TargetError(msg)


def _is_installed(path: Path) -> bool:
    """Tell whether a path is of the environment, which may lie in the tree."""
    return not _INSTALLED.isdisjoint(path.parts) or any(
        path.is_relative_to(folder) for folder in _LIBRARY
    )


if __name__ == "__main__":
    main()
