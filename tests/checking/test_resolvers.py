"""What a resolver finds, which one is chosen, and what happens when it fails."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from sysconfig import get_path
from typing import TYPE_CHECKING, Any
from venv import EnvBuilder

import pytest

from penstock.checking.resolvers import Place, ResolverError
from penstock.checking.resolvers.registry import ResolverSession, open_resolver
from penstock.checking.resolvers.ty import TyResolver, find_ty
from tests.support.projects import PROCESS, surroundings
from tests.support.servers import until

if TYPE_CHECKING:
    from tests.checking.conftest import CheckedProject
    from tests.support.projects import Result

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
    """Return a project whose only call takes a resolver to find."""
    project.write("trips.py", BOOKING)
    return project


def calls(project: CheckedProject) -> list[tuple[str, str]]:
    """Return what the check has written to calls.json, as (to, kind)."""
    text = (project.root / "calls.json").read_text(encoding="utf-8")
    return [(one["to"], one["kind"]) for one in json.loads(text)]


def test_only_a_resolver_knows(trips: CheckedProject, resolver: str) -> None:
    """Both find what the code around a name does not show, behind any letters."""
    options = ("--resolver", resolver, "--calls", "calls.json", "--statistics")
    result = trips.check("trips", *options)

    assert calls(trips) == [("trips.Train.book", "call")]
    assert f"1 questions to {resolver}, " in result.stderr


@pytest.mark.parametrize(
    "travel",
    [
        "train = ref(Train())()",
        "train, _ = found()",
        "train = ref(Trip())().train",
        "train = Trains([Train()]).pop()",
    ],
)
def test_a_resolver_knows_part_of_a_value(
    trips: CheckedProject, resolver: str, travel: str
) -> None:
    """What else a name may stand for, or what it is an attribute of, is no obstacle."""
    head = BOOKING.partition("    @trips.entrypoint")[0]
    trips.write(
        "trips.py",
        f"""{head}
    from weakref import ref
    from collections import UserList


    class Trip:
        def __init__(self):
            self.train = Train()


    class Trains(UserList[Train]): ...


    def is_late() -> bool:
        return input() == "late"


    def found() -> tuple[Train, bool]:
        return ref(Train())(), is_late()


    @trips.entrypoint
    def travel():
        {travel}
        train.book()
""",
    )

    trips.check("trips", "--resolver", resolver, "--calls", "calls.json")

    assert calls(trips) == [("trips.Train.book", "call")]


def test_behind_a_link(trips: CheckedProject, resolver: str) -> None:
    """A project that is reached by a symbolic link is the same project."""
    link = trips.root.parent / f"{trips.root.name}-link"
    link.symlink_to(trips.root, target_is_directory=True)
    program = (sys.executable, "-m", "penstock")
    arguments = ("check", "trips", "--resolver", resolver, "--calls", "calls.json")

    trips.penstock(*arguments, cwd=f"../{link.name}", program=program)

    assert calls(trips) == [("trips.Train.book", "call")]


# Without the standard library: ty's own types of it are better than its code.
INSTALLED = [folder for folder in sys.path if folder != get_path("stdlib")]


def test_program_that_patches_threads(trips: CheckedProject, resolver: str) -> None:
    """A program that gevent has patched is checked like any other."""
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
        """Hide a package from this Python."""
        code = f"import sys; sys.modules[{package!r}] = None\n"
        (self.hidden / "sitecustomize.py").write_text(code, encoding="utf-8")

    def check(self, project: CheckedProject, *arguments: str) -> Result:
        """Run ``penstock check`` there."""
        return self.penstock(project, "check", *arguments)

    def penstock(self, project: CheckedProject, *arguments: str) -> Result:
        """Run ``penstock`` there."""
        return project.penstock(
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


PYTHON = sys.executable  # which a test may hide


def put_server(folder: Path, **manners: Any) -> None:
    """Put a ``ty`` into *folder* that has these manners."""
    source = Path(__file__).parents[1] / "support" / "fake_language_server.py"
    program = folder / "ty"
    text = f"#!{PYTHON}\n{source.read_text(encoding='utf-8')}"
    program.write_text(text, encoding="utf-8")
    program.chmod(0o755)
    (folder / "manners.json").write_text(json.dumps(manners), encoding="utf-8")


ALL = ("trips", "--statistics", "--calls", "calls.json")


@pytest.mark.parametrize("place", ["bin", "path"])
def test_ty_is_found(trips: CheckedProject, elsewhere: Elsewhere, place: str) -> None:
    """``auto`` is the ty beside the Python, or on the PATH."""
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
def test_missing_resolver(
    trips: CheckedProject, elsewhere: Elsewhere, resolver: str, fix: str
) -> None:
    """The message says how to install the chosen resolver."""
    elsewhere.hide("jedi")

    result = elsewhere.check(trips, "trips", "--resolver", resolver)

    assert result.returncode == 2
    assert fix in " ".join(result.stderr.split())


BAD: dict[str, dict[str, Any]] = {
    "it ended": {"ends": 3},
    "it sent what is not a message: b'hello' is not a header": {"says": "hello"},
}


@pytest.mark.parametrize("problem", BAD)
def test_failed_resolver(
    trips: CheckedProject, elsewhere: Elsewhere, problem: str
) -> None:
    """A resolver that fails ends the check with one line, which names another one."""
    put_server(elsewhere.path, answers=None, **BAD[problem])

    result = elsewhere.check(trips, "trips", "--resolver", "ty")

    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"Error: the resolver ty failed: {problem}. "
        "Use another one: penstock check --resolver jedi\n"
    )
    result = elsewhere.check(trips, *ALL, "--resolver", "jedi")
    assert "1 questions to jedi, " in result.stderr


def test_drawing_with_a_failed_resolver(
    trips: CheckedProject, elsewhere: Elsewhere
) -> None:
    """A diagram has runs alone then, unless ``--code`` asks for more."""
    put_server(elsewhere.path, ends=3)
    trips.write("runs.json", '{"flows": {}}')
    command = ("dag", "trips", "--evidence", "runs.json")

    result = elsewhere.penstock(trips, *command)
    assert result.stdout.startswith("graph TD")
    assert "the resolver ty failed: it ended" in result.stderr
    assert elsewhere.penstock(trips, *command, "--code").returncode == 2


def test_file_that_is_not_a_program(
    trips: CheckedProject, elsewhere: Elsewhere
) -> None:
    """A ``ty`` that the system cannot run is a resolver that fails."""
    program = elsewhere.path / "ty"
    program.write_bytes(b"\x00\x01")
    program.chmod(0o755)

    result = elsewhere.check(trips, "trips")

    assert result.returncode == 2
    assert "the resolver ty failed: it cannot be started: " in result.stderr


def test_unknown_resolver(trips: CheckedProject) -> None:
    """A wrong name is an error with the right ones."""
    result = trips.check("trips", "--resolver", "jeti")

    assert result.returncode == 2
    assert (
        "no resolver is called 'jeti'. Choose one of auto, ty, jedi." in result.stderr
    )
    assert "Did you mean 'jedi'?" in result.stderr


TINY = """
    from pathlib import Path

    from penstock.checking.resolvers import Place


    class Tiny:
        def __init__(self, root: Path, import_path: list[Path]) -> None:
            self.root = root

        def definitions(self, path: str, line: int, column: int) -> list[Place]:
            lines = Path(path).read_text(encoding="utf-8").splitlines()
            name = lines[line - 1].encode()[column:].decode().partition("(")[0]
            defined = [n for n, text in enumerate(lines, 1) if f"def {name}(" in text]
            return [Place(path, defined[0])]

        def close(self) -> None:
            self.root.joinpath("closed").touch()
"""


def test_resolver_of_a_package(trips: CheckedProject) -> None:
    """A package registers a resolver; the check uses it, and closes it."""
    trips.write("tiny.py", TINY)
    info = "tiny-1.0.dist-info"
    trips.write(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
    trips.write(f"{info}/entry_points.txt", "[penstock.resolvers]\ntiny = tiny:Tiny\n")

    result = trips.check(*ALL, "--resolver", "tiny")

    assert "1 questions to tiny, " in result.stderr
    assert calls(trips) == [("trips.Train.book", "call")]
    assert (trips.root / "closed").exists()


def test_limit_of_jedi(tmp_path: Path) -> None:
    """After 500 questions jedi is not asked, and a note says so."""
    session = ResolverSession("jedi", lambda: Silent(tmp_path))

    for line in range(502):
        session.definitions("one.py", line, 0)

    assert session.questions == 500
    assert session.notes() == [
        "jedi was asked 500 times, which is the limit; 2 more names count as unknown."
    ]


class Silent:
    """A resolver that knows nothing."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def definitions(self, path: str, line: int, column: int) -> list[Place]:
        return []

    def close(self) -> None: ...


# Only the types of Django say that get() returns an Order.
ORDERS = """
    import django
    from django.conf import settings

    settings.configure(INSTALLED_APPS=[], SECRET_KEY="x")
    django.setup()

    from django.db import models
    from penstock import flow

    orders = flow("orders")


    class Order(models.Model):
        class Meta:
            app_label = "shop"

        @orders.step(after="receive")
        def refund(self): ...


    @orders.entrypoint
    def receive(number):
        Order.objects.get(pk=number).refund()
"""


@pytest.fixture
def django(project: CheckedProject) -> CheckedProject:
    """Return a Django project, where ty and not django-stubs is installed."""
    pytest.importorskip("django", reason="needs Django")
    if find_ty() is None:
        pytest.skip("needs ty")
    project.write("shop/models.py", ORDERS)
    return project


def test_stubs_that_would_help(django: CheckedProject) -> None:
    """One line recommends django-stubs, unless they are installed."""
    advice = "pip install django-stubs"

    assert said(django, "--resolver", "ty").count(advice) == 1
    assert advice not in said(django, "--resolver", "jedi")
    django.write("django-stubs/__init__.pyi", "")
    assert advice not in said(django, "--resolver", "ty")


def test_auto_in_a_django_project(django: CheckedProject) -> None:
    """``auto`` is jedi where ty would need stubs that are not installed."""
    assert "1 questions to jedi, " in said(django, "--statistics")

    django.write("django-stubs/__init__.pyi", "")
    assert "1 questions to ty, " in said(django, "--statistics")


def said(project: CheckedProject, *options: str) -> str:
    """Return what the check writes to stderr, in a process of its own."""
    arguments = ("check", "shop.models", *options)
    return project.penstock(*arguments, program=PROCESS).stderr


@pytest.fixture
def no_ty(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Return a folder for a ``ty``, the only one to be found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(sys, "executable", "/nowhere/python")
    return folder


ANSWERS: dict[str, tuple[Any, int]] = {
    "one location": ("here", 1),
    "locations": (["here", "here"], 2),
    "null": (None, 0),
    "nothing": ([], 0),
    "a text": ("there", 0),
    "numbers": ([1, 2.5, True, None], 0),
    "objects of another kind": ([{"uri": "file"}, {"uri": 1, "range": []}], 0),
    "another address": ([{"uri": "untitled:one", "range": "where"}], 0),
    "good and bad": (["there", "here"], 1),
}


@pytest.mark.parametrize("shape", ANSWERS)
def test_shape_of_the_answer(no_ty: Path, tmp_path: Path, shape: str) -> None:
    """Each shape that the protocol allows is read; any other counts as unknown."""
    answers, count = ANSWERS[shape]
    put_server(no_ty, answers=answers)
    path = tmp_path / "ä b.py"
    path.write_text("one = two\n", encoding="utf-8")
    resolver = TyResolver(tmp_path, [tmp_path])

    found = resolver.definitions(str(path), 1, 6)
    resolver.close()

    assert list(found) == [Place(str(path), 7)] * count


def test_file_that_is_gone(tmp_path: Path, resolver: str) -> None:
    """Nothing is known of a file that went away, or got shorter, since it was read."""
    path = tmp_path / "one.py"
    path.write_text("x = 1\nx", encoding="utf-8")
    pytest.importorskip(resolver, reason=f"needs {resolver}")
    session = open_resolver(resolver, tmp_path, [tmp_path])

    assert list(session.definitions(str(path), 2, 0)) == [Place(str(path), 1)]
    assert not session.definitions(str(path), 5, 0)
    assert not session.definitions(str(tmp_path / "two.py"), 1, 0)
    session.close()


def test_no_answer(no_ty: Path, tmp_path: Path) -> None:
    """A server that does not answer in time is ended."""
    put_server(no_ty, hangs=True, is_stubborn=True)
    resolver = TyResolver(tmp_path, [tmp_path], timeout_s=1.0)

    with pytest.raises(ResolverError, match=r"no answer within 1 s"):
        resolver.definitions(str(tmp_path / "one.py"), 1, 0)

    assert_is_over(no_ty)
    resolver.close()


@pytest.mark.parametrize("is_stubborn", [False, True])
def test_server_ends_with_the_check(
    trips: CheckedProject, elsewhere: Elsewhere, *, is_stubborn: bool
) -> None:
    """No server is left when a check is over, even one that ignores signals."""
    put_server(elsewhere.path, answers=None, is_stubborn=is_stubborn)

    assert elsewhere.check(trips, "trips").returncode == 0
    assert_is_over(elsewhere.path)


@pytest.mark.skipif(os.name == "nt", reason="needs SIGINT")
def test_server_ends_with_an_interrupted_check(
    trips: CheckedProject, elsewhere: Elsewhere
) -> None:
    """No server is left when a check is interrupted, even one that ignores signals."""
    put_server(elsewhere.path, hangs=True, is_stubborn=True)
    command = [sys.executable, "-m", "penstock", "check", "trips", "--resolver", "ty"]
    hidden = f"import sys; sys.executable = {str(elsewhere.bin / 'python')!r}\n"
    (elsewhere.hidden / "sitecustomize.py").write_text(hidden, encoding="utf-8")
    path = {"PATH": str(elsewhere.path), "PYTHONPATH": str(elsewhere.hidden)}
    check = subprocess.Popen(command, cwd=trips.root, env=surroundings() | path)
    until((elsewhere.path / "asked").exists, what="the question")

    check.send_signal(signal.SIGINT)

    assert check.wait(60) != 0
    assert_is_over(elsewhere.path)


def assert_is_over(folder: Path) -> None:
    """Wait for the end of the server in *folder*."""
    pid = int((folder / "pid").read_text(encoding="utf-8"))
    until(lambda: not _is_alive(pid), what="the end of the server")


def _is_alive(pid: int) -> bool:
    """Tell whether the process runs; a zombie does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
