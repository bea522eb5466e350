"""``.. penstock::``, built by Sphinx itself, in this process."""

from __future__ import annotations

import contextlib
import io
import os
import sys
import warnings
from dataclasses import dataclass
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

import penstock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

command_line: Any = pytest.importorskip("sphinx.cmd.build", reason="needs sphinx")

SHOP = """
    from penstock import entrypoint, flow, step

    @flow("orders")
    @entrypoint
    def receive():
        "Take the order."

    @flow("orders")
    @step(after=receive)
    def charge(): ...
"""
CONF = """
    import os
    import sys
    sys.path.insert(0, os.path.abspath(".."))
    extensions = ["penstock.contrib.sphinx", *{more!r}]
    penstock_import = ["shop"]
    exclude_patterns = ["_*"]
    html_theme = "basic"
"""


@contextlib.contextmanager
def as_a_process(folder: Path) -> Iterator[io.StringIO]:
    """Run the block in *folder* without the flows and modules of earlier blocks.

    The stream that comes back holds what the block prints.
    """
    printed = io.StringIO()
    before, modules, path = os.getcwd(), set(sys.modules), list(sys.path)  # noqa: PTH109  # chdir takes it back
    penstock.forget_flow()
    os.chdir(folder)
    try:
        with (
            contextlib.redirect_stdout(printed),
            contextlib.redirect_stderr(printed),
            warnings.catch_warnings(),
        ):
            warnings.simplefilter("ignore")  # of Sphinx, docutils and their plugins
            yield printed
    finally:
        os.chdir(before)
        sys.path[:] = path
        for name in {"shop"} & (set(sys.modules) - modules):
            del sys.modules[name]


@dataclass(frozen=True, slots=True)
class Site:
    """A project with a folder of documents."""

    root: Path

    def write(self, name: str, text: str) -> None:
        """Write a file."""
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(text).lstrip("\n"), encoding="utf-8")

    def build(self, builder: str = "html", *options: str) -> str:
        """Build; return what Sphinx said."""
        options = ("-d", "_doctrees", "-b", builder, *options)
        with as_a_process(self.root / "docs") as printed:
            status = command_line.main([*options, ".", f"_{builder}"])
        assert status == 0, printed.getvalue()
        return printed.getvalue()

    def result(self, name: str) -> str:
        """Return a file that was built."""
        return (self.root / "docs" / name).read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Return a project with one document."""
    site = Site(tmp_path)
    site.write("shop.py", SHOP)
    site.write("docs/conf.py", CONF.format(more=[]))
    site.write("docs/index.rst", "Orders\n======\n\n.. penstock:: orders\n\nEnd.\n")
    return site


def ask_for_mermaid(site: Site) -> None:
    """Let the document name the format."""
    site.write("docs/conf.py", CONF.format(more=["sphinxcontrib.mermaid"]))
    directive = ".. penstock:: orders\n   :format: mermaid\n"
    site.write("docs/index.rst", f"Orders\n======\n\n{directive}\nEnd.\n")


def test_mermaid_where_it_is_drawn(site: Site) -> None:
    """With sphinxcontrib.mermaid a page of HTML has its diagram."""
    pytest.importorskip("sphinxcontrib.mermaid", reason="needs sphinxcontrib-mermaid")
    ask_for_mermaid(site)

    output = site.build("html", "--fail-on-warning")

    page = site.result("_html/index.html")
    assert 'class="mermaid"' in page
    assert "receive --&gt; charge" in page
    assert "mermaid" in page.partition("receive")[2]  # the script that draws it
    assert "warning" not in output.lower()


def test_diagram_that_mermaid_will_not_draw(site: Site) -> None:
    """A warning names the place, but only where Mermaid is to draw it."""
    pytest.importorskip("sphinxcontrib.mermaid", reason="needs sphinxcontrib-mermaid")
    ask_for_mermaid(site)
    steps = "\n".join(
        f'@f.step(after="start", name="{i}")\ndef s(): ...' for i in range(501)
    )
    start = "f = flow('orders')\n@f.entrypoint\ndef start(): ...\n"
    site.write("shop.py", f"from penstock import flow\n{start}{steps}")

    html = site.build("html")
    text = site.build("text", "--fail-on-warning")

    assert "index.rst:4: WARNING: the diagram of flow 'orders' has 501 edges" in html
    assert "501" not in text


@pytest.mark.parametrize(
    ("builder", "file"),
    [
        ("html", "_html/index.html"),
        ("text", "_text/index.txt"),
        ("epub", "_epub/index.xhtml"),
        ("latex", "_latex/projectnamenotset.tex"),
    ],
)
def test_text_where_nothing_draws_it(site: Site, builder: str, file: str) -> None:
    """Without the extension, and outside web pages, Mermaid is drawn as boxes."""
    directive = ".. penstock:: orders\n   :format: mermaid\n"
    site.write("docs/index.rst", f"Orders\n======\n\n{directive}")
    site.build(builder)

    assert "║ receive ║" in site.result(file)


def test_one_reading_serves_all_builders(site: Site) -> None:
    """Documents that were read for HTML are right for text, too."""
    pytest.importorskip("sphinxcontrib.mermaid", reason="needs sphinxcontrib-mermaid")
    ask_for_mermaid(site)
    site.build("html")
    site.build("text")

    assert "║ receive ║" in site.result("_text/index.txt")
    assert "graph TD" not in site.result("_text/index.txt")


def test_options(site: Site) -> None:
    """Format, details and direction are those of generate_dag."""
    pytest.importorskip("sphinxcontrib.mermaid", reason="needs sphinxcontrib-mermaid")
    site.write("docs/conf.py", CONF.format(more=["sphinxcontrib.mermaid"]))
    site.write(
        "docs/index.rst",
        """
        Orders
        ======

        .. penstock:: orders
           :format: mermaid
           :direction: lr
           :detail:

        .. penstock:: *
           :format: text
        """,
    )

    site.build("html", "--fail-on-warning")

    page = site.result("_html/index.html")
    assert "graph LR" in page
    assert "Take the order." in page
    assert "║ receive ║" in page


def test_svg(site: Site) -> None:
    """An SVG, which needs no script or extension, is part of the page."""
    twice = ".. penstock:: orders\n\n" * 2
    site.write("docs/index.rst", f"X\n=\n\n{twice}")

    site.build("html", "--fail-on-warning")
    site.build("text")

    page = site.result("_html/index.html")
    assert page.count('<figure class="penstock"><svg') == 2
    assert page.count("@font-face{font-family:'Penstock Sans';font-weight:400") == 1
    assert "║ receive ║" in site.result("_text/index.txt")


def test_colours_of_an_svg(site: Site) -> None:
    """They follow the switch of a theme; in a book, the reading device."""
    site.build("html")
    site.build("epub")

    page, book = site.result("_html/index.html"), site.result("_epub/index.xhtml")
    assert ".penstock .ink{fill:light-dark(#1f2328,#e6edf3)}" in page
    assert "[data-theme=dark] figure.penstock{color-scheme:dark}" in page
    assert "light-dark" not in book
    assert "@media(prefers-color-scheme:dark){" in book


def test_pinned_colours(site: Site) -> None:
    """The settings of the project that the documents belong to count."""
    site.write("shop.py", SHOP.replace('"orders")', '"orders", owner="ada")'))
    site.write("pyproject.toml", '[tool.penstock]\ncolors = {ada = "pink"}\n')

    site.build()

    assert 'class="card pink-tint' in site.result("_html/index.html")


def test_myst(site: Site) -> None:
    """In Markdown it is a fence with braces."""
    pytest.importorskip("myst_parser", reason="needs myst-parser")
    site.write("docs/conf.py", CONF.format(more=["myst_parser"]))
    site.write("docs/index.rst", "X\n=\n\n.. toctree::\n\n   page\n")
    site.write("docs/page.md", "# Orders\n\n```{penstock} orders\n```\n")

    site.build("text", "--fail-on-warning")

    assert "║ receive ║" in site.result("_text/page.txt")


@pytest.mark.parametrize(
    ("directive", "message"),
    [
        (".. penstock:: order", "there is no flow 'order'. Did you mean 'orders'?"),
        (".. penstock::", "1 argument(s) required"),
        (".. penstock:: orders\n   :format: gif", '"gif" unknown'),
        (".. penstock:: orders\n   :direction: up", '"up" unknown'),
    ],
)
def test_what_cannot_be_drawn(site: Site, directive: str, message: str) -> None:
    """A warning says what is wrong, in which line of which document."""
    site.write("docs/index.rst", f"Orders\n======\n\n{directive}\n\nEnd.\n")

    output = site.build("text")

    (line,) = [line for line in output.splitlines() if "index.rst:4:" in line]
    assert message in output
    assert "WARNING" in line or "ERROR" in line
    assert "End." in site.result("_text/index.txt")


def test_module_that_fails(site: Site) -> None:
    """An import that fails is a warning, and does not end the build."""
    site.write("shop.py", "raise SystemExit(3)")

    output = site.build("text")

    assert "conf.py: penstock_import: importing 'shop' failed" in output
    assert "End." in site.result("_text/index.txt")


def test_manifests(site: Site) -> None:
    """Flows of other repositories are drawn from their manifests."""
    shop: dict[str, Any] = {"__name__": "shop"}
    exec(dedent(SHOP), shop)  # noqa: S102  # it is our own
    penstock.generate_dag(None, output=str(site.root / "docs/flows.json"))
    conf = CONF.format(more=[]).replace('["shop"]', '["flows.json"]')
    site.write("docs/conf.py", conf)

    site.build("text", "--fail-on-warning")

    assert "║ receive ║" in site.result("_text/index.txt")
    (site.root / "docs/flows.json").write_text("{}", encoding="utf-8")
    assert "flows.json is not a manifest" in site.build("text")


def test_document_is_read_again_when_its_flow_changes(site: Site) -> None:
    """An incremental build knows the files that a diagram depends on."""
    site.write("docs/index.rst", "X\n=\n\n.. toctree::\n\n   a\n   b\n")
    site.write("docs/a.rst", "A\n=\n\n.. penstock:: orders\n")
    site.write("docs/b.rst", "B\n=\n")
    site.build("text")
    site.write("shop.py", SHOP.replace("charge", "bill"))

    output = site.build("text", "-v")

    assert "0 added, 1 changed" in output
    assert "bill" in site.result("_text/a.txt")


def test_parallel_reading(site: Site) -> None:
    """Several processes read documents; each knows the flows."""
    names = [f"page{i}" for i in range(8)]
    for name in names:
        site.write(f"docs/{name}.rst", f"{name}\n=====\n\n.. penstock:: orders\n")
    listed = "\n".join(f"   {name}" for name in names)
    (site.root / "docs/index.rst").write_text(f"X\n=\n\n.. toctree::\n\n{listed}\n")

    site.build("text", "--fail-on-warning", "-j", "2")

    assert all("║ receive ║" in site.result(f"_text/{name}.txt") for name in names)
