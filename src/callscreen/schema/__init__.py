"""The schema: what the .proto files say of every object, made usable.

The descriptors are read once, in `fields`; from them come JSON forms, defaults, held forms,
validation, keys, references, secrets, columns and JSON Schema.
"""

from .columns import Column, ColumnKind, Row
from .errors import Errors, FieldError, Invalid, field_error
from .fields import Field, Kind, Shape
from .formats import HASHED_PIN, role_parts
from .names import PRODUCTS, ResourceName, format_name, parse_name
from .objects import TYPES, ObjectType, body_of, children, kind_of
from .query import Query, compile_query
from .records import RECORD_COLUMNS, record_row, record_to_json, verdict_to_json
from .relations import above
from .secrets import MASK
from .times import iso, nanoseconds, stamps_to_json

__all__ = [
    "HASHED_PIN",
    "MASK",
    "PRODUCTS",
    "RECORD_COLUMNS",
    "TYPES",
    "Column",
    "ColumnKind",
    "Errors",
    "Field",
    "FieldError",
    "Invalid",
    "Kind",
    "ObjectType",
    "Query",
    "ResourceName",
    "Row",
    "Shape",
    "above",
    "body_of",
    "children",
    "compile_query",
    "field_error",
    "format_name",
    "iso",
    "kind_of",
    "nanoseconds",
    "parse_name",
    "record_row",
    "record_to_json",
    "role_parts",
    "stamps_to_json",
    "verdict_to_json",
]
