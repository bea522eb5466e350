"""Load the flows that targets name."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from penstock._graph.merge import disagreements, merge_flows
from penstock._manifests.manifest import load_manifest
from penstock._project.shown import note, shown_path
from penstock._registry import declared_flows
from penstock.errors import ManifestError, did_you_mean

from .attributes import flows_of
from .django_setup import django_modules, set_up_django
from .imports import MissingTargetError, TargetError, is_django_without_settings
from .settings import find_project
from .targets import expanded, import_target, is_manifest, parse_target

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from penstock._types import FlowInfo

    from .settings import Project


class NoFlowError(TargetError):
    """There is no target, or the targets have no flow."""


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
    the flows of that attribute, and a manifest the flows in it. The name of a flow
    that the project declares brings that flow.

    Args:
        targets: What the user named.
        service: The service of the modules' flows, instead of what they configure.
        project: Where to look for modules, instead of the project of this folder.
        allow_missing: Whether targets may not exist, or have no flow.

    Raises:
        NoFlowError: There is no target, or the targets have no flow.
        TargetError: A target does not exist, or importing it failed.
        ConfigurationError: A setting in pyproject.toml is wrong.
        ManifestError: A file is not a manifest.
    """
    project = project or find_project(Path.cwd())
    targets = targets or project.targets or _of_django(project)
    if not targets and not allow_missing:
        raise NoFlowError(_without_target(project))
    manifests, modules = _sorted(targets, allow_missing=allow_missing)
    declared = [(path, flow) for path in manifests for flow in flows_in_manifest(path)]
    names: set[str] = set()
    if modules:
        _look_in(project)
        set_up_django()
        names, missing = _import(modules, project, allow_missing=allow_missing)
        if not (missing or declared or declared_flows()):  # a flow may be called email
            missing = dict.fromkeys(modules, NoFlowError(_without_flow(targets)))
        names |= _import_flows(missing, project, declared, allow_missing=allow_missing)
    own = _own_flows(project, service) if modules else ()
    # The code is newer than its manifest.
    live = {(flow.name, flow.service) for flow in own}
    others = [item for item in declared if (item[1].name, item[1].service) not in live]
    for one in disagreements([*(("the modules", flow) for flow in own), *others]):
        note(f"Warning: {one}")
    carried = merge_flows(flow for _, flow in declared)
    wanted = (*(flow for flow in own if flow.name in names), *carried)
    if not wanted and not allow_missing:
        raise NoFlowError(_without_flow(targets))
    return Loaded(wanted, (*own, *carried))


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
    if not Path(path).exists():
        msg = f"there is no manifest {path!r}. Write one: penstock export -o {path}"
        raise ManifestError(msg)
    return load_manifest(Path(path))


def _of_django(project: Project) -> list[str]:
    """Return the modules with flows if this is a Django project."""
    return django_modules() if is_django(project) else []


def is_django(project: Project) -> bool:
    """Return whether *project* is one of Django, which is set up then."""
    if "DJANGO_SETTINGS_MODULE" in os.environ:
        _look_in(project)
    return set_up_django()


def _look_in(project: Project) -> None:
    """Put the folders of *project* on ``sys.path``."""
    for folder in reversed(project.import_path):
        if str(folder) not in sys.path:
            sys.path.insert(0, str(folder))


def _sorted(
    targets: Iterable[str], *, allow_missing: bool
) -> tuple[list[str], list[str]]:
    """Return the manifests among *targets*, and the other ones."""
    targets = expanded(targets, allow_missing=allow_missing)
    manifests = [target for target in targets if is_manifest(target)]
    if allow_missing:
        manifests = [path for path in manifests if Path(path).exists()]
    return manifests, [target for target in targets if not is_manifest(target)]


def _own_flows(project: Project, service: str | None) -> tuple[FlowInfo, ...]:
    return tuple(
        replace(
            flow,
            source_url=flow.source_url or project.source_url,
            service=flow.service if service is None else service,
        )
        for flow in declared_flows()
    )


def _import(
    targets: Iterable[str], project: Project, *, allow_missing: bool
) -> tuple[set[str], dict[str, TargetError]]:
    """Import *targets*.

    Returns:
        The names of their flows, and the targets that may be names of flows.
    """
    names: set[str] = set()
    missing: dict[str, TargetError] = {}
    for target in targets:
        module, attribute = parse_target(target)
        try:
            found = import_target(module, project.import_path)
            if attribute:
                names |= flows_of(found or module, attribute)
            else:
                names |= {flow.name for flow in declared_flows()}
        except MissingTargetError as exc:
            if attribute and not allow_missing:
                raise
            missing[target] = exc
    return names, missing


def _import_flows(
    missing: Mapping[str, TargetError],
    project: Project,
    declared: list[tuple[str, FlowInfo]],
    *,
    allow_missing: bool,
) -> AbstractSet[str]:
    """Import the flows of the project that *missing* names.

    Args:
        missing: The targets that are neither modules nor files.
        project: Where flows are declared.
        declared: The flows of manifests; those that are named are added.
        allow_missing: Whether there may be no such flow.

    Raises:
        TargetError: There is no such flow.
    """
    if not missing:
        return set()
    manifests, modules = _sorted(
        project.targets or _of_django(project), allow_missing=True
    )
    _import(modules, project, allow_missing=True)
    more = [(path, flow) for path in manifests for flow in flows_in_manifest(path)]
    flows = {flow.name for flow in declared_flows()}
    flows |= {flow.name for _, flow in (*declared, *more)}
    for target, error in missing.items():
        if target not in flows and not allow_missing:
            near = did_you_mean(target, flows).replace("mean", "mean the flow")
            msg = f"{error}{near}"
            raise type(error)(msg) from None
    declared += [(path, flow) for path, flow in more if flow.name in missing]
    return missing.keys()


def _without_target(project: Project) -> str:
    if is_django(project):
        return (
            "no flow found. No module of your Django apps, settings or URLs declares "
            'a step. Declare one: orders = flow("orders"), and above the function '
            "where it begins, @orders.entrypoint"
        )
    if is_django_without_settings():
        return (
            "no target given, and this looks like a Django project. Run python "
            "manage.py penstock, or set DJANGO_SETTINGS_MODULE."
        )
    return (
        "no target given. Name a package or a module (shop), a file (shop/orders.py) "
        "or a manifest (penstock.json), or set `import = [...]` under [tool.penstock] "
        f"in {shown_path(str(project.root / 'pyproject.toml'))}."
    )


def _without_flow(targets: Iterable[str]) -> str:
    looked = []
    for target in targets:
        file = getattr(sys.modules.get(target), "__file__", None)
        looked.append(f"{target} ({shown_path(file)})" if file else target)
    return (
        f"no flow found. penstock looked in {', '.join(looked)}. Name the package, "
        "module or manifest that declares one."
    )
