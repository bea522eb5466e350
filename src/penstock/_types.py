"""What penstock knows about a flow and its steps, as plain values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StepInfo:
    """One step or entrypoint of one flow, as declared.

    Attributes:
        name: The step's name, unique in its flow.
        flow: The name of its flow.
        is_entrypoint: Whether a run of the flow may begin here.
        after: What must have run before: alternatives, of which at least one
            must hold; each is a tuple of names that must all hold (more than
            one only for ``all_of``). Names are as declared: ``"charge"``,
            ``"billing:invoice"`` or ``"shop/orders:publish"``.
        description: First line of the docstring.
        doc: The whole docstring, without its indentation.
        tags: Free labels, in declared order.
        module: Module of the function.
        qualname: Qualified name of the function.
        path: Source file of the function, ``""`` if it has none.
        line: First line of the function in *path*, 0 if it has none.
        is_async: Whether calls are awaited (or iterated with ``async for``).
        crosses: Whether a message brings each call, as it does to a task or a
            consumer, so that edges into the step cross processes.
        signature: What the function takes and returns, as ``(order: str) -> int``,
            ``""`` if that is not known.
        is_generator: Whether calls yield items, with ``async for`` or without.
        is_guess: Whether only its name says that it is called, in a draft.
    """

    name: str
    flow: str
    is_entrypoint: bool = False
    after: tuple[tuple[str, ...], ...] = ()
    description: str = ""
    doc: str = ""
    tags: tuple[str, ...] = ()
    module: str = ""
    qualname: str = ""
    path: str = ""
    line: int = 0
    is_async: bool = False
    crosses: bool = False
    signature: str = ""
    is_generator: bool = False
    is_guess: bool = False

    @property
    def predecessors(self) -> tuple[str, ...]:
        """Every name in *after* once, in declared order."""
        return tuple(dict.fromkeys(name for group in self.after for name in group))


@dataclass(frozen=True, slots=True)
class FlowInfo:
    """One flow, as declared.

    Attributes:
        name: The flow's name.
        steps: Its steps, in the order in which they were declared.
        owner: Who is responsible for it, ``""`` if not declared.
        description: One line about it.
        tags: Free labels, in declared order.
        service: The service that declares it, ``""`` if it has no name.
        source_url: Where its source can be read: an address with ``{path}`` and
            ``{line}`` of a step in it, ``""`` if not configured.
    """

    name: str
    steps: tuple[StepInfo, ...] = ()
    owner: str = ""
    description: str = ""
    tags: tuple[str, ...] = ()
    service: str = ""
    source_url: str = ""

    def step(self, name: str) -> StepInfo | None:
        """Return the step of that *name*, or None."""
        return next((step for step in self.steps if step.name == name), None)
