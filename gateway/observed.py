"""What the gateway shows to operators: its requests, its way to the core, whether it can work.

1. Every request to a product's API is counted once, by words of the code: a path that no route
   names is "none", a method that none takes is "other".
2. By default no line is logged a request; at the severity debug there is one.
3. The gateway is ready where the core is: asked at most once a second, however many want to know.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from ..ops import Add, Family, Histogram, tracing

__all__ = ["FAMILIES", "GONE", "Requests", "Seen", "core_ready"]

METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE"})
GONE: Final = 499  # the code of a request whose caller left before its answer
FAMILIES: Final = (
    Family(
        "callscreen_gateway_requests_total",
        "counter",
        "REST requests answered, by product, object, method and code (499: the caller had left).",
        ("product", "object", "method", "code"),
    ),
    Family(
        "callscreen_gateway_request_duration_seconds",
        "histogram",
        "From a request's headers being read to its answer being sent.",
        ("product", "object", "method"),
    ),
    Family(
        "callscreen_gateway_requests_open",
        "gauge",
        "REST requests under way.",
    ),
    Family(
        "callscreen_gateway_connections",
        "gauge",
        "HTTP connections, idle ones included.",
    ),
    Family(
        "callscreen_gateway_core_errors_total",
        "counter",
        "Calls of the core that were refused or failed, by gRPC code.",
        ("code",),
    ),
)

log = logging.getLogger("callscreen.gateway")


@dataclass(slots=True)
class Seen:
    """What became of a request so far."""

    object: str = "none"  # of the route
    code: int = 500


class Requests:
    """Counts since the start. One event loop writes, any thread reads."""

    def __init__(self, ticks: Callable[[], float] = time.perf_counter) -> None:
        self._ticks = ticks
        self.answered: Counter[tuple[str, str, str, int]] = Counter()
        self.seconds: dict[tuple[str, str, str], Histogram] = {}
        self.open = 0
        self.core_errors: Counter[str] = Counter()  # by gRPC code
        self.connections: Sized = ()

    @contextmanager
    def counted(
        self, product: str, scope: Mapping[str, Any], raw: Mapping[bytes, bytes]
    ) -> Iterator[Seen]:
        """One request; what is said of it before the end is what it is counted as."""
        method: str = scope["method"] if scope["method"] in METHODS else "other"
        seen, began = Seen(), self._ticks()
        self.open += 1
        try:
            with tracing.span(f"{method} /{product}/api", "SERVER", _carrier(raw)) as note:
                yield seen
                note("http.response.status_code", seen.code)
                note("callscreen.object", seen.object)
        except asyncio.CancelledError:
            seen.code = GONE
            raise
        finally:
            seconds = self._ticks() - began
            self.open -= 1
            self.answered[product, seen.object, method, seen.code] += 1
            key = product, seen.object, method
            timing = self.seconds.get(key)
            if timing is None:
                timing = self.seconds[key] = Histogram()
            timing.observe(seconds)
            log.debug("%s %r: %d in %.1f ms", method, scope["path"], seen.code, seconds * 1e3)

    def __call__(self, add: Add) -> None:
        """Gives the values of FAMILIES."""
        for (*words, code), count in self.answered.copy().items():
            add("callscreen_gateway_requests_total", count, *words, str(code))
        for key, seconds in self.seconds.copy().items():
            add("callscreen_gateway_request_duration_seconds", seconds, *key)
        add("callscreen_gateway_requests_open", self.open)
        add("callscreen_gateway_connections", len(self.connections))
        for name, count in self.core_errors.copy().items():
            add("callscreen_gateway_core_errors_total", count, name)


def _carrier(raw: Mapping[bytes, bytes]) -> Mapping[str, str] | None:
    """What names the caller's own trace, where anything is traced."""
    if not tracing.enabled():
        return None
    names = ("traceparent", "tracestate")
    return {name: raw.get(name.encode(), b"").decode("latin-1") for name in names}


async def core_ready(channel: grpc.aio.Channel, seconds: float) -> str:
    """Why the core cannot be asked, as it is found within `seconds`; empty where it can."""
    stub = health_pb2_grpc.HealthStub(channel)
    try:
        answer = await stub.Check(health_pb2.HealthCheckRequest(), timeout=seconds)
    except grpc.aio.AioRpcError as error:
        return f"the core does not answer: {error.code().name}"
    if answer.status != health_pb2.HealthCheckResponse.SERVING:
        return "the core is not serving"
    return ""
