"""The real parsers of the languages that penstock draws in."""

from __future__ import annotations

import json
import re
import warnings
from html import unescape
from importlib import resources
from typing import Any, NamedTuple

import pytest

__all__ = ["Drawing", "Mermaid", "Sequence", "parse_dot"]

_SCRIPT = """
globalThis.parse = (text) => {
  globalThis.result = null;
  mermaid.mermaidAPI.getDiagramFromText(text).then(
    ({db}) => {
      globalThis.result = JSON.stringify({
        nodes: [...db.getVertices().values()].map((node) => [node.id, node.text]),
        edges: db.getEdges().map((edge) => [edge.start, edge.end]),
        frames: db.getSubGraphs().map((graph) => [graph.title, graph.nodes]),
      });
    },
    (error) => { globalThis.result = JSON.stringify({error: String(error)}); },
  );
};
globalThis.parseSequence = (text) => {
  globalThis.result = null;
  mermaid.mermaidAPI.getDiagramFromText(text).then(
    ({db}) => {
      globalThis.result = JSON.stringify({
        title: db.getDiagramTitle(),
        actors: [...db.getActors().values()].map((one) => [one.name, one.description]),
        messages: db.getMessages().map((one) => [
          one.from, one.to,
          Object.keys(db.LINETYPE).find((kind) => db.LINETYPE[kind] === one.type),
          one.message,
        ]),
      });
    },
    (error) => { globalThis.result = JSON.stringify({error: String(error)}); },
  );
};
"""
# What Mermaid's layout needs from a browser; parsing does not need it.
_BROWSER = """
globalThis.__log = globalThis.__measureText = () => 0;
globalThis.__measureTextFull = globalThis.__measureForeignObject = () => ({});
globalThis.__measureGlyphs = () => [];
"""

_ESCAPES = {"n": "\n"}


class Drawing(NamedTuple):
    """What a parser found: labels of nodes, edges, and frames with their nodes."""

    labels: dict[str, str]
    edges: list[tuple[str, str]]
    frames: list[tuple[str, list[str]]]

    def named_edges(self) -> list[tuple[str, str]]:
        """Return the edges with labels for identifiers, sorted."""
        return sorted((self.labels[one], self.labels[two]) for one, two in self.edges)


class Sequence(NamedTuple):
    """What a parser found: the title, the participants, and all arrows and notes.

    These are (from, to, kind, text).
    """

    title: str
    participants: list[str]
    messages: list[tuple[str, str, str, str]]


class Mermaid:
    """Mermaid, running in V8."""

    def __init__(self) -> None:
        racer = pytest.importorskip("py_mini_racer", reason="needs mini-racer")
        pytest.importorskip("mermaidx", reason="needs mermaidx")
        self._context = racer.MiniRacer()
        assets = resources.files("mermaidx") / "assets"
        self._context.eval(_BROWSER)
        for name in ("path_bbox.js", "dom_shim.js", "mermaid.js"):
            self._context.eval((assets / name).read_text(encoding="utf-8"))
        self._context.eval(
            "globalThis.mermaid = globalThis.__esbuild_esm_mermaid_nm.mermaid.default;"
            "__resetDocument();"
            "mermaid.initialize({startOnLoad: false, securityLevel: 'strict',"
            " maxEdges: 1e9, maxTextSize: 1e9});" + _SCRIPT
        )

    def parse(self, text: str) -> Drawing:
        """Return what Mermaid reads in *text*; a syntax error fails the test."""
        found = self._read("parse", text)
        return Drawing(
            {node: _shown(label) for node, label in found["nodes"]},
            [(start, end) for start, end in found["edges"]],
            [(_shown(title), nodes) for title, nodes in found["frames"]],
        )

    def parse_sequence(self, text: str) -> Sequence:
        """Return the sequence diagram in *text*; a syntax error fails the test."""
        found = self._read("parseSequence", text)
        names = {name: _shown(label) for name, label in found["actors"]}
        return Sequence(
            _shown(found["title"]),
            list(names.values()),
            [
                (names[start], names[end], kind, _shown(label))
                for start, end, kind, label in found["messages"]
            ],
        )

    def _read(self, parse: str, text: str) -> dict[str, Any]:
        self._context.eval(f"{parse}({json.dumps(text)})")
        found: dict[str, Any] = json.loads(self._context.eval("result"))
        assert "error" not in found, f"{found['error']}\n{text}"
        return found

    def close(self) -> None:
        """Free V8."""
        self._context.close()


def _shown(label: str) -> str:
    """Return the text that a reader sees, with Mermaid's entities decoded."""
    html = label.replace("ﬂ°°", "&#").replace("ﬂ°", "&").replace("¶ß", ";")
    return unescape(re.sub("<br ?/>", "\n", html))


def parse_dot(text: str) -> Drawing:
    """Return what a parser of Graphviz's language reads in *text*."""
    pydot = pytest.importorskip("pydot", reason="needs pydot")
    with warnings.catch_warnings():
        # It still calls pyparsing by names that the newest release deprecates.
        warnings.simplefilter("ignore", DeprecationWarning)
        (whole,) = pydot.graph_from_dot_data(text)
    labels: dict[str, str] = {}
    frames: list[tuple[str, list[str]]] = []
    for part in (whole, *whole.get_subgraphs()):
        names = {node.get_name(): node.get_attributes() for node in part.get_nodes()}
        looks = names.pop("graph")
        names.pop("node", None)
        names.pop("edge", None)
        own = {
            _plain(name): _plain(attributes.get("label", name))
            for name, attributes in names.items()
        }
        labels |= own
        if part is not whole:
            frames.append((_plain(looks["label"]), list(own)))
    edges = [
        (_plain(edge.get_source()), _plain(edge.get_destination()))
        for edge in whole.get_edges()
    ]
    return Drawing(labels, edges, frames)


def _plain(quoted: str) -> str:
    """Return what a quoted text shows."""
    escaped = re.sub(
        r"\\(.)", lambda found: _ESCAPES.get(found[1], found[1]), quoted[1:-1]
    )
    return unescape(escaped)
