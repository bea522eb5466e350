"""Load the flows that targets name."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penstock._graph.merge import disagreements, merge_flows
from penstock._manifests.manifest import load_manifest
from penstock._project.shown import note
from penstock._registry import declared_flows
from penstock.errors import ManifestError

from .attributes import flows_of
from .django_setup import modules_with_flows, set_up_django
from .imports import MissingTargetError, TargetError, import_module
from .patterns import import_matching, is_pattern
from .settings import find_project

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from penstock._types import FlowInfo

    from .settings import Project

__all__ = [
    "Loaded",
    "NoTargetError",
    "flows_in_manifest",
    "load_flows",
    "load_project",
]


class NoTargetError(TargetError):
    """No target is named, neither in a call nor in pyproject.toml."""


class Loaded(NamedTuple):
    """The flows that targets bring.

    Attributes:
        flows: The flows that the targets name.
        known: Those, and all others that their imports declare; edges may lead there.
    """

    flows: tuple[FlowInfo, ...]
    known: tuple[FlowInfo, ...]


def load_flows(
    targets: Sequence[str],
    *,
    service: str | None = None,
    project: Project | None = None,
    allow_missing: bool = False,
) -> Loaded:
    """Import *targets*, or those of the project if there are none.

    A module brings every flow that is declared once it is imported, ``module:attr``
    the flows of that attribute, and a manifest the flows in it.

    Args:
        targets: What the user named.
        service: The service of the modules' flows, instead of what they configure.
        project: Where to look for modules, instead of the project of this folder.
        allow_missing: Whether to skip a target that does not exist.

    Raises:
        TargetError: A target does not exist, or importing it failed.
        ConfigurationError: A setting in pyproject.toml is wrong.
        ManifestError: A file is not a manifest.
    """
    project = project or find_project(Path.cwd())
    targets = targets or project.targets or _of_django(project)
    if not targets:
        msg = (
            "no target given. Name a module (shop.orders), a pattern (shop.**) or a "
            "manifest (penstock.json), or set `import = [...]` under [tool.penstock] "
            "in pyproject.toml."
        )
        raise NoTargetError(msg)
    manifests = [target for target in targets if target.endswith(".json")]
    modules = [target for target in targets if not target.endswith(".json")]
    if allow_missing:
        manifests = [path for path in manifests if Path(path).exists()]
    declared = [(path, flow) for path in manifests for flow in flows_in_manifest(path)]
    carried = merge_flows(flow for _, flow in declared)
    if not modules:
        _warn_of_disagreements(declared)
        return Loaded(carried, carried)
    _look_in(project)
    set_up_django()
    names = _import(modules, allow_missing=allow_missing)
    own = tuple(
        replace(flow, source_url=flow.source_url or project.source_url)
        for flow in declared_flows()
    )
    if service is not None:
        own = tuple(replace(flow, service=service) for flow in own)
    wanted = own if names is None else tuple(f for f in own if f.name in names)
    # The code is newer than its manifest.
    live = {(flow.name, flow.service) for flow in own}
    others = [item for item in declared if (item[1].name, item[1].service) not in live]
    _warn_of_disagreements([*(("the modules", flow) for flow in own), *others])
    return Loaded((*wanted, *carried), (*own, *carried))


def load_project(project: Project) -> Loaded:
    """Import what *project* names; if it names nothing, take the declared flows.

    Raises:
        TargetError: A target does not exist, or importing it failed.
        ManifestError: A file is not a manifest.
    """
    targets = project.targets or _of_django(project)
    if targets:
        return load_flows(targets, project=project)
    flows = declared_flows()
    return Loaded(flows, flows)


def flows_in_manifest(path: str) -> tuple[FlowInfo, ...]:
    """Return the flows in the manifest at *path*.

    Raises:
        ManifestError: There is no file, or it is not a manifest.
    """
    if not Path(path).is_file():
        msg = f"there is no manifest {path!r}. Write one: penstock export -o {path}"
        raise ManifestError(msg)
    return load_manifest(Path(path))


def _of_django(project: Project) -> list[str]:
    """Return the modules with flows if this is a Django project."""
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        _look_in(project)
    return modules_with_flows() if set_up_django() else []


def _look_in(project: Project) -> None:
    """Put the folders of *project* on ``sys.path``."""
    for folder in reversed(project.import_path):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def _warn_of_disagreements(declared: Iterable[tuple[str, FlowInfo]]) -> None:
    for disagreement in disagreements(declared):
        note(f"Warning: {disagreement}")


def _import(targets: Sequence[str], *, allow_missing: bool) -> set[str] | None:
    """Import *targets*; return the flows they ask for by name, None for all."""
    names: set[str] = set()
    wants_all = False
    for target in targets:
        module, attribute = _parsed(target)
        wants_all |= not attribute
        try:
            names |= _imported(module, attribute)
        except MissingTargetError:
            if not allow_missing:
                raise
    return None if wants_all else names


def _imported(module: str, attribute: str) -> set[str]:
    if attribute:
        return flows_of(module, attribute)
    if is_pattern(module):
        import_matching(module)
    else:
        import_module(module)
    return set()


def _parsed(target: str) -> tuple[str, str]:
    """Split *target* into a module, or a pattern of some, and an attribute."""
    module, colon, attribute = target.partition(":")
    fault = ""
    if "/" in module or module.endswith(".py"):
        name = ".".join(Path(module).with_suffix("").parts).strip("./")
        fault = f"{module!r} is a file. Name the module: {name}"
    elif not module:
        fault = f"{target!r} has no module before ':'."
    elif colon and not attribute:
        fault = f"{target!r} has no name after ':'."
    elif not is_pattern(module) and not all(map(str.isidentifier, module.split("."))):
        fault = f"{module!r} is not the name of a module."
    if fault:
        raise TargetError(fault)
    return module, attribute
