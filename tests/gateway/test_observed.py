"""What the gateway shows: requests counted by bounded words, health, log lines, traces."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import grpc
import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from callscreen.gateway import GatewayConfig, create_app
from callscreen.gateway.client import open_channel
from callscreen.gateway.observed import Requests
from callscreen.ops import tracing

from ..collector import Collector, otlp
from .conftest import PASSWORD, Caller, log_in

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Shown:
    """A gateway of its own, and what it has counted."""

    def __init__(self, http: httpx.AsyncClient, config: GatewayConfig) -> None:
        self.http = http
        self.config = config

    def samples(self, name: str) -> dict[tuple[str, ...], float]:
        """The values of a counter by its labels, in the order of their names."""
        text = self.config.instruments.text().decode()
        return {
            tuple(value for _, value in sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
            if sample.name == name
        }


@pytest.fixture
async def shown(channel: grpc.aio.Channel) -> AsyncIterator[Shown]:
    config = GatewayConfig()
    config.instruments.health.serving()
    transport = httpx.ASGITransport(create_app(channel, config))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        yield Shown(http, config)


async def test_requests_are_counted_by_object_method_and_code(shown: Shown) -> None:
    pcs = await log_in(shown.http, "pcs", "pcs_administrator", PASSWORD)
    await pcs.get("service_provider")
    await pcs.delete("service_provider/nobody")
    await Caller(shown.http, "cin").get("subscriber")
    await pcs.send("PATCH", "number")
    await pcs.send("GET", "not/an/object")
    await pcs.send("BREW", "service_provider")
    requests = "callscreen_gateway_requests_total"
    assert shown.samples(requests) == {
        ("200", "POST", "authenticate", "pcs"): 1,
        ("200", "GET", "service_provider", "pcs"): 1,
        ("404", "DELETE", "service_provider", "pcs"): 1,
        ("401", "GET", "subscriber", "cin"): 1,
        ("405", "other", "number", "pcs"): 1,
        ("404", "GET", "none", "pcs"): 1,
        ("405", "other", "service_provider", "pcs"): 1,
    }
    counts = shown.samples("callscreen_gateway_request_duration_seconds_count")
    assert sum(counts.values()) == 7
    assert shown.samples("callscreen_gateway_core_errors_total") == {("NOT_FOUND",): 1}
    assert shown.samples("callscreen_gateway_requests_open") == {(): 0}


async def test_strangers_add_no_series(shown: Shown) -> None:
    before = None
    for place in range(20):
        await shown.http.request(f"M{place}", f"/pcs/api/x{place}/%FF{place}?a={place}")
        now = len(shown.config.instruments.text().splitlines())
        assert before in (None, now)
        before = now


async def test_it_is_alive_and_ready(shown: Shown) -> None:
    for path, text in (("/healthz", "ok\n"), ("/readyz", "ready\n")):
        answer = await shown.http.get(path)
        assert (answer.status_code, answer.text) == (200, text)
        assert (await shown.http.head(path)).status_code == 200
        assert (await shown.http.post(path)).status_code == 405
    assert (await shown.http.get("/metrics")).status_code == 404


async def test_without_a_core_it_is_alive_and_not_ready() -> None:
    config = GatewayConfig()
    async with open_channel("127.0.0.1:1", config.limits) as channel:
        transport = httpx.ASGITransport(create_app(channel, config))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert (await http.get("/readyz")).text == "starting\n"
            config.instruments.health.serving()
            answer = await http.get("/readyz")
            assert (answer.status_code, answer.text) == (
                503,
                "the core does not answer: UNAVAILABLE\n",
            )
            assert (await http.get("/healthz")).status_code == 200


async def test_one_whose_caller_left_is_counted_so() -> None:
    requests = Requests()
    with pytest.raises(asyncio.CancelledError), requests.counted("pcs", SCOPE, {}):
        raise asyncio.CancelledError
    assert requests.answered == {("pcs", "none", "GET", 499): 1}
    with pytest.raises(ValueError, match="x"), requests.counted("pcs", SCOPE, {}):
        raise ValueError("x")
    assert requests.answered["pcs", "none", "GET", 500] == 1
    assert requests.open == 0


SCOPE = {"method": "GET", "path": "/pcs/api/x"}


async def test_a_request_is_a_line_only_at_debug(
    shown: Shown, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "callscreen")
    await Caller(shown.http, "pcs", "0123456789secret").get("number?password=hunter2")
    assert caplog.records == []
    caplog.set_level(logging.DEBUG, "callscreen")
    await Caller(shown.http, "pcs", "0123456789secret").get("number?password=hunter2")
    (line,) = [record for record in caplog.records if record.name == "callscreen.gateway"]
    assert line.getMessage().startswith("GET '/pcs/api/number': 401 in ")
    assert "secret" not in caplog.text
    assert "hunter2" not in caplog.text


@pytest.fixture
def collected(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Collector, Any]]:
    """A collector, and what sends it what waits."""
    collector = Collector()
    with otlp(collector) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        stop = tracing.set_up("gateway", "1")
        yield collector, stop
        stop()


async def test_a_trace_runs_from_the_request_through_the_core_to_the_commit(
    shown: Shown, pcs: Caller, collected: tuple[Collector, Any]
) -> None:
    collector, stop = collected
    trace = "0123456789abcdef0123456789abcdef"
    caller = Caller(shown.http, "pcs", pcs.token)
    headers = {"traceparent": f"00-{trace}-0123456789abcdef-01"}
    body = {"name": "traced"}
    await caller.post("service_provider", body, headers=headers)
    await asyncio.to_thread(stop)
    names = "POST /pcs/api", "core CreateRequest", "callscreen.v1.Provisioning/Create", "commit"
    spans = [collector.spans[name] for name in names]
    assert {span.trace_id.hex() for span in spans} == {trace}
    parents = ["0123456789abcdef", *(span.span_id.hex() for span in spans)]
    assert [span.parent_span_id.hex() for span in spans] == parents[:4]
    found = {each.key: each.value for each in spans[0].attributes}
    assert found["http.response.status_code"].int_value == 200
    assert found["callscreen.object"].string_value == "service_provider"
    text = b"".join(span.SerializeToString() for span in collector.spans.values())
    assert pcs.token.encode() not in text
