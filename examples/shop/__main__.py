"""Start the shop, send one order, and print what happens to it: ``make showcase``.

An optional argument names the folder for logs, database and drawings; without it they
go into a new temporary one.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from typing import TYPE_CHECKING

from .servers import ROOT, open_shop
from .story import await_end, await_failure, hops, lines_of

if TYPE_CHECKING:
    from .servers import Shop

ORDER = {"number": "A-1", "customer": "ada"}
TOO_LARGE = {"number": "A-2", "customer": "bob"}
SERVICES = ("front", "office", "worker", "shipping")


def main() -> int:
    """Return 0 if every hop has the same ID."""
    if sys.argv[1:]:
        folder = Path(sys.argv[1]).resolve()
        folder.mkdir(parents=True, exist_ok=True)
    else:
        folder = Path(tempfile.mkdtemp(prefix="shop-"))
    print(f"Starting the shop in {folder}:")
    with open_shop(folder) as shop:
        shown = send(shop, ORDER)
        await_end(shop, ORDER["number"])
        is_one = tell_hops(shop, shown)
        tell_lines(folder, shown)
        failed = send(shop, TOO_LARGE)
        await_failure(folder, failed)
    tell_failure(folder, failed)
    tell_system(folder)
    return 0 if is_one else 1


def send(shop: Shop, order: dict[str, str]) -> str:
    """Send an order as a browser does; return the ID in the response."""
    url = f"http://{shop.addresses['front']}/orders"
    request = urllib.request.Request(
        url, json.dumps(order).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310  # our own server
        return str(answer.headers["X-Correlation-ID"])


def tell_hops(shop: Shop, shown: str) -> bool:
    """Print the ID at each hop; return whether all are the same."""
    found = hops(shop, ORDER["number"], shown)
    print(
        f"\nOne order, {len(found)} hops, {len({hop.flow_id for hop in found})} ID:\n"
    )
    for hop in found:
        print(f"  {hop.what:<26} {hop.where:<20} {hop.flow_id or 'MISSING'}")
    return {hop.flow_id for hop in found} == {shown}


def tell_lines(folder: Path, flow_id: str) -> None:
    """Print what every process logged with the ID."""
    lines = lines_of(folder, flow_id)
    services = {line["service"] for line in lines}
    print(f"\nIts {len(lines)} log lines, from {len(services)} processes:\n")
    for line in lines:
        moment = line["timestamp"][11:23]
        print(f"  {moment} {line['service']:<9} {line['message']}")


def tell_failure(folder: Path, flow_id: str) -> None:
    """Look back at the order that failed, as someone on call does."""
    logs = [str(path) for path in sorted(folder.glob("*.jsonl"))]
    manifests = export(folder)
    targets = [part for path in manifests for part in ("--target", path)]
    print(
        f"\nWhat happened to the order that failed?\n\n  $ penstock show {flow_id[:8]}"
    )
    print(f"\n{penstock('show', flow_id[:8], *logs, *targets)}")


def export(folder: Path) -> list[str]:
    """Write the flows of each service; return the files."""
    manifests = [str(folder / f"{service}.json") for service in SERVICES]
    for service, manifest in zip(SERVICES, manifests, strict=True):
        module = f"examples.shop.{service}"
        penstock("export", module, "--service", service, "--output", manifest)
    return manifests


def tell_system(folder: Path) -> None:
    """Draw all services as one system, from their manifests."""
    manifests = [str(folder / f"{service}.json") for service in SERVICES]
    print("\nThe whole system:\n")
    print(penstock("dag", *manifests, "--format", "mermaid"))
    for suffix in ("svg", "png"):
        penstock("dag", *manifests, "--detail", "-o", str(folder / f"shop.{suffix}"))
    print(f"As pictures: {folder / 'shop.svg'} and shop.png.")


def penstock(*arguments: str) -> str:
    """Run the command line of penstock; return what it prints."""
    command = [sys.executable, "-m", "penstock", *arguments]
    result = subprocess.run(  # noqa: S603  # our own command
        command,
        cwd=ROOT,
        check=True,
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return result.stdout


if __name__ == "__main__":
    sys.exit(main())
