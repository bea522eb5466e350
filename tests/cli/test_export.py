"""``penstock export``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.support.projects import PROCESS

if TYPE_CHECKING:
    from tests.support.projects import Project


def test_manifest_on_stdout(shop: Project) -> None:
    """Without ``-o`` the manifest is the result."""
    result = shop.penstock("export", "shop.**", "--service", "shop")

    assert (result.returncode, result.stderr) == (0, "")
    assert "orders" in json.dumps(json.loads(result.stdout))


def test_same_flows_same_bytes(shop: Project) -> None:
    """A manifest changes only when the flows do, so that it can be committed."""
    first = shop.penstock("export", "shop.orders", "shop.billing")
    second = shop.penstock(
        *("export", "shop.billing", "shop.orders"),
        program=PROCESS,
        env={"PYTHONHASHSEED": "7"},
    )

    assert first.stdout == second.stdout


def test_file(shop: Project) -> None:
    """``-o`` writes the same bytes to a file, and prints nothing."""
    printed = shop.penstock("export", "shop.**").stdout

    result = shop.penstock("export", "shop.**", "-o", "penstock.json")

    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert (shop.root / "penstock.json").read_bytes() == printed.encode()


def test_service_from_the_environment(shop: Project) -> None:
    """What names the service for OpenTelemetry names it here; the option wins."""
    by_environment = shop.penstock(
        "export", "shop.orders", env={"OTEL_SERVICE_NAME": "shop"}
    )
    by_option = shop.penstock("export", "shop.orders", "--service", "shop")
    both = shop.penstock(
        "export", "shop.orders", "--service", "shop", env={"OTEL_SERVICE_NAME": "other"}
    )

    assert by_environment.stdout == by_option.stdout == both.stdout
    assert '"shop"' in by_option.stdout


def test_other_services_keep_their_names(shop: Project) -> None:
    """``--service`` names this program's flows, not those of manifests."""
    shop.penstock("export", "shop.orders", "-o", "shop.json", "--service", "shop")

    result = shop.penstock("export", "shop.json", "shop.billing", "--service", "till")

    assert '"shop"' in result.stdout
    assert '"till"' in result.stdout


def test_folder_that_is_not_there(shop: Project) -> None:
    """A file that cannot be written is one message."""
    result = shop.penstock("export", "shop.orders", "-o", "nowhere/penstock.json")

    assert result.returncode == 2
    assert "nowhere" in result.stderr
    assert "Traceback" not in result.stderr


def test_check(shop: Project) -> None:
    """``--check`` fails if the file is missing or out of date, and writes nothing."""
    command = ("export", "shop.orders", "-o", "penstock.json")

    missing = shop.penstock(*command, "--check")
    shop.penstock(*command)
    same = shop.penstock(*command, "--check")
    path = shop.write("penstock.json", "{}")
    stale = shop.penstock(*command, "--check")

    assert [missing.returncode, same.returncode, stale.returncode] == [1, 0, 1]
    assert stale.stderr.startswith("penstock.json is out of date.")
    assert path.read_text(encoding="utf-8") == "{}"


def test_check_without_the_service(shop: Project) -> None:
    """The message names both, because an update would drop the old one."""
    command = ("export", "shop.orders", "-o", "penstock.json")
    shop.penstock(*command, "--service", "shop")

    result = shop.penstock(*command, "--check")

    said = "out of date: it is of service 'shop', and --service is ''. To update"
    assert said in result.stderr


def test_check_of_no_file(shop: Project) -> None:
    """``--check`` needs a file."""
    result = shop.penstock("export", "shop.orders", "--check")

    assert result.returncode == 2
    assert "--output penstock.json" in result.stderr
