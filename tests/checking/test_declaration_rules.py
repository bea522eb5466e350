"""Findings about declarations alone: PEN001 to PEN004."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

SHOP = """
    import penstock
    from penstock import flow
    penstock.configure(service="shop")
    orders = flow("orders", owner="payments")

    @orders.entrypoint
    def receive(order):
        publish(order)

    @orders.step(after="receive")
    def publish(order): ...
"""
WAREHOUSE = """
    import penstock
    from penstock import flow
    penstock.configure(service="warehouse")
    picking = flow("picking", owner="logistics")

    @picking.entrypoint(after="shop/orders:{name}")
    def pick(message): ...
"""
POST = """
    import penstock
    from penstock import flow
    penstock.configure(service="post")
    parcels = flow("parcels")

    @parcels.entrypoint(after="warehouse/picking:pick")
    def send(message): ...
"""


def export(project: CheckedProject, module: str) -> str:
    """Write the manifest of a module; return its name."""
    name = f"{module}.json"
    assert project.penstock("export", module, "-o", name).returncode == 0
    return name


def test_name_of_nothing(project: CheckedProject) -> None:
    """PEN001 suggests the name that was probably meant."""
    project.write(
        "typo.py",
        """
        from penstock import flow
        f = flow("f")

        @f.entrypoint
        def receive():
            charge()

        @f.step(
            after="recieve",
        )
        def charge(): ...
        """,
    )

    (finding, *others) = project.findings("typo")

    assert finding["code"] == "PEN001"
    assert finding["line"] == 9
    assert "'recieve' names nothing" in finding["message"]
    assert finding["suggestion"] == 'after="receive"'
    assert others == [] or all(one["code"] != "PEN002" for one in others)


def test_name_of_a_function_without_a_marker(project: CheckedProject) -> None:
    """The message says so, because there is something of that name."""
    text = "from penstock import flow\n\nf = flow('orders')\n\n\ndef charge(): ...\n"
    text += "\n\n@f.entrypoint\ndef receive():\n    ship()\n"
    text += "\n\n@f.step(after=charge)\ndef ship(): ...\n"
    (project.root / "unmarked.py").write_text(text, encoding="utf-8")

    (finding, *_) = project.findings("unmarked")

    assert finding["message"] == (
        "'charge' names nothing: there is no such step. The function charge of "
        "unmarked has no marker of this flow."
    )


def test_name_of_a_function_that_no_flow_has_taken(project: CheckedProject) -> None:
    """PEN001 says where its marker is, and what is missing above it."""
    project.write(
        "loose.py",
        """
        from penstock import flow, step
        f = flow("f")

        @f.entrypoint
        def receive(): ...

        @step(after=receive)
        def reserve(): ...

        @f.step(after="reserve")
        def charge(): ...
        """,
    )

    (finding, *_) = project.findings("loose")

    assert finding["code"] == "PEN001"
    assert finding["message"].startswith("'reserve' names nothing")
    assert (
        "loose.py:8) belongs to no flow: put @flow('f') above it."
        in (finding["message"])
    )


def test_no_path_from_an_entrypoint(project: CheckedProject) -> None:
    """PEN002 names the cycle, and each step that no path leads to."""
    project.write(
        "circle.py",
        """
        from penstock import flow
        f = flow("f")

        @f.entrypoint
        def receive(): ...

        @f.step(after="b")
        def a():
            b()

        @f.step(after="a")
        def b():
            a()

        @f.step(after="b")
        def c(): ...

        @f.step
        def d(): ...
        """,
    )

    found = {
        one["step"]: one["message"]
        for one in project.findings("circle")
        if one["code"] == "PEN002"
    }

    assert sorted(found) == ["a", "b", "c", "d"]
    assert "a → b → a" in found["a"]
    assert "it has no after=" in found["d"]


def test_a_join_needs_every_path(project: CheckedProject) -> None:
    """A step after all_of is reached if all of its predecessors are."""
    project.write(
        "join.py",
        """
        from penstock import all_of, flow
        f = flow("f")

        @f.entrypoint
        def receive(): ...

        @f.step(after="lost")
        def lost(): ...

        @f.step(after=all_of("receive", "lost"))
        def send(): ...

        @f.step(after=["receive", "lost"])
        def note(): ...
        """,
    )

    found = [one for one in project.codes("join") if one.startswith("PEN002")]

    assert found == ["PEN002 lost", "PEN002 send"]


def test_other_service_lacks_the_step(project: CheckedProject) -> None:
    """PEN003 names both services, the owner and the place."""
    project.write("shop_app.py", SHOP)
    project.write("warehouse_app.py", WAREHOUSE.format(name="publsh"))
    project.write("post_app.py", POST)
    for module in ("shop_app", "post_app"):
        export(project, module)

    result = project.check("warehouse_app", "--system", "*.json")

    assert result.returncode == 1
    assert (
        "warehouse_app.py:6: PEN003 picking/pick: service 'warehouse' (owner "
        "logistics) comes after 'shop/orders:publsh', but service 'shop' (owner "
        "payments) has no step 'publsh' in its flow 'orders' (shop_app.py:6). Did "
        "you mean 'publish'?"
    ) in result.stdout
    assert 'fix       after="shop/orders:publish"' in result.stdout


def test_three_services_that_agree(project: CheckedProject) -> None:
    """Manifests whose names fit have no findings."""
    project.write("shop_app.py", SHOP)
    project.write("warehouse_app.py", WAREHOUSE.format(name="publish"))
    project.write("post_app.py", POST)
    names = [export(project, m) for m in ("shop_app", "warehouse_app", "post_app")]

    assert project.findings("warehouse_app", "--system", "*.json") == []
    assert project.findings(*names) == []


def test_a_service_that_others_rely_on(project: CheckedProject) -> None:
    """A service that renames a step learns which step comes after it."""
    project.write("shop_app.py", SHOP.replace("publish", "announce"))
    project.write("warehouse_app.py", WAREHOUSE.format(name="publish"))
    export(project, "warehouse_app")

    (finding,) = project.findings("shop_app", "--system", "warehouse_app.json")

    assert finding["code"] == "PEN003"
    assert finding["step"] == "pick"


def test_service_without_manifest_is_not_judged(project: CheckedProject) -> None:
    """A name of an unknown service is not wrong."""
    project.write("warehouse_app.py", WAREHOUSE.format(name="publsh"))

    assert project.findings("warehouse_app") == []


def test_missing_manifest(project: CheckedProject) -> None:
    """A missing file is an error."""
    result = project.check("shop.orders", "--system", "none.json")

    assert result.returncode == 2
    assert "no manifest 'none.json'" in result.stderr


def test_module_that_nothing_imports(project: CheckedProject) -> None:
    """PEN004, if pyproject.toml lists the modules to import."""
    project.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.orders"]\n')
    project.write(
        "shop/billing.py",
        """
        import penstock as p

        billing = p.flow("billing")

        @billing.entrypoint
        def invoice(): ...
        """,
    )
    project.write("shop/plain.py", "def step(): ...\n")
    project.write(
        "shop/tests/test_it.py", "from penstock import step\n@step\ndef x(): 1"
    )

    found = [one for one in project.findings() if one["code"] == "PEN004"]

    assert [(one["path"], one["line"]) for one in found] == [("shop/billing.py", 5)]
    assert "shop.billing declares steps" in found[0]["message"]


def test_file_that_is_not_a_module(project: CheckedProject) -> None:
    """PEN004 does not suggest to import what has no name to import."""
    project.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.orders"]\n')
    begin = "import penstock\n\n@penstock.flow('f').entrypoint\ndef go(): ...\n"
    project.write("shop/run-me.py", begin)

    (finding,) = [one for one in project.findings() if one["code"] == "PEN004"]

    assert "its name cannot be imported" in finding["message"]
    assert finding["suggestion"] == ""

    (project.root / "shop/run-me.py").rename(project.root / "shop/run_me.py")
    (finding,) = [one for one in project.findings() if one["code"] == "PEN004"]
    assert finding["suggestion"] == 'import = [..., "shop.run_me"]'


@pytest.mark.parametrize(
    ("start", "handle"),
    [
        ("from shop.flows import orders as o", "o"),
        ("from .flows import orders", "orders"),
        ("from . import flows", "flows.orders"),
        ("import shop.flows", "shop.flows.orders"),
        ("from shop import flows as f", "f.orders"),
        ("from shop.again import orders", "orders"),
    ],
)
def test_handle_from_another_module(
    project: CheckedProject, start: str, handle: str
) -> None:
    """A module can declare steps with a handle that it imports."""
    project.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.flows"]\n')
    project.write("shop/orders.py", "")
    project.write(
        "shop/flows.py",
        """
        import penstock

        orders = penstock.flow("orders")

        @orders.entrypoint
        def begin(): ...
        """,
    )
    project.write("shop/again.py", "from .flows import orders\nother = object()\n")
    project.write("shop/late.py", f"{start}\n@{handle}.entrypoint\ndef go(): ...\n")
    project.write("shop/none.py", "from .again import other\n@other.step\ndef x(): 1\n")

    (found,) = project.findings()

    assert (found["code"], found["path"], found["line"]) == (
        "PEN004",
        "shop/late.py",
        2,
    )


def test_named_targets_are_enough(project: CheckedProject) -> None:
    """Without the whole project there is no PEN004."""
    project.write(
        "shop/billing.py",
        "from penstock import flow\nf = flow('b')\n@f.entrypoint\ndef go(): ...\n",
    )

    assert "PEN004" not in str(project.codes("shop.orders"))
