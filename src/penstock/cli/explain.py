"""``penstock explain``: what a finding means."""

from __future__ import annotations

import json
import re
from pathlib import Path

import click

from penstock.checking.findings import CODES
from penstock.errors import ConfigurationError, did_you_mean

from ._options import format_option
from ._output import emit

__all__ = ["explain"]

_PACKAGED = Path(__file__).parents[1] / "checking" / "explanations"
_IN_CHECKOUT = Path(__file__).parents[3] / "docs" / "reference" / "findings"
_COMMENT = re.compile(r"(?s)<!--.*?-->\n+")  # what the tests of the page read
# Links to other pages, which are not here. HANDLERS[name](order) is not a link.
_LINK = re.compile(r"(?<!\w)\[([^]]+)\]\([^)]+\)")


@click.command("explain", epilog="Example: penstock explain PEN101")
@click.argument("codes", nargs=-1, metavar="[CODE]...")
@format_option(["text", "json"], "json is a list with an object per code.")
def explain(codes: tuple[str, ...], form: str) -> None:
    """Explain the findings with these CODEs; without any, list all codes."""
    wanted = [_known(code) for code in codes]
    if form == "json":
        listed = [{"code": code, **_about(code)} for code in wanted or CODES]
        emit(json.dumps(listed, indent=2))
    elif wanted:
        emit("\n\n".join(f"{_headline(code)}\n\n{_text(code)}" for code in wanted))
    else:
        emit("\n".join(map(_headline, CODES)))


def _known(given: str) -> str:
    code = given.upper()
    if code not in CODES:
        hint = did_you_mean(code, CODES)
        msg = f"no finding has the code {given!r}.{hint} To list them: penstock explain"
        raise ConfigurationError(msg)
    return code


def _headline(code: str) -> str:
    level, meaning = CODES[code]
    return f"{code} ({level}): {meaning}"


def _about(code: str) -> dict[str, str]:
    return {**CODES[code]._asdict(), "text": _text(code)}


def _text(code: str) -> str:
    """Return the page of *code* in the reference, as Markdown without its title."""
    folder = _PACKAGED if _PACKAGED.exists() else _IN_CHECKOUT
    page = (folder / f"{code}.md").read_text(encoding="utf-8")
    text = _COMMENT.sub("", page.partition("\n")[2]).strip()
    return _LINK.sub(r"\1", text)
