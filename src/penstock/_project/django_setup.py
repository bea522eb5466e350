"""A Django project: set it up as ``manage.py`` does, and find its flows."""

from __future__ import annotations

import importlib
import importlib.util
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from penstock._platform.optional import requires

from .flow_modules import modules_with_flows
from .imports import INSTALLED, user_code
from .source_files import modules_in

if TYPE_CHECKING:
    from collections.abc import Iterator


def set_up_django() -> bool:
    """Let Django load its settings and models, as ``manage.py`` does.

    Returns:
        Whether this is a Django project.

    Raises:
        TargetError: Its settings or models cannot be imported.
        MissingExtraError: Django is not installed.
    """
    if "django" in sys.modules and importlib.import_module("django.apps").apps.ready:
        return True
    settings = os.environ.get("DJANGO_SETTINGS_MODULE")
    if not settings:
        return False
    with requires("django", extra="django"):
        django = importlib.import_module("django")
    with user_code(f"setting up Django with {settings!r}"):
        django.setup()
    return True


def django_modules() -> list[str]:
    """Return the project's modules that declare steps, without importing them.

    They are in its own apps and in the packages of its settings and URLs. Installed
    apps and tests do not count.
    """
    return modules_with_flows(
        module
        for package, place in _own_packages()
        for module in (
            [(package, place)]
            if place.is_file()
            else modules_in(place, [place], package)
        )
    )


def _own_packages() -> Iterator[tuple[str, Path]]:
    """Yield the name and the folder of each package of the project."""
    settings: Any = importlib.import_module("django.conf").settings
    apps: Any = importlib.import_module("django.apps").apps
    for name in ("SETTINGS_MODULE", "ROOT_URLCONF"):
        top = str(getattr(settings, name, None) or "").partition(".")[0]
        spec = importlib.util.find_spec(top) if top else None
        if spec is not None:
            places = spec.submodule_search_locations or [spec.origin or ""]
            yield from ((top, Path(place)) for place in places if _is_own(place))
    for app in apps.get_app_configs():
        if _is_own(app.path):
            yield app.name, Path(app.path)


def _is_own(place: str) -> bool:
    return bool(place) and not place.startswith((*INSTALLED, _PENSTOCK))


_PENSTOCK = str(Path(__file__).parents[1])
