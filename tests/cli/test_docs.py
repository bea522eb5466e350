"""``penstock docs``."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.support.projects import Project

needs_posix = pytest.mark.skipif(os.name == "nt", reason="needs pipes, links, modes")

ROOT = Path(__file__).parents[2]
EMPTY = """\
# Orders

<!-- penstock:orders -->
<!-- /penstock -->

The end.
"""
FILLED = """\
# Orders

<!-- penstock:orders -->

```mermaid
graph TD
    receive --> charge
    receive --> reserve
    charge --> ship
    reserve --> ship
```

<!-- /penstock -->

The end.
"""
DIFFERENCE = """\
--- a/README.md
+++ b/README.md
@@ -1,6 +1,15 @@
 # Orders
.
 <!-- penstock:orders -->
+
+```mermaid
+graph TD
+    receive --> charge
+    receive --> reserve
+    charge --> ship
+    reserve --> ship
+```
+
 <!-- /penstock -->
.
 The end.
""".replace("\n.\n", "\n \n")


@pytest.fixture
def pages(shop: Project) -> Project:
    """Return the project with a README, and its flows named in pyproject.toml."""
    shop.write("pyproject.toml", '[tool.penstock]\nimport = ["shop.**"]\n')
    shop.write("README.md", EMPTY)
    return shop


def rewritten(shop: Project, text: str | bytes, name: str = "page.md") -> bytes:
    """Return what a page holds after ``penstock docs``."""
    data = text.encode() if isinstance(text, str) else text
    (shop.root / name).write_bytes(data)
    result = shop.penstock("docs", name)
    assert result.returncode == 0, result.stderr
    return (shop.root / name).read_bytes()


def test_block_is_drawn(pages: Project) -> None:
    """What is between the markers becomes the diagram; once more changes nothing."""
    first = pages.penstock("docs", "README.md")
    path = pages.root / "README.md"
    text = path.read_bytes()
    was = path.stat().st_mtime_ns
    second = pages.penstock("docs", "README.md")

    assert (first.returncode, first.stdout) == (0, "")
    assert first.stderr == "Updated 1 diagram in 1 file.\n"
    assert text == FILLED.encode()
    assert (second.returncode, second.stderr) == (0, "")
    assert path.stat().st_mtime_ns == was


def test_check_prints_what_differs(pages: Project) -> None:
    """``--check`` writes nothing, and exits with 1 until the block is right."""
    result = pages.penstock("docs", "--check", "README.md")

    assert (result.returncode, result.stdout) == (1, DIFFERENCE)
    assert result.stderr.startswith("1 diagram in 1 file out of date.")
    assert (pages.root / "README.md").read_text(encoding="utf-8") == EMPTY
    pages.write("README.md", FILLED)
    result = pages.penstock("docs", "--check", "README.md")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_picture_is_written_beside_the_page(pages: Project) -> None:
    """The block becomes an image; the file is checked like the text."""
    block = "<!-- penstock:orders file=img/orders.svg -->\n<!-- /penstock -->\n"
    pages.write("README.md", block)
    first = pages.penstock("docs", "README.md")
    text = (pages.root / "README.md").read_text(encoding="utf-8")
    picture = pages.root / "img" / "orders.svg"
    drawn = picture.read_bytes()
    again = pages.penstock("docs", "--check", "README.md")
    picture.write_bytes(b"<svg/>")
    stale = pages.penstock("docs", "--check", "README.md")
    repaired = pages.penstock("docs", "README.md")

    assert first.stderr == "Updated 1 diagram in 1 file.\n"
    assert "\n![orders](img/orders.svg)\n" in text
    assert (again.returncode, again.stdout) == (0, "")
    shown = os.path.join("img", "orders.svg")  # noqa: PTH118  # with a backslash on Windows
    assert (stale.returncode, stale.stdout) == (1, f"{shown} differs.\n")
    assert repaired.stderr == "Updated 1 diagram in 1 file.\n"
    assert picture.read_bytes() == drawn


def test_difference_can_be_applied(pages: Project) -> None:
    """What ``--check`` prints is a patch, also of a file without a last newline."""
    if shutil.which("git") is None:
        pytest.skip("needs git")
    page = pages.root / "README.md"
    page.write_bytes(EMPTY.removesuffix("\n\nThe end.\n").encode())
    patch = pages.penstock("docs", "--check", "README.md").stdout

    subprocess.run(
        ["git", "apply", "-"], cwd=pages.root, input=patch.encode(), check=True
    )

    assert page.read_bytes() == FILLED.removesuffix("\n\nThe end.\n").encode()


def test_folders(pages: Project) -> None:
    """A folder brings the .md files in it, but none of what is installed or hidden."""
    for folder in (".hidden", "node_modules/x", "env/lib", "docs/deep"):
        pages.write(f"{folder}/page.md", EMPTY)
    pages.write("env/pyvenv.cfg", "")
    pages.write("docs/notes.txt", EMPTY)
    pages.write("docs/OTHER.MD", EMPTY)

    result = pages.penstock("docs", ".", "README.md", "docs/deep/page.md")

    assert result.stderr == "Updated 3 diagrams in 3 files.\n"
    changed = {
        path.relative_to(pages.root).as_posix()
        for path in pages.root.rglob("*")
        if path.is_file() and b"```mermaid" in path.read_bytes()
    }
    assert changed == {"README.md", "docs/deep/page.md", "docs/OTHER.MD"}


def test_options_of_a_block(pages: Project) -> None:
    """A block may ask for several flows, all, a direction, details, another format."""
    for request, shown in (
        ("orders direction=LR", b"graph LR"),
        ("orders detail", b"Take the order."),
        ("orders format=text", "║ receive ║".encode()),
        ("orders format=dot", b"```dot\ndigraph"),
        ("orders,billing", b'subgraph flow_billing["billing"]'),
        ("*", b'subgraph flow_audit["audit"]'),
        ('"orders"', b"receive --> charge"),
    ):
        page = rewritten(pages, f"<!-- penstock:{request} -->\n<!-- /penstock -->\n")
        assert shown in page, request


def test_text_is_the_same_in_every_terminal(pages: Project) -> None:
    """Nothing about the machine shows in a drawing."""
    drawn = set()
    for columns in ("20", "200"):
        pages.write("a.md", "<!-- penstock:* format=text -->\n<!-- /penstock -->\n")
        pages.penstock("docs", "a.md", env={"COLUMNS": columns})
        drawn.add((pages.root / "a.md").read_bytes())

    assert len(drawn) == 1


def test_all_else_stays(pages: Project) -> None:
    """Line ends, a byte order mark, odd characters and a missing last newline."""
    bom = b"\xef\xbb\xbf"
    odd = "a\x0bb\x0cc\u2028d\x85e".encode()
    plain = EMPTY.encode().removesuffix(b"\n") + odd
    filled = FILLED.encode().removesuffix(b"\n") + odd

    assert rewritten(pages, plain) == filled
    assert rewritten(pages, bom + plain) == bom + filled
    crlf = plain.replace(b"\n", b"\r\n")
    assert rewritten(pages, crlf) == filled.replace(b"\n", b"\r\n")


def test_lists_and_quotations(pages: Project) -> None:
    """The block goes on where its marker stands."""
    page = rewritten(
        pages,
        "1. one\n\n    <!-- penstock:audit -->\n    <!-- /penstock -->\n\n"
        "> <!-- penstock:audit -->\n> <!-- /penstock -->\n",
    ).decode()

    assert page == (
        "1. one\n\n    <!-- penstock:audit -->\n\n    ```mermaid\n    graph TD\n"
        "        record\n    ```\n\n    <!-- /penstock -->\n\n"
        "> <!-- penstock:audit -->\n>\n> ```mermaid\n> graph TD\n"
        ">     record\n> ```\n>\n> <!-- /penstock -->\n"
    )


def test_markers_in_code_are_text(pages: Project) -> None:
    """A page about penstock shows markers without being rewritten."""
    text = (
        "````markdown\n<!-- penstock:nope -->\n```\n<!-- /penstock -->\n````\n"
        "~~~\n<!-- /penstock -->\n~~~\n"
        "Between `<!-- penstock:nope -->` and ``<!-- /penstock -->`` it is drawn.\n\n"
        "    <!-- penstock:nope -->\n\n"
        "<!-- penstock is fine --> and <!-- needs: penstock -->\n"
    )

    assert rewritten(pages, text) == text.encode()


def test_block_after_code_in_a_list(pages: Project) -> None:
    """A fence that its list item ends hides no block, and the page shows none."""
    page = "- item\n  ```\n  code\n\ntext\n\n" + EMPTY

    pages.write("page.md", page)
    assert pages.penstock("docs", "--check", "page.md").returncode == 1
    assert rewritten(pages, page) == page.replace(EMPTY, FILLED).encode()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("<!-- penstock:order -->\n<!-- /penstock -->", "1: there is no flow 'order'."),
        ("<!-- penstock:order -->\n<!-- /penstock -->",
         "Did you mean 'orders'? Flows are: audit, billing, orders."),
        ("x\n<!-- penstock:orders -->\n", "2: the block 'orders' is not closed"),
        ("<!-- penstock:orders -->\n<!-- penstock:audit -->\n<!-- /penstock -->",
         "1: the block 'orders' is not closed before the next block"),
        ("a\n\n<!-- /penstock -->", "3: <!-- /penstock --> closes no block"),
        ("<!-- penstock: -->\n<!-- /penstock -->", "1: the marker names no flow"),
        ("<!-- penstock -->\n<!-- /penstock -->", "1: the marker names no flow"),
        ("See <!-- penstock:orders --> here", "1: a marker must be on a line of"),
        ("<!-- penstock:orders width=3 -->\n<!-- /penstock -->",
         "1: there is no option 'width=3'"),
        ("<!-- penstock:orders driection=LR -->\n<!-- /penstock -->",
         "Did you mean 'direction'?"),
        ("<!-- penstock:orders direction=UP -->\n<!-- /penstock -->",
         "direction is one of TD, TB, LR, RL, BT, not 'UP'"),
        ("<!-- penstock:orders direction -->\n<!-- /penstock -->",
         "'direction' needs a value, such as direction=LR"),
        ("<!-- penstock:orders detail=no -->\n<!-- /penstock -->",
         "'detail' takes no value"),
        ("<!-- penstock:orders format=png -->\n<!-- /penstock -->",
         "format is one of mermaid, dot, json, text, not 'png'"),
        ('<!-- penstock:"orders -->\n<!-- /penstock -->', "no closing quotation"),
    ],
)  # fmt: skip
def test_wrong_marker(pages: Project, text: str, told: str) -> None:
    """The message names file and line, and nothing is written, in no file."""
    pages.write("page.md", text)
    before = (pages.root / "page.md").read_bytes()

    result = pages.penstock("docs", "README.md", "page.md")

    assert result.returncode == 2
    assert "page.md:" in result.stderr
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert (pages.root / "page.md").read_bytes() == before
    assert (pages.root / "README.md").read_text(encoding="utf-8") == EMPTY


def test_every_wrong_name_is_told(pages: Project) -> None:
    """After a rename all places are named at once."""
    for name in ("a.md", "b.md"):
        pages.write(name, EMPTY.replace("orders", "order"))

    result = pages.penstock("docs", "--check", ".")

    assert result.returncode == 2
    assert "a.md:3: there is no flow 'order'" in result.stderr
    assert "b.md:3: there is no flow 'order'" in result.stderr


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16", "utf-16be", "utf-32le"])
def test_other_encodings(pages: Project, encoding: str) -> None:
    """A file in another encoding is refused if it may hold a marker, else left."""
    path = pages.root / "other.md"
    path.write_bytes(("Größe\n" + EMPTY).encode(encoding))
    result = pages.penstock("docs", ".")
    path.write_bytes("Größe\n".encode(encoding))
    harmless = pages.penstock("docs", ".")

    assert result.returncode == 2
    assert "other.md:1: this is not UTF-8" in result.stderr
    assert harmless.returncode == 0, harmless.stderr


def test_targets(pages: Project) -> None:
    """``--target`` names where flows are declared; a manifest needs no import."""
    pages.penstock("export", "shop.orders", "-o", "orders.json")
    pages.write("pyproject.toml", "")

    without = pages.penstock("docs", "README.md")
    manifest = pages.penstock("docs", "README.md", "--target", "orders.json")
    module = pages.penstock("docs", "--check", "README.md", "-t", "shop.orders")

    assert without.returncode == 2
    assert "no target given" in without.stderr
    assert manifest.returncode == module.returncode == 0


def test_nothing_to_do(pages: Project) -> None:
    """Without a marker nothing is imported; that there is none is said."""
    pages.write("shop/orders.py", "1 / 0")
    pages.write("README.md", "# Hello\n")

    result = pages.penstock("docs", "--check", ".")

    assert (result.returncode, result.stdout) == (0, "")
    assert "no block" in result.stderr


def test_path_that_is_not_there(pages: Project) -> None:
    """A wrong path is wrong usage, and so is none at all."""
    assert pages.penstock("docs", "nope.md").returncode == 2
    assert pages.penstock("docs").returncode == 2


def test_import_that_fails(pages: Project) -> None:
    """An application that cannot be imported is exit status 2, not 1."""
    pages.write("shop/orders.py", "1 / 0")

    result = pages.penstock("docs", "--check", "README.md")

    assert result.returncode == 2
    assert "importing 'shop.orders' failed" in result.stderr


@needs_posix
def test_what_is_no_regular_file(pages: Project) -> None:
    """Pipes, devices and broken links in a folder are named and left alone."""
    os.mkfifo(pages.root / "pipe.md")
    (pages.root / "zero.md").symlink_to("/dev/zero")
    (pages.root / ".#page.md").symlink_to("user@host.1")
    (pages.root / "one.md").symlink_to("two.md")
    (pages.root / "two.md").symlink_to("one.md")
    (pages.root / "docs.md").symlink_to(".")

    result = pages.penstock("docs", ".")

    assert result.returncode == 0
    assert result.stderr.splitlines() == [
        "Skipped .#page.md: its link is broken.",
        "Skipped one.md: Too many levels of symbolic links.",
        "Skipped pipe.md: it is not a regular file.",
        "Skipped two.md: Too many levels of symbolic links.",
        "Skipped zero.md: it is not a regular file.",
        "Updated 1 diagram in 1 file.",
    ]


@needs_posix
def test_pipe_that_is_named(pages: Project) -> None:
    """A pipe as an argument is an error, and nothing waits for it."""
    os.mkfifo(pages.root / "pipe.md")

    result = pages.penstock("docs", "README.md", "pipe.md")

    assert result.returncode == 2
    assert "'pipe.md' cannot be updated: it is not a regular file" in result.stderr
    assert (pages.root / "README.md").read_text(encoding="utf-8") == EMPTY


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_folder_that_cannot_be_read(pages: Project) -> None:
    """A folder without permission is named, and the other files are updated."""
    pages.write("listed/page.md", EMPTY)
    (pages.root / "closed").mkdir(0)
    (pages.root / "listed").chmod(0o444)
    result = pages.penstock("docs", ".")
    for name in ("closed", "listed"):
        (pages.root / name).chmod(0o700)

    assert result.returncode == 0
    assert set(result.stderr.splitlines()) == {
        "Skipped closed: Permission denied.",
        "Skipped listed/page.md: Permission denied.",
        "Updated 1 diagram in 1 file.",
    }


@needs_posix
def test_name_with_a_newline(pages: Project) -> None:
    """The name of a file is one line of the output, whatever it contains."""
    pages.write("a\n::error::b.md", EMPTY)
    result = pages.penstock("docs", "--check", "a\n::error::b.md")

    assert result.stdout.splitlines()[:2] == [
        "--- a/a\\n::error::b.md",
        "+++ b/a\\n::error::b.md",
    ]


@needs_posix
def test_link_and_mode_stay(pages: Project) -> None:
    """The file behind a link is rewritten, and keeps its mode."""
    path = pages.root / "README.md"
    path.chmod(0o640)
    link = pages.root / "docs.md"
    link.symlink_to("README.md")

    result = pages.penstock("docs", "docs.md", "README.md")

    assert result.stderr == "Updated 1 diagram in 1 file.\n"
    assert link.is_symlink()
    assert path.stat().st_mode & 0o777 == 0o640
    assert path.read_text(encoding="utf-8") == FILLED


def test_warning_names_the_block(pages: Project) -> None:
    """A warning about a diagram names its file and line."""
    steps = "\n".join(
        f'@f.step(after="start", name="{i}")\ndef s(): ...' for i in range(501)
    )
    pages.write("shop/big.py", "from penstock import flow\nf = flow('big')\n"
                f"@f.entrypoint\ndef start(): ...\n{steps}")  # fmt: skip
    pages.write("page.md", "\n\n<!-- penstock:big -->\n<!-- /penstock -->\n")

    result = pages.penstock("docs", "page.md")

    assert "Warning: page.md:1: the diagram of flow 'big' has 501" in result.stderr


def test_hooks_for_pre_commit(
    pages: Project, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The pre-commit hooks update diagrams and manifest, and fail if they had to."""
    pytest.importorskip("pre_commit", reason="needs pre-commit")
    pytest.importorskip("jedi", reason="needs jedi")
    if shutil.which("git") is None:
        pytest.skip("needs git")
    hooks = published_hooks(tmp_path_factory.mktemp("hooks"))
    pages.write(".gitignore", "__pycache__/\n")
    pages.write("penstock.json", "{}")
    pages.write(
        ".pre-commit-config.yaml",
        f"""
        repos:
          - repo: {hooks}
            rev: main
            hooks:
              - id: penstock-docs
              - id: penstock-export
              - id: penstock-check
                args: [--ignore, PEN2]
        """,
    )
    run(pages.root, "git", "init", "--quiet")
    run(pages.root, "git", "add", "--all")
    tool = (sys.executable, "-m", "pre_commit", "run", "--all-files")
    home = {"PRE_COMMIT_HOME": str(tmp_path_factory.mktemp("home"))}

    first = run(pages.root, *tool, check=False, **home)
    second = run(pages.root, *tool, check=False, **home)
    written = pages.penstock("diff", "penstock.json", "--exit-code")
    source = pages.root / "shop/orders.py"
    source.write_text(
        source.read_text(encoding="utf-8").replace('after="receive"', 'after="nope"'),
        encoding="utf-8",
    )
    third = run(pages.root, *tool, "penstock-check", check=False, **home)

    assert first.stdout.count("files were modified by this hook") == 2, first.stdout
    assert first.returncode == 1
    assert (pages.root / "README.md").read_text(encoding="utf-8") == FILLED
    assert (written.returncode, written.stderr) == (0, "")
    assert second.returncode == 0, second.stdout
    assert "PEN001" in third.stdout


def published_hooks(folder: Path) -> Path:
    """Return a repository with the hooks that this one offers."""
    shutil.copy(ROOT / ".pre-commit-hooks.yaml", folder)
    run(folder, "git", "init", "--quiet", "--initial-branch", "main")
    run(folder, "git", "add", "--all")
    who = ("-c", "user.name=a", "-c", "user.email=a@b.example")
    run(folder, "git", *who, "commit", "--quiet", "-m", "hooks")
    return folder


def run(
    folder: Path, *command: str, check: bool = True, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run a command that finds penstock where this test runs."""
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    return subprocess.run(
        command, cwd=folder, check=check, capture_output=True, text=True,
        env={**os.environ, "PATH": path, **environment},
    )  # fmt: skip
