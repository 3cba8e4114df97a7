"""Spans for OpenTelemetry, where the environment names a collector; else nothing at all.

Invariants:
1. Without OTEL_EXPORTER_OTLP_ENDPOINT (or its form for traces) nothing is imported, and a span
   costs one test.
2. The standard variables say where spans go, how and how many; no option of ours repeats them.
3. A span holds no secret: names of methods and codes, never a body, a header or an error's text.
4. A collector that is away costs spans, never a request, and a stop at most FLUSH_SECONDS.
"""

import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import cache
from importlib import import_module
from typing import Any, Final

from .limits import EXPORT_SECONDS, FLUSH_SECONDS

__all__ = ["configured", "enabled", "inject", "set_up", "span"]

ENDPOINTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
PROTOCOLS: Final = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
TIMEOUTS: Final = ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT")
EXPORTERS: Final = {
    "http/protobuf": "opentelemetry.exporter.otlp.proto.http.trace_exporter",
    "grpc": "opentelemetry.exporter.otlp.proto.grpc.trace_exporter",
}
OFF: Final = nullcontext(lambda name, value: None)

log = logging.getLogger("callscreen")

_tracer: Any = None  # opentelemetry.trace.Tracer, once set up


def configured(environment: Mapping[str, str] = os.environ) -> bool:
    """Whether the environment names a collector and does not turn traces off."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp").strip() == "none":
        return False
    return any(environment.get(name, "").strip() for name in ENDPOINTS)


def set_up(part: str, version: str) -> Callable[[], None]:
    """Sends spans where the environment says; what to call at a stop.

    Raises ValueError where it names a protocol that is not known. Where the packages of the extra
    `otel` are missing a line says so, and nothing is traced.
    """
    global _tracer
    if not configured():
        return lambda: None
    protocol = next((os.environ[name] for name in PROTOCOLS if os.environ.get(name)), "")
    module = EXPORTERS.get(protocol or "http/protobuf")
    if module is None:
        raise ValueError(f"OTEL_EXPORTER_OTLP_PROTOCOL is one of {', '.join(EXPORTERS)}")
    try:
        provider = _provider(module, part, version)
    except ImportError as error:
        log.warning("no traces: %s is not installed; see the extra otel", error.name)
        return lambda: None
    _tracer = provider.get_tracer("callscreen", version)
    log.info("traces are sent by %s", protocol or "http/protobuf")

    def stop() -> None:
        global _tracer
        _tracer = None
        # What the collector does not take in time is given up: its thread ends with the process.
        ending = threading.Thread(target=provider.shutdown, name="traces-end", daemon=True)
        ending.start()
        ending.join(FLUSH_SECONDS)

    return stop


def _provider(module: str, part: str, version: str) -> Any:
    """Raises ImportError."""
    resources = import_module("opentelemetry.sdk.resources")
    sdk = import_module("opentelemetry.sdk.trace")
    export = import_module("opentelemetry.sdk.trace.export")
    more = {} if any(map(os.environ.get, TIMEOUTS)) else {"timeout": EXPORT_SECONDS}
    exporter = import_module(module).OTLPSpanExporter(**more)
    named = {"service.name": f"callscreen-{part}", "service.version": version}
    # The variables OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES come over ours.
    resource = resources.Resource(named).merge(resources.OTELResourceDetector().detect())
    provider = sdk.TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider


def enabled() -> bool:
    """Whether spans are sent anywhere."""
    return _tracer is not None


def span(
    name: str,
    kind: str = "INTERNAL",
    carrier: Mapping[str, str] | None = None,
    **attributes: str | int,
) -> AbstractContextManager[Callable[[str, str | int], None]]:
    """A span around a block; `carrier` may name its parent, as W3C Trace Context does.

    `kind` is INTERNAL, SERVER or CLIENT. Gives what sets a further attribute.
    """
    if _tracer is None:
        return OFF
    return _span(name, kind, carrier, attributes)


@contextmanager
def _span(
    name: str,
    kind: str,
    carrier: Mapping[str, str] | None,
    attributes: Mapping[str, str | int],
) -> Iterator[Callable[[str, str | int], None]]:
    from opentelemetry.trace import SpanKind, StatusCode

    parent = None if carrier is None else _propagator().extract(carrier)
    with _tracer.start_as_current_span(
        name,
        context=parent,
        kind=SpanKind[kind],
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,  # an error's text is not for everyone
    ) as current:
        try:
            yield current.set_attribute
        except Exception as error:
            current.set_attribute("error.type", type(error).__name__)
            current.set_status(StatusCode.ERROR)
            raise


def inject() -> tuple[tuple[str, str], ...]:
    """What names the current span to whom is asked next, as headers; none where there is none."""
    if _tracer is None:
        return ()
    carrier: dict[str, str] = {}
    _propagator().inject(carrier)
    return tuple(carrier.items())


@cache
def _propagator() -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator()
