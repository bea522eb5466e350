"""The app: it configures penstock in every process, and registers its checks."""

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
    """An app that applies ``settings.PENSTOCK`` in every process.

    The middleware does so for requests. ``"penstock.contrib.django"`` in
    ``INSTALLED_APPS`` does so for management commands and workers, too, and adds the
    command ``manage.py penstock`` and checks to ``manage.py check``.
    """

    name = "penstock.contrib.django"
    label = "penstock"
    verbose_name = "penstock"

    def ready(self) -> None:
        """Configure penstock. Django calls this when it has started."""
        configure_from_settings()
        register_checks()
