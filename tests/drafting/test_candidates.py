"""The functions that a run may begin in."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from penstock.drafting.candidates import find_candidates
from penstock.drafting.draft import project_program
from tests.support.projects import PROCESS

if TYPE_CHECKING:
    from tests.support.projects import Project

WEB = """
    from fastapi import APIRouter
    import click
    from celery import shared_task

    router = APIRouter()
    CACHE = {}

    @router.post("/orders")
    async def create_order(): ...

    @app.route("/health")
    def health(): ...

    @CACHE.get("orders")
    def no_route(): ...

    @shared_task
    def send_mail(): ...

    @click.command("reindex")
    def reindex_all(): ...
    """
URLS = """
    from django.urls import include, path
    from rest_framework.routers import DefaultRouter
    from shop.views import OrderView, OrderViewSet, TagView, cart

    router = DefaultRouter()
    router.register("orders", OrderViewSet)
    urlpatterns = [
        path("cart/", cart),
        path("order/", login_required(OrderView.as_view())),
        path("tags/", TagView.as_view()),
        path("api/", include("api.urls")),
    ]
    """
VIEWS = """
    from django.views import View

    def cart(request): ...

    class OrderView(View):
        def post(self, request): ...

        def helper(self): ...

    class TagView(View): ...

    class OrderViewSet:
        @action(detail=True)
        def archive(self, request): ...

        def perform_create(self, serializer): ...
    """
COMMAND = """
    class Command:
        def handle(self, *args, **options): ...
    """


RESOURCES = """
    from flask_restx import Namespace, Resource

    orders = Namespace("orders")

    @orders.route("")
    class Orders(Resource):
        def get(self): ...

        def post(self): ...

        def total(self): ...

    @orders.route("/<number>", "/by-number/<number>")
    class Order(Resource):
        def delete(self, number): ...
    """


ADDED = """
    from flask import Blueprint
    from flask.views import MethodView, View

    orders = Blueprint("orders", __name__, url_prefix="/orders")

    class OrderApi(MethodView):
        def get(self, number): ...

        def delete(self, number): ...

        def total(self): ...

    class Report(View):
        def dispatch_request(self): ...

    def find_order(number): ...

    def register(app):
        orders.add_url_rule("/<number>", view_func=login(OrderApi.as_view("order")))
        orders.add_url_rule("/report", "report", Report.as_view("report"))
        app.add_url_rule("/find", "find", find_order)
        app.add_url_rule("/static", endpoint="static")
    """
ROUTER = """
    from fastapi import APIRouter

    orders = APIRouter(tags=["orders"], prefix="/orders")
    plain = APIRouter()

    @orders.post("")
    def create_order(): ...

    @orders.get("/{number}")
    def read_order(number): ...

    @plain.get("/health")
    def health(): ...

    def stop(): ...

    orders.add_api_route("/{number}", stop, methods=["DELETE"])
    """


def found(project: Project) -> list[tuple[str, str, str]]:
    """Return the kind, the entry and the route of each candidate."""
    program = project_program([project.root])
    return [(one.kind, one.entry, one.route) for one in find_candidates(program)]


def test_routes_tasks_and_commands(project: Project) -> None:
    """What decorators of frameworks register, by kind and place."""
    project.write("web.py", WEB)

    assert found(project) == [
        ("route", "web:create_order", "POST /orders"),
        ("route", "web:health", "/health"),
        ("task", "web:send_mail", ""),
        ("command", "web:reindex_all", "reindex"),
    ]


def test_django_views_and_commands(project: Project) -> None:
    """What the source of a URL configuration names, and the commands."""
    project.write("shop/__init__.py", "")
    project.write("shop/urls.py", URLS)
    project.write("shop/views.py", VIEWS)
    project.write("shop/management/__init__.py", "")
    project.write("shop/management/commands/__init__.py", "")
    project.write("shop/management/commands/reindex.py", COMMAND)

    assert found(project) == [
        ("Django view", "shop.views:cart", "cart/"),
        ("Django view", "shop.views:OrderView.post", "order/"),
        ("Django view", "shop.views:TagView", "tags/"),
        ("Django view", "shop.views:OrderViewSet.archive", "orders"),
        ("Django view", "shop.views:OrderViewSet.perform_create", "orders"),
        (
            "Django command",
            "shop.management.commands.reindex:Command.handle",
            "reindex",
        ),
    ]


def test_django_that_is_set_up(project: Project) -> None:
    """With settings, the URL configuration itself says what is where."""
    pytest.importorskip("django")
    settings = "SECRET_KEY = 'x'\nROOT_URLCONF = 'site_urls'\n"
    urls = """
        from django.urls import include, path
        from site_views import OrderView, OrderViewSet, cart

        def view(**actions):  # what a router of REST framework makes
            made = lambda request: None
            made.cls, made.actions = OrderViewSet, actions
            return made

        more = [path("cart/", cart), path("order/", OrderView.as_view())]
        urlpatterns = [
            path("shop/", include(more)),
            path("api/", view(get="list", post="create")),
            path("api/<pk>/archive/", view(post="archive")),
            path("x/", print),
        ]
        """
    project.write("site_settings.py", settings)
    project.write("site_urls.py", urls)
    drf = "action = lambda **options: lambda function: function"
    project.write(
        "site_views.py", VIEWS.replace("class Order", f"{drf}\n\n    class Order", 1)
    )

    result = project.penstock(
        "draft",
        "-f",
        "json",
        program=PROCESS,
        env={"DJANGO_SETTINGS_MODULE": "site_settings"},
    )

    listed = [(one["entry"], one["route"]) for one in json.loads(result.stdout)]
    assert listed == [
        ("site_views:cart", "shop/cart/"),
        ("site_views:OrderView.post", "shop/order/"),
        ("site_views:OrderViewSet.archive", "api/<pk>/archive/"),
        ("site_views:OrderViewSet.perform_create", "api/"),
    ]


def test_views_of_one_name_in_two_modules(project: Project) -> None:
    """A view is the one of the module that the URL configuration names."""
    views = "def index(request): ...\n"
    for name in ("__init__", "orders", "carts"):
        project.write(f"shop/{name}.py", views if name != "__init__" else "")
    urls = 'path("orders/", orders.index), path("carts/", carts.index)'
    project.write("shop/urls.py", f"urlpatterns = [{urls}]\n")

    found = find_candidates(project_program([project.root]))

    assert [(one.entry, one.route) for one in found] == [
        ("shop.carts:index", "carts/"),
        ("shop.orders:index", "orders/"),
    ]


def test_classes_with_a_route(project: Project) -> None:
    """The methods for GET and the like of a class are routes, each with its verb."""
    project.write("api.py", RESOURCES)

    assert found(project) == [
        ("route", "api:Orders.get", "GET"),
        ("route", "api:Orders.post", "POST"),
        ("route", "api:Order.delete", "DELETE /<number>"),
    ]


def test_routes_that_a_call_adds(project: Project) -> None:
    """What ``add_url_rule`` of Flask is given: functions, and methods of classes."""
    project.write("api.py", ADDED)

    assert found(project) == [
        ("route", "api:OrderApi.get", "GET /orders/<number>"),
        ("route", "api:OrderApi.delete", "DELETE /orders/<number>"),
        ("route", "api:Report.dispatch_request", "/orders/report"),
        ("route", "api:find_order", "/find"),
    ]


def test_routes_of_a_router_with_a_prefix(project: Project) -> None:
    """A route begins with what its router puts before it."""
    project.write("api.py", ROUTER)

    assert found(project) == [
        ("route", "api:create_order", "POST /orders"),
        ("route", "api:read_order", "GET /orders/{number}"),
        ("route", "api:health", "GET /health"),
        ("route", "api:stop", "/orders/{number}"),
    ]
