"""Drawings with evidence: declared, found in the code, seen in runs."""

from __future__ import annotations

import json
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock import ConfigurationError, FlowInfo, StepInfo, flow, generate_dag
from penstock._graph.evidence import CodeEvidence, Sources
from penstock._manifests.manifest import parse_manifest
from penstock.conformance.judge import process_judge
from tests.support.call_styles import unique
from tests.support.diagram_parsers import parse_dot
from tests.support.flow_values import draw, flow_of
from tests.support.html_pages import Page
from tests.support.images import Svg, needs_draw, pixels
from tests.support.reports import recorded

if TYPE_CHECKING:
    from pathlib import Path

ORDERS = flow_of(
    "orders",
    {
        "receive": None,
        "check": "receive",
        "charge": "check",
        "reserve": "check",
        "pack": ["reserve", "billing:invoice"],
        "ship": "pack",
    },
    more=[StepInfo("mail", "orders", after=(("ship",),), crosses=True)],
)
BILLING = flow_of("billing", {"invoice": None})
RUNS = {
    "orders": recorded(
        {"receive": 1234, "check": 1234, "charge": 5, "reserve": 1, "ship": 2},
        {
            ("receive", "check"): 1234,
            ("check", "charge"): (3, 2),
            ("check", "reserve"): (0, 1),
            ("reserve", "pack"): 0,
            ("billing:invoice", "pack"): 0,
            ("pack", "ship"): 0,
            ("ship", "mail"): 0,
        },
        runs=1234,
        broken={("receive", "ship"): 2},
    )
}
CODE = CodeEvidence(
    {
        ("orders", "receive", "check"): True,
        ("orders", "check", "charge"): True,
        ("orders", "reserve", "pack"): True,
        ("orders", "billing:invoice", "pack"): None,
        ("orders", "pack", "ship"): False,
        ("orders", "ship", "mail"): False,
    },
    [("orders", "receive", "ship"), ("orders", "check", "mail")],
)
EDGES = {
    "receive → check": "1,234×",
    "check → charge": "contradicted 2×, seen 3×",
    "check → reserve": "contradicted 1×",
    "reserve → pack": "unseen",
    "billing:invoice → pack": "unseen",
    "pack → ship": "only declared",
    "ship → mail": "only declared",
    "receive → ship": "not declared, 2×",
    "check → mail": "not declared",
}


def drawn(
    form: str,
    *,
    evidence: Sources | None = None,
    flows: tuple[FlowInfo, ...] = (ORDERS,),
    **options: Any,
) -> str:
    """Return a drawing of the sample flow with its evidence."""
    given = evidence or Sources(RUNS, CODE)
    return str(draw(flows, (BILLING,), format=form, evidence=given, **options))


def lines_of(text: str) -> dict[str, str]:
    """Return the list of edges below a drawing for the terminal."""
    found = {}
    for line in text.splitlines():
        if " → " in line:
            way, _, said = line[2:].partition("  ")
            found[way.strip()] = said.strip()
    return found


def test_mermaid() -> None:
    """Labels and line styles show it as well as colours; crossing lines stay dashed."""
    assert (
        drawn("mermaid")
        == """\
graph TD
    subgraph flow_orders["orders#58; 1 of 7 edges seen (14 #37;), 1,234 runs, \
2 contradicted, 2 not declared"]
        receive(["receive<br/>1,234 calls"])
        check["check<br/>1,234 calls"]
        charge["charge<br/>5 calls"]
        reserve["reserve<br/>1 call"]
        pack["pack<br/>never called"]
        ship["ship<br/>2 calls, 2 too early"]
        mail["mail<br/>never called"]
        receive -->|1,234×| check
        receive --x|not declared, 2×| ship
        check -->|contradicted 2×, seen 3×| charge
        check --x|not declared| mail
        check -->|contradicted 1×| reserve
        reserve -->|unseen| pack
        pack -->|only declared| ship
        ship -.->|only declared| mail
    end
    billing_invoice[["billing#58;invoice"]]
    billing_invoice -->|unseen| pack
    legend["n×#58; calls that took this edge<br/>\
unseen#58; no run took this edge<br/>\
only declared#58; neither runs nor the code take this edge<br/>\
contradicted#58; runs of both steps, but never in this order<br/>\
not declared#58; a call before any declared predecessor"]
    style legend fill:none,stroke:none,color:#6b7785
    classDef uncalled stroke:#9aa5b1,color:#6b7785
    class pack,mail uncalled
    classDef broken stroke:#c0392b,stroke-width:3px
    class ship broken
    linkStyle 0 stroke:#2a7d3f,stroke-width:3px
    linkStyle 5,8 stroke:#9aa5b1,stroke-width:1px
    linkStyle 6 stroke:#9aa5b1,stroke-width:1px,stroke-dasharray:1 4
    linkStyle 7 stroke:#9aa5b1,stroke-width:1px,stroke-dasharray:8 4
    linkStyle 1,3 stroke:#c0392b,stroke-width:2px,stroke-dasharray:1 4
    linkStyle 2,4 stroke:#c0392b,stroke-width:5px"""
    )


def test_dot() -> None:
    """Each status has a line of its own."""
    text = drawn("dot")
    lines = {line.split(" [")[0].strip(): line for line in text.splitlines()}

    assert r"orders\n1 of 7 edges seen (14 %), 1,234 runs\n2 contradicted" in text
    assert 'color="#2a7d3f", penwidth=2, label=" 1,234× "' in text
    assert "penwidth=4" in lines['"check" -> "charge"']
    assert "style=dotted" in lines['"pack" -> "ship"']
    assert "style=dashed" in lines['"ship" -> "mail"']
    assert "dotted" not in lines['"ship" -> "mail"']
    assert "constraint=false" in lines['"receive" -> "ship"']
    assert 'color="#c0392b"' in lines['"ship"']
    assert lines['"legend"'].count(r"\l") == 5


def test_text() -> None:
    """Each edge has a line below the boxes; undeclared edges have no other."""
    text = drawn("text")

    title = "orders: 1 of 7 edges seen (14 %), 1,234 runs, 2 contradicted"
    assert text.startswith(f"{title}, 2 not declared\n")
    assert lines_of(text) == EDGES
    assert "│ never called │" in text
    assert "earlier step" not in text
    assert {line[0] for line in text.splitlines() if " → " in line} == set("✓·?✗!")


def test_json() -> None:
    """Flows, steps and edges have evidence; undeclared edges are listed separately."""
    (found,) = json.loads(drawn("json"))["flows"]
    edges = {f"{e['before']} → {e['after']}": e["evidence"] for e in found["edges"]}

    assert found["evidence"] == {
        "runs": 1234,
        "edges": 7,
        "seen": 1,
        "contradicted": 2,
        "undeclared": 2,
    }
    assert edges["check → charge"] == {
        "declared": True,
        "found_in_code": True,
        "seen": 3,
        "contradicted": 2,
        "status": "contradicted",
    }
    assert edges["billing:invoice → pack"]["found_in_code"] is None
    assert edges["pack → ship"]["status"] == "declared-only"
    assert len(edges) == 7
    assert [(e["before"], e["after"]) for e in found["undeclared"]] == [
        ("receive", "ship"),
        ("check", "mail"),
    ]
    steps = {step["name"]: step["evidence"] for step in found["steps"]}
    assert steps["ship"] == {"calls": 2, "too_early": 2}
    (read,) = parse_manifest(drawn("json"), source="it")
    assert {step.name for step in read.steps} == {step.name for step in ORDERS.steps}


def test_svg() -> None:
    """Attributes have the status for style sheets, and titles the whole evidence."""
    svg = Svg(drawn("svg"))
    edges = svg.of_class("edge")

    assert edges["edge-pack-ship"].get("data-evidence") == "declared-only"
    assert svg.groups["step-ship"].get("data-evidence") == "broken"
    assert svg.groups["step-check"].get("data-evidence") is None
    titles = {key: one[0].text for key, one in edges.items()}
    says = "declared, found in the code, seen 3×, contradicted 2×"
    assert titles["edge-check-charge"] == f"check → charge: {says}"
    says = "not declared, found in the code, seen 2×"
    assert titles["edge-receive-ship"] == f"receive → ship: {says}"
    says = "declared, unclear in the code, never seen"
    assert titles["edge-billing_invoice-pack"] == f"billing:invoice → pack: {says}"
    assert len(svg.of_class("legend")) == 1
    assert len(svg.of_class("node")) == 8


@needs_draw
def test_png() -> None:
    """The picture has blue, grey and red lines."""
    png = draw((ORDERS,), (BILLING,), format="png", evidence=Sources(RUNS, CODE))
    assert isinstance(png, bytes)
    colours = {colour for _, colour in pixels(png).getcolors(1 << 24)}

    assert {(8, 96, 181), (129, 139, 152), (180, 35, 24)} <= colours


def test_html() -> None:
    """The panel shows all evidence, and the legend has checkboxes."""
    page = Page(drawn("html"))
    facts = page.facts["step-ship"]

    assert facts["calls"] == "2 calls, 2 too early"
    assert facts["joins"] == {
        "step-pack": "declared, not found in the code, never seen",
        "step-receive": "not declared, found in the code, seen 2×",
    }
    ticks = [given.get("id", "") for _, given in page.elements]
    assert {one for one in ticks if one.startswith("show-")} == {
        "show-seen",
        "show-unseen",
        "show-declared-only",
        "show-contradicted",
        "show-undeclared",
    }
    assert not page.of_class("legend")
    assert "12×" not in page.words


def test_no_evidence_and_nothing_of_it() -> None:
    """A page without evidence does not mention it."""
    for form in ("mermaid", "dot", "text", "json"):
        text = str(draw((ORDERS,), (BILLING,), format=form))

        assert not {word for word in ("evidence", "seen", "calls") if word in text}


def test_an_overview_sums() -> None:
    """A line of several edges and a box say how many edges were seen."""
    flows = (
        flow_of("a", {"x": None, "y": "x"}),
        flow_of("b", {"u": ["a:x"], "v": ["a:y", "u"], "w": ["a:x", "a:y"]}),
    )
    runs = {
        "a": recorded({"x": 3, "y": 2}, {("x", "y"): 2}),
        "b": recorded(
            {"u": 3, "v": 0},
            {("a:x", "u"): 3, ("a:y", "v"): (1, 1), ("u", "v"): 0, ("a:x", "w"): 4},
            broken={("u", "w"): 1, ("a:x", "v"): 1},
        ),
        "gone": recorded({}, {}, runs=0),
    }
    text = drawn("mermaid", flows=flows, evidence=Sources(runs), overview=True)
    lines = [line.strip() for line in text.splitlines()]

    assert "a -->|4 edges, 2 seen, 1× contradicted| b" in lines
    assert 'a["a<br/>2 steps<br/>1 of 1 edge seen (100 #37;), 1 run"]' in lines
    assert "class b broken" in lines
    assert "linkStyle 0 stroke:#c0392b,stroke-width:5px" in lines
    assert "legend" not in text

    whole = drawn("mermaid", flows=flows, evidence=Sources(runs), expand=("b",))
    assert "a -->|2 edges, 2 seen| w" not in whole
    assert "a -->|2 edges, 1 seen| w" in whole
    assert "u --x|not declared, 1×| w" in whole
    assert "a --x" not in whole
    assert "a -->|3×| u" in whole


def test_no_run_at_all() -> None:
    """With a report without runs, or of other flows, everything is grey."""
    assert "0 of 7 edges seen (0 #37;), 0 runs" in drawn(
        "mermaid", evidence=Sources({})
    )
    empty = drawn("text", flows=(BILLING,), evidence=Sources({}))
    assert empty.startswith("billing: 0 runs\n")
    assert empty.endswith("╝")


def test_runs_that_messages_began() -> None:
    """Runs are counted where they began, so a flow can have calls without runs."""
    runs = {"billing": recorded({"invoice": 1}, {}, runs=0)}
    orders = {**RUNS, "orders": replace_runs(RUNS["orders"], 0)}

    assert "14 %)\n" in drawn("dot", evidence=Sources(orders)).replace("\\n", "\n")
    text = drawn("mermaid", evidence=Sources(orders | runs))
    assert 'billing_invoice[["billing#58;invoice<br/>1 call"]]' in text


def replace_runs(flow: dict[str, Any], runs: int) -> dict[str, Any]:
    """Return a flow of a report with another number of runs."""
    return {**flow, "runs": runs}


def test_huge_counts() -> None:
    """Large numbers are written in full, with commas."""
    runs = {"billing": recorded({"invoice": 10**15}, {}, runs=10**15)}

    text = drawn("mermaid", flows=(BILLING,), evidence=Sources(runs))
    assert "1,000,000,000,000,000 calls" in text
    assert "1,000,000,000,000,000 runs" in text


def test_a_report_without_callers() -> None:
    """Older reports do not name the caller of an early call; the step is still red."""
    flow = recorded({"ship": 2}, {}, broken={("", "ship"): 2})
    del flow["violations"][0]["caller"]
    flow["violations"].append({**flow["violations"][0], "code": "R2"})
    flow["violations"].append({**flow["violations"][0], "step": "gone"})

    text = drawn("mermaid", evidence=Sources({"orders": flow}))
    assert "ship<br/>2 calls, 2 too early" in text
    assert "--x" not in text


def test_stale_evidence() -> None:
    """A warning names the steps, edges and flows that no longer exist."""
    runs = {
        "orders": recorded(
            {"receive": 1, "old": 1, "never": 0},
            {
                ("receive", "ship"): 1,
                ("receive", "old"): 1,
                ("old", "check"): 1,
                ("a:b", "check"): 0,
            },
        ),
        "billing": recorded({"refund": 3}, {("invoice", "refund"): 3}),
        "lost\x1b": recorded({"x": 1}, {}),
        "unused": recorded({"x": 0}, {}, runs=0),
    }
    with pytest.warns(UserWarning, match="names, which are not drawn") as told:
        drawn("mermaid", evidence=Sources(runs))

    (said,) = [str(one.message) for one in told]
    assert said.endswith(
        "step 'old' of 'orders', edge 'receive' → 'ship' of 'orders', "
        r"flow 'lost\x1b'."
    )


def test_very_much_is_gone() -> None:
    """The warning names five, and counts the others."""
    runs = {f"f{n:02}": recorded({"x": 1}, {}) for n in range(25)}

    with pytest.warns(UserWarning, match=r"flow 'f04' and 20 more\."):
        drawn("mermaid", evidence=Sources(runs))


def test_a_caller_of_another_flow_or_none() -> None:
    """A caller in another flow starts an edge if it is drawn."""
    runs = {
        "orders": recorded(
            {"check": 1},
            {},
            broken={
                ("billing:invoice", "check"): 1,
                ("mails:tell", "check"): 1,
                ("check", "charge"): 1,
            },
        )
    }
    code = CodeEvidence({("billing", "x", "y"): True}, [("billing", "x", "y")])
    text = drawn("mermaid", evidence=Sources(runs, code))

    assert "billing_invoice --x|not declared, 1×| check" in text
    assert text.count("--x") == 1


def test_names_that_are_words_of_ours() -> None:
    """A step named like the legend keeps its name, and hostile names are escaped."""
    hostile = '</text>"];x[">&|'
    mine = flow_of("legend", {"legend": None, hostile: "legend"})
    runs = {"legend": recorded({"legend": 1, hostile: 1}, {("legend", hostile): 1})}
    evidence = Sources(runs)

    dot = parse_dot(drawn("dot", flows=(mine,), evidence=evidence))
    assert len(dot.labels) == 3
    text = drawn("mermaid", flows=(mine,), evidence=evidence)
    assert 'legend_2["n×' in text
    assert hostile not in text


def test_services_share_a_flow() -> None:
    """The numbers are those of the whole flow, in the JSON of each service too."""
    shop = replace(flow_of("orders", {"receive": None}), service="shop")
    stock = replace(flow_of("orders", {"pack": "shop/orders:receive"}), service="stock")
    runs = {
        "orders": recorded(
            {"receive": 2, "pack": 1}, {("shop/orders:receive", "pack"): 1}
        )
    }
    found = json.loads(
        drawn("json", flows=(shop, stock), evidence=Sources(runs)),
    )

    assert [flow["evidence"]["seen"] for flow in found["flows"]] == [1, 1]
    text = drawn("mermaid", flows=(shop, stock), evidence=Sources(runs))
    assert "receive -.->|1×| pack" in text
    with pytest.warns(UserWarning, match="step 'receive' of 'orders'"):
        text = drawn("mermaid", flows=(stock,), evidence=Sources(runs))
    assert "shop_orders_receive -.->|1×| pack" in text


class TestGenerateDag:
    """``generate_dag(evidence=...)``."""

    name = ""

    @pytest.fixture(autouse=True)
    def declare(self) -> Any:
        """Declare a flow, and record two runs of it."""
        process_judge.clear()
        penstock.configure(conformance="record")
        self.name = unique("orders")
        orders = flow(self.name)

        @orders.entrypoint
        def receive() -> None:
            charge()

        @orders.step(after=receive)
        def charge() -> None: ...

        @orders.step(after=charge)
        def ship() -> None: ...

        receive()
        receive()
        yield
        process_judge.clear()

    def drawing(self, evidence: Any) -> dict[str, str]:
        """Return the evidence of the edges."""
        return lines_of(generate_dag(self.name, "text", evidence=evidence))

    def test_a_report(self) -> None:
        """A report is passed as an object or as a dict."""
        report = penstock.conformance_report()
        expected = {"receive → charge": "2×", "charge → ship": "unseen"}

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of flows of other tests
            assert self.drawing(report) == expected
            assert self.drawing(report.to_dict()) == expected

    def test_files(self, tmp_path: Path) -> None:
        """One file or several, which are added up."""
        path = tmp_path / "runs.json"
        flows = penstock.conformance_report().to_dict()["flows"]
        path.write_text(json.dumps({"flows": {self.name: flows[self.name]}}))

        assert self.drawing(path)["receive → charge"] == "2×"
        assert self.drawing(str(path))["receive → charge"] == "2×"
        assert self.drawing([path, path])["receive → charge"] == "4×"

    def test_no_report(self, tmp_path: Path) -> None:
        """A wrong report is an error, and no file is written."""
        output = tmp_path / "flow.txt"

        with pytest.raises(ConfigurationError, match="is not a conformance report"):
            generate_dag(self.name, output=output, evidence=tmp_path / "none.json")
        assert not output.exists()

    def test_a_call_too_early_names_its_caller(self) -> None:
        """The red edge begins at the caller."""
        orders = flow(self.name)

        @orders.entrypoint
        def hurry() -> None:
            pack()

        @orders.step(after="charge")
        def pack() -> None: ...

        hurry()
        flows = penstock.conformance_report().to_dict()["flows"]
        drawing = self.drawing({"flows": {self.name: flows[self.name]}})

        assert drawing["hurry → pack"] == "not declared, 1×"
