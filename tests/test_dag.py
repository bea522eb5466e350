"""generate_dag: which flows, which format, and where the drawing goes."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    ConfigurationError,
    FlowDefinitionError,
    RenderError,
    UnknownFlowError,
    configure,
    entrypoint,
    flow,
    generate_dag,
    step,
)
from tests.support.flow_values import draw, flow_of

if TYPE_CHECKING:
    from collections.abc import Iterator

DIAGRAM = "graph TD\n    receive --> charge"


@pytest.fixture(autouse=True)
def shop() -> None:
    """Declare two flows."""

    @flow("orders")
    class Orders:
        @entrypoint
        def receive(self) -> None:
            """Take an order."""

        @step(after="receive")
        def charge(self) -> None: ...

    @flow("billing")
    class Billing:
        @entrypoint
        def start(self) -> None: ...

        @step(after=["start", "orders:charge"])
        def invoice(self) -> None: ...


def test_one_flow_as_mermaid() -> None:
    """Mermaid is the default, without a newline at the end."""
    assert generate_dag("orders") == DIAGRAM


def test_one_flow_shows_what_leads_in() -> None:
    """A step of a flow that is not drawn has the flow's name as prefix."""
    assert generate_dag("billing").split("\n") == [
        "graph TD",
        '    orders_charge["orders#58;charge"] --> invoice',
        "    start --> invoice",
    ]


@pytest.mark.parametrize("names", [["orders", "billing"], ("billing", "orders"), None])
def test_several_flows(names: list[str] | None) -> None:
    """A list draws these flows together, None all declared flows."""
    diagram = generate_dag(names)

    assert 'subgraph flow_orders["orders"]' in diagram
    assert "\n    charge --> invoice" in diagram


def test_none_of_many() -> None:
    """An empty list draws nothing."""
    assert generate_dag([]) == "graph TD"


def test_every_argument_by_place() -> None:
    """The order of the arguments is the documented one."""
    assert generate_dag("orders", "mermaid", None, True, "LR") == (
        'graph LR\n    receive(["receive<br/>Take an order."])\n    charge["charge"]\n'
        "    receive --> charge"
    )


@pytest.mark.parametrize("direction", ["TD", "TB", "LR", "RL", "BT"])
def test_directions(direction: Any) -> None:
    """All of Mermaid's directions work."""
    assert generate_dag("orders", direction=direction).startswith(
        f"graph {direction}\n"
    )


def test_a_wrong_direction(tmp_path: Path) -> None:
    """The message lists the directions, and no file is written."""
    output = tmp_path / "dag.md"

    with pytest.raises(ConfigurationError, match="TD, TB, LR, RL, BT, not 'DOWN'"):
        generate_dag("orders", output=output, direction="DOWN")  # type: ignore[call-overload]  # the point
    assert not output.exists()


def test_an_unknown_flow() -> None:
    """The error is a KeyError with the name, and suggests a similar one."""
    with pytest.raises(UnknownFlowError, match=r"Did you mean 'orders'\?") as caught:
        generate_dag(["billing", "order"])
    assert caught.value.flow == "order"
    assert "Flows are: billing, orders." in str(caught.value)
    assert isinstance(caught.value, KeyError)


def test_an_unknown_flow_of_many() -> None:
    """A long list of flows is shortened."""
    for number in range(30):

        @flow(f"flow {number:02}")
        @entrypoint
        def start() -> None: ...

    with pytest.raises(UnknownFlowError, match=r"flow 18 and 12 more\."):
        generate_dag("x")


def test_no_flow_at_all() -> None:
    """If no flow is declared, the message suggests an import."""
    program = "import penstock; penstock.generate_dag('orders')"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )

    assert (
        "there is no flow 'orders', because no flow is declared yet. Import"
        in done.stderr
    )


def test_a_predecessor_that_is_not_there() -> None:
    """A misspelled name in ``after`` is reported with its place."""

    @flow("orders")
    @step(after="recieve")
    def refund() -> None: ...

    with pytest.raises(
        FlowDefinitionError, match=r"'refund'.*test_dag\.py:\d+.*receive"
    ):
        generate_dag("orders")


def test_the_service_s_own_name() -> None:
    """A predecessor may name the service that is drawn."""
    configure(service="shop")

    @flow("orders")
    @step(after="shop/orders:charge")
    def ship() -> None: ...

    assert generate_dag("orders") == f"{DIAGRAM}\n    charge --> ship"


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("dag.md", "```mermaid\ngraph TD\n"),
        ("dag.MARKDOWN", "```mermaid\ngraph TD\n"),
        ("dag.mmd", "graph TD\n"),
        ("dag.mermaid", "graph TD\n"),
        ("dag.dot", "digraph "),
        ("dag.gv", "digraph "),
        ("dag.json", "{\n"),
        ("dag.txt", "╔"),
    ],
)
def test_the_suffix_tells_the_format(tmp_path: Path, name: str, begins: str) -> None:
    """The suffix decides the format; the file is UTF-8 with one newline at the end."""
    output = tmp_path / name

    assert generate_dag("orders", output=str(output)) is None
    content = output.read_bytes().decode()
    assert content.startswith(begins) or content.lstrip().startswith(begins)
    assert content.endswith("\n")
    assert not content.endswith("\n\n")
    assert "\r" not in content
    assert list(tmp_path.iterdir()) == [output]


def test_colors_of_the_project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The settings of the folder that the program runs in count here too."""
    monkeypatch.chdir(tmp_path)
    configure(service="web")
    settings = Path("pyproject.toml")
    before = generate_dag("orders", "svg")
    settings.write_text('[tool.penstock]\ncolors = {web = "pink"}\n')

    assert "pink-tint" in generate_dag("orders", "svg")
    assert "pink-tint" not in before
    settings.write_text('[tool.penstock]\ncolors = {web = "pnik"}\n')
    with pytest.raises(ConfigurationError, match="Did you mean 'pink'"):
        generate_dag("orders", "svg")


def test_markdown_is_fenced(tmp_path: Path) -> None:
    """A Markdown file has the diagram in a fenced block."""
    output = tmp_path / "dag.md"
    generate_dag("orders", output=output)

    assert output.read_text() == f"```mermaid\n{DIAGRAM}\n```\n"


def test_the_format_may_differ_from_the_suffix(tmp_path: Path) -> None:
    """An explicit format wins over the name of the file."""
    generate_dag("orders", "json", tmp_path / "dag.txt")
    generate_dag("orders", "text", tmp_path / "dag.md")
    generate_dag("orders", "mermaid", tmp_path / "dag")

    assert json.loads((tmp_path / "dag.txt").read_text())["penstock"] == 1
    assert (tmp_path / "dag.md").read_text().startswith("```text\n")
    assert (tmp_path / "dag").read_text() == f"{DIAGRAM}\n"


def test_a_fence_is_longer_than_what_it_holds(tmp_path: Path) -> None:
    """Backticks in a name do not end the block."""
    output = tmp_path / "dag.md"
    draw([flow_of("f", {"a ```` b": None})], format="dot", output=output)

    assert output.read_text().startswith("`````dot\n")
    assert output.read_text().endswith("\n`````\n")


def test_an_unknown_suffix(tmp_path: Path) -> None:
    """The message lists the suffixes of all formats."""
    with pytest.raises(
        ConfigurationError, match=r"'dag.pdf' does not name a format.*\.md.*\.svg"
    ):
        generate_dag("orders", output=tmp_path / "dag.pdf")


def test_nothing_is_written_before_all_is_well(tmp_path: Path) -> None:
    """An error leaves the file as it was, and no temporary file beside it."""
    output = tmp_path / "dag.md"
    output.write_text("before")

    with pytest.raises(UnknownFlowError):
        generate_dag("nothing", output=output)
    assert output.read_text() == "before"
    assert list(tmp_path.iterdir()) == [output]


def test_a_missing_folder(tmp_path: Path) -> None:
    """The message says that the folder is missing."""
    with pytest.raises(RenderError, match=r"dag\.md' cannot be written: .* no folder"):
        generate_dag("orders", output=tmp_path / "nowhere" / "dag.md")


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """A folder of that name is an error, and stays."""
    (tmp_path / "dag.md").mkdir()

    with pytest.raises(
        RenderError, match=r"dag\.md' cannot be written: Is a directory"
    ):
        generate_dag("orders", output=tmp_path / "dag.md")
    assert [path.name for path in tmp_path.iterdir()] == ["dag.md"]


def test_a_write_that_fails_leaves_no_trace(tmp_path: Path) -> None:
    """With a full disk, the old file stays and the temporary file is removed."""
    resource = pytest.importorskip("resource", reason="needs a limit on file sizes")
    output = tmp_path / "dag.md"
    output.write_text("before")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))
    try:
        with pytest.raises(RenderError, match="cannot be written: File too large"):
            generate_dag("orders", output=output)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert output.read_text() == "before"
    assert list(tmp_path.iterdir()) == [output]


@pytest.fixture
def umask() -> Iterator[int]:
    """Have new files readable by their owner's group."""
    before = os.umask(0o027)
    yield 0o640
    os.umask(before)


def test_a_new_file_has_the_user_s_mode(tmp_path: Path, umask: int) -> None:
    """A new file gets the default mode."""
    generate_dag("orders", output=tmp_path / "dag.md")

    assert stat.S_IMODE((tmp_path / "dag.md").stat().st_mode) == umask


def test_a_file_keeps_its_mode(tmp_path: Path) -> None:
    """Replacing a file keeps its mode."""
    output = tmp_path / "dag.md"
    output.touch(0o600)
    output.chmod(0o604)
    generate_dag("orders", output=output)

    assert stat.S_IMODE(output.stat().st_mode) == 0o604


def test_a_link_stays_one(tmp_path: Path) -> None:
    """The file that a link points to is replaced, not the link."""
    (tmp_path / "docs").mkdir()
    link = tmp_path / "dag.md"
    link.symlink_to(Path("docs", "real.md"))
    generate_dag("orders", output=link)

    assert link.is_symlink()
    assert "graph TD" in (tmp_path / "docs" / "real.md").read_text()


def test_a_device_is_written_to() -> None:
    """A pipe or device is written to, and not replaced by a file."""
    generate_dag("orders", "mermaid", os.devnull)

    assert not stat.S_ISREG(Path(os.devnull).stat().st_mode)


def test_bytes_are_written_as_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bytes from a renderer are written unchanged."""
    (tmp_path / "pixels.py").write_text("def draw(graph, **_): return b'\\x89\\r\\n'")
    info = tmp_path / "pixels-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: pixels\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[penstock.renderers]\npix = pixels:draw\n")
    monkeypatch.syspath_prepend(tmp_path)
    generate_dag("orders", "pix", tmp_path / "dag.md")

    assert (tmp_path / "dag.md").read_bytes() == b"\x89\r\n"
