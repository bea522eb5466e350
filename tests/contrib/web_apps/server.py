"""The application that the environment names, as servers see it."""

from __future__ import annotations

import logging
import os
from typing import Any

import penstock

from . import asgi_apps, wsgi_apps

penstock.install_log_fields()
logging.basicConfig(
    filename=os.environ["SITE_LOG"],
    level=logging.INFO,
    force=True,
    format="%(correlation_id)s %(name)s %(levelname)s %(message).60s",
)
logging.getLogger("penstock").setLevel(logging.WARNING)

name = os.environ["SITE_APP"]
kind: Any = asgi_apps if name in asgi_apps.FRAMEWORKS else wsgi_apps
app = kind.instrumented(name)
