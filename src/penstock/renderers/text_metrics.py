"""The width of text in Arial and its substitutes."""

from __future__ import annotations

import re
import unicodedata

# Advance widths in thousandths of an em, from Liberation Sans 2.1 (table `hmtx`), which
# is metric-compatible with Arial. An accented letter is as wide as the plain one.
_WIDTHS = {
    191: "'",
    222: "ijlłιіј‘’",  # noqa: RUF001  # alike in Arial, so equally wide
    260: "|¦",
    278: " !,./:;I[\\]ftıŧΙІ",  # noqa: RUF001  # alike
    333: '()-`r{}¡·“”„‹›•"г*τ°',  # noqa: RUF001  # alike
    450: "ґкζεξзт^ς",
    500: "JcksvxyzĸγκλνЈсухѕ↑↓эєҐчь",  # noqa: RUF001  # alike
    556: "#$0123456789?L_abdeghnopqu¢£¤¥§«»ðþđħŁŋηθοаеорђћ–†‡€χв¶Гпяυ±÷≤≥≠√Γнџδ",
    584: "+<=>~¬×иρбцβμαКдл",
    611: "FTZ¿ßøŦΖΤТЗσΣъ",
    667: "&ABEKPSVXYÞΑΒΕΚΡΥΧЅАВЕРХЧΔΛжДУφΞБЛЬ",  # noqa: RUF001  # alike
    722: "CDHNRUwÐĐĦΗΝΠНСЯŊмπψ∞ЄЏИПЭы",  # noqa: RUF001  # alike
    778: "GOQØΘΟО©®ЦΩюФω",  # noqa: RUF001  # alike
    833: "MmΜМЪΦшњфщΨ",  # noqa: RUF001  # alike
    944: "%æWœЋЂЫљШЖЩ",
    1015: "@ÆŒ—…‰™→←ЊЮЉ",
}
_EM = {char: width / 1000 for width, chars in _WIDTHS.items() for char in chars}
_EMOJI_EM, _WIDE_EM = 1.25, 1.0  # in Noto Color Emoji, in any Chinese font
_OTHER_EM = 0.8
# Blocks of Latin, Greek and Cyrillic that Arial's substitutes have in full, and signs.
_PLAIN = re.compile(
    r"[\n -~\xa0-\u02ff\u0370-\u0373\u0376\u0377\u0384-\u0486\u048a-\u0513"
    r"\u1e00-\u1e9b\u1ea0-\u1ef9\u2010\u2012-\u2022\u2026\u2030\u2032\u2033\u2039"
    r"\u203a\u20ac\u2116\u2122\u2190-\u2195\u2212\u221e\u2248\u2260\u2264\u2265\ufffd]"
)


def is_plain(char: str) -> bool:
    """Tell whether every common sans-serif font has *char*."""
    return bool(_PLAIN.match(char))


def text_em(text: str) -> float:
    """Return the width of a line of text in ems, rounded up where unknown."""
    return sum(map(_char_em, text))


def _char_em(char: str) -> float:
    known = _EM.get(char)
    if known is None:
        known = _EM.get(unicodedata.normalize("NFD", char)[0])
    if known is not None:
        return known
    if unicodedata.category(char) in ("Mn", "Me", "Cf"):
        return 0.0
    if unicodedata.east_asian_width(char) in "WF":
        return _EMOJI_EM if char >= "\U0001f000" else _WIDE_EM
    return _OTHER_EM
