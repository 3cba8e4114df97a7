"""The wrapping of answers, key by key in the references' order."""

import json

import pytest

from callscreen import __version__
from callscreen.gateway.envelope import Page, Rows, encode, failure, success
from callscreen.gateway.errors import ApiError, no_object
from callscreen.schema import FieldError

NAMES = {"pcs": "Personalized Call Screening", "cin": "Call Intercept"}


@pytest.fixture(params=["pcs", "cin"])
def product(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


def jsonapi(product: str) -> list[tuple[str, str]]:
    return [
        ("version", __version__),
        ("name", NAMES[product]),
        ("short_name", product),
        ("author", "Callscreen"),
    ]


def ordered(body: bytes) -> list[tuple[str, object]]:
    """A JSON object as pairs, so that a comparison sees the order of keys."""
    found: list[tuple[str, object]] = json.loads(body, object_pairs_hook=list)
    return found


def test_a_success_with_data(product: str) -> None:
    body = encode(success(product, Rows([{"scope": "x"}], 1), Page(10, 0), "Basic t"))
    assert ordered(body) == [
        (
            "meta",
            [
                ("code", 200),
                ("encoding", "ascii"),
                ("zoom", 0),
                ("records_page_offset", 0),
                ("records_shown", 1),
                ("records_total", 1),
                ("scope", "success"),
                ("message", ""),
                ("archive", False),
                ("authorization", "Basic t"),
                ("records_page_size", 10),
            ],
        ),
        ("data", [[("scope", "x")]]),
        ("jsonapi", jsonapi(product)),
    ]


def test_a_success_that_found_nothing(product: str) -> None:
    body = encode(success(product, Rows([], 0), Page(10, 0), "Basic t"))
    assert ordered(body) == [
        (
            "meta",
            [
                ("code", 200),
                ("encoding", "ascii"),
                ("zoom", 0),
                ("records_shown", 0),
                ("records_total", 0),
                ("scope", "success"),
                ("message", ""),
                ("archive", False),
                ("authorization", "Basic t"),
            ],
        ),
        ("data", []),
        ("jsonapi", jsonapi(product)),
    ]


def test_a_page_beyond_the_end_still_says_how_many_there_are() -> None:
    meta = success("pcs", Rows([], 7), Page(5, 100), "")["meta"]
    assert (meta["records_page_offset"], meta["records_page_size"]) == (100, 5)
    assert (meta["records_shown"], meta["records_total"]) == (0, 7)


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 413])
def test_an_exception(product: str, code: int) -> None:
    assert ordered(encode(failure(product, ApiError(code, "No.")))) == [
        (
            "meta",
            [("scope", "exception"), ("message", "No."), ("code", code), ("encoding", "ascii")],
        ),
        ("jsonapi", jsonapi(product)),
    ]


def test_an_unknown_object_has_its_code_as_a_string(product: str) -> None:
    assert ordered(encode(failure(product, no_object("servi")))) == [
        (
            "meta",
            [("scope", "exception"), ("message", "No object 'servi' exists."), ("code", "404")],
        ),
        ("jsonapi", jsonapi(product)),
    ]


def test_fields_at_fault_stand_beside_the_sentence_but_for_one_that_is_missing() -> None:
    missing = FieldError("name", "required", "X(): Field 'name' is required, but missing.")
    wrong = FieldError("notes", "type", "X(): Field 'notes' must be a string.")
    assert "errors" not in failure("pcs", ApiError(400, missing.message, [missing]))["meta"]
    assert failure("pcs", ApiError(400, missing.message, [missing, wrong]))["meta"]["errors"] == [
        {"field": "name", "code": "required", "message": missing.message},
        {"field": "notes", "code": "type", "message": wrong.message},
    ]
    assert len(failure("pcs", ApiError(400, wrong.message, [wrong]))["meta"]["errors"]) == 1


@pytest.mark.parametrize("text", ["é", "日本", "😀 a 😀", "\x7f", "\u2028", "plain", '"\\'])
def test_the_body_is_ascii(text: str) -> None:
    body = encode({"a": text})
    assert body.isascii()
    assert json.loads(body) == {"a": text}
