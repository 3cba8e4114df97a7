"""What the schema costs: messages a second through each step."""

from collections.abc import Callable
from typing import Any

import pytest

from callscreen.schema import TYPES
from callscreen.v1 import settings_pb2, subscriber_pb2

NUMBER = {
    "number": "+15855551234",
    "subscriber_name": "alice",
    "service_provider_name": "acme",
    "nickname": "desk",
}
LONG = [f"+1585{place:07d}" for place in range(10_000)]


def number() -> subscriber_pb2.Number:
    return subscriber_pb2.Number(**NUMBER)  # type: ignore[arg-type]


@pytest.mark.parametrize("step", ["validate", "normalise", "complete", "to_json", "from_json"])
def test_a_small_message(benchmark: Callable[..., Any], step: str) -> None:
    own, message = TYPES["number"], number()
    calls: dict[str, Callable[[], Any]] = {
        "validate": lambda: own.validate(message, "pcs"),
        "normalise": lambda: own.normalise(message, "pcs", "1"),
        "complete": lambda: own.complete(message, "pcs"),
        "to_json": lambda: own.to_json(message, "pcs"),
        "from_json": lambda: own.from_json(NUMBER, "pcs"),
    }
    benchmark(calls[step])


@pytest.mark.parametrize("step", ["validate", "normalise", "from_json"])
def test_ten_thousand_list_entries(benchmark: Callable[..., Any], step: str) -> None:
    own, message = TYPES["number"], number()
    message.whitelist.extend(LONG)
    body = {**NUMBER, "whitelist": LONG}
    calls: dict[str, Callable[[], Any]] = {
        "validate": lambda: own.validate(message, "pcs"),
        "normalise": lambda: own.normalise(message, "pcs", "1"),
        "from_json": lambda: own.from_json(body, "pcs"),
    }
    benchmark(calls[step])


def test_the_platforms_settings(benchmark: Callable[..., Any]) -> None:
    own, message = TYPES["settings"], settings_pb2.Settings()
    own.complete(message, "pcs")
    benchmark(lambda: own.validate(message, "pcs"))
