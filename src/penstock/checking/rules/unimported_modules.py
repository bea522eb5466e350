"""PEN004: modules that declare steps, but are never imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._project.flow_modules import declaring_modules
from penstock.checking.findings import Finding, Place

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from penstock._project.source_files import Module


def unreached(
    modules: Iterable[Module], imported: Collection[str]
) -> Iterator[Finding]:
    """Yield a finding for each module that declares steps and is not *imported*.

    Args:
        modules: The modules of the project.
        imported: The files of the imported modules.
    """
    for module, line in declaring_modules(modules):
        if module.path not in imported:
            yield Finding(
                "PEN004",
                f"{module.name} declares steps, but nothing imports it, so diagrams "
                "and checks do not include them",
                Place(module.path, line),
                suggestion=f'import = [..., "{module.name}"]',
                edge=(module.name,),
            )
