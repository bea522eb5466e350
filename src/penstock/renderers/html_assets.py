"""The style and script files of HTML pages, and the policy that allows them."""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

from penstock.renderers.picture import theme

if TYPE_CHECKING:
    from collections.abc import Iterator


def read_asset(package: str, name: str) -> str:
    """Return a text file of a package, without a newline at the end."""
    text = files(package).joinpath(name).read_text(encoding="utf-8")
    return text.replace("\r\n", "\n").rstrip()


def content_policy(style: str, script: str, *more: str) -> str:
    """Return a Content-Security-Policy that allows one style, one script and *more*.

    In the page, both are surrounded by newlines. An empty script allows none.
    """
    scripts = _digest(script) if script else "'none'"
    rules = (
        "default-src 'none'",
        f"style-src {_digest(style)}",
        f"script-src {scripts}",
    )
    return "; ".join((*rules, *more, "base-uri 'none'", "form-action 'none'"))


def colour_variables() -> str:
    """Return the colours of pictures as CSS variables, for the page around them.

    An element of the class ``hue-orange`` has ``--hue`` and ``--tint``.
    """
    return "\n".join(_rules())


def _rules() -> Iterator[str]:
    surfaces = {
        "page": theme.PAGE,
        "card": theme.CARD,
        "frame": theme.FRAME,
        "rim": theme.RIM,
        "pill": theme.PILL,
        "ink": theme.INK,
        "quiet": theme.QUIET,
        "line": theme.LINE,
        "wrong": theme.WRONG,
    }
    yield _rule(":root", surfaces)
    for name, hue in theme.HUES.items():
        yield _rule(f".hue-{name}", {"hue": hue.strong, "tint": hue.tint})


def _rule(selector: str, colours: dict[str, theme.Pair]) -> str:
    written = (
        f"--{name}:light-dark({pair.light},{pair.dark})"
        for name, pair in colours.items()
    )
    return f"{selector}{{{';'.join(written)}}}"


def _digest(text: str) -> str:
    digest = sha256(f"\n{text}\n".encode()).digest()
    return f"'sha256-{b64encode(digest).decode()}'"
