"""The gateway as an ASGI application: FastAPI, and each product's API below its name.

1. Whatever the API answers has HTTP status 200 and its code in the body, unless the caller sends
   `X-Strict-Status: 1`. A method that is not allowed has status 405 and no body; a product that is
   not served, or a path outside, has status 404 and a page.
2. No request ends in an exception: one that nobody foresaw is logged and answered with code 500.
3. A request to a product's API goes straight there, past FastAPI's middleware, which would double
   its cost; whatever is added to that middleware holds for the pages alone.
"""

import html
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from functools import partial
from typing import Any, Final

import grpc
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..ops.admin import Answer, healthz, readyz
from ..ops.logs import request_id
from ..schema import MASK
from .bulk import IMPORTS
from .call import Call
from .client import Client, Metadata
from .config import GatewayConfig
from .credentials import SAFE, shown_token
from .docs import docs_page
from .download import Broken, Download
from .envelope import encode, failure, success
from .errors import NOT_LOGGED_IN, ApiError
from .headers import common, headers_with, not_allowed, now, respond
from .observed import FAMILIES, GONE, Requests, Seen, core_ready
from .openapi import openapi
from .origin import Origin, origin_of
from .page import password_page
from .request import Disconnected, Headers, headers_of, no_dry_run, query_of, segments_of
from .routes import Access, find
from .stir import PRODUCT as STIR_PRODUCT
from .stir import Stir

__all__ = ["Api", "create_app"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Header = tuple[bytes, bytes]
log = logging.getLogger("callscreen.gateway")


class Api:
    """The API of one product."""

    def __init__(self, product: str, client: Client, config: GatewayConfig) -> None:
        self.product = product
        self.client = client
        self.config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        origin = origin_of(scope, headers.raw, self.config.proxies)
        request_id.set(origin.request_id)
        with self.client.requests.counted(self.product, scope, headers.raw) as seen:
            await self._answer(scope, receive, send, headers, origin, seen)

    async def _answer(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        headers: Headers,
        origin: Origin,
        seen: Seen,
    ) -> None:
        method, status = scope["method"], 200
        more: Sequence[Header] = ()
        try:
            segments = segments_of(scope)
            route = find(self.product, segments)
            seen.object = route.object
            handler = route.methods.get("GET" if method == "HEAD" else method)
            if handler is None:
                seen.code = 405
                await respond(send, 405, b"", not_allowed(route.allow, origin))
                return
            limits = self.config.limits
            token = shown_token(self.product, method, headers, limits) if route.reads_token else ""
            if not token and route.access is Access.TOKEN:
                raise ApiError(401, NOT_LOGGED_IN)
            query = query_of(scope["query_string"], limits)
            if method not in SAFE and handler not in IMPORTS:
                no_dry_run(query.pairs)
            call = Call(
                *(self.product, route.type, route.key_of(segments), headers, query),
                *(_metadata(token, origin, method), origin.secure, receive),
                *(self.client, self.config),
            )
            found = await handler(call)
            if isinstance(found, Download):
                if method == "HEAD":
                    found.pieces = None
                await found.send(send, receive, common(origin))
                seen.code = 200
                return
            shown = MASK if self.config.mask_authorization else headers.authorization
            more = found.headers
            answer = encode(success(self.product, found, query.page, shown, query.archive))
        except Disconnected:
            seen.code = GONE
            return
        except Broken as error:
            log.error("%s %r was not sent whole: %s", method, scope["path"], error)
            return
        except ApiError as error:
            status, more = int(error.code), error.headers
            answer = encode(failure(self.product, error))
        except Exception:
            log.exception("%s %r", method, scope["path"])
            status, answer = 500, encode(failure(self.product, ApiError(500)))
        seen.code = status
        start = headers_with(answer, origin)
        start.extend(more)
        body = b"" if method == "HEAD" else answer
        await respond(send, status if headers.strict_status else 200, body, start)


def _metadata(token: str, origin: Origin, method: str) -> Metadata:
    """What the core is told of a request."""
    whence = (
        ("x-request-id", origin.request_id),
        ("x-client-address", origin.address),
        ("x-method", method),
    )
    return (("authorization", f"Bearer {token}"), *whence) if token else whence


NOT_FOUND: Final = """<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>404 Not Found</title>
</head><body>
<h1>Not Found</h1>
<p>The requested URL {path} was not found on this server.</p>
</body></html>
"""


async def _outside(request: Request, error: Exception) -> Response:
    """What is answered to a path, or a method, that no product's API answers."""
    assert isinstance(error, HTTPException)
    if error.status_code == 405:
        return Response(
            status_code=405,
            headers=dict(error.headers or {}),
            media_type="text/html",
        )
    page = NOT_FOUND.format(path=html.escape(request.scope["path"]))
    return Response(
        page.encode("latin-1", "xmlcharrefreplace"),
        404,
        headers={"content-type": "text/html; charset=iso-8859-1"},
    )


class Gateway(FastAPI):
    """FastAPI, which serves the pages, with the products' APIs in front of it."""

    def __init__(
        self,
        apis: Mapping[str, Api],
        stir: Stir | None,
        config: GatewayConfig,
        requests: Requests,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.requests = requests
        self.stir = stir
        self.apis = {name.encode(): api for name, api in apis.items()}
        self.config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        first, second = (*scope["raw_path"].split(b"/", 3), b"", b"")[1:3]
        if second == b"api" and first in self.apis:
            await self.apis[first](scope, receive, send)
            return
        if first == b"stir" and self.stir is not None:
            await self.stir(scope, receive, send)
            return
        origin = origin_of(scope, dict(scope["headers"]), self.config.proxies)
        request_id.set(origin.request_id)
        named = origin.request_id.encode()

        async def send_dated(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                own = message.get("headers", ())
                message["headers"] = [(b"date", now()), (b"x-request-id", named), *own]
            await send(message)

        await super().__call__(scope, receive, send_dated)


def _plain(answer: Answer) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(answer.body, answer.status, headers, answer.type)


def create_app(channel: grpc.aio.Channel, config: GatewayConfig) -> Gateway:
    """Each product's API, /stir, and the pages: /openapi.json, /docs, /<product>/password, /healthz
    and /readyz."""
    requests = Requests()
    client = Client(channel, config.limits, requests)
    health = config.instruments.health
    config.instruments.declare(FAMILIES, requests)
    health.check(partial(core_ready, channel, config.limits.ready_seconds))
    app = Gateway(
        {product: Api(product, client, config) for product in config.products},
        Stir(client, config) if STIR_PRODUCT in config.products else None,
        config,
        requests,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _outside},
    )
    app.openapi = lambda: openapi(config.products)  # type: ignore[method-assign]

    async def docs(request: Request) -> Response:
        return Response(docs_page(openapi(config.products)), media_type="text/html")

    async def alive(request: Request) -> Response:
        return _plain(healthz())

    async def ready(request: Request) -> Response:
        return _plain(await readyz(health))

    app.add_route("/docs", docs)
    app.add_route("/healthz", alive)
    app.add_route("/readyz", ready)
    for product in config.products:
        app.add_route(f"/{product}/password", password_page(product))
    return app
