"""Make the fonts of pictures from Inter: two weights, subset, renamed.

    pip install --group fonts
    python tools/make_fonts.py

fontpkg-inter 4.1 holds Inter as a variable font. Hints, kerning and ligatures are left
out, so that the width of a text is the sum of its advances in every program.
"""

from __future__ import annotations

import json
from collections import defaultdict
from importlib.resources import files
from pathlib import Path

from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont
from fontTools.varLib.instancer import instantiateVariableFont

FAMILY = "Penstock Sans"
WEIGHTS = {400: "Regular", 600: "SemiBold"}
FOLDER = Path(__file__).parents[1] / "src/penstock/renderers/picture/fonts"
SIGNS = "§·×–—‘’“”•…←"  # noqa: RUF001  # all of them are wanted
ASCII = "".join(map(chr, range(0x20, 0x7F))) + SIGNS
LATIN_1 = ASCII + "".join(map(chr, range(0xA0, 0x100))) + "€"
# Not drawn with our font, but the fonts that draw them are about as wide.
MEASURED = LATIN_1 + "".join(map(chr, range(0x100, 0x530)))
COPYRIGHT, FAMILY_ID, STYLE_ID, UNIQUE_ID, FULL_ID = 0, 1, 2, 3, 4
POSTSCRIPT_ID, LICENCE_ID, TYPO_FAMILY_ID, TYPO_STYLE_ID = 6, 13, 16, 17


def main() -> None:
    """Write two TTF files, two WOFF2 files, the widths and the licence."""
    source = files("fontpkg_inter")
    path = Path(str(source.joinpath("files/Inter[opsz,wght].ttf")))
    advances = {}
    for weight, style in WEIGHTS.items():
        font = instantiateVariableFont(TTFont(path), {"opsz": 14, "wght": weight})
        advances[str(weight)] = _advances(font)
        _rename(font, weight, style)
        for chars, flavor in ((LATIN_1, None), (ASCII, "woff2")):
            _save(font, chars, flavor, FOLDER / f"{weight}.{flavor or 'ttf'}")
    text = json.dumps(advances, ensure_ascii=False, indent=0)
    (FOLDER / "advances.json").write_text(f"{text}\n", encoding="utf-8")
    licence = source.joinpath("LICENSE").read_text(encoding="utf-8")
    (FOLDER / "OFL.txt").write_text(licence, encoding="utf-8")


def _advances(font: TTFont) -> dict[str, str]:
    """Return the characters by their advance in thousandths of an em."""
    per_em, names = font["head"].unitsPerEm, font.getBestCmap()
    found = defaultdict(list)
    for char in MEASURED:
        if ord(char) in names:
            advance = font["hmtx"][names[ord(char)]][0]
            found[round(advance / per_em * 1000, 1)].append(char)
    return {f"{width:g}": "".join(found[width]) for width in sorted(found)}


def _rename(font: TTFont, weight: int, style: str) -> None:
    names = font["name"]
    kept = {COPYRIGHT, LICENCE_ID, LICENCE_ID + 1}
    names.names = [one for one in names.names if one.nameID in kept]
    plain = FAMILY.replace(" ", "")
    texts = {
        FAMILY_ID: FAMILY if weight == min(WEIGHTS) else f"{FAMILY} {style}",
        STYLE_ID: "Regular",
        UNIQUE_ID: f"{plain}-{style}",
        FULL_ID: f"{FAMILY} {style}",
        POSTSCRIPT_ID: f"{plain}-{style}",
        TYPO_FAMILY_ID: FAMILY,
        TYPO_STYLE_ID: style,
    }
    for number, text in texts.items():
        names.setName(text, number, 3, 1, 0x409)
    font["OS/2"].usWeightClass = weight


def _save(font: TTFont, chars: str, flavor: str | None, path: Path) -> None:
    options = Options()
    options.hinting = options.glyph_names = False
    options.layout_features = []
    options.drop_tables += ["GPOS", "GSUB", "GDEF", "STAT", "MVAR", "HVAR", "DSIG"]
    options.name_IDs = ["*"]
    options.notdef_outline = True
    font.save(whole := path.with_suffix(".tmp"))
    part = TTFont(whole, recalcTimestamp=False)
    whole.unlink()
    subsetter = Subsetter(options)
    subsetter.populate(text=chars)
    subsetter.subset(part)
    part.flavor = flavor
    part.save(path)


if __name__ == "__main__":
    main()
