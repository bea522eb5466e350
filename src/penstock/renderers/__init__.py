"""Draw graphs, one module per format, and the types that a renderer needs.

A package adds a format with an entry point in the group ``penstock.renderers``: its
name is the format's, and it loads a ``Renderer``. What is exported here is public.
"""

from __future__ import annotations

from penstock._graph.builder import NodeKind
from penstock._graph.evidence import (
    EdgeEvidence,
    EdgeStatus,
    FlowEvidence,
    GraphEvidence,
    StepEvidence,
)
from penstock._graph.graph import Bundle, Cluster, Edge, Graph, Node

from .formats import Direction, Renderer

__all__ = [
    "Bundle",
    "Cluster",
    "Direction",
    "Edge",
    "EdgeEvidence",
    "EdgeStatus",
    "FlowEvidence",
    "Graph",
    "GraphEvidence",
    "Node",
    "NodeKind",
    "Renderer",
    "StepEvidence",
]
