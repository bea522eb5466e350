"""``penstock check``: what it prints, and when it fails."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.projects import PROCESS

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject


def test_full(project: CheckedProject) -> None:
    """Each finding says where, what is declared, what was found, and the fix."""
    result = project.check("shop.orders")

    assert result.returncode == 1
    assert result.stdout == (
        "shop/orders.py:9: PEN101 orders/ship: called before any step it is "
        "declared after\n"
        '  declared  after="pack"       shop/orders.py:21\n'
        "  found     receive → ship     shop/orders.py:9\n"
        '  fix       move the call, or declare after=["pack", "receive"]\n'
        "shop/orders.py:25: PEN201 orders/pack: nothing calls this step\n"
        "1 flow, 5 steps: 1 error, 1 warning\n"
    )


def test_fix_makes_it_clean(project: CheckedProject) -> None:
    """Applying the suggested fixes leaves no findings."""
    path = project.root / "shop/orders.py"
    text = path.read_text(encoding="utf-8").partition('@orders.step(after="charge")')
    path.write_text(text[0].replace('"pack"', '["receive"]'), encoding="utf-8")

    result = project.check("shop.orders")

    assert result.stdout == "1 flow, 4 steps: no findings\n"
    assert result.returncode == 0


def test_infos_do_not_fail(project: CheckedProject) -> None:
    """What cannot be decided is an info, which does not fail the check."""
    project.write(
        "perhaps.py",
        """
        from penstock import flow
        f = flow("f")

        @f.entrypoint
        def start(x):
            if x:
                enrich()
            save()

        @f.step(after="start")
        def enrich(): ...

        @f.step(after="enrich")
        def save(): ...
        """,
    )

    result = project.check("perhaps")

    assert result.returncode == 0
    assert "perhaps.py:8: PEN301 f/save: some path may skip 'enrich'" in result.stdout
    assert result.stdout.endswith("\n1 flow, 3 steps: 1 info\n")


def test_json(project: CheckedProject) -> None:
    """``--format json`` prints a list of objects."""
    first = project.findings("shop.orders")[0]

    assert first == {
        "code": "PEN101",
        "level": "error",
        "path": "shop/orders.py",
        "line": 9,
        "flow": "orders",
        "step": "ship",
        "message": "called before any step it is declared after",
        "suggestion": 'after=["pack", "receive"]',
    }


def test_concise(project: CheckedProject) -> None:
    """``--format concise`` prints one line per finding, as editors expect it."""
    first, second = project.check("shop.orders", "-f", "concise").stdout.splitlines()

    assert first == (
        "shop/orders.py:9: PEN101 orders/ship: called before any step it is "
        "declared after"
    )
    assert second == "shop/orders.py:25: PEN201 orders/pack: nothing calls this step"


def test_github(project: CheckedProject) -> None:
    """``--format github`` prints the commands that annotate a line of a change."""
    first, second = project.check("shop.orders", "-f", "github").stdout.splitlines()

    assert first == (
        "::error file=shop/orders.py,line=9,title=PEN101 orders/ship::called before "
        "any step it is declared after (fix: move the call, or declare "
        'after=["pack", "receive"])'
    )
    assert second.startswith("::warning file=shop/orders.py,line=25,")


def test_annotations_by_themselves(project: CheckedProject) -> None:
    """In a GitHub job, annotations follow the output for people."""
    result = project.check("shop.orders", env={"GITHUB_ACTIONS": "true"})

    assert "1 flow, 5 steps: 1 error, 1 warning\n::error file=" in result.stdout


def test_annotations_below_the_root_of_a_repository(project: CheckedProject) -> None:
    """They name files as the forge does, whatever the working directory is."""
    github = {"GITHUB_WORKSPACE": str(project.root.parent)}
    path = f"{project.root.name}/shop/orders.py"

    marks = project.check("shop.orders", "-f", "github", env=github).stdout
    sarif = project.check("shop.orders", "-f", "sarif", env=github).stdout
    text = project.check("shop.orders", "-f", "concise", env=github).stdout

    assert marks.startswith(f"::error file={path},line=9,")
    assert json.loads(sarif)["runs"][0]["results"][0]["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": path},
                "region": {"startLine": 9},
            }
        }
    ]
    assert text.startswith("shop/orders.py:9: ")


def test_annotations_spoil_no_data(project: CheckedProject) -> None:
    """Annotations are not added to a format for programs."""
    result = project.check("shop.orders", "-f", "json", env={"GITHUB_ACTIONS": "true"})

    assert len(json.loads(result.stdout)) == 2


def test_calls(project: CheckedProject) -> None:
    """``--calls`` writes every reference from step to step as JSON."""
    project.check("shop.orders", "--calls", "calls.json")
    calls = json.loads((project.root / "calls.json").read_text(encoding="utf-8"))

    assert calls[0] == {
        "from": "shop.orders.receive",
        "to": "shop.orders.validate",
        "path": "shop/orders.py",
        "line": 8,
        "kind": "call",
    }
    assert [call["to"] for call in calls] == [
        "shop.orders.validate",
        "shop.orders.ship",
        "shop.orders.charge",
    ]


def test_kinds_of_calls(project: CheckedProject) -> None:
    """A reference is a call, an escape, or possible because of its name."""
    project.write(
        "kinds.py",
        """
        from concurrent.futures import ThreadPoolExecutor
        from penstock import flow
        f = flow("f")

        @f.entrypoint
        def start(store, pool: ThreadPoolExecutor):
            pool.submit(count)
            store.put_away()
            count()

        @f.step(after="start")
        def count(): ...

        class Store:
            @f.step(after="start")
            def put_away(self): ...
        """,
    )

    project.check("kinds", "--calls", "calls.json")
    calls = json.loads((project.root / "calls.json").read_text(encoding="utf-8"))

    assert [(one["line"], one["to"], one["kind"]) for one in calls] == [
        (7, "kinds.count", "escape"),
        (8, "kinds.Store.put_away", "possible"),
        (9, "kinds.count", "call"),
    ]


def test_broken_file_is_named(project: CheckedProject) -> None:
    """A file that cannot be parsed is reported with its line; the rest is checked."""
    project.write("shop/newer.py", "x = 1\ndef broken(:\n")

    result = project.check("shop.orders")

    assert "shop/newer.py:2: PEN000 this file cannot be parsed" in result.stdout
    assert "PEN101" in result.stdout


def test_failed_import(project: CheckedProject) -> None:
    """A module that cannot be imported is a failure, not a finding."""
    result = project.check("shop.ordrs")

    assert result.returncode == 2
    assert "Did you mean 'shop.orders'" in result.stderr


def test_flow_is_not_run(project: CheckedProject) -> None:
    """The check reads the code and never runs a step."""
    project.write(
        "quiet.py",
        """
        from penstock import flow
        f = flow("f")

        @f.entrypoint
        def start():
            raise SystemExit("it ran")
        """,
    )

    assert project.check("quiet").returncode == 0


def test_statistics(project: CheckedProject) -> None:
    """``--statistics`` counts findings by code, and what was read."""
    result = project.check("shop.orders", "--statistics")

    assert "  1  PEN101  called before any step it is declared after" in result.stderr
    assert "2 files" in result.stderr
    assert "0 questions to" in result.stderr


def test_hostile_names(project: CheckedProject) -> None:
    """Names cannot break a line, colour a terminal or end an annotation."""
    project.write(
        "evil.py",
        r"""
        from penstock import flow
        f = flow("a\x1b[31m\nb::c")

        @f.step(after="x\ny")
        def start(): ...
        """,
    )

    for form in ("full", "concise", "github"):
        out = project.check("evil", "-f", form).stdout
        assert "\x1b" not in out
        assert all(
            line.startswith(("evil.py:", "  ", "::", "1 ", "2 "))
            for line in out.splitlines()
        )


def test_same_output_each_time(project: CheckedProject) -> None:
    """Hash seeds change neither findings nor calls: two at one place have an order."""
    project.write(
        "both.py",
        """
        from penstock import flow
        f = flow("f")

        @f.entrypoint
        def start(pool):
            pool.submit(one, one()), pool.submit(two, two())

        @f.step(after="start")
        def one(): ...

        @f.step(after="start")
        def two(): ...
        """,
    )
    printed: set[str] = set()
    calls: set[str] = set()
    for seed in ("0", "1", "2"):
        result = project.penstock(
            *("check", "shop.**", "both", "--calls", "calls.json"),
            program=PROCESS,
            env={"PYTHONHASHSEED": seed},
        )
        printed.add(result.stdout)
        calls.add((project.root / "calls.json").read_text(encoding="utf-8"))

    assert len(printed) == len(calls) == 1
    assert "PEN101" in printed.pop()
    assert calls.pop().count('"escape"') == 2


OVERRIDES = """
    import abc
    from penstock import entrypoint, flow, step


    @flow("importing")
    class Importer(abc.ABC):
        @entrypoint
        def run(self):
            self.fetch()
            self.store()

        @step(after="run")
        @abc.abstractmethod
        def fetch(self): ...

        @step(after="fetch")
        def store(self): ...


"""


def test_an_override_is_the_step(project: CheckedProject) -> None:
    """A subclass, or its mixin, runs the step that the next one waits for."""
    project.write(
        "imports.py",
        f"""{OVERRIDES}
    class Csv(Importer):
        def fetch(self): ...


    class Fetching:
        def fetch(self): ...


    class Xml(Fetching, Importer): ...
""",
    )

    assert project.codes("imports") == []


def test_the_order_in_an_override_is_judged(project: CheckedProject) -> None:
    """An entrypoint that a subclass overrides begins a run of the same flow."""
    project.write(
        "imports.py",
        f"""{OVERRIDES}
    class Csv(Importer):
        def fetch(self): ...

        def run(self):
            self.store()
            self.fetch()
""",
    )

    assert project.codes("imports") == ["PEN101 store"]


def test_many_entrypoints(project: CheckedProject) -> None:
    """What one of many entrypoints does wrong further down is found."""
    entries = [f"start{number}" for number in range(80)]
    lines = ["from penstock import flow", 'f = flow("f")']
    for name in entries:
        lines += ["@f.entrypoint", f"def {name}():", "    work()"]
    lines += [f"@f.step(after={entries})", "def work():", "    save()"]
    lines += [f"@f.step(after={entries[:-1]})", "def save(): ..."]
    project.write("many.py", "\n".join(lines))

    result = project.check("many")

    assert "PEN101 f/save" in result.stdout
    assert "start79 → work → save" in result.stdout
