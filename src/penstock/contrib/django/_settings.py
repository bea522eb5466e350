"""``settings.PENSTOCK``: the arguments of ``penstock.configure``."""

from __future__ import annotations

import inspect
from typing import Any

from penstock._config import configure
from penstock._platform.optional import requires
from penstock.errors import ConfigurationError, did_you_mean

with requires("django", extra="django"):
    from django import conf
    from django.utils.module_loading import import_string

__all__ = ["configure_from_settings"]


def configure_from_settings() -> None:
    """Call ``penstock.configure`` with ``settings.PENSTOCK``, if that is set.

    Its keys are the arguments of ``configure``, and ``backends``: one backend or a
    list. A function may be given by its dotted path.

    Raises:
        ConfigurationError: It has a name or a value that ``configure`` does not take.
    """
    given = getattr(conf.settings, "PENSTOCK", None)
    if given is None:
        return
    try:
        backends, options = _checked(given)
        configure(*backends, **options)
    except ConfigurationError as exc:
        msg = f"settings.PENSTOCK: {exc}"
        raise ConfigurationError(msg) from exc


def _checked(given: Any) -> tuple[list[Any], dict[str, Any]]:
    known = list(inspect.signature(configure).parameters)
    if not isinstance(given, dict):
        msg = f"expected a dict, not {type(given).__name__}."
        raise ConfigurationError(msg)
    for name in given:
        if name not in known:
            hint = did_you_mean(name, known)
            msg = f"there is no setting {name!r}.{hint} Known: {', '.join(known)}."
            raise ConfigurationError(msg)
    options = {name: _loaded(name, value) for name, value in given.items()}
    backends = options.pop("backends", ())
    if isinstance(backends, list | tuple):
        return list(backends), options
    return [backends], options


def _loaded(name: str, value: Any) -> Any:
    """Return a setting; import a function that is given by its dotted path."""
    if name not in {"new_id", "is_valid_id"} or not isinstance(value, str):
        return value
    try:
        return import_string(value)
    except ImportError as exc:
        msg = f"{name}={value!r} cannot be imported: {exc}."
        raise ConfigurationError(msg) from exc
