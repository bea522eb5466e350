"""How real projects call steps: programs, each with the calls that it makes."""

from __future__ import annotations

import json
from textwrap import dedent

import pytest

from tests.checking.conftest import CheckedProject, needed

HEAD = """
from penstock import flow

f = flow("{name}")
"""

PROGRAMS = {
    "a name that many classes have": """
        class Store:
            @f.step(after="receive")
            def create(self): ...

            @f.step(after="receive")
            def get(self): ...

            @f.step(after="receive")
            def reindex(self): ...

        @f.entrypoint
        def receive(row, store):
            row.create()
            row.get(1)
            store.reindex()

        # receive -> reindex
    """,
    "a decorator that calls a step": """
        from functools import wraps

        def audited(func):
            @wraps(func)
            def inner(order):
                audit(order)
                return func(order)
            return inner

        @f.entrypoint
        def receive(order):
            charge(order)

        @audited
        def charge(order):
            ship(order)

        @f.step(after="receive")
        def audit(order): ...

        @f.step(after="audit")
        def ship(order): ...

        # receive -> audit ship
    """,
    "a decorator that is given something": """
        def retried(times):
            def around(func):
                def inner(*args):
                    for _ in range(times):
                        refresh()
                        func(*args)
                return inner
            return around

        class Service:
            @retried(3)
            def charge(self, order):
                ship(order)

        @f.entrypoint
        def receive(order):
            Service().charge(order)

        @f.step(after="receive")
        def refresh(): ...

        @f.step(after="refresh")
        def ship(order): ...

        # receive -> refresh ship
    """,
    "a decorator that is part of a step": """
        from functools import wraps

        def audited(func):
            @wraps(func)
            def inner(order):
                audit(order)
                return func(order)
            return inner

        @f.entrypoint
        def receive(order):
            charge(order)

        @f.step(after="receive")
        @audited
        def charge(order): ...

        @f.step(after="charge")
        def audit(order): ...

        # receive -> charge, charge -> audit
    """,
    "an iterator of our own": """
        class Lines:
            def __init__(self, source):
                self.source = iter(source)

            def __next__(self):
                return next(self.source)

            def first(self):
                return next(self)

        def parse(text):
            for line in text:
                yield check(line)

        @f.entrypoint
        def receive(text):
            return Lines(parse(text)).first()

        @f.step(after="receive")
        def check(line): ...

        # receive -> check
    """,
    "a loop over an object": """
        class Pages:
            def __iter__(self):
                return self

            def __next__(self):
                return fetch(self)

        @f.entrypoint
        def receive():
            for page in Pages():
                store(page)

        @f.step(after="receive")
        def fetch(pages): ...

        @f.step(after="fetch")
        def store(page): ...

        # receive -> fetch store
    """,
    "a list that a generator fills": """
        def found(order):
            yield look_up(order)

        @f.entrypoint
        def receive(order):
            everything = []
            everything.extend(found(order))

        @f.step(after="receive")
        def look_up(order): ...

        # receive -> look_up
    """,
    "a visitor with a second name for a method": """
        class Visitor:
            def visit(self, node):
                return getattr(self, f"visit_{node.kind}", self.generic)(node)

            def generic(self, node):
                return ignore(node)

            def _simple(self, node):
                return simple(node)

            visit_name = _simple

            def visit_call(self, node):
                return call(node)

        @f.entrypoint
        def receive(tree):
            Visitor().visit(tree)

        @f.step(after="receive")
        def simple(node): ...

        @f.step(after="receive")
        def call(node): ...

        @f.step(after="receive")
        def ignore(node): ...

        # receive -> simple call ignore
    """,
    "a named tuple of functions": """
        from collections import namedtuple
        from typing import Callable, NamedTuple

        class Ways(NamedTuple):
            good: Callable
            bad: Callable = None

        Pair = namedtuple("Pair", "first second")

        @f.entrypoint
        def receive(order):
            ways = Ways(charge, bad=refuse)
            (ways.good if order else ways.bad)(order)
            pair = Pair(ship, second=tell)
            pair.first(order)
            pair.second(order)

        @f.step(after="receive")
        def charge(order): ...

        @f.step(after="receive")
        def refuse(order): ...

        @f.step(after="charge")
        def ship(order): ...

        @f.step(after="ship")
        def tell(order): ...

        # receive -> charge refuse ship tell
    """,
    "a property that is read and set": """
        class Order:
            @property
            def state(self):
                return read_state(self)

            @state.setter
            def state(self, value):
                change_state(self)

        @f.entrypoint
        def receive(key):
            order = Order()
            order.state = order.state

        @f.step(after="receive")
        def read_state(order): ...

        @f.step(after="read_state")
        def change_state(order): ...

        # receive -> read_state change_state
    """,
    "a registry that a decorator fills": """
        HANDLERS = {}

        def handles(kind):
            def keep(func):
                HANDLERS[kind] = func
                return func
            return keep

        @handles("paid")
        @f.step(after="receive")
        def ship(order): ...

        @handles("refused")
        def refused(order):
            refund(order)

        @f.entrypoint
        def receive(order):
            HANDLERS[order.kind](order)

        @f.step(after="receive")
        def refund(order): ...

        # receive -> ship refund
    """,
    "a registry of a class": """
        class Bus:
            def __init__(self):
                self.handlers = {}

            def on(self, kind):
                def keep(func):
                    self.handlers.setdefault(kind, []).append(func)
                    return func
                return keep

            def subscribe(self, kind, func):
                self.handlers.setdefault(kind, []).append(func)

            def publish(self, kind, order):
                for handler in self.handlers.get(kind, []):
                    handler(order)

        bus = Bus()

        @bus.on("paid")
        def paid(order):
            ship(order)

        @f.entrypoint
        def receive(order):
            bus.publish("paid", order)

        @f.step(after="receive")
        def ship(order): ...

        @f.step(after="receive")
        def tell(order): ...

        bus.subscribe("paid", tell)

        # receive -> ship tell
    """,
    "a table that is filled later": """
        TABLE = {}

        @f.entrypoint
        def receive(order):
            TABLE[order](order)
            for func in LIST:
                func(order)

        @f.step(after="receive")
        def ship(order): ...

        @f.step(after="receive")
        def tell(order): ...

        @f.step(after="receive")
        def file(order): ...

        LIST = []
        LIST.append(file)
        TABLE["ship"] = ship
        TABLE.update(tell=tell)

        # receive -> ship tell file
    """,
    "a function of several kinds": """
        from functools import singledispatch

        @singledispatch
        def handle(event):
            ignore(event)

        @handle.register
        def _(event: int):
            count(event)

        @handle.register(str)
        def read(event):
            store(event)

        @f.entrypoint
        def receive(event):
            handle(event)

        @f.step(after="receive")
        def ignore(event): ...

        @f.step(after="receive")
        def count(event): ...

        @f.step(after="receive")
        def store(event): ...

        # receive -> ignore count store
    """,
    "things to do at the end": """
        from contextlib import ExitStack, contextmanager

        @contextmanager
        def locked(order):
            lock(order)
            yield
            unlock(order)

        @f.entrypoint
        def receive(order):
            with ExitStack() as stack:
                stack.enter_context(locked(order))
                stack.callback(tell, order)

        @f.step(after="receive")
        def lock(order): ...

        @f.step(after="lock")
        def unlock(order): ...

        @f.step(after="lock")
        def tell(order): ...

        # receive -> lock unlock tell
    """,
    "a signal": """
        class Signal:
            def __init__(self):
                self.receivers = []

            def connect(self, func):
                self.receivers.append(func)
                return func

            def send(self, **named):
                return [receiver(**named) for receiver in self.receivers]

        paid = Signal()

        @paid.connect
        def on_paid(order):
            ship(order)

        @f.entrypoint
        def receive(order):
            paid.send(order=order)

        @f.step(after="receive")
        def ship(order): ...

        # receive -> ship
    """,
    "a table that only classes below have": """
        @f.step(after="receive")
        def plain_csv(order): ...

        @f.step(after="receive")
        def plain_json(order): ...

        class Format:
            WAYS: dict

            def write(self, order):
                self.WAYS.get(order.kind)(order)

        class Csv(Format):
            WAYS = {"plain": plain_csv}

        class Json(Format):
            WAYS = {"plain": plain_json}

        @f.entrypoint
        def receive(order, format: Format):
            format.write(order)

        # receive -> plain_csv plain_json
    """,
    "what a class of another package adds": """
        from collections import UserDict

        class Order(UserDict): ...

        class Invoice:
            @f.step(after="receive")
            def create(self): ...

        @f.entrypoint
        def receive():
            Order.objects.create()
            ship()

        @f.step(after="receive")
        def ship(): ...

        # receive -> ship
    """,
    "a decorator that copies a name": """
        from functools import wraps

        def retried(func):
            @wraps(func)
            def again(*args, **named):
                return func(*args, **named)
            return again

        @retried
        def pay(order):
            charge(order)

        @f.entrypoint
        def receive(order):
            pay(order)

        @f.step(after="receive")
        def charge(order):
            return order

        # receive -> charge
    """,
    "what a generator does at its end": """
        def lines(order):
            yield order
            close(order)

        @f.entrypoint
        def receive(order):
            return [line for line in lines(order)]

        @f.step(after="receive")
        def close(order): ...

        # receive -> close
    """,
    "a decorator that is a class": """
        class Timed:
            def __init__(self, func):
                self.func = func

            def __call__(self, *args):
                measure()
                return self.func(*args)

        @Timed
        def work(order):
            ship(order)

        @f.entrypoint
        def receive(order):
            work(order)

        @f.step(after="receive")
        def measure(): ...

        @f.step(after="measure")
        def ship(order): ...

        # receive -> measure ship
    """,
}


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> CheckedProject:
    """Write all programs, to check them at once."""
    needed()
    project = CheckedProject(tmp_path_factory.mktemp("reading"))
    project.write("programs/__init__.py", "")
    for number, (name, code) in enumerate(PROGRAMS.items()):
        project.write(f"programs/p{number}.py", HEAD.format(name=name) + dedent(code))
    return project


@pytest.fixture(scope="module")
def calls(programs: CheckedProject) -> dict[str, set[tuple[str, str]]]:
    """Return for each program the calls that ``--calls`` lists."""
    result = programs.check("programs.**", "--calls", "calls.json")
    assert result.returncode == 0, result.stdout + result.stderr
    found: dict[str, set[tuple[str, str]]] = {name: set() for name in PROGRAMS}
    names = list(PROGRAMS)
    text = (programs.root / "calls.json").read_text(encoding="utf-8")
    for call in json.loads(text):
        number = int(call["from"].split(".")[1].removeprefix("p"))
        found[names[number]].add((_last(call["from"]), _last(call["to"])))
    return found


def _last(name: str) -> str:
    return name.rpartition(".")[2]


@pytest.mark.parametrize("name", PROGRAMS)
def test_calls_are_found(calls: dict[str, set[tuple[str, str]]], name: str) -> None:
    """The check finds each of these calls, and no others."""
    line = PROGRAMS[name].rstrip().rpartition("# ")[2]
    known: set[tuple[str, str]] = set()
    for part in line.split(", "):
        caller, _, called = part.partition(" -> ")
        known |= {(caller, one) for one in called.split()}

    assert calls[name] == known


def test_what_is_declared_in_them_holds(programs: CheckedProject) -> None:
    """Where the check sees every call in order, it reports no error or warning."""
    levels = {finding["level"] for finding in programs.findings("programs.**")}

    assert levels <= {"info"}


STEPS = """

@f.step(after="receive")
def charge(*given): ...

@f.step(after="charge")
def ship(*given): ...
"""
LARGE = {
    "900 elif": "    if x == 0:\n        ship()\n"
    + "".join(f"    elif x == {n}:\n        ship()\n" for n in range(900)),
    "900 terms": f"    return {' + '.join(['x'] * 900)} + ship()\n",
    "90 brackets": f"    return {'str(' * 90}ship(){')' * 90}\n",
    "90 conditions": "".join(f"{'    ' * n}if x:\n" for n in range(1, 91))
    + f"{'    ' * 91}ship()\n",
    "500 calls": "    h0(x)\n"
    + "".join(f"\ndef h{n}(x):\n    return [h{n + 1}(x)]\n" for n in range(500))
    + "\ndef h500(x):\n    return ship()\n",
}


@pytest.mark.parametrize("name", LARGE)
def test_generated_code(project: CheckedProject, name: str) -> None:
    """However long or deep generated code is, each call in it is seen."""
    program = "@f.entrypoint\ndef receive(x):\n    charge()\n" + LARGE[name]
    path = project.root / "large.py"
    path.write_text(HEAD.format(name=name) + program + STEPS, encoding="utf-8")

    result = project.check("large", "--calls", "calls.json")

    assert result.returncode == 0, result.stdout + result.stderr
    text = (project.root / "calls.json").read_text(encoding="utf-8")
    assert {_last(call["to"]) for call in json.loads(text)} == {"charge", "ship"}


def test_too_deep(project: CheckedProject) -> None:
    """A function that is nested too deeply is named, and the check goes on."""
    program = f"""
@f.entrypoint
def receive(x):
    ship()
    x{".a()" * 400}
    charge()
"""
    path = project.root / "deep.py"
    path.write_text(HEAD.format(name="deep") + program + STEPS, encoding="utf-8")

    assert project.codes("deep") == ["PEN101 ship", "PEN301"]
    (info,) = [f for f in project.findings("deep") if f["level"] == "info"]
    assert info["message"].startswith("receive is nested too deeply to be read")
