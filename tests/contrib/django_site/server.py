"""The site as servers see it: ``python -m ...`` is the one of the standard library."""

from __future__ import annotations

import logging
import os
import sys
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import penstock

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "tests.contrib.django_site.settings")
penstock.install_log_fields()
logging.basicConfig(
    filename=os.environ["SITE_LOG"],
    level=logging.INFO,
    force=True,  # daphne has a say of its own
    format="%(correlation_id)s %(name)s %(levelname)s %(message).60s",
)
logging.getLogger("penstock").setLevel(logging.WARNING)

from django.core.asgi import get_asgi_application  # noqa: E402  # settings come first
from django.core.wsgi import get_wsgi_application  # noqa: E402  # after the settings

wsgi: Any = get_wsgi_application()
asgi = get_asgi_application()


class Handler(WSGIRequestHandler):
    """A handler that says nothing."""

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


if __name__ == "__main__":
    make_server(
        "127.0.0.1", int(sys.argv[1]), wsgi, handler_class=Handler
    ).serve_forever()
