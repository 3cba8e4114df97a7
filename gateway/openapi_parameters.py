"""The parameters of the API's description: the parts of paths, table queries and headers."""

from collections.abc import Iterable, Mapping
from typing import Any, Final

from ..schema import RECORD_COLUMNS, TYPES, Column, ColumnKind
from ..schema.accepted import part_schema
from ..schema.query import MAX_QUERY
from .bulk import MODES
from .config import Limits
from .routes import Route

__all__ = ["AUDIO", "IMPORT", "STRICT", "flag", "paging", "parts", "table"]

LIMITS: Final = Limits()
Parameter = dict[str, Any]
PART: Final = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000]+$"}
FLAG: Final = "^(?:[Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee]|1|0)$"
DIRECTION: Final = "(?:[: ](?:[Aa][Ss][Cc]|[Dd][Ee][Ss][Cc]?))?"
FUNCTION: Final = "[: ](?:lower|length|numeric|natural)"
TIMES: Final = "(?!0000)[0-9]{4}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
VALUES: Final[Mapping[ColumnKind, str]] = {
    ColumnKind.STRING: "[^,]*",
    ColumnKind.INTEGER: "[+-]?[0-9]{1,30}(?::[+-]?[0-9]{1,30})?",
    ColumnKind.BOOLEAN: "(?:true|false)",
    ColumnKind.TIME: f"{TIMES}(?:T[0-2][0-3]:[0-5][0-9]Z?)?(?::{TIMES})?",
}
STRICT: Final[Parameter] = {
    "name": "X-Strict-Status",
    "in": "header",
    "description": "1: the HTTP status is the code of the body.",
    "schema": {"type": "string"},
}


def parts(route: Route, product: str, strict: bool) -> list[Parameter]:
    """The path's parameters; `strict` where a part must be what its field may hold."""
    fields = (
        {field.name: field for field in TYPES[route.type].fields} if route.type in TYPES else {}
    )
    return [
        {
            "name": key,
            "in": "path",
            "required": True,
            "schema": part_schema(fields[key], product) if strict and key in fields else PART,
        }
        for key in route.keys
    ]


def flag(name: str, description: str) -> Parameter:
    """A query parameter that is true or false, in whatever case."""
    return _query(name, description, {"pattern": FLAG, "type": "string"})


def paging() -> list[Parameter]:
    """Which rows of a table are answered."""
    limit = {"type": "integer", "minimum": 0, "maximum": LIMITS.page_most}
    offset = {"type": "integer", "minimum": 0, "maximum": LIMITS.offset_most}
    return [
        _query(
            "limit",
            "Records to answer; 0 only counts.",
            {**limit, "default": LIMITS.page_default},
        ),
        _query("offset", "Records to skip.", {**offset, "default": 0}),
    ]


def table(route: Route, product: str) -> list[Parameter]:
    """The documented table query, with the columns that this table has."""
    columns = RECORD_COLUMNS[product] if route.type == "cdr" else TYPES[route.type].columns(product)
    names = _any_of(column.name for column in columns)
    texts = _any_of(column.name for column in columns if column.kind is ColumnKind.STRING)
    return [
        _text("sort", "column:asc or column:desc, separated by commas.", f"{names}{DIRECTION}"),
        _text(
            "search",
            "column:value, or column:low:high (both excluded), separated by commas.",
            _searches(columns),
        ),
        _query("like", "A part of any text column.", {"type": "string", "maxLength": MAX_QUERY}),
        _text(
            "sort_function",
            "column:function (lower, length, numeric, natural), before sort.",
            f"{names}{FUNCTION}{DIRECTION}",
        ),
        _text("icontains", "column:text in any case, separated by commas.", f"{texts}:[^,]*"),
    ]


def _searches(columns: Iterable[Column]) -> str:
    return "(?:" + "|".join(f"{c.name}:{VALUES[c.kind]}" for c in columns) + ")"


def _text(name: str, description: str, term: str) -> Parameter:
    """A parameter of up to a few terms, separated by commas."""
    schema = {
        "type": "string",
        "pattern": f"^(?:{term}(?:,{term}){{0,3}})?$",
        "maxLength": MAX_QUERY,
    }
    return _query(name, description, schema)


def _any_of(names: Iterable[str]) -> str:
    return f"(?:{'|'.join(names)})"


def _query(name: str, description: str, schema: dict[str, Any]) -> Parameter:
    return {"name": name, "in": "query", "description": description, "schema": schema}


IMPORT: Final = (
    _query(
        "mode",
        "Of keys of a file that are there: upsert changes, insert refuses, replace replaces.",
        {"type": "string", "enum": list(MODES), "default": "upsert"},
    ),
    flag(
        "dry_run",
        "Checks all of a file in CSV and writes nothing of it; refused with an object in JSON.",
    ),
)
AUDIO: Final = tuple(
    {"name": name, "in": "header", "description": text, "schema": {"type": "string"}}
    for name, text in (
        ("Range", "One range of octets (RFC 9110, 14)."),
        ("If-Range", "The ETag or the Last-Modified of the file that the range is of."),
    )
)
