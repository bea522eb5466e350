"""The site's addresses: the names of its views."""

from django.urls import path

from . import views

urlpatterns = [
    *(
        path(f"{view.__name__}/", view)
        for view in (
            views.plain,
            views.awaited,
            views.mixed,
            views.entry,
            views.async_entry,
            views.calls,
            views.step,
            views.flows,
            views.stream,
            views.async_stream,
            views.file,
            views.slow,
        )
    ),
    path("error/<kind>/", views.error),
    path("async_error/<kind>/", views.async_error),
]
