"""Schemas of the API's description that stand in no .proto: envelopes, jobs, log-in, records."""

from collections.abc import Mapping
from typing import Any, Final

from ..schema import RECORD_COLUMNS
from ..v1.jobs_pb2 import ImportMode, JobState
from .errors import REST_CODE
from .jobs import COUNTS

__all__ = ["CODES", "SCHEMAS", "record_schema", "row", "success"]

Schema = dict[str, Any]
TEXT: Final[Schema] = {"type": "string"}
NULLABLE: Final[Schema] = {"type": ["string", "null"]}
TIME: Final[Schema] = {"type": ["string", "null"], "format": "date-time"}
COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
SECRET: Final[Schema] = {"type": "string", "minLength": 1, "pattern": r"^[^\u0000]+$"}


def _object(properties: Mapping[str, Any], optional: tuple[str, ...] = ()) -> Schema:
    """An object of just these properties, all of them required but the optional ones."""
    return {
        "type": "object",
        "properties": dict(properties),
        "required": [name for name in properties if name not in optional],
        "additionalProperties": False,
    }


# Why a call may be refused, by code; REST_CODE has those that the core's refusals become.
CODES: Final[Mapping[int, str]] = {
    400: "A path, a query or a body that is not valid; meta.errors names the fields.",
    401: "No token, or one that is expired or not valid; or a log-in that failed.",
    403: "Not allowed to this administrator, or without the session's own token.",
    404: "No such object.",
    409: "The key is taken, or something else is in the way.",
    413: "The body is too long.",
    415: "The body is of a type, or an encoding, that is not read here.",
    416: "No octet of the file is in the range.",
    429: "Too many log-ins, or the service is full.",
    500: "A fault of the service.",
    501: "Not available.",
    503: "The service is away for now.",
    504: "The service did not answer in time.",
}
assert set(REST_CODE.values()) <= set(CODES)

JSONAPI: Final = _object(dict.fromkeys(("version", "name", "short_name", "author"), TEXT))
ERROR: Final = _object({"field": TEXT, "code": TEXT, "message": TEXT})
META: Final = _object(
    {
        "code": {"const": 200},
        "encoding": {"const": "ascii"},
        "zoom": {"const": 0},
        "records_page_offset": COUNT,
        "records_shown": COUNT,
        "records_total": COUNT,
        "scope": {"const": "success"},
        "message": {"const": ""},
        "archive": {"type": "boolean"},
        "authorization": TEXT,
        "records_page_size": COUNT,
    },
    optional=("records_page_offset", "records_page_size"),
)
REFUSED: Final = _object(
    {
        "scope": {"const": "exception"},
        "message": {"type": "string", "minLength": 1},
        "code": {"anyOf": [{"enum": sorted(CODES)}, {"const": "404"}]},
        "encoding": {"const": "ascii"},
        "errors": {"type": "array", "items": {"$ref": "#/components/schemas/error"}},
    },
    optional=("encoding", "errors"),
)
STAMPS: Final[Mapping[str, Any]] = {
    "modified_by": NULLABLE,
    "modified": TIME,
    "created_by": NULLABLE,
    "created": TIME,
}
OWN: Final[Mapping[str, Any]] = {
    "archived": _object(
        {
            "batch": {**TEXT, "description": "All that was archived with it: restored as one."},
            "root": {**TEXT, "description": "The object whose removal archived the batch."},
            "time": {**TEXT, "format": "date-time"},
            "actor": TEXT,
            "count": {**COUNT, "description": "Objects of the batch."},
        }
    ),
    "activation_token": {**TEXT, "description": "Of an administrator just created: said once."},
    "sources": {
        "type": "object",
        "description": "Where the value at each path comes from.",
        "additionalProperties": {"enum": ["default", "platform", "service_provider"]},
    },
}
JOB: Final = _object(
    {
        "id": TEXT,
        "kind": {"enum": ["import", "export"]},
        "object": TEXT,
        "parent": {**TEXT, "description": "The collection."},
        "mode": {"enum": [*(name.lower() for name, _ in ImportMode.items()), None]},
        "dry_run": {"type": "boolean"},
        "state": {"enum": [name.lower() for name, _ in JobState.items()]},
        "username": TEXT,
        "role_id": NULLABLE,
        "created": TIME,
        "started": TIME,
        "ended": TIME,
        **dict.fromkeys(COUNTS, COUNT),
        "message": {**NULLABLE, "description": "Why it failed."},
        "file": {**NULLABLE, "description": "The name of its file."},
        "request_id": NULLABLE,
    }
)
SCHEMAS: Final[Mapping[str, Schema]] = {
    "jsonapi": JSONAPI,
    "error": ERROR,
    "meta": META,
    "row_meta": _object({**STAMPS, **OWN}, optional=tuple(OWN)),
    "exception": _object(
        {"meta": REFUSED, "jsonapi": {"$ref": "#/components/schemas/jsonapi"}},
    ),
    "job": JOB,
    "job_log": _object({"line": COUNT, "field": TEXT, "message": TEXT}),
    "token": _object({"token": TEXT}),
    "login": {
        "type": "object",
        "required": ["username", "password"],
        "properties": {"username": SECRET, "password": SECRET},
    },
    "new_password": {
        "type": "object",
        "required": ["token", "password"],
        "properties": {"token": SECRET, "password": SECRET},
    },
}


def success(rows: Schema) -> Schema:
    """The envelope around rows of that schema."""
    return _object(
        {
            "meta": {"$ref": "#/components/schemas/meta"},
            "data": {"type": "array", "items": rows},
            "jsonapi": {"$ref": "#/components/schemas/jsonapi"},
        }
    )


def row(scope: str, attributes: Schema, stamped: bool = True) -> Schema:
    """One row: an object beside its stamps."""
    meta = {"meta": {"$ref": "#/components/schemas/row_meta"}} if stamped else {}
    return _object({"scope": {"const": scope}, **meta, "attributes": attributes})


def record_schema(product: str) -> Schema:
    """A call record, as that product answers it."""
    columns = {column.name: NULLABLE for column in RECORD_COLUMNS[product]}
    trace = {"type": "array", "items": {"type": "object"}}
    return _object(
        {**columns, "start_time": TIME, "end_time": TIME, "events": TEXT, "additional_data": trace}
    )
