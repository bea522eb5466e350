"""The app: in every process configured, and its declarations checked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from penstock._platform.optional import requires

from ._checks import register_checks
from ._settings import configure_from_settings

if TYPE_CHECKING:

    class AppConfig:
        """Django's, which has no types."""

else:
    with requires("django", extra="django"):
        from django.apps import AppConfig

__all__ = ["FlowConfig"]


class FlowConfig(AppConfig):
    """An app that configures what ``settings.PENSTOCK`` says, in every process.

    The middleware does so for the web. As ``"penstock.contrib.django"`` in
    ``INSTALLED_APPS`` this does so for management commands and workers, too, brings
    the command ``manage.py penstock``, and adds to what ``manage.py check`` checks.
    """

    name = "penstock.contrib.django"
    label = "penstock"
    verbose_name = "penstock"

    def ready(self) -> None:
        """Configure penstock; Django calls this when it has started."""
        configure_from_settings()
        register_checks()
