"""The options of FlowMiddleware, which differ from one application to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import penstock
from penstock.contrib import asgi, wsgi
from tests.contrib.web_apps.clients import ask, ask_wsgi

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.contrib.web_apps.clients import Heard

    Ask = Callable[..., Heard]

NEW = r"[0-9a-f]{32}"


def ask_asgi_app(path: str, *headers: tuple[str, str], **options: Any) -> Heard:
    """Ask an ASGI application that answers with its ID."""

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        body = str(penstock.current_flow_id()).encode()
        exposed = [(b"Access-Control-Expose-Headers", b"ETag")]
        await send({"type": "http.response.start", "status": 200, "headers": exposed})
        await send({"type": "http.response.body", "body": body})

    return ask(asgi.FlowMiddleware(app, **options), path, *headers)


def ask_wsgi_app(path: str, *headers: tuple[str, str], **options: Any) -> Heard:
    """Ask a WSGI application that answers with its ID."""

    def app(_environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Access-Control-Expose-Headers", "ETag")])
        return [str(penstock.current_flow_id()).encode()]

    environ = {f"HTTP_{n.upper().replace('-', '_')}": value for n, value in headers}
    return ask_wsgi(wsgi.FlowMiddleware(app, **options), path, **environ)


@pytest.fixture(params=[ask_asgi_app, ask_wsgi_app])
def ask_app(request: pytest.FixtureRequest) -> Ask:
    """Ask an application of each kind."""
    made: Ask = request.param
    return made


def shown(heard: Heard) -> dict[str, list[str]]:
    """Return the headers of the response that a middleware may have written."""
    found: dict[str, list[str]] = {}
    for name, value in heard.headers:
        if name.startswith((b"x-", b"access-")):
            found.setdefault(name.decode(), []).append(value.decode())
    return found


def test_headers_are_read_and_shown(ask_app: Ask) -> None:
    """The header of one middleware is not that of the process."""
    sent = (("X-Correlation-ID", "theirs"), ("X-Ticket", "T-1"))
    heard = ask_app("/", *sent, headers="X-Ticket")

    assert heard.body == "T-1"
    assert shown(heard) == {
        "access-control-expose-headers": ["ETag"],
        "x-ticket": ["T-1"],
    }


def test_two_applications_differ(ask_app: Ask) -> None:
    """Without options the settings of the process hold, beside other middlewares."""
    assert ask_app("/", ("X-Ticket", "T-1"), headers=["X-Ticket"]).body == "T-1"
    assert ask_app("/", ("X-Correlation-ID", "id-1")).body == "id-1"


def test_the_response_header_can_have_another_name(ask_app: Ask) -> None:
    """It is apart from the header that brings the ID, and from the outgoing one."""
    heard = ask_app("/", ("X-Request-ID", "id-1"), response_headers="X-Trace")

    assert shown(heard) == {
        "access-control-expose-headers": ["ETag"],
        "x-trace": ["id-1"],
    }


def test_the_response_header_can_be_off(ask_app: Ask) -> None:
    """The ID is adopted, and not shown."""
    heard = ask_app(
        "/", ("X-Request-ID", "id-1"), response_headers=(), expose_headers=True
    )

    assert heard.body == "id-1"
    assert shown(heard) == {"access-control-expose-headers": ["ETag"]}


def test_scripts_may_read_the_header(ask_app: Ask) -> None:
    """What the application exposes itself stays exposed."""
    heard = ask_app("/", ("X-Request-ID", "id-1"), expose_headers=True)

    assert shown(heard) == {
        "access-control-expose-headers": ["ETag", "X-Correlation-ID"],
        "x-correlation-id": ["id-1"],
    }


@pytest.mark.parametrize(
    ("path", "is_alone"),
    [
        ("/health", True),
        ("/static/a/b.css", True),
        ("/healthy", False),
        ("/", False),
    ],
)
def test_excluded_paths_are_left_alone(
    ask_app: Ask, path: str, *, is_alone: bool
) -> None:
    """No flow and no header there; patterns match whole paths."""
    heard = ask_app(path, ("X-Request-ID", "id-1"), exclude=["/health", "/static/*"])

    assert (heard.body == "None") == is_alone
    assert ("x-correlation-id" not in shown(heard)) == is_alone


def test_an_excluded_path_may_be_one_string(ask_app: Ask) -> None:
    """A string is one pattern, not a list of letters."""
    assert ask_app("/health", exclude="/health").body == "None"
    assert ask_app("/h", exclude="/health").body != "None"


def test_an_inbound_id_is_transformed(ask_app: Ask) -> None:
    """Before it is checked, so that it may make a good ID of a bad one."""
    heard = ask_app(
        "/", ("X-Request-ID", "{A B}"), transform_id=lambda value: value[1:-1][:1]
    )

    assert heard.body == "A"


def test_a_new_id_is_not_transformed(ask_app: Ask) -> None:
    """Only what comes from outside needs it."""
    heard = ask_app("/", transform_id=lambda _: "no")

    assert heard.body != "no"


def test_a_failing_transformer_costs_the_id_only(
    ask_app: Ask, caplog: pytest.LogCaptureFixture
) -> None:
    """The request gets a new ID, and a line says why."""
    heard = ask_app("/", ("X-Request-ID", "id-1"), transform_id=lambda value: value[9])

    assert heard.body != "id-1"
    assert caplog.messages == [
        "Inbound X-Request-ID was not adopted: transform_id raised IndexError."
    ]


@pytest.mark.parametrize(
    ("options", "error", "problem"),
    [
        ({"headrs": "X"}, TypeError, "no option 'headrs'. Did you mean 'headers'?"),
        ({"headers": "a b"}, penstock.ConfigurationError, "'a b' is not an HTTP head"),
        ({"response_headers": 3}, penstock.ConfigurationError, "response_headers=3"),
        ({"transform_id": "x"}, penstock.ConfigurationError, "transform_id='x'"),
        (
            {"trust_inbound": "some"},
            penstock.ConfigurationError,
            "trust_inbound='some'",
        ),
    ],
)
def test_wrong_options(
    ask_app: Ask, options: dict[str, Any], error: type[Exception], problem: str
) -> None:
    """They raise when the application is wrapped, not in a request."""
    with pytest.raises(error, match=problem):
        ask_app("/", **options)
