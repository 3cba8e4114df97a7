"""Traces: off unless the environment names a collector, then sent to it by OTLP."""

import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from callscreen.ops import tracing

from ..collector import Collector, otlp

VARIABLES = (*tracing.ENDPOINTS, *tracing.PROTOCOLS, *tracing.TIMEOUTS, "OTEL_SDK_DISABLED")


@pytest.fixture
def collector() -> Collector:
    return Collector()


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def over_http(collector: Collector) -> Iterator[str]:
    """The collector's URL: OTLP as protobuf over HTTP."""
    with otlp(collector) as url:
        yield url


@pytest.fixture
def over_grpc(collector: Collector) -> Iterator[str]:
    """The collector's URL: OTLP over gRPC."""

    class Service(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request: Any, context: Any) -> Any:  # noqa: N802
            collector.take(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    server = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"http://127.0.0.1:{port}"
    server.stop(0).wait()


def test_without_the_variable_nothing_is_imported_and_nothing_done() -> None:
    code = (
        "import sys; from callscreen.ops import tracing\n"
        "stop = tracing.set_up('core', '1')\n"
        "with tracing.span('a', 'SERVER', {'traceparent': 'x'}) as note: note('b', 'c')\n"
        "assert tracing.inject() == () and not tracing.enabled()\n"
        "stop()\n"
        "assert not [name for name in sys.modules if name.startswith('opentelemetry')]\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


@pytest.mark.parametrize(
    ("environment", "configured"),
    [
        ({}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, True),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_SDK_DISABLED": "True"}, False),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://x", "OTEL_TRACES_EXPORTER": "none"}, False),
    ],
)
def test_the_standard_variables_say_whether(environment: dict[str, str], configured: bool) -> None:
    assert tracing.configured(environment) is configured


def test_an_unknown_protocol_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
    with pytest.raises(ValueError, match="http/protobuf, grpc"):
        tracing.set_up("core", "1")


def test_missing_packages_are_told_in_a_line(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    monkeypatch.setitem(sys.modules, "opentelemetry.sdk.resources", None)
    tracing.set_up("core", "1")()
    assert not tracing.enabled()
    assert "is not installed; see the extra otel" in caplog.text


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc", ""])
def test_spans_arrive_with_their_parents(
    protocol: str,
    collector: Collector,
    over_http: str,
    over_grpc: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    endpoint = over_grpc if protocol == "grpc" else over_http
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
    stop = tracing.set_up("gateway", "1.2.3")
    carrier = {"traceparent": "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"}
    with tracing.span("request", "SERVER", carrier) as note:
        note("code", 200)
        with tracing.span("call", "CLIENT"):
            told = dict(tracing.inject())
    with pytest.raises(KeyError), tracing.span("fails"):
        raise KeyError("a secret")
    stop()
    request, call, fails = (collector.spans[name] for name in ("request", "call", "fails"))
    assert request.trace_id.hex() == "0123456789abcdef0123456789abcdef"
    assert request.parent_span_id.hex() == "0123456789abcdef"
    assert (request.kind, call.kind) == (request.SPAN_KIND_SERVER, request.SPAN_KIND_CLIENT)
    assert call.parent_span_id == request.span_id
    assert told["traceparent"] == f"00-{call.trace_id.hex()}-{call.span_id.hex()}-01"
    assert {each.key: each.value.int_value for each in request.attributes} == {"code": 200}
    assert fails.status.code == fails.status.STATUS_CODE_ERROR
    assert b"a secret" not in fails.SerializeToString()
    assert collector.resource["service.name"] == "callscreen-gateway"
    assert collector.resource["service.version"] == "1.2.3"
    assert not tracing.enabled()


def test_the_environment_names_the_service(
    collector: Collector, over_http: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", f"{over_http}/v1/traces")
    monkeypatch.setenv("OTEL_SERVICE_NAME", "screening-north")
    stop = tracing.set_up("core", "1")
    with tracing.span("x"):
        pass
    stop()
    assert collector.resource["service.name"] == "screening-north"


def test_a_collector_that_is_away_holds_up_no_stop(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would be tried for far longer than what is allowed here."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")
    code = (
        "from callscreen.ops import tracing\n"
        "stop = tracing.set_up('core', '1')\n"
        "with tracing.span('a'): pass\n"
        "stop()\n"
    )
    subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        timeout=30,
        capture_output=True,
    )
