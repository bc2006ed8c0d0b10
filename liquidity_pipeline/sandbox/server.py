"""The sandbox as an HTTP server on the loopback interface: routes, faults of transport, runner.

`start` runs it in a thread of this process, `serve` in the foreground, `process.beside` in a
process of its own. What is answered is the publishers' business.
"""

from __future__ import annotations

import asyncio
import gzip
import importlib
import itertools
import pkgutil
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request as HttpRequest
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from liquidity_pipeline.sandbox import clock, days, faults, policy, publishers
from liquidity_pipeline.sandbox.economy import simulate
from liquidity_pipeline.sandbox.options import HOST, Options
from liquidity_pipeline.sandbox.publishers.wire import Refusal, Reply, Request, World, not_found
from liquidity_pipeline.sandbox.truth import truth


def _publishers() -> dict[str, Callable[[World, Request], Reply]]:
    """Return what answers below each prefix: every module that names its PREFIX."""
    modules = (
        importlib.import_module(f"{publishers.__name__}.{found.name}")
        for found in pkgutil.iter_modules(publishers.__path__)
    )
    return {module.PREFIX: module.answer for module in modules if hasattr(module, "PREFIX")}


PUBLISHERS = _publishers()
_YEARS_SERVED = 3
_COMPRESS_ABOVE = 1400
_DAY_SECONDS = 86400
_STOP_SECONDS = 5


@dataclass(frozen=True)
class Running:
    """A sandbox that is up: where it answers, and what it was asked for."""

    url: str
    options: Options
    sandbox: Sandbox


class Sandbox:
    """One world and the ASGI application that publishes it; the world is drawn when needed."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.faults = faults.parse(options.faults)
        first_day(options)  # refuses a wrong start here, before anything runs
        self.transports: dict[Any, asyncio.Transport] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()
        self._world: World | None = None
        routes = [
            Route("/__health", self._health),
            Route("/truth", self._truth),
            Route("/{publisher}/{path:path}", self._publish),
        ]
        # A mistake of the sandbox itself is answered with its traceback.
        self.app = Starlette(debug=True, routes=routes)

    def trouble(self, text: str, seed: int) -> None:
        """Answer from now on with other faults, as a new sandbox of the same world would."""
        self.faults = faults.parse(text)
        self.options = replace(self.options, faults=text, fault_seed=seed)
        self._numbers = itertools.count(1)

    def world(self) -> World:
        """Return the world, drawing it at the first call (about a second)."""
        with self._lock:
            if self._world is None:
                self._world = make_world(self.options)
            return self._world

    def answer(self, publisher: str, request: Request, fault: str | None, number: int) -> Reply:
        """Answer a request below a publisher's prefix, content faults included."""
        if publisher not in PUBLISHERS:
            return not_found()
        world = self.world()
        if fault == faults.LATE:
            now = world.now
            world = replace(world, moment=lambda: now - _DAY_SECONDS)
        reply = _ask(publisher, world, request)
        if fault == faults.DUPLICATE_PAGE and publisher == "fiscaldata":
            return _page_before(world, request, reply)
        return faults.spoil(fault, publisher, reply, number) if fault else reply

    async def _publish(self, request: HttpRequest) -> Response:
        number = next(self._numbers)
        fault = faults.draw(self.faults, self.options.fault_seed, number)
        if fault in {faults.TIMEOUT, faults.RESET}:
            return _Hangup(self, reset=fault == faults.RESET)
        if fault == faults.SLOW:
            await asyncio.sleep(self.options.slow_seconds)
        reply = faults.status_reply(fault) if fault else None
        if reply is None:
            asked = Request(
                request.path_params["path"],
                request.query_params.multi_items(),
                request.headers,
            )
            publisher = request.path_params["publisher"]
            reply = await run_in_threadpool(self.answer, publisher, asked, fault, number)
        response = self._response(reply, request)
        return _Truncated(response) if fault == faults.TRUNCATE else response

    def _response(self, reply: Reply, request: HttpRequest) -> Response:
        body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        headers = {"Access-Control-Allow-Origin": "*", **reply.headers}
        accepted = "gzip" in request.headers.get("accept-encoding", "")
        packable = len(body) > _COMPRESS_ABOVE and reply.content_type != "application/zip"
        if accepted and packable and self.options.compress:
            body = gzip.compress(body, compresslevel=1, mtime=0)
            headers |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        if reply.content_type:
            headers["Content-Type"] = reply.content_type
        return Response(body, reply.status, headers)

    async def _health(self, request: HttpRequest) -> Response:  # noqa: ARG002
        today = days.iso(clock.new_york_day(_moment(self.options)()))
        return JSONResponse({"ok": True, "today": today, "synthetic": True})

    async def _truth(self, request: HttpRequest) -> Response:  # noqa: ARG002
        return JSONResponse(await run_in_threadpool(lambda: truth(self.world())))


# A world is drawn once for all sandboxes of a process: tests start many.
_simulate = lru_cache(maxsize=4)(simulate)


def make_world(options: Options) -> World:
    """Draw the world that the options describe, seen from their clock."""
    moment = _moment(options)
    today = clock.new_york_day(moment())
    year = days.date_of(today).year
    economy = _simulate(
        options.seed,
        days.day(year + 1, 12, 31),
        symbols=options.symbols,
        loading_scale=options.loading_scale,
        with_episodes=options.episodes,
    )
    return World(economy, first_day(options), moment)


def first_day(options: Options) -> int:
    """Return the first served day, the first statement's at the earliest.

    Raises ValueError for a start after today.
    """
    today = clock.new_york_day(_moment(options)())
    month = days.date_of(days.add_months(today, -12 * _YEARS_SERVED)).replace(day=1)
    usual = days.number(month)
    asked = usual if options.start is None else days.number(options.start)
    first = max(asked, policy.FIRST_STATEMENT)
    if first > today:
        raise ValueError(
            f"The sandbox serves days from {days.iso(policy.FIRST_STATEMENT)} to its today "
            f"({days.iso(today)}); start was {days.iso(first)}."
        )
    return first


def _moment(options: Options) -> Callable[[], int]:
    if options.today is None:
        return clock.now
    at = clock.evening(options.today)
    return lambda: at


@contextmanager
def start(
    options: Options | None = None, port: int = 0, listener: socket.socket | None = None
) -> Iterator[Running]:
    """Run a sandbox in a thread while the block lasts; port 0 takes a free one."""
    sandbox = Sandbox(options or Options())
    with listener or socket.create_server((HOST, port)) as listening:
        server = _server(sandbox)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        # The world is drawn while the caller gets ready; the first request waits for it.
        threading.Thread(target=sandbox.world, daemon=True).start()
        try:
            yield Running(f"http://{HOST}:{listening.getsockname()[1]}", sandbox.options, sandbox)
        finally:
            server.should_exit = server.force_exit = True
            thread.join(_STOP_SECONDS)


def serve(
    options: Options, port: int = 0, ready: Callable[[str], None] = lambda _url: None
) -> None:
    """Run a sandbox in the foreground until it is interrupted; `ready` is told the URL."""
    sandbox = Sandbox(options)
    with socket.create_server((HOST, port)) as listener:
        threading.Thread(target=sandbox.world, daemon=True).start()
        ready(f"http://{HOST}:{listener.getsockname()[1]}")
        _server(sandbox).run([listener])


def _server(sandbox: Sandbox) -> uvicorn.Server:
    config = uvicorn.Config(
        sandbox.app,
        loop="asyncio",
        ws="none",
        http=_protocol(sandbox),
        lifespan="off",
        log_level="critical",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _protocol(sandbox: Sandbox) -> type[asyncio.Protocol]:
    """Make uvicorn's protocol remember its transports, for the faults that cut them."""

    class Protocol(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            sandbox.transports[transport.get_extra_info("peername")] = transport

        def connection_lost(self, exc: Exception | None) -> None:
            sandbox.transports.pop(self.transport.get_extra_info("peername"), None)
            super().connection_lost(exc)

    return Protocol


def _ask(publisher: str, world: World, request: Request) -> Reply:
    try:
        return PUBLISHERS[publisher](world, request)
    except Refusal as refusal:
        return refusal.reply


def _page_before(world: World, request: Request, reply: Reply) -> Reply:
    number = request.parameters.get("page[number]", "1")
    if reply.status != 200 or not number.isdigit() or int(number) < 2:
        return reply
    query = [(name, value) for name, value in request.query if name != "page[number]"]
    query.append(("page[number]", str(int(number) - 1)))
    return faults.repeat_page(_ask("fiscaldata", world, replace(request, query=query)), reply)


class _Truncated(Response):
    """Promise the whole body and send half of it."""

    def __init__(self, whole: Response) -> None:
        super().__init__(whole.body, whole.status_code)
        self.raw_headers = whole.raw_headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        head = {"type": "http.response.start", "status": self.status_code}
        await send({**head, "headers": self.raw_headers})
        half = bytes(self.body[: len(self.body) // 2])
        await send({"type": "http.response.body", "body": half, "more_body": True})
        # Returning with more to come makes the server close the connection.


class _Hangup(Response):
    """Never answer: cut the connection at once, or after the client's patience."""

    def __init__(self, sandbox: Sandbox, *, reset: bool) -> None:
        super().__init__()
        self.sandbox, self.reset = sandbox, reset

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        transport = self.sandbox.transports.get(scope["client"])
        if not self.reset:
            await _client_leaves(receive, self.sandbox.options.timeout_seconds)
        if transport is None:
            return
        if self.reset:
            connection = transport.get_extra_info("socket")
            linger = struct.pack("ii", 1, 0)  # close without a farewell: the client sees a reset
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        transport.abort()
        await asyncio.sleep(0)


async def _client_leaves(receive: Receive, seconds: float) -> None:
    """Wait until the client has gone, or so long."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    try:
        await asyncio.wait_for(gone(), seconds)
    except TimeoutError:
        return
