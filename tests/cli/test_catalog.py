"""``penstock catalog``."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

from tests.support.projects import PROCESS

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.projects import Project


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below *folder*, by its path."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_html(shop: Project) -> None:
    """All flows of the targets have a page; the result is the folder."""
    result = shop.penstock("catalog", "shop.**", "-o", "site")

    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("site: ")
    written = set(files(shop.root / "site"))
    assert {"index.html", "map.html", "flows/orders.html"} <= written
    assert "flows/audit.html" in written


def test_markdown_is_the_same_each_time(shop: Project) -> None:
    """The same flows give the same bytes, whatever order Python keeps sets in."""
    first = shop.penstock("catalog", "shop.**", "--format=md", "-o", "one")
    shop.penstock(
        *("catalog", "shop.**", "-f", "md", "-o", "two"),
        program=PROCESS,
        env={"PYTHONHASHSEED": "7"},
    )

    assert first.returncode == 0, first.stderr
    assert files(shop.root / "one") == files(shop.root / "two")


def test_diagram_that_is_too_large(shop: Project) -> None:
    """A warning names the flow whose page shows no diagram."""
    steps = "\n".join(
        f'@f.step(after="start", name="{i}")\ndef s(): ...' for i in range(501)
    )
    start = "@f.entrypoint\ndef start(): ...\n"
    shop.write("big.py", f"from penstock import flow\nf = flow('big')\n{start}{steps}")

    result = shop.penstock("catalog", "big", "-f", "md", "-o", "site")

    warning, _ = result.stderr.splitlines()
    assert warning.startswith("Warning: the diagram of flow 'big' has 501 edges")


def test_from_manifests(shop: Project) -> None:
    """Manifests of several services are one catalog, in whatever order they come."""
    shop.write(
        "mails.py",
        """
        from penstock import flow
        mails = flow("mails")
        @mails.entrypoint(after="shop/orders:ship")
        def send(order): ...
        """,
    )
    shop.penstock("export", "shop.orders", "--service=shop", "-o", "shop.json")
    shop.penstock("export", "mails", "--service=mail", "-o", "mail.json")
    for folder, order in (("one", ["shop", "mail"]), ("two", ["mail", "shop"])):
        names = [f"{name}.json" for name in order]
        result = shop.penstock("catalog", *names, "-f", "md", "-o", folder)
        assert result.returncode == 0, result.stderr

    assert files(shop.root / "one") == files(shop.root / "two")
    page = (shop.root / "one/flows/orders.md").read_text(encoding="utf-8")
    assert "[mails&#58;send](mails.md#send)" in page


def test_a_flow_that_is_gone(shop: Project) -> None:
    """Its page is removed; the user's own files stay."""
    shop.penstock("catalog", "shop.**", "-f", "md", "-o", "site")
    shop.write("site/CNAME", "flows.example")

    result = shop.penstock("catalog", "shop.orders", "-f", "md", "-o", "site")

    assert "2 removed" in result.stderr
    assert set(files(shop.root / "site")) == {
        ".penstock-catalog.json",
        "CNAME",
        "README.md",
        "flows/orders.md",
        "map.md",
    }


def test_a_file_of_the_user(shop: Project) -> None:
    """A README that penstock did not write is not replaced."""
    shop.write("README.md", "mine")

    result = shop.penstock("catalog", "shop.orders", "-f", "md", "-o", ".")

    assert result.returncode == 2
    assert "penstock did not write it" in result.stderr
    assert (shop.root / "README.md").read_text() == "mine"
    assert not (shop.root / "map.md").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "Missing option '--output'"),
        (["-o", "no/where"], "there is no folder 'no'"),
        (["-o", "shop/orders.py"], "is a file"),
        (["-o", "site", "--images", "svg"], "--format md"),
        (["-o", "site", "--format", "pdf"], "'pdf' is not one of"),
    ],
)
def test_wrong_usage(shop: Project, arguments: list[str], told: str) -> None:
    """A wrong argument is one message, and nothing is written."""
    form = [] if "--images" in arguments else ["-f", "md"]
    result = shop.penstock("catalog", "shop.orders", *form, *arguments)

    assert result.returncode == 2
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not (shop.root / "site").exists()


def test_nothing_to_write(shop: Project) -> None:
    """A module without flows makes no catalog."""
    shop.write("empty.py", "")

    result = shop.penstock("catalog", "empty", "-o", "site")

    assert result.returncode == 2
    assert "no flow found" in result.stderr


@pytest.mark.skipif(not hasattr(os, "geteuid"), reason="this system has no users")
def test_a_folder_that_cannot_be_written(shop: Project) -> None:
    """The message names the folder."""
    result = shop.penstock("catalog", "shop.orders", "-f", "md", "-o", "/proc/site")

    assert result.returncode == 2
    assert "'/proc/site' cannot be written" in result.stderr


def test_manifests_that_disagree(shop: Project) -> None:
    """Which step, in which files, and what each says; the drawing has both."""
    for name, before in (("new", "a"), ("old", "b")):
        steps = [{"name": "a"}, {"name": "b"}, {"name": "c", "after": [[before]]}]
        document = {
            "penstock": 1,
            "service": "s",
            "flows": [{"name": "f", "steps": steps}],
        }
        shop.write(f"{name}.json", json.dumps(document))

    results = [
        shop.penstock("dag", *order)
        for order in (["new.json", "old.json"], ["old.json", "new.json"])
    ]

    assert (
        results[0].stdout
        == results[1].stdout
        == ("graph TD\n    a --> c\n    b --> c\n")
    )
    assert (
        "Warning: step 'c' of flow 'f' is declared 2 times, with differences: after "
        "'a' (new.json); after 'b' (old.json)." in results[0].stderr
    )


def test_code_counts_more_than_its_manifest(shop: Project) -> None:
    """An old manifest beside the code it was made from changes no step of it."""
    steps = [{"name": "receive"}, {"name": "charge"}]
    document = {"penstock": 1, "flows": [{"name": "orders", "steps": steps}]}
    shop.write("old.json", json.dumps(document))

    result = shop.penstock("dag", "shop.orders", "old.json")

    assert result.stderr == ""
    assert "receive --> charge" in result.stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "it is not JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"penstock": 2}', "pip install -U penstock"),
        ('{"penstock": 1, "flows": [{"name": 7}]}', "flows[0].name should be a string"),
        ('{"penstock": 1, "flows": [], "flows": []}', "the key 'flows' of an object"),
        ('{"penstock": 1, "flows": [{"name": "f", "steps": [{}]}]}', "steps[0] has no"),
    ],
)
def test_a_file_that_is_no_manifest(shop: Project, content: str, told: str) -> None:
    """The message names the file and the place in it; nothing is written."""
    shop.write("bad.json", content)

    result = shop.penstock("catalog", "shop.orders", "bad.json", "-f", "md", "-o", "x")

    assert result.returncode == 2
    assert "bad.json" in result.stderr
    assert told in result.stderr
    assert "Traceback" not in result.stderr
    assert not (shop.root / "x").exists()
