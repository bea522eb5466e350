"""``penstock diff``."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.diagram_parsers import Mermaid
from tests.support.projects import PROCESS
from tests.support.servers import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.projects import Project, Result

PROJECT = """
    [tool.penstock]
    import = ["shop.**"]
"""
CHANGED = '''
    """Orders."""
    from penstock import all_of, entrypoint, flow, step

    orders = flow("orders", owner="shop", description="From click to parcel.")

    @orders
    class OrderFlow:
        @entrypoint
        def receive(self, order_id):
            """Take an order."""

        @step(after="receive", tags=("io",))
        def bill(self, order): ...

        @step(after="receive")
        def reserve(self, order): ...

        @step(after=["bill", "reserve", "receive"])
        def ship(self, order): ...
'''

COUNTED = (
    "flows: 1 changed; steps: 1 added, 2 changed, 1 removed; edges: 3 added, 2 removed"
)


def git(folder: Path, *arguments: str) -> str:
    """Run git in *folder*, with an author and nothing of the user's settings."""
    settings = ("user.name=a", "user.email=a@b.example", "commit.gpgsign=false")
    words = [word for setting in settings for word in ("-c", setting)]
    return subprocess.run(
        ["git", *words, "-c", "protocol.file.allow=always", *arguments],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.strip()


def commit(folder: Path, message: str = "work") -> str:
    """Commit everything in *folder*; return the commit."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", message)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repo(shop: Project) -> Project:
    """Return the project in a repository, committed on the branch ``main``."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    shop.write("pyproject.toml", PROJECT)
    shop.write(".gitignore", "__pycache__/\n")
    git(shop.root, "init", "--quiet", "--initial-branch", "main")
    commit(shop.root)
    return shop


@pytest.fixture(scope="module")
def mermaid() -> Iterator[Mermaid]:
    """Return Mermaid's own parser."""
    parser = Mermaid()
    yield parser
    parser.close()


def changes_of(repo: Project, *arguments: str) -> dict[str, tuple[str, dict[str, str]]]:
    """Return what ``diff --format json`` says, in few words."""
    result = repo.penstock("diff", "--exit-code", *arguments, "--format", "json")
    assert result.returncode in {0, 1}, result.stderr
    found = json.loads(result.stdout)
    assert bool(found) == bool(result.returncode)
    return {
        flow["name"]: (
            flow["status"],
            {step["name"]: step["status"] for step in flow["steps"]},
        )
        for flow in found
    }


def test_nothing_changed(repo: Project) -> None:
    """A working tree with the flows of the revision exits with 0."""
    result = repo.penstock("diff", "--exit-code", "HEAD")

    assert (result.returncode, result.stdout, result.stderr) == (
        0,
        "no flow differs\n",
        "",
    )


def test_everything_that_can_change(repo: Project) -> None:
    """A step under another name, a new edge, a join that is none, and words."""
    repo.write("shop/orders.py", CHANGED)

    result = repo.penstock("diff", "--exit-code", "main")

    assert result.stderr == ""
    assert result.stdout.splitlines() == [
        "~ flow orders",
        "  ~ owner: payments → shop",
        "  + step bill",
        "  - step charge",
        "  ~ step receive",
        "      description: Take the order. → Take an order.",
        "  ~ step ship",
        "      after: charge and reserve → bill or receive or reserve",
        "  + edge bill → ship",
        "  - edge charge → ship",
        "  + edge receive → bill",
        "  - edge receive → charge",
        "  + edge receive → ship",
        "",
        COUNTED,
    ]
    assert result.returncode == 1


def test_join_that_becomes_a_choice(repo: Project) -> None:
    """The same edges with another meaning are a change of the step."""
    text = (repo.root / "shop/orders.py").read_text(encoding="utf-8")
    text = text.replace('all_of("charge", "reserve")', '["charge", "reserve"]')
    (repo.root / "shop/orders.py").write_text(text, encoding="utf-8")

    result = repo.penstock("diff", "--exit-code", "HEAD")

    assert "after: charge and reserve → charge or reserve" in result.stdout


def test_flows_that_come_and_go(repo: Project) -> None:
    """A flow that is new or gone is named with its steps."""
    (repo.root / "shop/billing.py").unlink()
    repo.write(
        "shop/till.py",
        """
        from penstock import flow
        till = flow("till")
        @till.entrypoint
        def open_till(): ...
        """,
    )

    assert changes_of(repo, "HEAD") == {
        "billing": ("removed", {"invoice": "removed", "remind": "removed"}),
        "till": ("added", {"open_till": "added"}),
    }


def test_one_coloured_diagram(repo: Project, mermaid: Mermaid) -> None:
    """Mermaid draws what there is and what there was, each in its colour."""
    repo.write("shop/orders.py", CHANGED)

    result = repo.penstock("diff", "--exit-code", "HEAD", "--format", "mermaid")

    drawing = mermaid.parse(result.stdout)
    assert drawing.named_edges() == [
        ("bill", "ship"),
        ("charge", "ship"),
        ("receive", "bill"),
        ("receive", "charge"),
        ("receive", "reserve"),
        ("receive", "ship"),
        ("reserve", "ship"),
    ]
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert "class bill added" in lines
    assert "class charge removed" in lines
    assert "class receive,ship changed" in lines
    styles = {line.split()[1]: line for line in lines if line.startswith("linkStyle")}
    edges = [line for line in lines if "-->" in line]
    coloured = {
        name: {edges[int(place)] for place in places.split(",")}
        for places, line in styles.items()
        for name, colour in (("added", "#1a7f37"), ("removed", "#cf222e"))
        if colour in line
    }
    assert coloured == {
        "added": {"receive --> bill", "receive --> ship", "bill --> ship"},
        "removed": {"receive --> charge", "charge --> ship"},
    }


def test_markdown_is_the_diagram_and_the_text(repo: Project) -> None:
    """A pull request comment shows both."""
    repo.write("shop/orders.py", CHANGED)
    drawing = repo.penstock("diff", "HEAD", "-f", "mermaid").stdout
    text = repo.penstock("diff", "HEAD").stdout

    result = repo.penstock("diff", "HEAD", "--format", "markdown")

    assert result.stdout == f"```mermaid\n{drawing}```\n\n```text\n{text}```\n"


def test_markdown_of_no_change_is_empty(repo: Project) -> None:
    """So that CI can leave the comment out."""
    result = repo.penstock("diff", "HEAD", "--format", "markdown")

    assert (result.stdout, result.stderr) == ("", "No flow differs.\n")


def test_diagram_of_several_flows(repo: Project, mermaid: Mermaid) -> None:
    """Edges are coloured in clusters, and between them, too."""
    repo.write("shop/orders.py", CHANGED.replace("ship", "send"))
    text = (repo.root / "shop/billing.py").read_text(encoding="utf-8")
    (repo.root / "shop/billing.py").write_text(
        text.replace("orders:ship", "orders:send"), encoding="utf-8"
    )

    result = repo.penstock("diff", "--exit-code", "HEAD", "-f", "mermaid")

    drawing = mermaid.parse(result.stdout)
    assert {title for title, _ in drawing.frames} == {"orders", "billing"}
    assert ("send", "remind") in drawing.named_edges()
    assert ("ship", "remind") in drawing.named_edges()
    edges = [line.strip() for line in result.stdout.splitlines() if "-->" in line]
    red = next(
        line
        for line in result.stdout.splitlines()
        if "linkStyle" in line and "#cf222e" in line
    )
    assert "ship --> remind" in {edges[int(i)] for i in red.split()[1].split(",")}


def test_a_difference_is_no_failure(repo: Project) -> None:
    """The exit status is 0, as that of git diff, unless ``--exit-code`` is given."""
    repo.write("shop/orders.py", CHANGED)

    assert repo.penstock("diff", "HEAD").returncode == 0
    assert repo.penstock("diff", "HEAD", "--exit-code").returncode == 1


@pytest.mark.parametrize("target", ["orders", "shop/orders.py", "shop"])
def test_targets_as_people_type_them(repo: Project, target: str) -> None:
    """Names of flows, files and packages mean the same in a revision."""
    repo.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.orders"]\n')

    result = repo.penstock("diff", "HEAD", target)

    assert (result.returncode, result.stdout) == (0, "no flow differs\n")


def test_every_flow_is_gone(repo: Project) -> None:
    """All flows are removed then; without flows before there is nothing to compare."""
    repo.write("shop/orders.py", "")
    repo.write("none.json", '{"penstock": 1, "flows": []}')

    gone = repo.penstock("diff", "HEAD", "shop.orders")
    none = repo.penstock("diff", "none.json", "shop.orders")

    assert "- flow orders" in gone.stdout
    assert none.returncode == 2
    assert "no flow found" in none.stderr


def test_comment_for_a_pull_request(repo: Project) -> None:
    """A .md file gets a fenced block; one without a difference is empty."""
    assert (
        repo.penstock(
            "diff", "--exit-code", "HEAD", "-f", "mermaid", "-o", "a.md"
        ).returncode
        == 0
    )
    assert (repo.root / "a.md").read_bytes() == b""
    repo.write("shop/orders.py", CHANGED)

    result = repo.penstock("diff", "--exit-code", "HEAD", "-f", "mermaid", "-o", "a.md")

    assert (result.returncode, result.stdout) == (1, "")
    text = (repo.root / "a.md").read_text(encoding="utf-8")
    assert text.startswith("```mermaid\ngraph TD\n")
    assert text.endswith("\n```\n")


def test_diagram_that_is_too_large(repo: Project) -> None:
    """What Mermaid will not draw is said in one line, apart from the result."""
    steps = "\n".join(
        f'@f.step(after="start", name="{i}")\ndef s(): ...' for i in range(501)
    )
    start = (
        "from penstock import flow\nf = flow('big')\n@f.entrypoint\ndef start(): ...\n"
    )
    repo.write("shop/big.py", start + steps)

    result = repo.penstock("diff", "--exit-code", "HEAD", "-f", "mermaid")

    assert result.returncode == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("Warning: the diagram of flow 'big' has 501 edges")


def test_diagram_whose_marks_are_too_large(repo: Project) -> None:
    """The text that marks what differs counts, too."""
    name = "a_name_of_fifty_letters_that_fills_the_text_{:06}"
    steps = "\n".join(
        f'@f.entrypoint(name="{name.format(i)}")\ndef s(): ...' for i in range(600)
    )
    repo.write("new.py", f"from penstock import flow\nf = flow('big')\n{steps}")
    repo.write("old.json", '{"penstock": 1, "flows": []}')

    plain = repo.penstock("dag", "new")
    result = repo.penstock("diff", "--exit-code", "old.json", "new", "-f", "mermaid")

    assert plain.stderr == ""
    (line,) = result.stderr.splitlines()
    assert "characters, and Mermaid draws at most 50,000" in line


def test_manifests(repo: Project) -> None:
    """A manifest against another, and against the working tree, without git."""
    repo.penstock("export", "-o", "old.json", "--service", "shop")
    repo.write("shop/orders.py", CHANGED)
    repo.penstock("export", "-o", "new.json", "--service", "shop")

    both = repo.penstock("diff", "--exit-code", "old.json", "new.json")
    tree = repo.penstock("diff", "--exit-code", "old.json")

    assert both.returncode == tree.returncode == 1
    assert both.stdout == tree.stdout
    assert "+ step bill" in both.stdout
    assert repo.penstock("diff", "--exit-code", "new.json").returncode == 0
    assert repo.penstock("diff", "--exit-code", "new.json", "new.json").returncode == 0


def test_manifest_that_is_committed(repo: Project) -> None:
    """A target that is a manifest is read as the revision has it."""
    (repo.root / "flows").mkdir()
    repo.penstock("export", "-o", "flows/all.json")
    commit(repo.root)
    repo.write("shop/orders.py", CHANGED)
    repo.penstock("export", "-o", "flows/all.json")

    result = repo.penstock("diff", "--exit-code", "HEAD", "flows/all.json")

    assert "+ step bill" in result.stdout


@pytest.mark.parametrize("revision", ["HEAD~1", "v1", "main~1"])
def test_revision_before_penstock(repo: Project, revision: str) -> None:
    """Where no module was there yet, every flow is new."""
    git(repo.root, "checkout", "--quiet", "--orphan", "young")
    git(repo.root, "rm", "-rf", "--cached", "--quiet", ".")
    (repo.root / "README").write_text("hello", encoding="utf-8")
    git(repo.root, "add", "README")
    git(repo.root, "commit", "--quiet", "-m", "first")
    git(repo.root, "tag", "v1")
    commit(repo.root)
    git(repo.root, "branch", "--force", "main")

    assert {
        name: status for name, (status, _) in changes_of(repo, revision).items()
    } == {"orders": "added", "billing": "added", "audit": "added"}


def test_syntax_error_at_the_revision(repo: Project) -> None:
    """The message names the revision, the file in the repository, and the line."""
    good = (repo.root / "shop/orders.py").read_text(encoding="utf-8")
    repo.write("shop/orders.py", "x = 1\ndef broken(:\n")
    commit(repo.root)
    (repo.root / "shop/orders.py").write_text(good, encoding="utf-8")

    result = repo.penstock("diff", "--exit-code", "HEAD")

    assert (result.returncode, result.stdout) == (2, "")
    assert "at HEAD: importing 'shop.orders' failed: SyntaxError" in result.stderr
    assert "  shop/orders.py:2  def broken(:" in result.stderr
    assert "Traceback" not in result.stderr
    assert "penstock-diff" not in result.stderr


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("1 / 0", "at HEAD: importing 'shop.orders' failed: ZeroDivisionError"),
        ("import nowhere", "No module named 'nowhere'"),
        ("import os; os._exit(7)", "at HEAD: importing ended with status 7"),
    ],
)
def test_import_that_fails_at_the_revision(
    repo: Project, source: str, told: str
) -> None:
    """So is whatever else goes wrong there, also what ends the process."""
    good = (repo.root / "shop/orders.py").read_text(encoding="utf-8")
    repo.write("shop/orders.py", source)
    commit(repo.root)
    (repo.root / "shop/orders.py").write_text(good, encoding="utf-8")

    result = repo.penstock("diff", "--exit-code", "HEAD")

    assert result.returncode == 2
    assert told in result.stderr


def state_of(root: Path) -> dict[str, str]:
    """Return a digest of every file below *root*, those of git included."""
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in root.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


def test_nothing_is_touched(repo: Project) -> None:
    """Neither a file, nor the index, nor anything else of the repository."""
    repo.write("shop/orders.py", CHANGED)
    git(repo.root, "add", "--all")
    repo.write("shop/loose.py", "")
    git(repo.root, "config", "core.splitIndex", "true")
    before = state_of(repo.root)

    assert repo.penstock("diff", "--exit-code", "HEAD").returncode == 1

    assert state_of(repo.root) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has other signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_killed(
    repo: Project, tmp_path_factory: pytest.TempPathFactory, number: int
) -> None:
    """The repository stays as it is; only SIGKILL leaves a temporary folder."""
    good = (repo.root / "shop/orders.py").read_text(encoding="utf-8")
    scratch = tmp_path_factory.mktemp("scratch")
    sign = scratch / "sign"
    repo.write(
        "shop/orders.py",
        f"import pathlib, time\npathlib.Path({str(sign)!r}).touch()\ntime.sleep(9)",
    )
    commit(repo.root)
    (repo.root / "shop/orders.py").write_text(good, encoding="utf-8")
    before = state_of(repo.root)

    with subprocess.Popen(
        [sys.executable, "-m", "penstock", "diff", "--exit-code", "HEAD"],
        cwd=repo.root,
        env={**os.environ, "TMPDIR": str(scratch)},
        stderr=subprocess.DEVNULL,
    ) as process:
        until(sign.exists)
        process.send_signal(number)

    assert process.returncode
    assert state_of(repo.root) == before
    left = [path.name for path in scratch.iterdir() if path != sign]
    assert bool(left) == (number == signal.SIGKILL)


def test_changes_in_a_hook(repo: Project) -> None:
    """The index that a hook works with is left alone."""
    repo.write("shop/orders.py", CHANGED)
    before = state_of(repo.root)
    env = {"GIT_INDEX_FILE": str(repo.root / ".git/index"), "GIT_DIR": ".git"}

    result = repo.penstock("diff", "--exit-code", "HEAD", env=env)

    assert result.returncode == 1, result.stderr
    assert state_of(repo.root) == before


def test_src_layout_and_folders(repo: Project) -> None:
    """Modules are looked for where they are today, in any folder of the project."""
    (repo.root / "src").mkdir()
    git(repo.root, "mv", "shop", "src/shop")
    commit(repo.root)
    repo.write("src/shop/orders.py", CHANGED)
    (repo.root / "notes").mkdir()

    assert set(changes_of(repo, "HEAD")) == {"orders"}
    result = repo.penstock("diff", "--exit-code", "HEAD", "-f", "json", cwd="notes")
    assert [flow["name"] for flow in json.loads(result.stdout)] == ["orders"]


def test_editable_install(repo: Project) -> None:
    """A path into the working tree leads into the checkout."""
    (repo.root / "lib").mkdir()
    git(repo.root, "mv", "shop", "lib/shop")
    commit(repo.root)
    repo.write("lib/shop/orders.py", CHANGED)
    repo.write("lib/later/__init__.py", CHANGED.replace('"orders"', '"later"'))

    result = repo.penstock(
        "diff", "--exit-code", "HEAD", "shop.**", "later", "-f", "json",
        env={"PYTHONPATH": str(repo.root / "lib")},
    )  # fmt: skip

    found = {flow["name"]: flow["status"] for flow in json.loads(result.stdout)}
    assert found == {"orders": "changed", "later": "added"}


def test_module_of_the_working_tree_is_refused(repo: Project) -> None:
    """A module from the finder of an editable install is an error."""
    (repo.root / "lib").mkdir()
    git(repo.root, "mv", "shop", "lib/shop")
    commit(repo.root)
    finder = repo.root.parent / f"{repo.root.name}-site"
    finder.mkdir()
    (finder / "sitecustomize.py").write_text(
        "import sys\n"
        "from importlib.machinery import PathFinder\n"
        "class Finder:\n"
        "    @staticmethod\n"
        "    def find_spec(name, path=None, target=None):\n"
        f"        return PathFinder.find_spec(name, [{str(repo.root / 'lib')!r}])\n"
        "sys.meta_path.append(Finder)\n",
        encoding="utf-8",
    )

    result = repo.penstock(
        *("diff", "--exit-code", "HEAD", "shop.orders"),
        program=PROCESS,
        env={"PYTHONPATH": str(finder)},
    )

    assert result.returncode == 2
    assert "imported from the working tree" in result.stderr


@pytest.mark.parametrize("file", ["orders.py", "orders/__init__.py"])
def test_installed_copy_is_refused(repo: Project, file: str) -> None:
    """A module of the repository that was imported from site-packages is an error."""
    (repo.root / "lib").mkdir()
    git(repo.root, "mv", "shop", "lib/shop")
    repo.write(f"lib/shop/{file}", (repo.root / "lib/shop/orders.py").read_text())
    if file != "orders.py":
        git(repo.root, "rm", "--quiet", "--force", "lib/shop/orders.py")
    commit(repo.root)
    site = repo.root.parent / f"{repo.root.name}-env" / "site-packages"
    shutil.copytree(repo.root / "lib", site)

    def diff(*path: object) -> Result:
        return repo.penstock(
            *("diff", "--exit-code", "HEAD", "shop.orders"),
            program=PROCESS,
            env={"PYTHONPATH": os.pathsep.join(map(str, path))},
        )

    refused = diff(site)
    repaired = diff("lib", site)

    assert refused.returncode == 2
    assert f"installed copy {site / 'shop' / file}" in refused.stderr
    assert "Set PYTHONPATH=lib." in refused.stderr
    assert (repaired.returncode, repaired.stderr) == (0, "")


def test_files_that_archives_leave_out(repo: Project) -> None:
    """``export-ignore`` is about releases; a flow in such a file was there."""
    repo.write(".gitattributes", "shop/orders.py export-ignore\n")
    commit(repo.root)

    assert repo.penstock("diff", "--exit-code", "HEAD").returncode == 0


def test_filters_and_hooks_do_not_run(repo: Project) -> None:
    """Files are read as git stores them, whatever a checkout would do with them."""
    touched = repo.root / "touched"
    git(repo.root, "config", "filter.loud.smudge", f"touch {touched}; cat")
    git(repo.root, "config", "filter.loud.clean", "cat")
    repo.write(".git/hooks/post-checkout", f"#!/bin/sh\ntouch {touched}\n").chmod(0o755)
    repo.write(".gitattributes", "*.py filter=loud export-subst\n")
    repo.write(
        "shop/orders.py", CHANGED.replace("From click", "$Format:%H$ From click")
    )
    commit(repo.root)

    result = repo.penstock("diff", "--exit-code", "HEAD")

    assert (result.returncode, result.stderr) == (0, "")
    assert not touched.exists()


def test_links(repo: Project) -> None:
    """A symbolic link of the revision leads to the file of the revision."""
    (repo.root / "shop/orders.py").rename(repo.root / "shop/moved.txt")
    (repo.root / "shop/orders.py").symlink_to("moved.txt")
    commit(repo.root)

    assert repo.penstock("diff", "--exit-code", "HEAD").returncode == 0


def test_flows_in_a_submodule(
    repo: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A submodule is checked out at the commit that the revision has of it."""
    other = tmp_path_factory.mktemp("other")
    (other / "__init__.py").write_text("", encoding="utf-8")
    (other / "till.py").write_text(
        "from penstock import flow\nt = flow('till')\n@t.entrypoint\ndef a(): ...\n",
        encoding="utf-8",
    )
    git(other, "init", "--quiet")
    commit(other)
    git(repo.root, "submodule", "--quiet", "add", str(other), "shop/vendored")
    commit(repo.root)

    assert repo.penstock("diff", "--exit-code", "HEAD").returncode == 0
    with (repo.root / "shop/vendored/till.py").open("a", encoding="utf-8") as file:
        file.write("@t.step(after='a')\ndef b(): ...\n")
    assert changes_of(repo, "HEAD") == {"till": ("changed", {"b": "added"})}


def test_submodule_that_is_not_here(repo: Project) -> None:
    """A submodule that is not here is left out, with a warning."""
    entry = f"160000,{'1' * 40},shop/vendored"
    git(repo.root, "update-index", "--add", "--cacheinfo", entry)
    git(repo.root, "commit", "--quiet", "-m", "sub")

    result = repo.penstock("diff", "--exit-code", "HEAD")

    assert result.returncode == 0
    assert "the submodule 'vendored' has no commit 111111111111 here" in result.stderr


def test_shallow_clone(repo: Project, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A revision that was not cloned is named with the command that fetches it."""
    first = git(repo.root, "rev-parse", "HEAD")
    git(repo.root, "branch", "base")
    commit(repo.root)
    clone = tmp_path_factory.mktemp("clone")
    git(clone, "clone", "--quiet", "--depth=1", "--single-branch", "--branch=main",
        f"file://{repo.root}", ".")  # fmt: skip
    shallow = type(repo)(clone)

    by_name = shallow.penstock("diff", "--exit-code", "origin/base")
    by_commit = shallow.penstock("diff", "--exit-code", first)
    relative = shallow.penstock("diff", "--exit-code", "HEAD~1")

    assert by_name.returncode == by_commit.returncode == relative.returncode == 2
    assert "git fetch --depth=1 origin base\n" in by_name.stderr
    assert f"git fetch --depth=1 origin {first}\n" in by_commit.stderr
    assert "git fetch --unshallow" in relative.stderr
    git(clone, "fetch", "--quiet", "--depth=1", "origin", "base")
    assert shallow.penstock("diff", "--exit-code", "FETCH_HEAD").returncode == 0


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["mian"], "there is no revision 'mian' in this repository. Did you mean 'ma"),
        (["main..HEAD"], "is a range. Name one revision"),
        ([""], "the revision is empty"),
        (["nope.json"], "manifest 'nope.json' cannot be read"),
        (["HEAD", "shop.nope"], "Did you mean"),
        ([], "Missing argument 'REVISION'"),
    ],
)
def test_wrong_usage(repo: Project, arguments: list[str], told: str) -> None:
    """A wrong argument is one message, without a traceback."""
    result = repo.penstock("diff", "--exit-code", *arguments)

    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_no_repository(shop: Project) -> None:
    """The message says that this is not a repository."""
    result = shop.penstock(
        "diff",
        "--exit-code",
        "HEAD",
        "shop.orders",
        env={"GIT_CEILING_DIRECTORIES": str(shop.root)},
    )

    assert result.returncode == 2
    assert "not a git repository" in result.stderr


def test_no_git(repo: Project) -> None:
    """Without git there are still manifests."""
    result = repo.penstock(
        "diff", "--exit-code", "HEAD", env={"PATH": str(repo.root / "nowhere")}
    )

    assert result.returncode == 2
    assert "git is not installed" in result.stderr


def test_program_of_the_interpreter(repo: Project) -> None:
    """The console script does the same as ``python -m``."""
    code = "from penstock.cli import main; main()"
    program = (sys.executable, "-P", "-c", code)

    assert repo.penstock("diff", "--exit-code", "HEAD", program=program).returncode == 0
