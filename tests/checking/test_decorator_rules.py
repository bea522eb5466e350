"""PEN006: a decorator below the marker registers the function without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

SHOP = """
    import functools
    from unittest import mock

    import flask

    from penstock import entrypoint, flow

    app = flask.Flask(__name__)
    orders = flow("orders")


    class Bus:
        def on(self, event):
            return lambda func: func


    class Once:
        asked = False

        @property
        def on(self):
            if Once.asked:
                raise RuntimeError
            Once.asked = True
            return bus.on


    bus, once = Bus(), Once()


    def timed(func):
        @functools.wraps(func)
        def inner(*args):
            return func(*args)

        return inner


"""


@pytest.fixture(autouse=True)
def _flask() -> None:
    pytest.importorskip("flask", reason="needs flask")


@pytest.mark.parametrize(
    ("markers", "line"),
    [
        ('@orders.entrypoint\n    @app.get("/")', 2),
        ('@flow("orders")\n    @entrypoint\n    @app.get("/")', 3),
        ('@app.get("/a", endpoint="a")\n    @orders.entrypoint\n    @app.get("/b")', 3),
    ],
)
def test_a_route_below_the_marker(
    project: CheckedProject, markers: str, line: int
) -> None:
    """The route calls the function that has no marker."""
    project.write("web.py", f"{SHOP}    {markers}\n    def receive(): ...\n")

    (found,) = project.findings("web")

    assert found["code"] == "PEN006"
    assert found["line"] == SHOP.count("\n") + line - 1
    assert found["message"] == (
        "app.get() stands below the marker, so it registers the function without it, "
        "and those calls are not the step. Put the marker below."
    )
    assert (found["level"], found["flow"], found["step"]) == (
        "warning",
        "orders",
        "receive",
    )


@pytest.mark.parametrize(
    "function",
    [
        '@app.get("/")\n    @orders.entrypoint\n    def receive(): ...',
        "@orders.entrypoint\n    @timed\n    def receive(): ...",
        "@orders.entrypoint\n    @functools.cache\n    def receive(): ...",
        '@orders.entrypoint\n    @bus.on("x")\n    def receive(): ...',
        '@orders.entrypoint\n    @once.on("x")\n    def receive(): ...',
        "@orders.entrypoint\n    @mock.patch.dict({})\n    def receive(): ...",
        '@orders.entrypoint\n    @timed\n    @app.get("/")\n    def receive(): ...',
        "receive = orders.entrypoint(lambda: 1, name='receive')",
        '@orders.entrypoint\n    @(lambda f: app.get("/")(f))\n    def receive(): ...',
        """class Orders:
        @orders.entrypoint
        @app.get("/")
        def receive(self): ...""",
    ],
)
def test_decorators_that_may_stand_there(
    project: CheckedProject, function: str
) -> None:
    """A wrapper belongs below the marker; what cannot be known is not reported."""
    project.write("web.py", f"{SHOP}    {function}\n")

    assert "PEN006" not in str(project.codes("web"))


def test_a_receiver_of_django(project: CheckedProject) -> None:
    """It is a function, and known by its name; others only add to what they get."""
    pytest.importorskip("django", reason="needs django")
    project.write(
        "signals.py",
        """
        from django.dispatch import Signal, receiver

        from penstock import flow

        orders = flow("orders")
        placed = Signal()

        def marked(text):
            return lambda func: func

        @orders.entrypoint
        @marked("x")
        def other(**kwargs): ...

        @orders.entrypoint
        @receiver(placed)
        def receive(**kwargs): ...
        """,
    )

    (found,) = project.findings("signals")

    assert (found["code"], found["line"]) == ("PEN006", 16)
    assert found["message"].startswith("receiver() stands below the marker")
