"""SVG and PNG: what they show, with which fonts, and how they fail."""

from __future__ import annotations

import os
import re
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from penstock import FlowInfo, MissingExtraError, RenderError, StepInfo
from tests.support.flow_values import draw, flow_of
from tests.support.images import (
    Svg,
    make_font,
    needs_draw,
    pixels,
    use_engine,
    without_wheel,
)

if TYPE_CHECKING:
    from pathlib import Path

    from penstock.renderers.formats import Direction

SHOP = flow_of(
    "shop",
    {"receive": None, "charge": "receive", "reserve": "receive", "ship": ["charge"]},
)
HOSTILE = (
    "</script><script>alert(1)</script>",
    "say \"hi\" & <b>'x'</b>",
    "end",
    "two\nlines",
    "\u202eright to left\u202c",
    "\x00\x1b[1m\x7f",
    "\ufffe\uffff\ud800x",
    "]]> --> <!--",
    "\\N \\G \\",
    "日本語 ✓ 👩‍💻 e\u0301\u0316",
    "x" * 10_000,
)


def svg(*flows: FlowInfo, detail: bool = False, direction: Direction = "TD") -> Svg:
    """Return the parsed SVG."""
    return Svg(str(draw(flows, format="svg", detail=detail, direction=direction)))


def png(*flows: FlowInfo) -> bytes:
    """Return the PNG."""
    drawing = draw(flows, format="png")
    assert isinstance(drawing, bytes)
    return drawing


@pytest.fixture
def fonts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the only folder that fonts are read from."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("XDG_DATA_DIRS", str(tmp_path / "none"))
    if sys.platform != "linux":
        pytest.skip("elsewhere the system's own folders of fonts cannot be hidden")
    return tmp_path / "fonts"


@needs_draw
def test_svg_shows_what_is_declared() -> None:
    """Steps and edges have attributes to find them by."""
    found = svg(SHOP)

    assert found.steps() == [
        ("shop", name) for name in ("charge", "receive", "reserve", "ship")
    ]
    assert found.edges() == [
        ("charge", "ship"),
        ("receive", "charge"),
        ("receive", "reserve"),
    ]
    assert [*found.of_class("entrypoint")] == ["step-receive"]
    assert found.groups["edge-charge-ship"].get("data-before") == "step-charge"


@needs_draw
def test_svg_shows_flows_and_what_crosses() -> None:
    """Several flows are clusters; edges from other services are dashed."""
    found = svg(SHOP, flow_of("bills", {"bill": ["shop:ship", "far/away:go"]}))

    clusters = found.of_class("cluster")
    assert {one.get("data-flow") for one in clusters.values()} == {"shop", "bills"}
    (crossing,) = found.of_class("crossing").values()
    assert crossing.get("data-before") == "step-far_away_go"
    assert [*found.of_class("external")] == ["step-far_away_go"]
    assert "stroke-dasharray" in crossing[1].attrib
    assert "stroke-dasharray" not in found.groups["edge-ship-bill"][1].attrib


@needs_draw
def test_svg_stands_in_any_page() -> None:
    """An SVG has no script, no link, and no trace of the program that drew it."""
    text = str(draw([flow_of("f", dict.fromkeys(HOSTILE))], format="svg"))

    assert text.startswith('<svg width="')
    assert text.endswith("</svg>")
    assert not re.search(r"<script|<!|<\?|<a |href|Generated|graphviz|<image", text)
    addresses = set(re.findall(r'[\w:-]*="https?:[^"]*"', text))
    assert addresses == {'xmlns="http://www.w3.org/2000/svg"'}


@needs_draw
@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:20]))
@pytest.mark.filterwarnings("ignore:no font on this machine")
def test_hostile_names(name: str) -> None:
    """Every name can be drawn, and the SVG is valid XML."""
    flow = flow_of(name, {name: None, "next": name})

    assert len(svg(flow, flow_of("g", {"x": None}), detail=True).steps()) == 3
    assert pixels(png(flow)).size > (100, 100)


@needs_draw
def test_long_names_are_broken_into_lines() -> None:
    """A long name is shortened in its box; its title has the whole name."""
    name = "reconcile_every_single_ledger_entry_since_the_beginning_of_time"
    found = svg(flow_of("f", {name: None}))
    (node,) = found.of_class("node")

    assert "".join(found.lines(node)) == name
    assert len(found.lines(node)) == 2
    assert found.groups[node][0].text == name


@needs_draw
def test_titles_stay_inside_too() -> None:
    """Frame and picture are wide enough for Chinese letters."""
    flow = flow_of("受注処理システムの全体の流れ", {"a": None})
    framed = svg(flow, SHOP)
    frame = next(
        one
        for one, group in framed.of_class("cluster").items()
        if group.get("data-flow") == flow.name
    )
    left, _, right, _ = framed.box(frame)

    assert (right - left) / 2 > 14 * 13
    assert float(svg(flow).root.attrib["width"][:-2]) > 14 * 16


@needs_draw
def test_endless_names_end() -> None:
    """A long text has four lines, then an ellipsis."""
    found = svg(flow_of("f", {"x" * 10_000: None}))
    (node,) = found.of_class("node")

    assert len(found.lines(node)) == 4
    assert found.lines(node)[-1].endswith("x…")
    assert found.box(node).right - found.box(node).left < 800


@needs_draw
@pytest.mark.parametrize("direction", ["TD", "LR"])
def test_detail(direction: Direction) -> None:
    """Descriptions, tags and joins are drawn, and the description is wrapped."""
    steps = (
        StepInfo("a", "f", is_entrypoint=True, description="Take it. " * 12),
        StepInfo("b", "f", tags=("io",)),
        StepInfo("c", "f", after=(("a", "b"),)),
    )
    found = svg(FlowInfo("f", steps), detail=True, direction=direction)

    assert " ".join(found.lines("step-a")) == "a " + ("Take it. " * 12).strip()
    assert found.lines("step-b") == ["b", "#io"]
    assert found.lines("edge-a-c") == ["all of"]


@needs_draw
@pytest.mark.parametrize(
    "name",
    ["iiiiiil", "WWWWWWMMM@@@", "ЖЩЮЖЩЮЖЩ", "ΩΨΦΜΩΨΦΜ", "snake_case_name", "ŁÅÑÉ"],
)
def test_labels_stay_inside_their_boxes(name: str) -> None:
    """A box has a margin around its label, for wider fonts."""
    flow = flow_of("f", {name: None})
    found = svg(flow)
    (node,) = found.of_class("node")
    left, top, right, bottom = map(round, found.box(node))

    inside = pixels(png(flow)).convert("L").crop((left, top + 25, right, bottom - 25))

    ink = inside.point(lambda value: 255 if value < 200 else 0)
    width = right - left
    assert ink.crop((5, 0, 15, ink.height)).getbbox() is None
    assert ink.crop((width - 15, 0, width - 5, ink.height)).getbbox() is None
    label = ink.crop((15, 0, width - 15, ink.height)).getbbox()
    assert label
    assert 20 < (label[2] - label[0]) * 1.15 < width - 20


@needs_draw
def test_png_is_as_large_as_the_svg_says() -> None:
    """A PNG has 144 pixels per inch, and dark lines on white."""
    found = svg(SHOP)
    points = [float(found.root.attrib[side][:-2]) for side in ("width", "height")]
    picture = pixels(png(SHOP))

    assert picture.size == pytest.approx([2 * one for one in points], abs=2)
    assert picture.getpixel((1, 1)) == (255, 255, 255)
    values = picture.convert("L").histogram()
    dark = sum(values[:128]) / sum(values)
    assert 0.005 < dark < 0.2


@needs_draw
def test_entrypoints_are_green() -> None:
    """An entrypoint has a green border, a step does not."""
    found, picture = svg(SHOP), pixels(png(SHOP))

    def border(node: str) -> tuple[int, int, int]:
        box = found.box(node)
        color = picture.getpixel((round(box.left), round(box.top + box.bottom) // 2))
        assert isinstance(color, tuple)
        return color

    red, green, blue = border("step-receive")
    assert green > red + 40
    assert green > blue + 40
    red, green, blue = border("step-ship")
    assert abs(green - red) < 30


@needs_draw
@pytest.mark.parametrize(("one", "other"), [("ab", "ba"), ("жш", "шж"), ("αω", "ωα")])
def test_letters_are_no_boxes(one: str, other: str) -> None:
    """Different names of the same width give different pictures of the same size."""
    pictures = [pixels(png(flow_of("f", {name: None}))) for name in (one, other)]

    assert pictures[0].size == pictures[1].size
    assert pictures[0].tobytes() != pictures[1].tobytes()


@needs_draw
def test_other_letters_come_from_the_fonts_of_the_machine(fonts: Path) -> None:
    """Each letter is drawn with a font that has it, even above U+FFFF."""
    make_font(fonts / "low.ttf", "Low", "日受abcdefghijklmnopqrstuvwxyz ", high=100)
    make_font(fonts / "deep/tall.otf", "Tall", "本\U0001f600", high=700)
    make_font(fonts / "emoji.ttf", "Low Emoji", "\U0001f600", high=100)
    (fonts / "broken.ttf").write_bytes(b"\0\1\0\0nothing")
    (fonts / "empty.ttf").write_bytes(b"")
    (fonts / "notes.txt").write_text("no font")

    def ink(name: str) -> int:
        values = pixels(png(flow_of("abc", {name: None}))).convert("L").histogram()
        return sum(values[:128])

    assert ink("本本本") > ink("日日日") + 500
    assert ink("日受日") == ink("日日日")
    assert ink("本日本") > ink("日日日") + 300
    assert ink("日 \U0001f600") < ink("日 本") - 100


@needs_draw
def test_a_collection_of_fonts_is_read(fonts: Path) -> None:
    """A font file may hold several fonts, as for Chinese, Japanese and Korean."""
    collections = pytest.importorskip("fontTools.ttLib", reason="needs fonttools")
    make_font(fonts / "one.ttf", "One", "abc日本", high=700)
    collection = collections.TTCollection()
    collection.fonts.append(collections.TTFont(fonts / "one.ttf"))
    collection.save(fonts / "all.ttc")
    (fonts / "one.ttf").unlink()

    assert pixels(png(flow_of("abc", {"日本": None}))).size > (100, 100)


@needs_draw
def test_a_letter_that_no_font_has(fonts: Path) -> None:
    """A warning at the caller's line names it, and the picture is drawn."""
    fonts.mkdir()

    with pytest.warns(UserWarning, match=r"no font .* 日 \(U\+65E5\)") as told:
        drawing = png(flow_of("f", {"日": None}))

    assert pixels(drawing).size > (100, 100)
    assert told[0].filename == __file__


@needs_draw
def test_a_font_without_latin_letters_is_not_enough(fonts: Path) -> None:
    """Latin letters are drawn with another font, and the warning names the rest."""
    make_font(fonts / "one.ttf", "One", "日", high=700)

    with pytest.warns(UserWarning, match=r"no font .* 日"):
        one = pixels(png(flow_of("f", {"日 ab": None})))
    with pytest.warns(UserWarning, match=r"no font .* 日"):
        other = pixels(png(flow_of("f", {"日 ba": None})))

    assert one.size == other.size
    assert one.tobytes() != other.tobytes()


@needs_draw
def test_many_letters_that_no_font_has(fonts: Path) -> None:
    """Of many missing letters, the warning names the first ones."""
    make_font(fonts / "one.ttf", "One", "日", high=700)

    with pytest.warns(UserWarning, match=r"and others, so"):
        png(flow_of("f", {"日" + "".join(map(chr, range(0x4E00, 0x4E14))): None}))


@needs_draw
@pytest.mark.parametrize("name", ["ship 👩‍💻 it", "🇩🇪 to 🇫🇷", "👍🏽 日 ok", "1️⃣ x"])
@pytest.mark.filterwarnings("ignore:no font on this machine")
def test_emoji_among_letters(name: str) -> None:
    """A sequence that is one character in only one font does not fail."""
    assert pixels(png(flow_of("f", {name: None}))).size > (100, 100)


@needs_draw
@pytest.mark.parametrize("form", ["svg", "png"])
@pytest.mark.filterwarnings("ignore:no font on this machine")
def test_same_flow_same_bytes(form: str) -> None:
    """Threads and the order of declaration make no difference to the picture."""
    flows = [SHOP, flow_of("日本", {"a": ["shop:ship"]})]
    turned = [FlowInfo(one.name, one.steps[::-1]) for one in flows[::-1]]

    with ThreadPoolExecutor(8) as pool:
        found = {*pool.map(lambda one: draw(one, format=form), [flows, turned] * 8)}

    assert len(found) == 1


@needs_draw
def test_a_strip_that_nobody_can_read() -> None:
    """A PNG that is too long is an error with advice; the SVG is drawn."""
    names = [f"step_{number}" for number in range(150)]
    chain = flow_of("f", dict(zip(names, [None, *names], strict=False)))

    with pytest.raises(RenderError, match=r"× 2\d,\d{3} pixels.*fewer flows.*svg"):
        draw([chain], format="png")
    assert len(svg(chain).steps()) == 150


@needs_draw
def test_a_file_by_its_suffix(tmp_path: Path) -> None:
    """The suffix of ``output`` decides the format."""
    draw([SHOP], output=tmp_path / "a.svg")
    draw([SHOP], output=tmp_path / "a.png")

    assert (tmp_path / "a.svg").read_text(encoding="utf-8").endswith("</svg>\n")
    assert (tmp_path / "a.png").read_bytes() == png(SHOP)


def test_nothing_that_draws(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the extra and without Graphviz the error names the extra."""
    without_wheel(tmp_path, monkeypatch)
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MissingExtraError, match=r"pip install 'penstock\[draw\]'"):
        draw([SHOP], format="svg")


def test_graphviz_of_the_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without the extra, ``dot`` on PATH draws the same steps and edges."""
    if shutil.which("dot") is None:
        pytest.skip("needs dot")
    without_wheel(tmp_path, monkeypatch)

    found = svg(SHOP)

    assert len(found.steps()) == 4
    assert len(found.edges()) == 3
    assert pixels(png(SHOP)).size > (100, 100)


def test_the_scripts_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel without a list of files is found by its program."""
    program = use_engine(tmp_path / "wheel", monkeypatch, ANSWERS)
    without_wheel(tmp_path / "nearer", monkeypatch)
    scripts = tmp_path / "nearer" / "scripts"
    scripts.mkdir()
    program.rename(scripts / program.name)

    assert str(draw([FlowInfo("f")], format="svg")).startswith("<svg ")


SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="8{unit}" height="8{unit}">'
PARTS = '<g/><path stroke="transparent"/>'
ANSWERS = f"cat >/dev/null; echo '{SVG.format(unit='pt')}{PARTS}</svg>'"
FAILURES = {
    "fails": (
        "echo 'syntax error in line 1' >&2; exit 1",
        "failed: syntax error in li",
    ),
    "fails in silence": ("exit 3", "failed: no error message"),
    "is killed": ("kill -9 $$", "was killed by signal 9"),
    "prints garbage": ("cat >/dev/null; echo '<svg'", "something that is not SVG"),
    "prints another": ("cat >/dev/null; echo '<a/>'", "something that is not SVG"),
    "has no size": (f"echo '{SVG.format(unit='em')}</svg>'", "is not SVG"),
    "prints nothing": ("cat >/dev/null", "wrote something that is not SVG"),
    "prints no PNG": (ANSWERS, "wrote something that is not PNG"),
    "hangs": ("sleep 600 & sleep 600", "did not finish within 0.5 s"),
}


@pytest.mark.skipif(os.name != "posix", reason="the engines are shell scripts")
@pytest.mark.parametrize(("script", "told"), FAILURES.values(), ids=FAILURES)
def test_an_engine_that_fails(
    script: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error says why; the old file stays, and no other file is left behind."""
    use_engine(tmp_path / "engine", monkeypatch, script)
    monkeypatch.setattr("penstock.renderers.picture.graphviz._TIMEOUT_S", 0.5)
    old = tmp_path / "out" / "flow.png"
    old.parent.mkdir()
    old.write_bytes(b"old")
    started = time.monotonic()

    with pytest.raises(RenderError, match=re.escape(told)):
        draw([SHOP], output=old)

    assert old.read_bytes() == b"old"
    assert [*old.parent.iterdir()] == [old]
    assert time.monotonic() - started < 300  # what it started did not keep us


@pytest.mark.skipif(os.name != "posix", reason="the engines are shell scripts")
def test_an_engine_that_cannot_be_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program for another machine is a ``RenderError`` with the system's reason."""
    program = use_engine(tmp_path, monkeypatch, "")
    program.write_bytes(b"\0not a program")

    with pytest.raises(RenderError, match=r"cannot be run: Exec format error"):
        draw([SHOP], format="svg")


@pytest.mark.skipif(os.name != "posix", reason="the engines are shell scripts")
def test_the_colours_of_old_graphviz(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SVG has no colour ``transparent``."""
    use_engine(tmp_path, monkeypatch, ANSWERS)

    assert 'stroke="none"' in str(draw([FlowInfo("f")], format="svg"))
