"""Write the logs of a shop of three services, with everything that goes wrong.

The shop keeps the order that ``FLOW`` declares, but for the runs that break it on
purpose. What was planted is in ``truth.json`` beside the logs, with the runs concerned.

    python -m benchmarks.stored_runs /tmp/logs --runs 700000
"""

from __future__ import annotations

import argparse
import json
import random
from collections import Counter
from contextlib import ExitStack
from dataclasses import asdict, dataclass, field
from heapq import heappop, heappush
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import penstock
from penstock._platform.clock import utc

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CLOCKS", "FLOW", "WAYS_TO_BREAK", "Rates", "Truth", "write"]

FLOW = penstock.flow("orders")


@FLOW.entrypoint
def receive() -> None:
    """Take an order."""


@FLOW.step(after=receive)
def stock() -> None:
    """Look whether it is in stock."""


@FLOW.step(after=receive)
def fraud() -> None:
    """Look whether it is a fraud."""


@FLOW.step(after=penstock.all_of(stock, fraud))
def charge() -> None:
    """Charge the card."""


@FLOW.step(after=charge)
def fulfil() -> None:
    """Do what the warehouse has to do; a message brings it."""


@FLOW.step(after=fulfil)
def pack() -> None:
    """Pack the parcel."""


@FLOW.step(after=pack)
def ship() -> None:
    """Give it to the carrier."""


@FLOW.step(after=ship)
def notify() -> None:
    """Write a mail to the customer; a message brings it."""


CLOCKS = {"shop": 0.0, "warehouse": 0.12, "mail": -2.5}
"""The services, and by how many seconds their clocks are wrong."""

WAYS_TO_BREAK = ("no fraud", "early fulfil", "no pack", "early notify")

_START_S = 1_790_000_000.0
_RUNS_PER_SECOND = 50

Line = tuple[float, int, str, str]
"""When it is written, its number, its service and its text."""


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something goes wrong.

    Attributes:
        broken: Share of runs that break the declared order.
        failed: Share of runs in which a step raises.
        crashed: Share of runs in which the warehouse is killed while it packs.
        lost: Share of lines about steps that are missing.
        garbage: Share of such lines that are followed by one that is cut.
    """

    broken: float = 0.00187
    failed: float = 0.01
    crashed: float = 0.0005
    lost: float = 0.00006
    garbage: float = 0.0001


@dataclass(slots=True)
class Truth:
    """What was written.

    Attributes:
        runs: The number of runs.
        lines: The number of lines, those with garbage included.
        garbage: The number of lines that are not JSON.
        broken: How each run broke the order, by root ID.
        failed: The runs in which a step raised.
        crashed: The runs in which a process was killed.
        lost: The runs with missing lines, once for each line.
    """

    runs: int
    lines: int = 0
    garbage: int = 0
    broken: dict[str, str] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)
    crashed: list[str] = field(default_factory=list)
    lost: list[str] = field(default_factory=list)


def write(
    folder: Path,
    runs: int,
    rates: Rates | None = None,
    *,
    seed: int = 1,
    lines: str = "each",
) -> Truth:
    """Write one log for each service, and ``truth.json``; return what that says.

    *lines* are those of ``LoggingBackend``: with ``each`` a run takes about 9 kB.
    """
    truth = Truth(runs)
    writer = _Writer(rates or Rates(), truth, seed, lines)
    waiting: list[Line] = []
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        logs = {
            name: stack.enter_context((folder / f"{name}.log").open("w"))
            for name in CLOCKS
        }
        for number in range(runs + 1):
            began = _START_S + number / _RUNS_PER_SECOND
            for line in writer.run(number, began) if number < runs else ():
                heappush(waiting, line)
            while waiting and (waiting[0][0] < began or number == runs):
                _, _, service, text = heappop(waiting)
                logs[service].write(text)
    (folder / "truth.json").write_text(json.dumps(asdict(truth), indent=1))
    return truth


class _Call(NamedTuple):
    """One call, in true seconds; *end* is None if its process was killed."""

    service: str
    step: str
    start: float
    end: float | None
    number: int
    parent: _Call | None = None
    sent_at: float | None = None
    error: str = ""


class _Writer:
    def __init__(self, rates: Rates, truth: Truth, seed: int, lines: str) -> None:
        self._rng = random.Random(seed)  # noqa: S311  # not a secret
        self._rates = rates
        self._truth = truth
        self._is_by_run = lines == "run"
        self._calls = Counter[str]()
        self._prefixes = {name: f"{self._rng.getrandbits(64):016x}" for name in CLOCKS}

    def run(self, number: int, at: float) -> Iterator[Line]:
        """Yield the lines of one run, in any order."""
        rng, rates, truth = self._rng, self._rates, self._truth
        root, chance = f"{rng.getrandbits(128):032x}", rng.random()
        broken = failed = ""
        if chance < rates.broken:
            broken = truth.broken[root] = rng.choice(WAYS_TO_BREAK)
        elif chance < rates.broken + rates.failed:
            failed = rng.choice(("charge", "ship"))
            truth.failed.append(root)
        is_crashed = not broken and not failed and rng.random() < rates.crashed
        if is_crashed:
            truth.crashed.append(root)
        calls = self._run(at, broken, failed, is_crashed=is_crashed)
        write = self._by_run if self._is_by_run else self._each
        ids = _ids(root, self._id(calls[0]))
        for when, call, written in write(calls, ids):
            written["order_id"] = f"A-{number}"
            yield from self._line(when, call.service, root, written)

    def _run(
        self, at: float, broken: str, failed: str, *, is_crashed: bool
    ) -> list[_Call]:
        receive = self._call("shop", "receive", at, at + self._about(0.12))
        error = "PaymentError" if failed == "charge" else ""
        charged = at + 0.05 + self._about(0.04)
        calls = [
            receive,
            self._call("shop", "stock", at + 0.002, at + self._about(0.02), receive),
            self._call("shop", "charge", at + 0.05, charged, receive, error=error),
        ]
        if broken != "no fraud":
            asked = at + self._about(0.03)
            calls.append(self._call("shop", "fraud", at + 0.002, asked, receive))
        if not error:
            sent = at + (0.06 if broken == "early fulfil" else 0.115)
            calls += self._warehouse(
                receive, sent, broken, failed, is_crashed=is_crashed
            )
        return calls

    def _warehouse(
        self,
        receive: _Call,
        sent: float,
        broken: str,
        failed: str,
        *,
        is_crashed: bool,
    ) -> list[_Call]:
        name, at = "warehouse", sent + 0.05
        error = "CarrierError" if failed == "ship" else ""
        end = None if is_crashed else at + 0.2 + self._about(0.1)
        fulfil = self._call(name, "fulfil", at, end, receive, sent, error)
        packed = None if is_crashed else at + self._about(0.05)
        pack = self._call(name, "pack", at + 0.001, packed, fulfil)
        if is_crashed:
            return [fulfil, pack]
        shipped = at + 0.07 + self._about(0.06)
        ship = self._call(name, "ship", at + 0.07, shipped, fulfil, error=error)
        calls = [fulfil, ship] if broken == "no pack" else [fulfil, pack, ship]
        if not error:
            sent = at + (0.1 if broken == "early notify" else 0.16)
            mailed = at + 0.3 + self._about(0.2)
            notify = self._call("mail", "notify", at + 0.3, mailed, fulfil, sent)
            calls.append(notify)
        return calls

    def _about(self, seconds: float) -> float:
        """Return a time that is up to 40 % longer than *seconds*, seldom by much."""
        return seconds * (1 + 0.4 * self._rng.random() ** 8)

    def _call(
        self,
        service: str,
        step: str,
        start: float,
        end: float | None,
        parent: _Call | None = None,
        sent_at: float | None = None,
        error: str = "",
    ) -> _Call:
        self._calls[service] += 1
        number = self._calls[service]
        return _Call(service, step, start, end, number, parent, sent_at, error)

    def _id(self, call: _Call) -> str:
        return f"{self._prefixes[call.service]}-{call.number}"

    def _each(
        self, calls: list[_Call], ids: dict[str, Any]
    ) -> Iterator[tuple[float, _Call, dict[str, Any]]]:
        """Yield lines as ``lines="each"`` writes them, and one of another logger."""
        for call in calls:
            yield call.start, call, self._start(call, ids)
            if call.end is not None:
                yield call.end, call, self._end(call, ids)
            if call.step in {"receive", "charge", "ship"}:
                fields = {"flow": "orders", "step": call.step, **ids}
                del fields["run_id"]
                fields["call_id"] = self._id(call)
                message = f"{call.step}: the order is in the database"
                line = {"level": "INFO", "logger": "shop.orders", "message": message}
                yield call.start + 0.001, call, {**line, **fields}

    def _by_run(
        self, calls: list[_Call], ids: dict[str, Any]
    ) -> Iterator[tuple[float, _Call, dict[str, Any]]]:
        """Yield lines as ``lines="run"`` writes them.

        What a message brought has no entrypoint, so each of its calls has two lines.
        """
        entry = calls[0]
        inside = [
            {
                "step": one.step,
                "call": self._id(one),
                "parent": self._id(entry),
                "start_ms": round((one.start - entry.start) * 1000, 3),
                "duration_ms": round((one.end - one.start) * 1000, 3),
                "outcome": "error" if one.error else "ok",
            }
            for one in calls[1:]
            if one.service == entry.service and one.end is not None
        ]
        started_at = utc(entry.start + CLOCKS[entry.service])
        for call in calls:
            if call is not entry and call.service == entry.service:
                continue
            more = {"started_at": started_at, "calls": inside}
            if call is not entry:
                yield call.start, call, self._start(call, ids)
                more = {}
            if call.end is not None:
                yield call.end, call, {**self._end(call, ids), **more}

    def _start(self, call: _Call, ids: dict[str, Any]) -> dict[str, Any]:
        return {
            "level": "INFO",
            "logger": "penstock",
            "message": f"step.start orders/{call.step}",
            **self._fields(call, ids, "step.start"),
        }

    def _end(self, call: _Call, ids: dict[str, Any]) -> dict[str, Any]:
        duration_ms = round(((call.end or call.start) - call.start) * 1000, 3)
        event = "step.error" if call.error else "step.end"
        fields = self._fields(call, ids, event)
        if call.error:
            fields |= {"outcome": "error", "duration_ms": duration_ms}
            fields["error_type"] = call.error
        else:
            fields |= {"outcome": "ok", "duration_ms": duration_ms}
        return {
            "level": "WARNING" if call.error else "INFO",
            "logger": "penstock",
            "message": f"{event} orders/{call.step} {duration_ms:.1f} ms",
            **fields,
        }

    def _fields(self, call: _Call, ids: dict[str, Any], event: str) -> dict[str, Any]:
        fields = {"flow_event": event, "flow": "orders", "step": call.step, **ids}
        fields |= {"call_id": self._id(call), "service": call.service}
        if call.parent is not None:
            fields["parent_call_id"] = self._id(call.parent)
            fields["parent_step"] = call.parent.step
        if call.sent_at is not None and call.parent is not None:
            fields["sent_at"] = utc(call.sent_at + CLOCKS[call.parent.service])
        return fields

    def _line(
        self, when: float, service: str, root: str, written: dict[str, Any]
    ) -> Iterator[Line]:
        truth, chance = self._truth, self._rng.random()
        if "flow_event" in written and chance < self._rates.lost:
            truth.lost.append(root)
            return
        pid = 100 + list(CLOCKS).index(service)
        where = {"host.name": f"{service}-1", "process.pid": pid}
        time = {"timestamp": utc(when + CLOCKS[service])}
        text = json.dumps({**time, **written, **where}) + "\n"
        truth.lines += 1
        yield when, truth.lines, service, text
        if chance > 1 - self._rates.garbage:
            truth.garbage += 1
            truth.lines += 1
            yield when, truth.lines, service, text[: len(text) // 2] + "\n"


def _ids(root: str, run_id: str) -> dict[str, Any]:
    return {
        "correlation_id": root,
        "root_id": root,
        "short_id": root[:8],
        "run_id": run_id,
    }


def main() -> None:
    """Write logs as the command line says."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=600_000, help="default: 5 GB")
    parser.add_argument("--lines", choices=["each", "run"], default="each")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    truth = write(given.folder, given.runs, seed=given.seed, lines=given.lines)
    print(f"{truth.lines:,} lines of {truth.runs:,} runs in {given.folder}")


if __name__ == "__main__":
    main()
