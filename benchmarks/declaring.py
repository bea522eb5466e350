"""Measure what happens before the first call: importing and registering."""

from __future__ import annotations

import json
import sys
from functools import wraps
from itertools import count
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import penstock

from .floors import work
from .processes import run
from .report import Row
from .timing import Case, best

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["rows"]

_SOURCE = Path(penstock.__file__).parents[1]
_IMPORT = """
import sys
sys.path.insert(0, sys.argv[1])
from time import process_time
started = process_time()
import {module}
print(process_time() - started)
"""
_LOADED = """
import json, sys
before = set(sys.modules)
import penstock
print(json.dumps(sorted({name.partition(".")[0] for name in {*sys.modules} - before})))
"""


def rows(seconds: float) -> Iterator[Row]:
    """Measure for *seconds* each; yield the rows."""
    yield _import(rounds=max(5, int(12 * seconds)))
    yield _extras()
    yield _registering(seconds)


def _import(rounds: int) -> Row:
    took = {"logging": float("inf"), "penstock": float("inf")}
    for _ in range(rounds):  # the first one compiles the bytecode
        for module, least in took.items():
            # Without site packages and environment, which have imports of their own.
            code = _IMPORT.format(module=module)
            now = float(run("-I", "-S", "-c", code, str(_SOURCE)))
            took[module] = min(least, now)
    ratio = took["penstock"] / took["logging"]
    return Row("import penstock", ratio, 2.2, "x import logging")


def _extras() -> Row:
    loaded = set(json.loads(run("-c", _LOADED))) - {"penstock"}
    foreign = sorted(loaded - sys.stdlib_module_names)
    return Row(
        "extras that import penstock brings", len(foreign), 0, note=" ".join(foreign)
    )


def _registering(seconds: float) -> Row:
    cases = [
        Case("functools.wraps", _fresh(_wrapped)),
        Case("step", _fresh(_registered)),
        Case("none", _fresh(_nothing)),
    ]
    took = best(cases, seconds=seconds)
    ratio = (took["step"] - took["none"]) / (took["functools.wraps"] - took["none"])
    return Row("registering a step", ratio, 6.0, "x functools.wraps")


def _fresh(decorate: Callable[[Any], Any]) -> Callable[[int], Any]:
    """Return a call of *decorate* with a new function."""
    code, numbers = work().__code__, count()

    def call(_: int) -> Any:
        return decorate(FunctionType(code, {"__name__": "shop"}, f"f{next(numbers)}"))

    return call


def _nothing(func: Any) -> Any:
    return func


def _wrapped(func: Any) -> Any:
    @wraps(func)
    def call(*args: Any, **kwargs: Any) -> Any:
        return func(*args, **kwargs)

    return call


def _registered(func: Any) -> Any:
    return _shop.step(after="receive")(func)


_shop = penstock.flow("shop")
