"""The store as an ASGI application."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx

from sandbox import addon, cms, mischief, settings, shopping, storefront
from sandbox.auth import Gate
from sandbox.control import Control
from sandbox.faults import Drop
from sandbox.founding import found
from sandbox.routes import Routes
from sandbox.store import ORIGIN, Store, StoreConfig
from sandbox.wire import SITE, Answer, ApiError, Request, json_answer

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
_SITE = SITE.encode()


def create_app(config: StoreConfig) -> "App":
    """A practice store as an ASGI app; `app.store` gives tests its inside."""
    return App(open_store(config))


def open_store(config: StoreConfig) -> Store:
    """Open a store; a new one gets what every WooCommerce has from the start."""
    store = Store(config)
    if store.is_new:
        found(store)
    return store


class App:
    """Takes requests through faults, the gate and the routes."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.control = Control(store)
        self._gate = Gate(store)
        self._routes = Routes(store)
        self._shopping = shopping.StoreApi(store)
        self._late: set[asyncio.Task[Answer]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection's request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif scope["type"] == "http":
            request = await read_request(scope, receive)
            answer = await self._answer(request)
            if isinstance(answer, Drop):
                await drop(answer.hold, receive, send)
            else:
                await self._send(request, answer, send)

    def install_addon(self, *, there: bool = True) -> None:
        """Put our plugin into the shop while it runs, or take it away."""
        self.store.install_addon(there=there)
        self._routes = Routes(self.store)

    async def close(self) -> None:
        """Stop what runs in the background and make everything durable."""
        await self.control.close()
        for task in list(self._late):
            with contextlib.suppress(ApiError):
                await task
        self.store.storage.close()

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            else:
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    # -- one request

    async def _answer(self, request: Request) -> Answer | Drop:
        if request.path.startswith("/_control"):
            return await self._guarded(request, self.control.answer)
        faults = self.store.faults
        delay = faults.delay(request)
        if delay:
            await asyncio.sleep(delay)
        early = faults.before(request)
        if early is not None:
            self._log(request, early)
            return early
        mischief.strike(self.store, request)
        late = faults.commits_late(request)
        if late:
            self._do_later(request, late)
            return Drop(0.0)
        answer = faults.after(request, await self._guarded(request, self._handle))
        self._log(request, answer)
        return answer

    def _do_later(self, request: Request, seconds: float) -> None:
        async def do() -> Answer:
            await asyncio.sleep(seconds)
            return await self._guarded(request, self._handle)

        task = asyncio.create_task(do())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    async def _guarded(
        self, request: Request, handle: Callable[[Request], Awaitable[Answer]]
    ) -> Answer:
        """Run a handler; its errors become answers and its writes become durable."""
        try:
            return await handle(request)
        except ApiError as error:
            return json_answer(error.body(), error.status)
        finally:
            self.store.storage.commit()

    async def _handle(self, request: Request) -> Answer:
        ORIGIN.set("api")
        if not request.path.startswith("/wp-json"):
            return storefront.answer(self.store, request)
        if request.path.rstrip("/") == "/wp-json":
            return json_answer(settings.index(self.store))
        if request.path.startswith(shopping.ROOT):
            return self._shopping.answer(request)
        if request.path.startswith(cms.ROOT):
            return cms.answer(self.store, request)
        handler, match, _ = self._routes.find(request)
        self._gate.check(request)
        with addon.listening(self.store, request):
            return await handler(request, match)

    def _log(self, request: Request, answer: Answer | Drop) -> None:
        try:
            name = self._routes.find(request)[2]
        except ApiError:
            name = "other"
        status = "dropped" if isinstance(answer, Drop) else str(answer.status)
        self.store.requests[f"{request.method} {name} {status}"] += 1

    async def _send(self, request: Request, answer: Answer, send: Send) -> None:
        site = self.store.config.site_url or f"http://{request.host}"
        body = answer.body.replace(_SITE, site.encode())
        headers = [
            ("date", self.store.clock.date_header()),
            ("content-type", answer.content_type),
            ("content-length", str(len(body))),
            *answer.headers,
        ]
        await send(
            {
                "type": "http.response.start",
                "status": answer.status,
                "headers": [(name.lower().encode(), value.encode()) for name, value in headers],
            }
        )
        if request.method == "HEAD":
            body = b""
        await send({"type": "http.response.body", "body": body})


async def read_request(scope: Scope, receive: Receive) -> Request:
    """A request with its whole body."""
    body = b""
    while True:
        message = await receive()
        body += message.get("body", b"")
        if not message.get("more_body"):
            break
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    query = scope["query_string"].decode("latin-1")
    return Request(scope["method"], scope["path"], query, headers, body)


async def drop(hold: float, receive: Receive, send: Send) -> None:
    """Never answer: cut the connection after `hold` seconds, or in process raise what a client
    would see.
    """
    transport = getattr(getattr(send, "__self__", None), "transport", None)
    if transport is None:
        await asyncio.sleep(hold)
        raise httpx.ReadTimeout("The store never answered.")
    if hold:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(receive(), hold)
    transport.abort()
    await receive()
