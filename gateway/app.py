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
import time
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from email.utils import formatdate
from typing import Any, Final

import grpc
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from ..schema import MASK
from .call import Call
from .client import Client
from .config import GatewayConfig
from .docs import docs_page
from .envelope import encode, failure, success
from .errors import ApiError
from .openapi import openapi
from .request import (
    Disconnected,
    headers_of,
    query_of,
    read_body,
    segments_of,
    token_of,
)
from .routes import find

__all__ = ["Api", "create_app"]

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
BODY_METHODS: Final = ("POST", "PUT")
log = logging.getLogger("callscreen.gateway")


class Api:
    """The API of one product."""

    def __init__(self, product: str, client: Client, config: GatewayConfig) -> None:
        self.product = product
        self.client = client
        self.config = config

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        status, strict = 200, headers.strict_status
        try:
            segments = segments_of(scope)
            route = find(self.product, segments)
            handler = route.methods.get(scope["method"])
            if handler is None:
                await _respond(send, 405, b"", _not_allowed(route.allow))
                return
            limits = self.config.limits
            token = "" if route.public else token_of(headers.authorization, limits)
            query = query_of(scope["query_string"], limits)
            body = b""
            if scope["method"] in BODY_METHODS:
                body = await read_body(headers, receive, limits)
            call = Call(
                self.product, route.type, segments[1:], headers, query, token, body, self.client
            )
            found = await handler(call)
            shown = MASK if self.config.mask_authorization else headers.authorization
            answer = encode(success(self.product, found, query.page, shown))
        except Disconnected:
            return
        except ApiError as error:
            status, answer = int(error.code), encode(failure(self.product, error))
        except Exception:
            log.exception("%s %r", scope["method"], scope["path"])
            status, answer = 500, encode(failure(self.product, ApiError(500)))
        await _respond(send, status if strict else 200, answer, _headers(answer))


_stamp: tuple[int, bytes] = (0, b"")


def _now() -> bytes:
    """The time as an HTTP date, formatted once a second."""
    global _stamp
    second = int(time.time())
    if _stamp[0] != second:
        _stamp = (second, formatdate(second, usegmt=True).encode())
    return _stamp[1]


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    now = _now()
    return [
        (b"date", now),
        (b"expires", now),
        (b"vary", b"Cookie"),
        (b"cache-control", b"max-age=0"),
        (b"last-modified", now),
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
    ]


def _not_allowed(allow: str) -> list[tuple[bytes, bytes]]:
    now = _now()
    return [
        (b"date", now),
        (b"expires", now),
        (b"vary", b"Cookie"),
        (b"allow", allow.encode()),
        (b"cache-control", b"max-age=0"),
        (b"last-modified", now),
        (b"content-length", b"0"),
        (b"content-type", b"text/html; charset=utf-8"),
    ]


async def _respond(
    send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]
) -> None:
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


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

    def __init__(self, apis: Mapping[str, Api], **options: Any) -> None:
        super().__init__(**options)
        self.apis = {name.encode(): api for name, api in apis.items()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        first, second = (*scope["raw_path"].split(b"/", 3), b"", b"")[1:3]
        if second == b"api" and first in self.apis:
            await self.apis[first](scope, receive, send)
            return

        async def send_dated(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [(b"date", _now()), *message.get("headers", ())]
            await send(message)

        await super().__call__(scope, receive, send_dated)


def create_app(channel: grpc.aio.Channel, config: GatewayConfig) -> Gateway:
    """The application: each product's API, /openapi.json and /docs."""
    client = Client(channel, config.limits)
    app = Gateway(
        {product: Api(product, client, config) for product in config.products},
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        exception_handlers={HTTPException: _outside},
    )
    app.openapi = lambda: openapi(config.products)  # type: ignore[method-assign]

    async def docs(request: Request) -> Response:
        return Response(docs_page(openapi(config.products)), media_type="text/html")

    app.add_route("/docs", docs)
    return app
