"""Counts and times the calls that the core answers, traces them, and logs them where asked to.

Invariants:
1. Every call is counted once, when it has ended, whatever it ended with.
2. A label is a method of a service or the name of a gRPC code: nothing that a caller chose.
3. By default no line is logged a call; at the severity debug there is one.
"""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractContextManager
from typing import Any, Final, TypeAlias

import grpc

from ...ops import Histogram, tracing

PACKAGE: Final = "callscreen.v1."

Context: TypeAlias = Any  # grpc.aio.ServicerContext; its stubs know no metadata of a request
Handler: TypeAlias = Any  # grpc.RpcMethodHandler, whose stubs lack its fields

log = logging.getLogger("callscreen.core")


class Calls:
    """What is known of all calls since the start. One event loop writes, any thread reads."""

    def __init__(self, ticks: Callable[[], float] = time.perf_counter) -> None:
        self._ticks = ticks
        self.ended: Counter[tuple[str, str]] = Counter()  # by method and code
        self.open: Counter[str] = Counter()  # by method
        self.seconds: dict[str, Histogram] = {}  # by method: from the request to its end

    def observed(self, name: str, handler: Handler) -> Handler:
        """The same handler, whose calls are seen; `name` is Service/Method."""
        self.seconds[name] = Histogram()
        if handler.unary_unary:
            return handler._replace(unary_unary=self._answer(name, handler.unary_unary))
        if handler.stream_unary:
            return handler._replace(stream_unary=self._answer(name, handler.stream_unary))
        if handler.unary_stream:
            return handler._replace(unary_stream=self._stream(name, handler.unary_stream))
        return handler._replace(stream_stream=self._stream(name, handler.stream_stream))

    def _answer(
        self, name: str, call: Callable[[Any, Context], Awaitable[Any]]
    ) -> Callable[[Any, Context], Awaitable[Any]]:
        async def seen(request: Any, context: Context) -> Any:
            began = self._begin(name)
            try:
                if tracing.enabled():
                    with _traced(name, context):
                        answer = await call(request, context)
                else:
                    answer = await call(request, context)
            except BaseException as error:
                self._end(name, began, _code(context, error))
                raise
            self._end(name, began, "OK")
            return answer

        return seen

    def _stream(
        self, name: str, call: Callable[[Any, Context], AsyncIterator[Any]]
    ) -> Callable[[Any, Context], AsyncIterator[Any]]:
        async def seen(request: Any, context: Context) -> AsyncIterator[Any]:
            began = self._begin(name)  # no span: one may last for days
            try:
                async for answer in call(request, context):
                    yield answer
            except BaseException as error:
                self._end(name, began, _code(context, error))
                raise
            self._end(name, began, "OK")

        return seen

    def _begin(self, name: str) -> float:
        self.open[name] += 1
        return self._ticks()

    def _end(self, name: str, began: float, code: str) -> None:
        seconds = self._ticks() - began
        self.open[name] -= 1
        self.ended[name, code] += 1
        self.seconds[name].observe(seconds)
        if log.isEnabledFor(logging.DEBUG):
            log.debug("%s %s in %.1f ms", name, code, seconds * 1e3)


def _code(context: Context, error: BaseException) -> str:
    """The name of the code that a call ended with."""
    if isinstance(error, grpc.aio.AbortError):
        code = context.code()
        return code.name if isinstance(code, grpc.StatusCode) else "UNKNOWN"
    # The client has left, or the server stopped.
    gone = (asyncio.CancelledError, GeneratorExit, grpc.aio.BaseError)
    return "CANCELLED" if isinstance(error, gone) else "UNKNOWN"


def _traced(name: str, context: Context) -> AbstractContextManager[object]:
    """A span in the trace that the call's metadata names."""
    metadata = context.invocation_metadata() or ()
    carrier = {key: text for key, text in metadata if isinstance(text, str)}
    return tracing.span(PACKAGE + name, "SERVER", carrier, **{"rpc.system": "grpc"})


__all__ = ["Calls"]
