"""PEN005: an override that is left alone is not the step."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import pytest

from penstock import configure, conformance_report
from tests.support.projects import within

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject

IMPORTER = """
    from functools import cached_property, partialmethod

    from penstock import entrypoint, flow, step


    @flow("imports")
    class Importer:
        @entrypoint
        def run(self):
            self.fetch()
            self.store()

        @step(after="run")
        def fetch(self): ...

        @step(after="fetch")
        def store(self): ...


    class Plugin(Importer):
        def __init_subclass__(cls, **options): ...


    class Mixin:
        def fetch(self): ...


    def read(self, name=""): ...


"""
NOT = "is not the step that it overrides:"
LATER = f"{NOT} it was assigned after the class was made. Define it in the class."
OBJECT = f"{NOT} it is a {{}}, not a function. Define a method that calls it."
HOOK = (
    f"{NOT} Plugin.__init_subclass__() does not call super(). Call "
    "super().__init_subclass__()."
)


@pytest.mark.parametrize(
    ("classes", "line", "message"),
    [
        (
            """
    class Csv(Importer):
        fetch = partialmethod(read, "x")
""",
            2,
            OBJECT.format("partialmethod"),
        ),
        (
            """
    class Csv(Importer):
        @cached_property
        def fetch(self): ...
""",
            3,
            OBJECT.format("cached_property"),
        ),
        ("class Csv(Importer): ...\n\n    Csv.fetch = read", 3, LATER),
        ("class Csv(Importer): ...\n\n    setattr(Csv, 'fetch', read)", 1, LATER),
        ("class Csv(Plugin): ...\n\n    Csv.fetch = staticmethod(read)", 3, LATER),
        (
            """
    class Csv(Plugin):
        def fetch(self): ...
""",
            2,
            HOOK,
        ),
        ("class Csv(Mixin, Plugin): ...", 1, HOOK),
    ],
)
def test_override_that_is_left_alone(
    project: CheckedProject, classes: str, line: int, message: str
) -> None:
    """The finding says what keeps it from being the step, and where it is."""
    project.write("imports.py", f"{IMPORTER}    {classes.strip()}\n")

    (found,) = [one for one in project.findings("imports") if one["code"] == "PEN005"]

    assert found["message"] == f"Csv.fetch {message}"
    assert found["line"] == IMPORTER.count("\n") + line - 1
    assert (found["level"], found["flow"], found["step"]) == (
        "warning",
        "imports",
        "fetch",
    )


@pytest.mark.parametrize(
    "classes",
    [
        "class Csv(Importer):\n        def fetch(self): ...",
        "class Csv(Importer):\n        fetch = read",
        "class Csv(Mixin, Importer): ...",
        "class Csv(Importer):\n        other = 1",
        "class Csv(Importer):\n        @step\n        def fetch(self): ...",
    ],
)
def test_override_that_is_the_step(project: CheckedProject, classes: str) -> None:
    """What penstock marks is not reported."""
    project.write("imports.py", f"{IMPORTER}    {classes}\n")

    assert "PEN005" not in str(project.codes("imports"))


def test_override_in_a_test(project: CheckedProject) -> None:
    """A stub in a test, or in another project, is not reported."""
    project.write("imports.py", IMPORTER)
    project.write(
        "tests/test_imports.py",
        "import imports\n\nclass Stub(imports.Importer):\n    fetch = None\n",
    )
    project.write("all.py", "import imports\nimport tests.test_imports\n")

    assert "PEN005" not in str(project.codes("all"))


def test_override_of_a_flow_that_is_not_checked(project: CheckedProject) -> None:
    """Only the flows of the targets are judged."""
    project.write(
        "imports.py", f"{IMPORTER}    class C(Importer):\n        fetch = 1\n"
    )
    project.write(
        "other.py",
        """
        import imports
        from penstock import flow
        f = flow("other")

        @f.entrypoint
        def go(): ...
        """,
    )

    assert "PEN005" in str(project.codes("other"))
    assert project.codes("other:f") == []


def test_override_that_is_left_alone_does_not_count(project: CheckedProject) -> None:
    """A call of it is not a call of the step, so that the step may not have run."""
    importer = IMPORTER.replace("(self): ...", "(self): return 1")
    for base, others in {
        "Importer": [],
        "Plugin": ["PEN005 fetch", "PEN301 store"],
    }.items():
        csv = f"class Csv({base}):\n        def fetch(self): return 2\n"
        project.write("imports.py", f"{importer}    {csv}")

        assert project.codes("imports") == others


SHARED = """
    from penstock import entrypoint, flow, step

    orders = flow("orders")


    @flow("imports")
    class Importer:
        @entrypoint
        def run(self):
            self.prepare()
            self.fetch()
            self.store()

        @step(after="run")
        def prepare(self):
            return 1

        @step(after="prepare")
        def fetch(self):
            return 1

        @step(after="fetch")
        def store(self):
            return 1


"""
PROGRAMS = {
    "super() of a step in an override that comes too late": (
        """
    class Csv(Importer):
        def run(self):
            super().fetch()
            self.prepare()

    main = Csv().run
""",
        {"fetch"},
    ),
    "super() of an override is no call of the step": (
        """
    class Csv(Importer):
        def run(self):
            self.prepare()
            self.fetch()
            self.store()

        def store(self):
            self.check()
            return super().store()

        @step(after="prepare")
        def fetch(self):
            return super().fetch()

        def check(self):
            return super().prepare()

    main = Csv().run
""",
        set(),
    ),
    "super() of an entrypoint runs it in the same run": (
        """
    class Csv(Importer):
        def run(self):
            self.store()
            super().run()

        def prepare(self):
            return Importer.prepare(self)

    main = Csv().run
""",
        {"store"},
    ),
    "super() in a flow of its own": (
        """
    @flow("csv")
    class Csv(Importer):
        @entrypoint
        def run(self):
            self.store()

        @step(after="run")
        def fetch(self):
            return super().fetch()

        @step(after="run")
        def store(self):
            self.fetch()

    class Special(Csv):
        def fetch(self):
            return super().fetch()

        def store(self):
            super().store()
            self.late()

        def late(self):
            return self.prepare()

    main = Special().run
""",
        set(),
    ),
    "a mixin is a step in a class with a flow": (
        """
    class Fetching:
        def fetch(self):
            return 2

    class Csv(Fetching, Importer):
        def run(self):
            self.fetch()

    main = Csv().run
""",
        {"fetch"},
    ),
    "a mixin is no step in a class without a flow": (
        """
    class Fetching:
        def fetch(self):
            return 2

    class Csv(Fetching, Importer): ...

    class Other(Fetching): ...

    class Runner(Importer):
        def run(self):
            Other().fetch()
            self.store()

    main = Runner().run
""",
        {"store"},
    ),
    "an override of a method whose marker names the flow": (
        """
    class Store:
        @orders.step(after="receive")
        def put(self):
            return 1

    class Disk(Store):
        def put(self):
            return 2

    @orders.entrypoint
    def receive():
        Disk().put()
        done()

    @orders.step(after="put")
    def done(): ...

    main = receive
""",
        set(),
    ),
    "an override of a static step": (
        """
    @flow("files")
    class Base:
        @entrypoint
        def run(self):
            self.load()

        @step(after="open")
        @staticmethod
        def load():
            return 1

        @step(after="run")
        def open(self):
            return 1

    class Sub(Base):
        @staticmethod
        def load():
            return Base.load()

    main = Sub().run
""",
        {"load"},
    ),
}


@pytest.mark.usefixtures("clean_counts")
@pytest.mark.parametrize("name", PROGRAMS)
def test_the_check_agrees_with_the_runs(project: CheckedProject, name: str) -> None:
    """The check finds what a run breaks, and nothing else."""
    program, broken = PROGRAMS[name]
    project.write("program.py", SHARED + program.lstrip("\n"))
    with within(project.root, {"PYTHONPATH": str(project.root)}):
        configure(conformance="record")
        importlib.import_module("program").main()
        flows = conformance_report().to_dict()["flows"].values()
        ran = {one["step"] for flow in flows for one in flow["violations"]}

    assert ran == broken
    found = project.findings("program")
    assert {f["step"] for f in found if f["code"] == "PEN101"} == broken - {"done"}
    # A name is enough for doubt: the check cannot be sure that no "put" ran.
    assert ("PEN301 done" in project.codes("program")) == ("done" in broken)
