"""How penstock works, as one of its own flows: ``python -m examples.penstock_itself``.

``docs/explanation/architecture.md`` shows the diagram. The functions do nothing: they
stand for the stages of the library, in the order in which these happen. The tag of each
is the module or package below ``src/penstock`` that does the work.
"""

from __future__ import annotations

from penstock import configure, flow, generate_dag

itself = flow(
    "penstock",
    owner="penstock",
    description="From a decorator to a log line, a diagram and a verdict",
)


@itself.entrypoint(tags=("_declaring",))
def declare() -> None:
    """Read ``@flow``, ``@entrypoint`` and ``@step`` while a module is imported."""
    wrap()
    register()
    run()
    build_graph()
    check()
    overlay_evidence()
    draw()


@itself.step(after=declare, tags=("_runtime",))
def wrap() -> None:
    """Replace the function by one that runs it in its flow."""


@itself.step(after=declare, tags=("_registry",))
def register() -> None:
    """Remember the steps and edges of the flow."""


@itself.step(after=wrap, tags=("_runtime",))
def run() -> None:
    """Find the run that a call belongs to, and call the user's function in it."""
    judge()
    record()


@itself.step(after=run, tags=("conformance",))
def judge() -> None:
    """Decide whether the call follows the declared order."""


@itself.step(after=run, tags=("backends",))
def record() -> None:
    """Write log lines, or open and close a span."""


@itself.step(after=register, tags=("_graph",))
def build_graph() -> None:
    """Turn flows into nodes, edges and layers."""


@itself.step(after=register, tags=("checking",))
def check() -> None:
    """Compare the declared order with the source, without running it."""


@itself.step(after=["judge", "check"], tags=("_graph",))
def overlay_evidence() -> None:
    """Add what runs and the source show about each edge."""


@itself.step(after=["build_graph", "overlay_evidence"], tags=("renderers",))
def draw() -> None:
    """Render the graph in one format."""


def main() -> None:
    """Go through the stages in order, and show the flow."""
    configure(conformance="raise")  # the order below is the declared one
    declare()
    print(generate_dag("penstock"))


if __name__ == "__main__":
    main()
