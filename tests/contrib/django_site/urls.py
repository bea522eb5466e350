"""The site's addresses: the names of its views."""

from django.db import transaction
from django.urls import path

from . import views

SYNC = [
    views.plain,
    views.entry,
    views.calls,
    views.step,
    views.flows,
    views.slow,
    views.stream,
    views.file,
]
ASYNC = [views.awaited, views.mixed, views.async_entry, views.async_stream]

urlpatterns = [
    *(path(f"{view.__name__}/", view) for view in SYNC),
    *(
        path(f"{view.__name__}/", transaction.non_atomic_requests(view))
        for view in ASYNC
    ),
    path("error/<kind>/", views.error),
    path("async_error/<kind>/", transaction.non_atomic_requests(views.async_error)),
]
