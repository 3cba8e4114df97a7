"""The API's description in OpenAPI 3.1, read from the table of routes and the schema."""

from functools import lru_cache
from typing import Any, Final

from .. import __version__
from ..schema import TYPES
from .envelope import NAMES
from .objects import list_
from .routes import METHODS, ROUTES, Route

__all__ = ["openapi"]

VERBS: Final = {"GET": "Read", "POST": "Create", "PUT": "Change or create", "DELETE": "Remove"}
PARAMETERS: Final = (
    ("sort", "string", "Columns to order by: column:asc or column:desc, separated by commas."),
    ("search", "string", "column:value, or column:low:high (both excluded), separated by commas."),
    ("like", "string", "A part of any text column."),
    ("sort_function", "string", "column:function (lower, length, numeric, natural); before sort."),
    ("icontains", "string", "column:text in any case, separated by commas."),
    ("limit", "integer", "Records to answer, at most 1000; 10 when left out, 0 only counts."),
    ("offset", "integer", "Records to skip."),
)


@lru_cache(maxsize=4)
def openapi(products: tuple[str, ...]) -> dict[str, Any]:
    """The document for the products served. It is shared: do not change it."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for product in products:
        for kind in TYPES.values():
            if product in kind.products:
                schemas[f"{product}.{kind.type}"] = _partial(kind.json_schema(product))
        for route in ROUTES:
            if product in route.products:
                paths[route.path(product)] = _path(route, product)
    return {
        "openapi": "3.1.0",
        "info": {"title": "Callscreen", "version": __version__, "description": DESCRIPTION},
        "tags": [{"name": product, "description": NAMES[product]} for product in products],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **ENVELOPES},
            "securitySchemes": {
                "token": {
                    "type": "apiKey",
                    "in": "header",
                    "name": "Authorization",
                    "description": "Basic or Bearer, a space, and the token of authenticate.",
                }
            },
        },
    }


DESCRIPTION: Final = (
    "Every answer has HTTP status 200 and its code in meta.code; with the request header"
    " X-Strict-Status: 1 the HTTP status is that code."
)
ENVELOPES: Final[dict[str, Any]] = {
    "success": {
        "type": "object",
        "required": ["meta", "data", "jsonapi"],
        "properties": {
            "meta": {
                "type": "object",
                "properties": {
                    "code": {"type": "integer"},
                    "encoding": {"const": "ascii"},
                    "zoom": {"type": "integer"},
                    "records_page_offset": {"type": "integer"},
                    "records_shown": {"type": "integer"},
                    "records_total": {"type": "integer"},
                    "scope": {"const": "success"},
                    "message": {"type": "string"},
                    "archive": {"type": "boolean"},
                    "authorization": {"type": "string"},
                    "records_page_size": {"type": "integer"},
                },
            },
            "data": {"type": "array", "items": {"type": "object"}},
            "jsonapi": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "exception": {
        "type": "object",
        "required": ["meta", "jsonapi"],
        "properties": {
            "meta": {
                "type": "object",
                "properties": {
                    "scope": {"const": "exception"},
                    "message": {"type": "string"},
                    "code": {"type": ["integer", "string"]},
                    "encoding": {"const": "ascii"},
                    "errors": {
                        "type": "array",
                        "items": {
                            "type": "object",
                            "properties": {
                                "field": {"type": "string"},
                                "code": {"type": "string"},
                                "message": {"type": "string"},
                            },
                        },
                    },
                },
            },
            "jsonapi": {"type": "object", "additionalProperties": {"type": "string"}},
        },
    },
    "login": {
        "type": "object",
        "required": ["username", "password"],
        "properties": {"username": {"type": "string"}, "password": {"type": "string"}},
    },
}
ROW_META: Final = {
    "type": "object",
    "properties": {
        "modified_by": {"type": "string"},
        "modified": {"type": "string", "format": "date-time"},
        "created_by": {"type": "string"},
        "created": {"type": "string", "format": "date-time"},
    },
}


def _path(route: Route, product: str) -> dict[str, Any]:
    found: dict[str, Any] = {
        "parameters": [
            {"name": key, "in": "path", "required": True, "schema": {"type": "string"}}
            for key in route.keys
        ]
    }
    for method in METHODS:
        if method in route.methods:
            found[method.lower()] = _operation(route, product, method)
    return found


def _operation(route: Route, product: str, method: str) -> dict[str, Any]:
    table = method == "GET" and (route.type == "cdr" or route.methods[method] is list_)
    verb = "Log in" if route.public else VERBS[method]
    shown = "call records" if route.type == "cdr" else route.type.replace("_", " ")
    operation: dict[str, Any] = {
        "operationId": "_".join((method.lower(), product, route.object, *route.keys)),
        "tags": [product],
        "summary": verb if route.public else f"{verb}: {shown}{' (table)' if table else ''}",
        "responses": {
            "200": {
                "description": "The answer, or the exception.",
                "content": {"application/json": {"schema": _answer(route, product)}},
            }
        },
    }
    if route.public:
        operation["security"] = []
    if table:
        operation["parameters"] = [
            {"name": name, "in": "query", "description": help_, "schema": {"type": type_}}
            for name, type_, help_ in PARAMETERS
        ]
    if method in ("POST", "PUT"):
        operation["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _body(route, product, method)}},
        }
    return operation


def _partial(schema: dict[str, Any]) -> dict[str, Any]:
    """Without the top level's required fields: a PUT names only what it changes."""
    return {key: value for key, value in schema.items() if key != "required"}


def _body(route: Route, product: str, method: str) -> dict[str, Any]:
    """What a request may hold; a POST must hold every required field that the path does not."""
    if route.public:
        return _ref("login")
    body = _ref(f"{product}.{route.type}")
    needed = TYPES[route.type].json_schema(product).get("required", [])
    required = [name for name in needed if name not in route.keys]
    if method == "PUT" or not required:
        return body
    return {"allOf": [body, {"required": required}]}


def _answer(route: Route, product: str) -> dict[str, Any]:
    success = _ref("success")
    if route.type in TYPES:
        row = {
            "type": "object",
            "properties": {
                "scope": {"const": route.type},
                "meta": ROW_META,
                "attributes": _ref(f"{product}.{route.type}"),
            },
        }
        data = {"properties": {"data": {"type": "array", "items": row}}}
        success = {"allOf": [success, data]}
    return {"anyOf": [success, _ref("exception")]}


def _ref(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}
