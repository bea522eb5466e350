"""Settings of the site that the tests of Django run."""

import os

SECRET_KEY = "not one"  # noqa: S105  # a sample
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "tests.contrib.django_site.urls"
INSTALLED_APPS = ["penstock.contrib.django.FlowConfig"]
MIDDLEWARE = [
    "penstock.contrib.django.FlowMiddleware",
    "django.middleware.common.CommonMiddleware",
]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "ATOMIC_REQUESTS": True,
    }
}
USE_TZ = True
LOGGING_CONFIG = None  # pytest's, or that of the server
TASKS = {
    "default": {
        "BACKEND": "tests.contrib.django_site.queues."
        + os.environ.get("SITE_TASKS", "AtOnce")
    }
}
