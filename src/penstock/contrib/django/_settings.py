"""``settings.PENSTOCK``: the arguments of ``penstock.configure``."""

from __future__ import annotations

import inspect
from typing import Any

from penstock._config import configure
from penstock._platform.optional import requires
from penstock.contrib._http import HttpOptions, http_options
from penstock.errors import ConfigurationError, did_you_mean

with requires("django", extra="django"):
    from django import conf
    from django.utils.module_loading import import_string

__all__ = ["configure_from_settings"]

_OWN = ("response_headers", "expose_headers", "exclude", "transform_id")
"""What the middleware takes that ``configure`` does not."""


def configure_from_settings() -> HttpOptions:
    """Call ``penstock.configure`` with ``settings.PENSTOCK``, if that is set.

    Its keys are the arguments of ``configure``, and ``backends``: one backend or a
    list. A function may be given by its dotted path.

    Returns:
        The options of the middleware, which are keys of ``settings.PENSTOCK`` as well.

    Raises:
        ConfigurationError: It has a name or a value that ``configure`` does not take.
    """
    given = getattr(conf.settings, "PENSTOCK", None)
    if given is None:
        return http_options()
    try:
        backends, options = _checked(given)
        own = {name: options.pop(name) for name in _OWN if name in options}
        configure(*backends, **options)
        return http_options(**own)
    except ConfigurationError as exc:
        msg = f"settings.PENSTOCK: {exc}"
        raise ConfigurationError(msg) from exc


def _checked(given: Any) -> tuple[list[Any], dict[str, Any]]:
    known = [*inspect.signature(configure).parameters, *_OWN]
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
    if name not in {"new_id", "is_valid_id", "transform_id"} or not isinstance(
        value, str
    ):
        return value
    try:
        return import_string(value)
    except ImportError as exc:
        msg = f"{name}={value!r} cannot be imported: {exc}."
        raise ConfigurationError(msg) from exc
