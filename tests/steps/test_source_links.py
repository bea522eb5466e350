"""White-box tests of links to the source, which lead to web addresses only."""

from __future__ import annotations

import pytest

from penstock import ConfigurationError, StepInfo, configure, declared_flows, flow
from penstock._steps.source_links import source_link

FORGE = "https://forge.example/repo/blob/main/{path}#L{line}"


def link(template: str, path: str = "shop/orders.py") -> str:
    """Return the link to a step."""
    return source_link(template, StepInfo("a", "f", path=path, line=7))


def test_path_and_line_are_filled_in() -> None:
    """Every placeholder of the template is filled in."""
    assert link(FORGE) == "https://forge.example/repo/blob/main/shop/orders.py#L7"
    assert link("http://x/{line}/{line}") == "http://x/7/7"
    assert link("https://x/all") == "https://x/all"
    assert link("https://x/{path.__class__}") == "https://x/{path.__class__}"


def test_paths_are_quoted() -> None:
    """A path stays a path, whatever is in it."""
    assert link("https://x/{path}", "a b/{line}#?%注\ud800.py") == (
        "https://x/a%20b/%7Bline%7D%23%3F%25%E6%B3%A8%3F.py"
    )


@pytest.mark.parametrize(
    "template",
    [
        "",
        "javascript:alert('{path}')",
        " javascript:alert(1)",
        "JavaScript://x/%0aalert(1)",
        "data:text/html,{path}",
        "file:///{path}",
        "//x/{path}",
        "https://",
        "https:///{path}",
        "https://x/{0}",
        "https://x/{paht}",
        "\nhttps://x/{path}",
    ],
)
def test_no_link_to_anything_else(template: str) -> None:
    """Other people's manifests may contain anything; such a template gives no link."""
    assert link(template) == ""


@pytest.mark.parametrize("path", ["", "<stdin>", "<string>"])
def test_no_link_to_no_file(path: str) -> None:
    """Interactive code has no file to link to."""
    assert link(FORGE, path) == ""


def test_a_flow_knows_the_template() -> None:
    """``configure`` sets it for the flows of this process."""
    flow("f").entrypoint(name="a")(lambda: None)
    configure(source_url=FORGE)

    assert [one.source_url for one in declared_flows()] == [FORGE]
    configure(source_url="")
    assert [one.source_url for one in declared_flows()] == [""]


@pytest.mark.parametrize(
    ("template", "problem"),
    [
        ("javascript:alert(1)", "begins with https:// or http://"),
        ("https://x/{file}", r"there is no \{file\}, only \{path\} and \{line\}"),
        (7, "expected a string"),
    ],
)
def test_wrong_templates(template: object, problem: str) -> None:
    """The error says what is wrong with the template."""
    with pytest.raises(ConfigurationError, match=f"^source_url=.*{problem}"):
        configure(source_url=template)  # type: ignore[arg-type]  # the point
