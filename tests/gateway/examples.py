"""Reading the gateway's answers."""

from typing import Any


def accepted(answer: dict[str, Any]) -> dict[str, Any]:
    """The fields of the one object that a success answers."""
    assert answer["meta"]["code"] == 200, answer["meta"]
    assert len(answer["data"]) == answer["meta"]["records_total"] == 1
    found: dict[str, Any] = answer["data"][0]["attributes"]
    return found


def refused(answer: dict[str, Any], code: int) -> str:
    """The sentence of an exception."""
    assert answer["meta"]["code"] == code, answer
    assert answer["meta"]["scope"] == "exception"
    assert "data" not in answer
    message: str = answer["meta"]["message"]
    return message


SUBSCRIBERS = "subscriber/exampleserviceprovider"
NUMBERS = "number/exampleserviceprovider/examplesubscriber"
