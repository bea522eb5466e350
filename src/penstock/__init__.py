"""Define, trace, visualise and verify application flows.

Declare flows on functions that already exist with ``flow``, ``entrypoint`` and
``step``; read the correlation ID with ``current_flow_id``; draw with
``generate_dag``.

The names in ``__all__`` are public and stable. So are the modules that the
documentation imports: ``penstock.errors``, ``penstock.testing``,
``penstock.backends.otel`` and those in ``penstock.contrib``. Modules that begin with
an underscore, and the wording of messages, may change at any time.
docs/explanation/architecture.md explains how the packages work together.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._config import configure, get_backend, reset
from ._config import warn_of_unknown_variables as _warn_of_unknown_variables
from ._context import (
    FlowContext,
    current_flow_id,
    get_flow_context,
    get_flow_context_value,
    set_flow_context_value,
)
from ._declaring.after import AllOf, all_of
from ._decorators import Flow, entrypoint, flow, step
from ._platform.process import after_fork
from ._propagation.bind import bind_flow
from ._propagation.carrier import continue_flow, inject
from ._registry import declared_flows, forget_flow
from ._runtime.scopes import outside_flow, start_flow
from .backends.base import TracingBackend
from .backends.json_formatter import JSONFormatter
from .backends.log_fields import FlowFilter, install_log_fields, uninstall_log_fields
from .backends.logging import LoggingBackend
from .errors import (
    ConfigurationError,
    FlowDefinitionError,
    FlowOrderError,
    ManifestError,
    MissingExtraError,
    NotInFlowError,
    PenstockError,
    RenderError,
    UnknownFlowError,
)

if TYPE_CHECKING:
    from ._dag import generate_dag
    from ._types import FlowInfo, StepInfo
    from .conformance import ConformanceReport, conformance_report

__all__ = [
    "AllOf",
    "ConfigurationError",
    "ConformanceReport",
    "Flow",
    "FlowContext",
    "FlowDefinitionError",
    "FlowFilter",
    "FlowInfo",
    "FlowOrderError",
    "JSONFormatter",
    "LoggingBackend",
    "ManifestError",
    "MissingExtraError",
    "NotInFlowError",
    "PenstockError",
    "RenderError",
    "StepInfo",
    "TracingBackend",
    "UnknownFlowError",
    "after_fork",
    "all_of",
    "bind_flow",
    "configure",
    "conformance_report",
    "continue_flow",
    "current_flow_id",
    "declared_flows",
    "entrypoint",
    "flow",
    "forget_flow",
    "generate_dag",
    "get_backend",
    "get_flow_context",
    "get_flow_context_value",
    "inject",
    "install_log_fields",
    "outside_flow",
    "reset",
    "set_flow_context_value",
    "start_flow",
    "step",
    "uninstall_log_fields",
]

# Importing dataclasses and everything about drawing would double the import time.
_COLD = {
    "ConformanceReport": "conformance",
    "FlowInfo": "_types",
    "StepInfo": "_types",
    "conformance_report": "conformance",
    "generate_dag": "_dag",
}


def __getattr__(name: str) -> object:
    """Import rarely needed names at their first access (PEP 562)."""
    if name == "__version__":
        from importlib.metadata import version  # noqa: PLC0415  # +20 ms, rarely

        return version("penstock")
    if name not in _COLD:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    from importlib import import_module  # noqa: PLC0415  # see _COLD

    value: object = getattr(import_module(f"{__name__}.{_COLD[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List all names, including those that are not imported yet."""
    return sorted({*globals(), *__all__, "__version__"})


def _read_environment() -> None:
    """Apply the ``PENSTOCK_*`` variables; in a command, a wrong one ends it."""
    try:
        reset()
    except PenstockError as exc:
        from ._platform.command import usage_error_status  # noqa: PLC0415  # seldom

        status = usage_error_status()
        if status is None:
            raise
        import sys  # noqa: PLC0415  # the same

        print(f"Error: {exc}", file=sys.stderr)  # noqa: T201  # the command cannot start
        sys.exit(status)


# Last, because the backend that PENSTOCK_BACKEND names may import from penstock.
_read_environment()
_warn_of_unknown_variables()
