"""PEN006: a decorator below a marker that registers the function without it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

SHOP = """
    from functools import cache

    from penstock import flow
    f = flow("f")

    class App:
        def receiver(self, function):
            return function

        def get(self, path, **options):
            return lambda function: function

    app = App()

    {first}
    {second}
    def receive(): ...
"""


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        ("@f.entrypoint", "@app.receiver", "@app.receiver"),
        ('@f.entrypoint(name="go")', '@app.get("/orders")', "@app.get"),
        ("@app.receiver", "@f.entrypoint", ""),
        ('@app.get("/orders")', "@f.entrypoint", ""),
        ("@f.entrypoint", '@app.get("orders")', ""),
        ("@f.entrypoint", "@cache", ""),
    ],
)
def test_order_of_decorators(
    project: CheckedProject, first: str, second: str, name: str
) -> None:
    """The line is that of the decorator."""
    project.write("receivers.py", SHOP.format(first=first, second=second))

    found = [one for one in project.findings("receivers") if one["code"] == "PEN006"]

    places = [(one["line"], one["message"].partition(" ")[0]) for one in found]
    assert places == ([(16, name)] if name else [])
