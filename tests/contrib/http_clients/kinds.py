"""Every client that can be instrumented, under the same few names."""

from __future__ import annotations

import asyncio
import ssl
from contextlib import contextmanager
from contextvars import copy_context
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from penstock import start_flow

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator, Iterable

# A context with the usual certificates takes 50 ms for each client, and none uses TLS.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

__all__ = ["KINDS", "Client", "opened", "state_of"]


class Answer(NamedTuple):
    """One response, and the responses that led to it."""

    status: int
    text: str
    hops: int


class Client:
    """A client of one library; a subclass says how that is called."""

    package = ""
    module = ""

    def __init__(self, proxy: str | None) -> None:
        self.library: Any = pytest.importorskip(
            self.package, reason=f"needs {self.package}"
        )
        self.ours: Any = import_module(f"penstock.contrib.{self.module}")
        self.proxy = proxy
        self.raw: Any = self.make()

    def make(self) -> Any:
        """Return a client of the library."""
        raise NotImplementedError

    def close(self) -> None:
        """Close it."""
        self.raw.close()

    def instrument(self, *hosts: str) -> None:
        """Instrument it."""
        self.ours.instrument(self.raw, hosts=list(hosts))

    def uninstrument(self) -> None:
        """Undo that."""
        self.ours.uninstrument(self.raw)

    def get(self, url: str, **options: Any) -> Answer:
        """Send a GET, follow redirects, and return what came."""
        return self.send("GET", url, **options)

    def send(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request, follow redirects, and return what came."""
        raise NotImplementedError

    def upload(self, url: str, chunks: Iterable[bytes]) -> Answer:
        """Send a body in chunks."""
        raise NotImplementedError

    def stream(self, url: str) -> str:
        """Read a body in chunks."""
        raise NotImplementedError

    def many(self, urls: dict[str, str], at_once: int) -> dict[str, str]:
        """Send a GET in a flow each; return what came to each ID."""
        pool_type = import_module("concurrent.futures").ThreadPoolExecutor

        def one(correlation_id: str, url: str) -> str:
            with start_flow(correlation_id):
                return self.get(url).text

        with pool_type(at_once) as pool:
            return dict(zip(urls, pool.map(one, urls, urls.values()), strict=True))


class Httpx(Client):
    """``httpx.Client``."""

    package = module = "httpx"

    def make(self) -> Any:
        """Return a client without limits, as fifty threads share it."""
        limits = self.library.Limits(max_connections=None)
        proxy = self.library.Proxy(self.proxy) if self.proxy else None
        transport = self.library.HTTPTransport(
            limits=limits, proxy=proxy, verify=NO_TLS
        )
        return self.library.Client(transport=transport)

    def send(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request."""
        given = self.raw.request(method, url, **{"follow_redirects": True} | options)
        return Answer(given.status_code, given.text, len(given.history))

    def upload(self, url: str, chunks: Iterable[bytes]) -> Answer:
        """Send what an iterator gives."""
        return self.send("POST", url, content=iter(chunks))

    def stream(self, url: str) -> str:
        """Use ``Client.stream``."""
        with self.raw.stream("GET", url) as response:
            return "".join(response.iter_text())


class Looped(Client):
    """A client that runs in an event loop."""

    def __init__(self, proxy: str | None) -> None:
        self.runner = asyncio.Runner()
        super().__init__(proxy)

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        """Run *coroutine* in the flow of the caller."""
        return self.runner.run(coroutine, context=copy_context())

    def close(self) -> None:
        """Close it, and the loop."""
        self.run(self.aclose())
        self.runner.close()

    async def aclose(self) -> None:
        """Close the client."""
        await self.raw.close()

    async def asend(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request."""
        raise NotImplementedError

    async def achunks(self, chunks: Iterable[bytes]) -> Any:
        """Yield *chunks*."""
        for chunk in chunks:
            await asyncio.sleep(0)
            yield chunk

    def send(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request."""
        answer: Answer = self.run(self.asend(method, url, **options))
        return answer

    def many(self, urls: dict[str, str], at_once: int) -> dict[str, str]:
        """Send them from tasks of one loop."""

        async def one(correlation_id: str, url: str, room: asyncio.Semaphore) -> str:
            async with room:
                with start_flow(correlation_id):
                    return (await self.asend("GET", url)).text

        async def main() -> list[str]:
            room = asyncio.Semaphore(at_once)
            return await asyncio.gather(*(one(*pair, room) for pair in urls.items()))

        return dict(zip(urls, self.run(main()), strict=True))


class HttpxAsync(Looped):
    """``httpx.AsyncClient``."""

    package = module = "httpx"

    def make(self) -> Any:
        """Return a client without limits."""
        limits = self.library.Limits(max_connections=None)
        proxy = self.library.Proxy(self.proxy) if self.proxy else None
        transport = self.library.AsyncHTTPTransport(
            limits=limits, proxy=proxy, verify=NO_TLS
        )
        return self.library.AsyncClient(transport=transport)

    async def aclose(self) -> None:
        """Close the client."""
        await self.raw.aclose()

    async def asend(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request."""
        options = {"follow_redirects": True} | options
        given = await self.raw.request(method, url, **options)
        return Answer(given.status_code, given.text, len(given.history))

    def upload(self, url: str, chunks: Iterable[bytes]) -> Answer:
        """Send what an asynchronous iterator gives."""
        return self.send("POST", url, content=self.achunks(chunks))

    def stream(self, url: str) -> str:
        """Use ``AsyncClient.stream``."""

        async def main() -> str:
            async with self.raw.stream("GET", url) as response:
                return "".join([text async for text in response.aiter_text()])

        return str(self.run(main()))


class Httpx2(Httpx):
    """The client of httpx2, which Starlette's test client is."""

    package = "httpx2"


class Httpx2Async(HttpxAsync):
    """Its asynchronous one."""

    package = "httpx2"


class Requests(Client):
    """``requests.Session``."""

    package = module = "requests"

    def make(self) -> Any:
        """Return a session with room for fifty threads."""
        session = self.library.Session()
        session.trust_env = False
        session.proxies = {"http": self.proxy} if self.proxy else {}
        adapter = self.library.adapters.HTTPAdapter(pool_maxsize=64)
        session.mount("http://", adapter)
        return session

    def send(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request."""
        given = self.raw.request(method, url, **options)
        return Answer(given.status_code, given.text, len(given.history))

    def upload(self, url: str, chunks: Iterable[bytes]) -> Answer:
        """Send what an iterator gives."""
        return self.send("POST", url, data=iter(chunks))

    def stream(self, url: str) -> str:
        """Use ``stream=True``."""
        with self.raw.get(url, stream=True) as response:
            return b"".join(response.iter_content(4)).decode()


class Aiohttp(Looped):
    """``aiohttp.ClientSession``."""

    package = module = "aiohttp"

    def make(self) -> Any:
        """Return a session, which is made in a loop."""

        async def main() -> Any:
            connector = self.library.TCPConnector(limit=0)
            return self.library.ClientSession(connector=connector)

        return self.run(main())

    async def asend(self, method: str, url: str, **options: Any) -> Answer:
        """Send a request."""
        options = {"proxy": self.proxy} | options
        async with self.raw.request(method, url, **options) as given:
            return Answer(given.status, await given.text(), len(given.history))

    def upload(self, url: str, chunks: Iterable[bytes]) -> Answer:
        """Send what an asynchronous iterator gives."""
        return self.send("POST", url, data=self.achunks(chunks))

    def stream(self, url: str) -> str:
        """Read the content in chunks."""

        async def main() -> str:
            async with self.raw.get(url) as response:
                parts = [part async for part in response.content.iter_chunked(4)]
            return b"".join(parts).decode()

        return str(self.run(main()))

    def via(self, proxy: str, url: str) -> None:
        """Name the proxy in the request."""
        self.get(url, proxy=proxy)


KINDS: dict[str, Callable[[str | None], Client]] = {
    "httpx": Httpx,
    "httpx-async": HttpxAsync,
    "httpx2": Httpx2,
    "httpx2-async": Httpx2Async,
    "requests": Requests,
    "aiohttp": Aiohttp,
}


@contextmanager
def opened(kind: str, *, proxy: str | None = None) -> Generator[Client]:
    """Give a client of *kind*, which asks everything of *proxy*; close it."""
    client = KINDS[kind](proxy)
    try:
        yield client
    finally:
        client.close()


def state_of(value: Any) -> Any:
    """Return what an object consists of, two containers deep, as it is now."""
    if isinstance(value, dict):
        return {name: state_of(inner) for name, inner in value.items()}
    return list(value) if isinstance(value, list) else value
