"""How Sphinx builds the documentation."""

from __future__ import annotations

import sys
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "penstock"
author = "the penstock contributors"
copyright = author
release = version_of("penstock")
version = release

sys.path.insert(0, str(Path(__file__).parents[1]))  # for the examples
# Sentry's SDK imports it where it is installed, and that fails beside trio.
sys.modules["eventlet"] = None  # type: ignore[assignment]  # so that importing it fails
penstock_import = [
    "examples.checkout",
    "examples.orders",
    "examples.penstock_itself",
    "examples.user_updates",
]

extensions = [
    "myst_parser",
    "penstock.contrib.sphinx",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = f"penstock {release}"
html_static_path: list[str] = []

myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]
myst_heading_anchors = 3

# Of a block with prompts, only the commands, without what they print.
copybutton_prompt_text = r"\$ |>>> |\.\.\. "
copybutton_prompt_is_regexp = True
copybutton_line_continuation_character = "\\"
copybutton_copy_empty_lines = False

autodoc_member_order = "bysource"
autodoc_typehints = "description"
napoleon_google_docstring = True
napoleon_numpy_docstring = False


def setup(app: Sphinx) -> None:
    """Show Mermaid as it is; forges draw it."""
    app.add_lexer("mermaid", TextLexer)
