"""The JSON that every answer is wrapped in.

1. The keys stand in the order that the references show, and a success that found nothing has no
   records_page_ keys.
2. The body is ASCII, whatever the data hold: what is beyond is written as \\u escapes.
"""

import codecs
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, NamedTuple

import orjson

from .. import __version__
from .errors import ApiError

__all__ = ["NAMES", "Page", "Rows", "encode", "failure", "success", "unread"]

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {"pcs": "Personalized Call Screening", "cin": "Call Intercept"}
)
JSONAPI: Final[Mapping[str, dict[str, str]]] = MappingProxyType(
    {
        product: {
            "version": __version__,
            "name": name,
            "short_name": product,
            "author": "Callscreen",
        }
        for product, name in NAMES.items()
    }
)
NOBODY: Final = MappingProxyType({"name": "Callscreen", "short_name": "callscreen"})


class Page(NamedTuple):
    """Which records of all that match: how many at most, and how many are skipped."""

    limit: int
    offset: int


class Rows(NamedTuple):
    """What a handler found: the rows of this page, and how many there are in all."""

    rows: Sequence[Mapping[str, Any]]
    total: int
    headers: Sequence[tuple[bytes, bytes]] = ()  # that go with the answer


def success(
    product: str, found: Rows, page: Page, authorization: str, archive: bool = False
) -> dict[str, Any]:
    """The documented success; the empty form of it where nothing is provisioned."""
    meta: dict[str, Any] = {"code": 200, "encoding": "ascii", "zoom": 0}
    if found.total:
        meta["records_page_offset"] = page.offset
    meta["records_shown"] = len(found.rows)
    meta["records_total"] = found.total
    meta["scope"] = "success"
    meta["message"] = ""
    meta["archive"] = archive
    meta["authorization"] = authorization
    if found.total:
        meta["records_page_size"] = page.limit
    return {"meta": meta, "data": found.rows, "jsonapi": JSONAPI[product]}


def failure(product: str, error: ApiError) -> dict[str, Any]:
    """The documented exception.

    One missing field is said by the sentence alone, as documented; else errors has every field.
    """
    meta: dict[str, Any] = {"scope": "exception", "message": error.message, "code": error.code}
    if isinstance(error.code, int):
        meta["encoding"] = "ascii"
    errors = error.errors
    if errors and not (len(errors) == 1 and errors[0].code == "required"):
        meta["errors"] = [item._asdict() for item in errors]
    return {"meta": meta, "jsonapi": JSONAPI[product]}


def unread(message: str, code: int = 400) -> dict[str, Any]:
    """The exception that answers what is no whole HTTP request, and so of no product."""
    meta = {"scope": "exception", "message": message, "code": code, "encoding": "ascii"}
    return {"meta": meta, "jsonapi": {**JSONAPI["pcs"], **NOBODY}}


def encode(body: Mapping[str, Any]) -> bytes:
    """JSON in ASCII."""
    out = orjson.dumps(body)
    return out if out.isascii() else out.decode().encode("ascii", "callscreen.json")


def _escape(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeEncodeError)
    units = error.object[error.start : error.end].encode("utf-16-be")
    pairs = (units[i] << 8 | units[i + 1] for i in range(0, len(units), 2))
    return "".join(f"\\u{unit:04x}" for unit in pairs), error.end


codecs.register_error("callscreen.json", _escape)
