"""Who is asked where a name is defined, and what happens where that goes wrong."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from sysconfig import get_path
from typing import TYPE_CHECKING, Any
from venv import EnvBuilder

import pytest

from penstock.checking.findings import Place
from penstock.checking.resolvers.base import ResolverError
from penstock.checking.resolvers.ty import TyResolver
from tests.support.projects import PROCESS
from tests.support.servers import until

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.checking.conftest import CheckedProject

# Only types say which of the two is booked: neither code nor a unique name does.
BOOKING = """
    from contextlib import closing
    from penstock import flow

    trips = flow("trips")


    class Train:
        @trips.step(after="travel")
        def book(self): ...

        def close(self):
            print(self)


    class Hotel:
        def book(self):
            print(self)


    @trips.entrypoint
    def travel():
        with closing(Train()) as train:
            größe = "🚂"; train.book()
"""


@pytest.fixture
def trips(project: CheckedProject) -> CheckedProject:
    """Return a project of which only a resolver can tell who calls whom."""
    project.write("trips.py", BOOKING)
    return project


def calls(project: CheckedProject) -> list[tuple[str, str]]:
    """Return what the check has written to calls.json, as (to, kind)."""
    text = (project.root / "calls.json").read_text(encoding="utf-8")
    return [(one["to"], one["kind"]) for one in json.loads(text)]


def test_only_a_resolver_knows(trips: CheckedProject, resolver: str) -> None:
    """What the code itself does not tell is found with each, behind any letters."""
    options = ("--resolver", resolver, "--calls", "calls.json", "--statistics")
    result = trips.check("trips", *options)

    assert calls(trips) == [("trips.Train.book", "call")]
    assert f"1 questions to {resolver}, " in result.stderr


def test_behind_a_link(trips: CheckedProject, resolver: str) -> None:
    """A project that is reached by a symbolic link is the same project."""
    link = trips.root.parent / f"{trips.root.name}-link"
    link.symlink_to(trips.root, target_is_directory=True)
    program = (sys.executable, "-m", "penstock")
    arguments = ("check", "trips", "--resolver", resolver, "--calls", "calls.json")

    trips.penstock(*arguments, cwd=f"../{link.name}", program=program)

    assert calls(trips) == [("trips.Train.book", "call")]


# Without the standard library, of which ty has types that are better than its code.
INSTALLED = [folder for folder in sys.path if folder != get_path("stdlib")]


def test_program_that_patches_threads(trips: CheckedProject, resolver: str) -> None:
    """A program that gevent has changed is checked like any other."""
    pytest.importorskip("gevent", reason="needs gevent")
    text = (trips.root / "trips.py").read_text(encoding="utf-8")
    patch = "from gevent import monkey\nmonkey.patch_all()\n"
    trips.write("trips.py", patch + text)

    options = ("--resolver", resolver, "--calls", "calls.json")
    trips.penstock("check", "trips", *options, program=PROCESS)

    assert calls(trips) == [("trips.Train.book", "call")]


class Elsewhere:
    """A Python that has penstock and its extras, but no ``ty`` beside it."""

    def __init__(self, folder: Path) -> None:
        EnvBuilder(symlinks=os.name != "nt").create(folder)
        self.bin = folder / ("Scripts" if os.name == "nt" else "bin")
        self.hidden = folder / "hidden"
        self.hidden.mkdir()
        self.path = folder / "path"
        self.path.mkdir()

    def hide(self, package: str) -> None:
        """Be without a package from now on."""
        code = f"import sys; sys.modules[{package!r}] = None\n"
        (self.hidden / "sitecustomize.py").write_text(code, encoding="utf-8")

    def check(self, project: CheckedProject, *arguments: str) -> Any:
        """Run ``penstock check`` there."""
        return project.penstock(
            "check",
            *arguments,
            program=(str(self.bin / "python"), "-m", "penstock"),
            env={
                "PYTHONPATH": os.pathsep.join([str(self.hidden), *INSTALLED]),
                "PATH": str(self.path),
            },
        )


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Elsewhere:
    """Return a Python without ``ty``, neither beside it nor on the PATH."""
    return Elsewhere(tmp_path_factory.mktemp("elsewhere") / "env")


def put_server(folder: Path, **manners: Any) -> str:
    """Put a ``ty`` into *folder* that behaves like that; return its path."""
    source = Path(__file__).parents[1] / "support" / "fake_language_server.py"
    program = folder / "ty"
    text = f"#!{sys.executable}\n{source.read_text(encoding='utf-8')}"
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    (folder / "manners.json").write_text(json.dumps(manners), encoding="utf-8")
    return str(program)


ALL = ("trips", "--statistics", "--calls", "calls.json")


@pytest.mark.parametrize("place", ["bin", "path"])
def test_ty_is_found(trips: CheckedProject, elsewhere: Elsewhere, place: str) -> None:
    """``auto`` is ty where that is beside the Python, or on the PATH; jedi is not."""
    ty = Path(sys.executable).with_name("ty")
    if not ty.exists():
        pytest.skip("needs ty")
    (getattr(elsewhere, place) / "ty").symlink_to(ty)
    elsewhere.hide("jedi")

    result = elsewhere.check(trips, *ALL)

    assert "1 questions to ty, " in result.stderr
    assert calls(trips) == [("trips.Train.book", "call")]


def test_jedi_where_there_is_no_ty(trips: CheckedProject, elsewhere: Elsewhere) -> None:
    """``auto`` is jedi where ty is not installed."""
    result = elsewhere.check(trips, *ALL)

    assert "1 questions to jedi, " in result.stderr
    assert calls(trips) == [("trips.Train.book", "call")]


@pytest.mark.parametrize(
    ("resolver", "fix"),
    [
        ("auto", "pip install ty, or pip install 'penstock[check]'"),
        ("jedi", "pip install 'penstock[check]'"),
        ("ty", "pip install ty"),
    ],
)
def test_nobody_to_ask(
    trips: CheckedProject, elsewhere: Elsewhere, resolver: str, fix: str
) -> None:
    """Without what was chosen the message says how to get it, and that is all."""
    elsewhere.hide("jedi")

    result = elsewhere.check(trips, "trips", "--resolver", resolver)

    assert result.returncode == 2
    assert fix in " ".join(result.stderr.split())


BAD: dict[str, dict[str, Any]] = {
    "it has ended": {"ends": 3},
    "what it says is no message": {"says": "hello", "answers": None},
}


@pytest.mark.parametrize("problem", BAD)
def test_jedi_goes_on(
    trips: CheckedProject, elsewhere: Elsewhere, problem: str
) -> None:
    """Where ty fails one line says so, jedi is asked, and nothing is lost."""
    put_server(elsewhere.path, **BAD[problem])

    result = elsewhere.check(trips, *ALL)

    (note,) = [line for line in result.stderr.splitlines() if "ty failed" in line]
    assert problem in note
    assert note.endswith("; jedi was asked instead.")
    assert calls(trips) == [("trips.Train.book", "call")]


@pytest.mark.parametrize("problem", BAD)
def test_nobody_goes_on(
    trips: CheckedProject, elsewhere: Elsewhere, problem: str
) -> None:
    """Where nobody else is there the check goes on, and says what it lacks."""
    put_server(elsewhere.path, **BAD[problem])

    result = elsewhere.check(trips, *ALL, "--resolver", "ty")

    (note,) = [line for line in result.stderr.splitlines() if "ty failed" in line]
    assert problem in note
    assert note.endswith("; 1 more names count as unknown.")
    assert result.returncode == 0
    assert calls(trips) == []


def test_what_is_no_program(trips: CheckedProject, elsewhere: Elsewhere) -> None:
    """A ``ty`` that the system cannot run is one that fails."""
    program = elsewhere.path / "ty"
    program.write_bytes(b"\x00\x01")
    program.chmod(0o755)

    result = elsewhere.check(trips, *ALL)

    assert "ty failed: it cannot be started: " in result.stderr
    assert "; jedi was asked instead." in result.stderr


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Callable[..., TyResolver]]:
    """Return what starts a resolver whose server has the manners that are given."""
    made: list[TyResolver] = []

    def start(**manners: Any) -> TyResolver:
        program = put_server(tmp_path, **manners)
        made.append(TyResolver(program, tmp_path, [tmp_path]))
        return made[-1]

    yield start
    for one in made:
        one.close()


LINK = {"targetUri": "file", "targetSelectionRange": "where", "targetRange": {}}
ANSWERS: dict[str, tuple[Any, int]] = {
    "one location": ("here", 1),
    "locations": (["here", "here"], 2),
    "links": ([LINK], 1),
    "null": (None, 0),
    "nothing": ([], 0),
    "a text": ("there", 0),
    "numbers": ([1, 2.5, True, None], 0),
    "objects of another kind": ([{"uri": "file"}, {"uri": 1, "range": []}], 0),
    "another address": ([{"uri": "untitled:one", "range": "where"}], 0),
    "good and bad": (["there", "here"], 1),
}


@pytest.mark.parametrize("shape", ANSWERS)
def test_shape_of_the_answer(
    asking: Callable[..., TyResolver], tmp_path: Path, shape: str
) -> None:
    """Each shape that the protocol allows is read; any other is no answer."""
    answers, count = ANSWERS[shape]
    path = tmp_path / "ä b.py"
    path.write_text("one = two\n", encoding="utf-8")

    found = asking(answers=answers).definitions(str(path), 1, 6)

    assert list(found) == [Place(str(path), 7)] * count


@pytest.mark.parametrize(
    ("can", "column"),
    [
        ({"positionEncoding": "utf-8"}, 13),
        ({"positionEncoding": "utf-16"}, 10),
        ({"positionEncoding": "utf-32"}, 9),
        ({"positionEncoding": "cubits"}, 10),
        ({}, 10),
        (None, 10),
    ],
)
def test_unit_of_columns(
    asking: Callable[..., TyResolver], tmp_path: Path, can: Any, column: int
) -> None:
    """Columns are counted as the server wants them; in UTF-16 where it says nothing."""
    path = tmp_path / "one.py"
    path.write_text("ö = '🚂'; x\n", encoding="utf-8")

    found = asking(can=can, answers="here").definitions(str(path), 1, 13)

    assert list(found) == [Place(str(path), column + 1)]


def test_server_asks_for_its_settings(
    asking: Callable[..., TyResolver], tmp_path: Path
) -> None:
    """The server learns the import path when it asks for it, in the middle of all."""
    path = tmp_path / "one.py"
    path.write_text("x", encoding="utf-8")

    assert asking(asks=True, answers="here").definitions(str(path), 1, 0)


def test_file_that_is_gone(asking: Callable[..., TyResolver], tmp_path: Path) -> None:
    """Nothing is known of a file that went away, or got shorter, since it was read."""
    path = tmp_path / "one.py"
    path.write_text("x", encoding="utf-8")
    resolver = asking(answers="here")

    assert not resolver.definitions(str(path), 5, 0)
    assert not resolver.definitions(str(tmp_path / "two.py"), 1, 0)


@pytest.mark.skipif(os.name == "nt", reason="a program of the shell")
def test_no_answer(tmp_path: Path) -> None:
    """A server that never answers is ended, with all that it has started."""
    program, pids = tmp_path / "ty", tmp_path / "pids"
    program.write_text(f"#!/bin/sh\nsleep 600 &\necho $! $$ > {pids}\nwait\n")
    program.chmod(0o755)

    with pytest.raises(ResolverError, match=r"no answer within 0\.5 s"):
        TyResolver(str(program), tmp_path, [tmp_path], timeout_s=0.5)

    for pid in map(int, pids.read_text(encoding="utf-8").split()):
        until(lambda: not _is_alive(pid), what="the end of the server")  # noqa: B023  # called at once


def _is_alive(pid: int) -> bool:
    """Tell whether there is such a process, other than one that waits to be buried."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
