"""A flow as the value of a notebook's cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from penstock import flow
from tests.support.declarations import run

if TYPE_CHECKING:
    from pathlib import Path


def shown(value: object) -> dict[str, str]:
    """Return what IPython sends to a frontend for *value*."""
    formatters = pytest.importorskip("IPython.core.formatters", reason="needs ipython")
    bundle: dict[str, str]
    bundle, _ = formatters.DisplayFormatter().format(value)
    return bundle


def test_handle_shows_its_diagram() -> None:
    """The bundle has a picture that needs nothing else, and text for a terminal."""
    orders = flow("orders", owner="shop")

    @orders.entrypoint
    def receive() -> None: ...

    @orders.step(after=receive)
    def charge() -> None: ...

    bundle = shown(orders)

    assert bundle.keys() == {"text/plain", "image/svg+xml"}
    assert bundle["image/svg+xml"].startswith("<svg ")
    assert bundle["text/plain"].startswith("flow('orders')\n\n╔═════════╗\n")


def test_diagram_without_ipython() -> None:
    """A Jupyter client gets the same, and SVG."""
    orders = flow("orders")

    @orders.entrypoint
    def receive() -> None: ...

    bundle = orders._repr_mimebundle_(include=None, exclude=None)

    assert bundle.keys() == {"text/plain", "image/svg+xml"}


def test_flow_of_which_nothing_is_declared_yet() -> None:
    """The text says why there is no diagram."""
    orders = flow("orders")
    assert shown(orders) == {"text/plain": "flow('orders')\n\nIt has no steps yet."}

    flow("billing").entrypoint(shown)

    assert shown(orders)["text/plain"].endswith("yet. Flows with steps are: billing.")


def test_flow_that_is_not_whole_yet() -> None:
    """A step whose predecessor is declared in a later cell shows a message too."""
    orders = flow("orders")

    @orders.step(after="receive")
    def charge() -> None: ...

    bundle = shown(orders)

    assert bundle.keys() == {"text/plain"}
    assert "which does not exist" in bundle["text/plain"]


def test_drawing_is_not_imported_before(tmp_path: Path) -> None:
    """Declaring a flow imports no renderer."""
    code = "import penstock, sys; penstock.flow('x'); print(*sys.modules)"

    loaded = run(tmp_path, "-c", code).split()

    assert not {"penstock._documents.notebook", "penstock._graph.graph"} & set(loaded)
