"""PNG: its size, its fonts, and how it fails."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from penstock import (
    FlowInfo,
    RenderError,
    StepInfo,
    entrypoint,
    flow,
    generate_dag,
    step,
)
from penstock._graph.graph import build_graph
from tests.renderers.picture.test_svg import HOSTILE, SHOP
from tests.support.flow_values import draw, flow_of
from tests.support.images import Svg, make_font, needs_draw, pixels

pytestmark = needs_draw


def png(*flows: FlowInfo) -> bytes:
    """Return the PNG."""
    drawing = draw(flows, format="png")
    assert isinstance(drawing, bytes)
    return drawing


def test_what_the_usage_guide_prints() -> None:
    """``generate_dag`` returns the bytes of a PNG."""

    @flow("png orders")
    @entrypoint
    def receive() -> None: ...

    @flow("png orders")
    @step(after=receive)
    def charge() -> None: ...

    assert generate_dag("png orders", format="png").startswith(b"\x89PNG\r\n\x1a\n")


def test_it_is_twice_as_large_as_the_svg_says() -> None:
    """A PNG has four pixels for each of the SVG, an opaque page, and round corners."""
    found = Svg(str(draw([SHOP], format="svg")))
    sides = [int(found.root.attrib[side]) for side in ("width", "height")]
    picture = pixels(png(SHOP))

    assert picture.size == tuple(2 * one for one in sides)
    assert picture.getpixel((40, 2)) == (255, 255, 255)
    values = picture.convert("L").histogram()
    assert 0.005 < sum(values[:128]) / sum(values) < 0.2


def test_light_and_dark() -> None:
    """A dark PNG has the other colour of each pair."""
    from penstock.renderers.picture.png import render_png  # noqa: PLC0415  # an extra

    graph = build_graph([SHOP])
    light, dark = (
        pixels(render_png(graph, detail=False, direction="TD", theme=theme))
        for theme in ("light", "dark")
    )
    box = Svg(str(draw([SHOP], format="svg"))).box("step-receive")
    at = round(2 * box.left) + 12, round(2 * box.bottom) - 6

    assert light.size == dark.size
    assert (light.getpixel((40, 9)), dark.getpixel((40, 9))) == (
        (0xFF, 0xFF, 0xFF),
        (0x0D, 0x11, 0x17),
    )
    assert (light.getpixel(at), dark.getpixel(at)) == (
        (0xDD, 0xEB, 0xFB),
        (0x12, 0x26, 0x3F),
    )


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
@pytest.mark.filterwarnings("ignore:no font on this machine")
def test_hostile_names(name: str) -> None:
    """Every name can be painted."""
    assert pixels(png(flow_of(name, {name: None, "next": name}))).size > (100, 100)


def test_letters_are_no_boxes() -> None:
    """Different names of the same width give different pictures of the same size."""
    one, other = (pixels(png(flow_of("f", {name: None}))) for name in ("äb", "bä"))

    assert one.size == other.size
    assert one.tobytes() != other.tobytes()


def test_names_are_bold() -> None:
    """The heavier of the two fonts is used for names, the other for descriptions."""
    name = StepInfo("mmmmmmmmmm", "f")
    about = StepInfo("m", "f", description="m" * 9 + " mmmmmmmmmm")

    def ink(step: StepInfo) -> int:
        drawing = draw([FlowInfo("f", (step,))], format="png", detail=True)
        assert isinstance(drawing, bytes)
        return sum(pixels(drawing).convert("L").histogram()[:90])

    assert ink(name) > 1.5 * ink(about)


def test_other_letters_come_from_the_fonts_of_the_machine(tmp_path: Path) -> None:
    """A character that our font does not have is drawn with one that has it."""
    if sys.platform != "linux":
        pytest.skip("elsewhere fonts are in other folders")
    make_font(tmp_path / ".fonts" / "own.ttf", "Own", "\ue123abc", high=700)
    script = (
        "from tests.support.flow_values import draw, flow_of; "
        "draw([flow_of('f', {'a\\ue123': None})], format='png')"
    )
    environment = {**os.environ, "HOME": str(tmp_path), "PYTHONPATH": str(Path.cwd())}

    # In a process of its own, because resvg reads the fonts of the machine only once.
    command = [sys.executable, "-W", "error", "-c", script]
    subprocess.run(command, env=environment, check=True)


def test_characters_that_no_font_has() -> None:
    """A warning at the caller's line names the first ones, and the picture is drawn."""
    name = "".join(map(chr, range(0x10A80, 0x10A98)))

    with pytest.warns(
        UserWarning, match=r"no font .* \(U\+10A80\).* and others, so"
    ) as told:
        drawing = png(flow_of("f", {name: None}))

    assert pixels(drawing).size > (100, 100)
    assert told[0].filename == __file__


@pytest.mark.parametrize("name", ["ship 👩‍💻 it", "🇩🇪 to 🇫🇷", "👍🏽 日 ok", "1️⃣ x"])
@pytest.mark.filterwarnings("ignore:no font on this machine")
def test_emoji_among_letters(name: str) -> None:
    """A sequence that is one character in only one font does not fail."""
    assert pixels(png(flow_of("f", {name: None}))).size > (100, 100)


@pytest.mark.filterwarnings("ignore:no font on this machine")
def test_same_flow_same_bytes() -> None:
    """Threads make no difference to the picture."""
    with ThreadPoolExecutor(8) as pool:
        found = {*pool.map(lambda _: png(SHOP), range(16))}

    assert len(found) == 1


def test_a_strip_that_nobody_can_read() -> None:
    """A PNG that is too long is an error with advice; the SVG is drawn."""
    names = [f"step_{number}" for number in range(150)]
    chain = flow_of(
        "f",
        {name: [*names[max(0, at - 2) : at]] for at, name in enumerate(names)},
    )

    with pytest.raises(RenderError, match=r"× 2\d,\d{3} pixels.*fewer flows.*svg"):
        draw([chain], format="png")
    assert len(Svg(str(draw([chain], format="svg"))).steps()) == 150


def test_what_resvg_cannot_paint() -> None:
    """A failure of resvg is an error with advice."""
    from penstock.renderers.picture.png import _painted  # noqa: PLC0415  # an extra

    with pytest.raises(RenderError, match=r"resvg failed: .*Draw as svg"):
        _painted("<svg", has_more_fonts=False)


def test_a_file_by_its_suffix(tmp_path: Path) -> None:
    """The suffix of ``output`` decides the format."""
    draw([SHOP], output=tmp_path / "a.png")

    assert (tmp_path / "a.png").read_bytes() == png(SHOP)
