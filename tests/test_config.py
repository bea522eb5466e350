from __future__ import annotations

from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from penstock import (
    ConfigurationError,
    LoggingBackend,
    NotInFlowError,
    configure,
    continue_flow,
    current_flow_id,
    entrypoint,
    flow,
    get_backend,
    inject,
    reset,
    start_flow,
    step,
)
from penstock._config import warn_of_unknown_variables
from tests.support.call_styles import Traces, run_python, unique

if TYPE_CHECKING:
    from pathlib import Path


def settings() -> dict[str, object]:
    """Return what can be seen of every setting."""
    with start_flow(tenant="acme") as context:
        headers = inject()
    with continue_flow({"X-Request-ID": "request", **headers}) as continued:
        came = continued.correlation_id == context.correlation_id
        metadata = dict(continued.metadata)

    @flow(name := unique("orders"))
    @step
    def charge() -> str | None:
        return current_flow_id()

    try:
        outside = "run" if charge() else "warn"
    except NotInFlowError:
        outside = "raise"
    return {
        "backend": repr(get_backend()),
        "outside": outside,
        "headers": sorted(headers),
        "inbound": came,
        "metadata": metadata,
        "id": context.correlation_id if len(context.correlation_id) < 32 else "uuid",
        "service": '"service":"shop"' in headers.get("penstock", ""),
        "flow": bool(name),
    }


DEFAULTS = {
    "backend": "<LoggingBackend level=INFO>",
    "outside": "raise",
    "headers": ["X-Correlation-ID", "penstock"],
    "inbound": True,
    "metadata": {},
    "id": "uuid",
    "service": False,
    "flow": True,
}


def test_defaults() -> None:
    """The defaults."""
    assert settings() == DEFAULTS


CHANGES: dict[str, tuple[dict[str, Any], dict[str, object]]] = {
    "outside": ({"outside": "run"}, {"outside": "run"}),
    "new_id": ({"new_id": lambda: "mine"}, {"id": "mine"}),
    "service": ({"service": "shop"}, {"service": True}),
    "headers": (
        {"headers": ["X-A", "X-B"]},
        {"headers": ["X-A", "X-B", "penstock"]},
    ),
    "inbound_headers": ({"inbound_headers": "X-Request-ID"}, {"inbound": False}),
    "is_valid_id": ({"is_valid_id": lambda text: text != "request"}, {}),
    "propagate": ({"propagate": "tenant"}, {"metadata": {"tenant": "acme"}}),
    "trust_inbound": ({"trust_inbound": "none"}, {"inbound": False}),
}


@pytest.mark.parametrize("name", CHANGES)
def test_configure_changes_only_what_it_names(name: str) -> None:
    """Every other setting stays as it was."""
    change, expected = CHANGES[name]

    configure(**change)

    assert settings() == {**DEFAULTS, **expected}
    configure()
    assert settings() == {**DEFAULTS, **expected}
    reset()
    assert settings() == DEFAULTS


def test_configure_of_a_setting_keeps_the_backend() -> None:
    """And ``configure`` of a backend keeps the settings."""
    backend = Traces()
    configure(backend, outside="run")
    configure(service="shop")

    assert get_backend() is backend
    configure("logging")
    assert settings() == {**DEFAULTS, "outside": "run", "service": True}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"backends": ["loging"]}, r"'loging'.*logging, otel.*Did you mean 'logging'"),
        ({"backends": ["zzz"]}, r"no backend is called 'zzz'"),
        ({"backends": [Traces]}, r"Give an object, not the class"),
        ({"backends": [None]}, r"not None"),
        ({"backends": [7]}, r"not 7"),
        ({"outside": "rise"}, r"outside='rise'.*Did you mean 'raise'"),
        ({"outside": ""}, r"outside=''"),
        ({"outside": False}, r"outside=False"),
        ({"trust_inbound": "al"}, r"trust_inbound='al'.*Did you mean 'all'"),
        ({"headers": "X Y"}, r"headers: 'X Y' is not an HTTP header name"),
        ({"headers": "X\r\nY"}, r"headers"),
        ({"inbound_headers": ["X:"]}, r"inbound_headers: 'X:'"),
        ({"headers": [7]}, r"headers.*7"),
        ({"propagate": 7}, r"propagate.*7"),
        ({"propagate": [("tenant",)]}, r"propagate"),
        ({"service": 7}, r"service.*7"),
        ({"new_id": "uuid4"}, r"new_id='uuid4': expected a function"),
        ({"is_valid_id": "[a-z]+"}, r"is_valid_id='\[a-z\]\+': expected a function"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_a_wrong_value_is_refused_and_nothing_is_changed(
    arguments: dict[str, Any], message: str
) -> None:
    """What is right beside it does not take effect either."""
    backends = arguments.pop("backends", [])
    right: dict[str, Any] = {"service": "shop", "outside": "run"}

    with pytest.raises(ConfigurationError, match=message):
        configure("logging", *backends, **{**right, **arguments})

    assert settings() == DEFAULTS


def test_an_unknown_setting_is_a_type_error() -> None:
    """Python says it, at the caller's line."""
    with pytest.raises(TypeError, match="servce"):
        configure(servce="shop")  # type: ignore[call-arg]  # that is the point


PROGRAM = """
    import json, sys
    import penstock
    from penstock import *
    exec(sys.argv[1])
    with start_flow(tenant="acme", correlation_id="order-17"):
        headers = inject()
    with continue_flow(headers) as context:
        came = context.correlation_id == "order-17", dict(context.metadata)
    @flow("orders")
    @step
    def charge(): return current_flow_id()
    try: outside = "run" if charge() else "warn"
    except NotInFlowError: outside = "raise"
    sent = json.loads(headers["penstock"])
    del sent["run_id"], sent["sent_at"]
    sent = json.dumps(sent, separators=(",", ":"))
    print(get_backend(), outside, sorted(headers), *came, sent)
"""


def said(code: str = "", **environment: str) -> str:
    """Return what a program with *code* and *environment* shows of its settings."""
    out, errors = run_python(PROGRAM, code, **environment)
    return out.strip() or errors.strip().splitlines()[-1]


QUIET = "<LoggingBackend level=INFO> raise ['X-Correlation-ID', 'penstock'] True {} "
NOTHING = '{"root":"order-17"}'


@pytest.mark.parametrize(
    ("environment", "code", "expected"),
    [
        ({}, "", QUIET + NOTHING),
        ({"PENSTOCK_OUTSIDE": "run"}, "", "INFO> run ["),
        ({"PENSTOCK_OUTSIDE": "run"}, "configure(outside='raise')", "INFO> raise ["),
        ({"PENSTOCK_OUTSIDE": "run"}, "configure(service='a')", "INFO> run ["),
        ({"PENSTOCK_OUTSIDE": "run"}, "configure(outside='raise'); reset()", "> run ["),
        ({"PENSTOCK_OUTSIDE": ""}, "", QUIET),
        ({"PENSTOCK_SERVICE": "shop"}, "", '"service":"shop"'),
        ({"OTEL_SERVICE_NAME": "shop"}, "", '"service":"shop"'),
        (
            {"PENSTOCK_SERVICE": "shop", "OTEL_SERVICE_NAME": "other"},
            "",
            '"service":"shop"',
        ),
        ({"PENSTOCK_SERVICE": "shop"}, "configure(service='x')", '"service":"x"'),
        ({"PENSTOCK_HEADERS": "X-A, X-B"}, "", "['X-A', 'X-B', 'penstock'] True"),
        (
            {"PENSTOCK_HEADERS": "X-A", "PENSTOCK_INBOUND_HEADERS": "x-a"},
            "",
            "['X-A', 'penstock'] True",
        ),
        ({"PENSTOCK_HEADERS": ""}, "", "> raise ['penstock'] True"),
        ({}, "configure(headers='')", "> raise ['penstock'] True"),
        (
            {"PENSTOCK_INBOUND_HEADERS": ""},
            "",
            "['X-Correlation-ID', 'penstock'] False",
        ),
        (
            {},
            "configure(inbound_headers='')",
            "['X-Correlation-ID', 'penstock'] False",
        ),
        ({"PENSTOCK_PROPAGATE": "tenant,user"}, "", "{'tenant': 'acme'}"),
        ({"PENSTOCK_TRUST_INBOUND": "none"}, "", "'penstock'] False"),
        ({"PENSTOCK_BACKEND": "logging"}, "", QUIET),
        (
            {"PENSTOCK_BACKEND": "logging,logging"},
            "",
            "<CompositeBackend <LoggingBackend",
        ),
    ],
    ids=lambda value: str(value)[:50],
)
def test_code_beats_environment_beats_default(
    environment: dict[str, str], code: str, expected: str
) -> None:
    """Every ``PENSTOCK_*`` variable, alone and against the code."""
    assert expected in said(code, **environment)


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({"PENSTOCK_OUTSIDE": "rise"}, "Did you mean 'raise'"),
        ({"PENSTOCK_BACKEND": "loging"}, "Did you mean 'logging'"),
        ({"PENSTOCK_TRUST_INBOUND": "al"}, "Did you mean 'all'"),
        ({"PENSTOCK_HEADERS": "X Y"}, "not an HTTP header name"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_a_wrong_variable_is_told_at_the_import(
    environment: dict[str, str], expected: str
) -> None:
    """A typing error in a deployment is seen at once, not in an incident."""
    message = said(**environment)

    assert message.startswith("penstock.errors.ConfigurationError")
    assert expected in message
    assert f"from the environment: {', '.join(environment)}" in message


@pytest.mark.parametrize(
    ("variable", "expected"),
    [
        ("PENSTOCK_BACKENDS", "'PENSTOCK_BACKENDS'. Did you mean 'PENSTOCK_BACKEND'?"),
        ("PENSTOCK_HEADER", "'PENSTOCK_HEADER'. Did you mean 'PENSTOCK_HEADERS'?"),
        ("PENSTOCK_CONFORMANCE_DIR", ""),
        ("PENSTOCK_PORT_8000_TCP", ""),
        ("PENSTOC", ""),
    ],
)
def test_a_misspelt_variable_is_named_at_the_import(
    variable: str, expected: str
) -> None:
    """With the name that was meant; other variables of that prefix are left alone."""
    _, errors = run_python("import penstock", **{variable: "otel"})

    assert expected in errors
    assert bool(expected) is ("UserWarning" in errors)
    assert not expected or "<string>:1" in errors  # the import


def test_a_misspelt_variable_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    """It stops nothing unless warnings are errors."""
    monkeypatch.setenv("PENSTOCK_TRUST", "all")
    monkeypatch.setenv("PENSTOCK_INBOUND_HEADER", "X-A")

    with pytest.warns(UserWarning, match="Did you mean 'PENSTOCK_INBOUND_HEADERS'"):
        warn_of_unknown_variables()


def test_reset_names_the_variable_behind_a_wrong_setting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The error names what to change."""
    monkeypatch.setenv("PENSTOCK_OUTSIDE", "rise")

    with pytest.raises(ConfigurationError, match=r"'rise'.*PENSTOCK_OUTSIDE"):
        reset()


def test_reset_keeps_declared_flows() -> None:
    """Settings go back; what was declared stays declared."""

    @flow(unique("orders"))
    @entrypoint
    def receive() -> str | None:
        return current_flow_id()

    configure(Traces(), new_id=lambda: "mine")
    reset()

    assert isinstance(get_backend(), LoggingBackend)
    assert receive() not in {None, "mine"}


def test_no_file_is_read_for_settings(tmp_path: Path) -> None:
    """``pyproject.toml`` is for the command line and pytest."""
    (tmp_path / "pyproject.toml").write_text('[tool.penstock]\noutside = "run"\n')
    change_folder = f"import os; os.chdir({str(tmp_path)!r})\n"
    out, _ = run_python(change_folder + dedent(PROGRAM), "")

    assert out.strip() == QUIET + NOTHING
