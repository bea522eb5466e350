"""Flows as a graph: edges, layers, and steps outside the drawn flows."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest

from penstock import FlowDefinitionError, FlowInfo, StepInfo
from penstock._graph.graph import Graph, build_graph
from tests.support.flow_values import flow_of

USER_UPDATE = flow_of(
    "user_update",
    {
        "api_request": None,
        "admin_action": None,
        "validate": ["api_request", "admin_action"],
        "persist": "validate",
        "notify": "validate",
        "audit_log": ["persist", "notify"],
    },
)
BILLING = flow_of("billing", {"start": None, "invoice": "start"})


def edges_of(graph: Graph) -> list[str]:
    """Return the edges in their order, as text."""
    return [f"{edge.before.label} → {edge.after.label}" for edge in graph.edges]


def layers_of(graph: Graph) -> list[list[str]]:
    """Return the labels of each layer."""
    return [[node.label for node in layer] for layer in graph.layers]


def test_layers_are_longest_paths() -> None:
    """A step is below everything that leads to it."""
    flow = flow_of(
        "f", {"a": None, "b": "a", "c": "b", "d": ["a", "c"], "lone": [], "e": ["lone"]}
    )

    assert layers_of(build_graph([flow])) == [["a", "lone"], ["b", "e"], ["c"], ["d"]]


def test_edges_go_by_layer_then_names() -> None:
    """The order of edges is that of the guide."""
    assert edges_of(build_graph([USER_UPDATE])) == [
        "admin_action → validate",
        "api_request → validate",
        "validate → notify",
        "validate → persist",
        "notify → audit_log",
        "persist → audit_log",
    ]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_declared_order_plays_no_part(order: tuple[int, ...]) -> None:
    """However steps are ordered, the graph is the same."""
    steps = flow_of(
        "f", {"a": None, "b": "a", "c": ["a", "g:x"], "d": [("c", "b"), ("b", "a")]}
    ).steps
    other = flow_of("g", {"x": None})
    whole = build_graph([FlowInfo("f", steps)], [other])
    shuffled = build_graph([FlowInfo("f", tuple(steps[at] for at in order))], [other])

    assert shuffled.nodes == whole.nodes
    assert shuffled.edges == whole.edges


def test_a_cycle_shares_a_layer() -> None:
    """The steps of a cycle share a layer."""
    flow = flow_of(
        "f",
        {
            "start": None,
            "a": ["start", "c"],
            "b": "a",
            "c": "b",
            "end": ["c", "other"],
            "other": ["self", "end"],
            "self": ["self", "start"],
        },
    )
    graph = build_graph([flow])

    assert layers_of(graph) == [
        ["start"],
        ["a", "b", "c", "self"],
        ["end", "other"],
    ]
    assert "self → self" in edges_of(graph)


def test_very_long_circles_do_not_recurse() -> None:
    """A cycle of 50,000 steps does not exceed Python's recursion limit."""
    names = [f"s{number}" for number in range(50_000)]
    flow = flow_of("f", dict(zip(names, [names[-1], *names[:-1]], strict=True)))

    assert len(build_graph([flow]).layers) == 1


def test_an_edge_is_there_once() -> None:
    """A predecessor named in several ways or joins is one edge."""
    flow = flow_of(
        "f",
        {"a": None, "b": None, "c": ["a", "f:a", "s/f:a", ("a", "b"), ("a", "f:a")]},
        service="s",
    )
    graph = build_graph([flow])

    assert edges_of(graph) == ["a → c", "b → c"]
    assert [edge.joins for edge in graph.edges] == [(1,), (1,)]


def test_joins_are_numbered() -> None:
    """The ``all_of`` groups of a step are numbered in a fixed order."""
    joins: list[str | tuple[str, ...]] = ["d", ("b", "c"), ("a", "b"), ("b", "a")]
    flow = flow_of("f", {"a": None, "b": None, "c": None, "d": None, "e": joins})
    edges = {edge.before.label: edge.joins for edge in build_graph([flow]).edges}

    assert edges == {"a": (1,), "b": (1, 2), "c": (2,), "d": ()}


def test_a_step_of_another_flow_is_drawn_outside() -> None:
    """A predecessor in a known flow that is not drawn has the flow's name as prefix."""
    graph = build_graph([flow_of("f", {"a": ["billing:invoice"]})], [BILLING])
    (edge,) = graph.edges

    assert (edge.before.label, edge.before.kind) == ("billing:invoice", "outside")
    assert not edge.is_crossing


def test_a_step_outside_is_drawn_once() -> None:
    """A predecessor of several steps is one node."""
    graph = build_graph(
        [flow_of("f", {"a": ["g:x"], "b": ["g:x"]})], [flow_of("g", {"x": None})]
    )

    assert edges_of(graph) == ["g:x → a", "g:x → b"]
    assert len(graph.nodes) == 3


def test_flows_drawn_together_are_connected() -> None:
    """An edge between two drawn flows has both real steps at its ends."""
    shop = flow_of("shop", {"a": None, "b": ["a", "billing:invoice"]})
    graph = build_graph([shop, BILLING])

    assert {node.kind for node in graph.nodes} == {"step"}
    assert edges_of(graph) == ["a → b", "start → invoice", "invoice → b"]
    assert [
        (cluster.name, [node.label for node in cluster.nodes])
        for cluster in graph.clusters
    ] == [("billing", ["start", "invoice"]), ("shop", ["a", "b"])]
    assert graph.title == "billing, shop"


@pytest.mark.parametrize(
    ("after", "label"),
    [
        ("a:b", "a:b"),  # the own flow's step of that very name
        ("x:y:z", "x:y:z"),
        ("svc/x:y:z", "x:y:z"),
        ("svc/p/q:r", "p/q:r"),
        ("here/own:a:b", "a:b"),
        ("far/away:step", "far/away:step"),
    ],
)
def test_names_with_colons_and_slashes(after: str, label: str) -> None:
    """A step of the own flow comes first, then every way to split the name."""
    own = flow_of("own", {"a:b": None, "here": [after]}, service="here")
    known = [
        flow_of("a", {"b": None}),
        flow_of("x:y", {"z": None}, service="svc"),
        flow_of("p/q", {"r": None}, service="svc"),
    ]
    (edge,) = build_graph([own], known).edges

    assert edge.before.label == label


def test_another_service_is_drawn_as_external() -> None:
    """A predecessor in a service without a manifest is not an error."""
    flow = flow_of("f", {"a": ["shop/orders:publish", "crm/leads:won"]}, service="me")
    graph = build_graph([flow])
    first, second = graph.edges

    assert [first.before.label, second.before.label] == [
        "crm/leads:won",
        "shop/orders:publish",
    ]
    assert {edge.before.kind for edge in graph.edges} == {"external"}
    assert first.is_crossing
    assert first.before.services == ("crm",)
    assert first.before.step == StepInfo("won", "leads")


def test_an_outdated_manifest_is_no_mistake_here() -> None:
    """A step that another service's manifest lacks is drawn as external too."""
    flow = flow_of("f", {"a": ["shop/orders:gone"]}, service="me")
    graph = build_graph([flow], [flow_of("orders", {"publish": None}, service="shop")])

    assert graph.edges[0].before.kind == "external"


def test_two_flows_may_give_one_label() -> None:
    """Two predecessors with equal labels stay two nodes, always in the same order."""
    known = [flow_of("a:b", {"c": None}), flow_of("a", {"b:c": None, "x": None})]
    flow = flow_of("f", {"one": ["s/a:b:c"], "two": ["a:b:c"], "three": ["a:x"]})
    graph = build_graph([flow], known)

    assert [node.label for node in graph.layers[0]] == ["a:b:c", "a:x", "s/a:b:c"]


def test_services_share_a_flow() -> None:
    """A flow of several services is the union of their declarations."""
    shop = flow_of("orders", {"receive": None, "publish": "receive"}, service="shop")
    mail = flow_of(
        "orders",
        {"consume": ["shop/orders:publish"], "send": "consume", "publish": []},
        service="mail",
    )
    graph = build_graph([mail, shop])

    assert edges_of(graph) == [
        "receive → publish",
        "publish → consume",
        "consume → send",
    ]
    assert [node.services for node in graph.nodes] == [
        ("shop",),
        ("mail", "shop"),
        ("mail",),
        ("mail",),
    ]
    assert not any(edge.is_crossing for edge in graph.edges)


def test_a_service_s_share_of_a_flow_is_drawn_alone() -> None:
    """One service's part of a flow can name steps that another service declares."""
    shop = flow_of("orders", {"publish": None}, service="shop")
    mail = flow_of("orders", {"consume": ["publish"]}, service="mail")
    (edge,) = build_graph([mail], [shop, mail]).edges

    assert (edge.before.label, edge.before.kind) == ("orders:publish", "outside")
    assert edge.is_crossing


def test_an_edge_between_services_crosses() -> None:
    """An edge crosses processes if no service declares both ends."""
    shop = flow_of("orders", {"publish": None}, service="shop")
    mail = flow_of("mails", {"consume": ["shop/orders:publish"]}, service="mail")
    (edge,) = build_graph([mail, shop]).edges

    assert edge.before.kind == "step"
    assert edge.is_crossing


def test_an_edge_into_a_task_crosses() -> None:
    """An edge into a step that a message triggers crosses processes."""
    (task,) = flow_of("f", {"task": "a"}).steps
    flow = flow_of("f", {"a": None}, more=[replace(task, crosses=True)])

    assert [edge.is_crossing for edge in build_graph([flow]).edges] == [True]


def test_one_service_is_declared_once() -> None:
    """Of two declarations of a step by one service, the first counts."""
    new = flow_of("f", {"a": None, "b": "a"}, service="s")
    old = flow_of("f", {"a": None, "b": [], "c": "b"}, service="s")
    graph = build_graph([new, old, new])

    assert len(graph.flows) == 1
    assert edges_of(graph) == ["a → b", "b → c"]


@pytest.mark.parametrize(
    ("after", "near"),
    [
        ("validat", "Did you mean 'validate'?"),
        ("billing:invoce", "Did you mean 'billing:invoice'?"),
        ("shop/orders:validat", "Did you mean 'orders:validate'?"),
        ("nothing like it", "which does not exist. A step"),
        ("a:", "which does not exist."),
        ("/b:c", "which does not exist."),
    ],
)
def test_a_predecessor_that_is_not_there(after: str, near: str) -> None:
    """The message names the step, the flow and the place, and suggests a name."""
    charge = StepInfo("charge", "orders", after=((after,),), path="shop.py", line=7)
    orders = flow_of("orders", {"validate": None}, service="shop", more=[charge])

    with pytest.raises(FlowDefinitionError, match=r"'charge' of flow 'orders'") as exc:
        build_graph([orders], [BILLING])
    assert "(shop.py:7)" in str(exc.value)
    assert repr(after) in str(exc.value)
    assert near in str(exc.value)


def test_a_predecessor_without_a_place() -> None:
    """Without a known source, the message names no place."""
    flow = flow_of("f", {"a": "x"})

    with pytest.raises(
        FlowDefinitionError, match=r"'a' of flow 'f' is declared after 'x'"
    ):
        build_graph([flow])


def test_an_absurd_name_can_be_right() -> None:
    """A name of many colons is split after the shortest flow that exists."""
    flow = flow_of("f", {"a": [":" * 202]})
    known = [flow_of(":" * 200, {":": None}), flow_of(":" * 198, {":::": None})]

    (edge,) = build_graph([flow], known).edges
    assert edge.before.step.flow == ":" * 198


def test_an_absurd_name_is_refused_quickly() -> None:
    """A name of 100,000 colons is refused without delay."""
    with pytest.raises(FlowDefinitionError):
        build_graph([flow_of("f", {"a": ":" * 100_000})])


def test_nothing_to_draw() -> None:
    """Without flows the graph is empty."""
    graph = build_graph([])

    assert (graph.nodes, graph.edges, graph.layers, graph.clusters) == ((), (), (), ())
