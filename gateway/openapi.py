"""The API's description in OpenAPI 3.1, read from the table of routes and the schema.

1. Every line of the table is described, with all that it may answer: with HTTP status 200, and
   with each code as the HTTP status where `X-Strict-Status` asks for it.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any, Final

from .. import __version__
from ..schema import TYPES
from ..schema.accepted import request_schema
from ..schema.answers import answer_schema
from . import audio, bulk, jobs, objects
from .call import Handler
from .cookies import CSRF_HEADER
from .envelope import NAMES
from .openapi_parameters import AUDIO, IMPORT, STRICT, flag, paging, parts, table
from .openapi_schemas import CODES, SCHEMAS, record_schema, row, success
from .openapi_stir import STIR_PATHS, STIR_SCHEMAS
from .routes import METHODS, ROUTES, Access, Route
from .stir import PRODUCT as STIR_PRODUCT
from .upload import FIELD, MULTIPART

__all__ = ["openapi"]

Schema = dict[str, Any]
VERBS: Final = {"GET": "Read", "POST": "Create", "PUT": "Change or create", "DELETE": "Archive"}
SUMMARIES: Final = {
    "authenticate": "Log in",
    "logout": "Log out",
    "password": "Set a password by a token",
    "reset": "Begin a new password",
    "log": "Read: what a job says of its lines (table)",
    "file": "Download: the file that an export made",
}
DESCRIPTION: Final = (
    "Every answer has HTTP status 200 and its code in meta.code; with the request header"
    " X-Strict-Status: 1 the HTTP status is that code."
)
TABLES: Final[tuple[Handler, ...]] = (objects.list_, jobs.list_, jobs.log)
ANYWHERE: Final = (400, 401, 403, 413, 415, 429, 500, 501, 503, 504)
CSV: Final[dict[str, Schema]] = {"text/csv": {"schema": {}}}
BINARY: Final = {"schema": {"type": "string", "format": "binary"}}
FORM: Final[dict[str, Schema]] = {
    MULTIPART: {
        "schema": {
            "type": "object",
            "properties": {FIELD: {"type": "string", "format": "binary"}},
            "required": [FIELD],
        }
    }
}
ROWS: Final = {
    "job.rows": success(row("job", {"$ref": "#/components/schemas/job"})),
    "job_log.rows": success(
        row("job_log", {"$ref": "#/components/schemas/job_log"}, stamped=False)
    ),
    "token.rows": success({"$ref": "#/components/schemas/token"}),
}
WAV: Final = {**dict.fromkeys(audio.WAV, BINARY), **FORM}


@lru_cache(maxsize=4)
def openapi(products: tuple[str, ...]) -> dict[str, Any]:
    """The document for the products served. It is shared: do not change it."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    for product in products:
        schemas |= _schemas(product)
        for route in ROUTES:
            if product in route.products:
                paths[route.path(product)] = {
                    method.lower(): _operation(route, product, method)
                    for method in METHODS
                    if method in route.methods
                }
    if STIR_PRODUCT in products:
        paths |= STIR_PATHS
        schemas |= STIR_SCHEMAS
    return {
        "openapi": "3.1.0",
        "info": {"title": "Callscreen", "version": __version__, "description": DESCRIPTION},
        "tags": [{"name": product, "description": NAMES[product]} for product in products],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": {**schemas, **SCHEMAS, **ROWS},
            "responses": {str(code): _refusal(text) for code, text in CODES.items()},
            "headers": {
                "X-Request-ID": {
                    "description": "The request's own id where it had one, else a new one.",
                    "required": True,
                    "schema": {"type": "string", "minLength": 1, "maxLength": 128},
                }
            },
            "securitySchemes": _security(products),
        },
    }


def _schemas(product: str) -> dict[str, Schema]:
    """What the objects of a product may be in an answer, and what they may be in a request."""
    found: dict[str, Schema] = {
        f"{product}.cdr": record_schema(product),
        f"{product}.cdr.rows": success(row(f"{product}_cdr", _ref(f"{product}.cdr"))),
    }
    for kind in TYPES.values():
        if product in kind.products:
            found[f"{product}.{kind.type}"] = answer_schema(kind.shape, product)
            own = success(row(kind.type, _ref(f"{product}.{kind.type}")))
            found[f"{product}.{kind.type}.rows"] = own
            asked = request_schema(kind.shape, product, whole=False)
            found[f"{product}.{kind.type}.request"] = asked
    return found


def _security(products: Iterable[str]) -> dict[str, Schema]:
    token = {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "Basic or Bearer, a space, and the token of authenticate.",
    }
    csrf = {
        "type": "apiKey",
        "in": "header",
        "name": CSRF_HEADER,
        "description": "With a session's cookie and a change: the value of <product>_csrftoken.",
    }
    sessions = {
        f"{product}_session": {"type": "apiKey", "in": "cookie", "name": f"{product}_sessionid"}
        for product in products
    }
    return {"token": token, **sessions, "csrf": csrf}


def _operation(route: Route, product: str, method: str) -> dict[str, Any]:
    handler = route.methods[method]
    operation: dict[str, Any] = {
        "operationId": "_".join(
            (method.lower(), product, *route.object.split("/"), *route.keys, route.tail)
        ).rstrip("_"),
        "tags": [product],
        "summary": _summary(route, method),
        "parameters": [
            *parts(route, product, method != "GET" and not route.tail),
            *_queries(route, product, method),
            STRICT,
        ],
        "responses": _responses(route, product, method),
    }
    if route.access is Access.NONE:
        operation["security"] = []
    else:
        session: dict[str, list[str]] = {f"{product}_session": []}
        if method != "GET":
            session["csrf"] = []
        free: list[dict[str, list[str]]] = [{}] if route.access is Access.ANY else []
        operation["security"] = [{"token": []}, session, *free]
    content = _content(route, product, method)
    if content:
        required = handler is not bulk.export
        operation["requestBody"] = {"required": required, "content": content}
    return operation


def _summary(route: Route, method: str) -> str:
    said = SUMMARIES.get(route.tail or route.type)
    if said:
        return said
    shown = "call records" if route.type == "cdr" else route.type.replace("_", " ")
    if route.object.startswith(("import/", "export/")):
        return f"{route.object.partition('/')[0].title()} as CSV: {shown}"
    verb = "Cancel" if (route.type, method) == ("job", "DELETE") else VERBS[method]
    return f"{verb}: {shown}{' (table)' if _is_table(route, method) else ''}"


def _is_table(route: Route, method: str) -> bool:
    return method == "GET" and (route.type == "cdr" or route.methods[method] in TABLES)


def _queries(route: Route, product: str, method: str) -> list[dict[str, Any]]:
    handler = route.methods[method]
    found: list[dict[str, Any]] = []
    if handler is bulk.export:
        return table(route, product)
    if handler is bulk.import_ or (handler is bulk.create and _has_csv(route)):
        found += IMPORT
    if _is_table(route, method):
        if route.type != "job":
            found += table(route, product)
        found += paging()
    if route.type in TYPES and method == "GET":
        found.append(flag("archive", "Reads the archive."))
    if handler is objects.remove:
        found.append(flag("archive", "Purges what is archived under this name, for good."))
        found.append(flag("restore", "Restores what was archived under this name last."))
    if handler is objects.own_settings:
        found.append(flag("effective", "The settings in force, and where each comes from."))
    if handler is audio.download:
        found += AUDIO
    return found


def _has_csv(route: Route) -> bool:
    return bool(TYPES[route.type].shape.rules.csv)


def _content(route: Route, product: str, method: str) -> dict[str, Any]:
    """What a request may hold, by its type."""
    handler = route.methods[method]
    if method not in ("POST", "PUT") or route.type == "logout" or route.tail:
        return {}
    if handler is bulk.import_:
        return {**CSV, **FORM}
    if handler is bulk.export:
        return {}
    if route.type not in TYPES:
        name = {"authenticate": "login", "password": "new_password"}[route.type]
        return {"application/json": {"schema": _ref(name)}}
    content = {"application/json": {"schema": _body(route, product, method)}}
    if handler is bulk.create and _has_csv(route):
        content |= {**CSV, **FORM}
    if handler is audio.create and route.keys:
        content |= FORM  # without a provider a form cannot name its file's place
    if handler in (audio.create_named, audio.put):
        content |= WAV
    return content


def _body(route: Route, product: str, method: str) -> Schema:
    """What a request may hold; a POST must hold every required field that the path does not."""
    body = _ref(f"{product}.{route.type}.request")
    kind = TYPES[route.type]
    needed = request_schema(kind.shape, product).get("required", [])
    required = [name for name in needed if name not in (*route.keys, kind.generated)]
    if method == "PUT" or not required:
        return body
    return {"allOf": [body, {"required": required}]}


def _responses(route: Route, product: str, method: str) -> dict[str, Any]:
    handler = route.methods[method]
    content: dict[str, Any] = {"application/json": {"schema": _answer(route, product, method)}}
    if handler is jobs.file:
        content["text/csv"] = {"schema": {"type": "string"}}
    if handler is audio.download:
        content["audio/wav"] = BINARY
    found: dict[str, Any] = {
        "200": _response("The answer, or the exception.", content),
    }
    if handler is audio.download:
        found["206"] = _response("The part asked for.", {"audio/wav": BINARY})
        found["304"] = _response("The caller has it already.", {})
        found["416"] = _response(CODES[416], {})
    codes = [*ANYWHERE, *((404,) if method in ("POST", "PUT", "DELETE") else ())]
    if method != "GET" or handler is jobs.file:
        codes.append(409)
    for code in sorted(codes):
        found[str(code)] = {"$ref": f"#/components/responses/{code}"}
    return found


def _answer(route: Route, product: str, method: str) -> Schema:
    """The success, or with HTTP status 200 the exception."""
    handler = route.methods[method]
    own = f"{product}.{route.type}.rows"
    if handler in (bulk.import_, bulk.export) or (route.type == "job" and not route.tail):
        found = ["job.rows"]
    elif handler is bulk.create and _has_csv(route):
        found = [own, "job.rows"]
    elif route.tail == "log":
        found = ["job_log.rows"]
    elif route.type == "cdr" or (route.type in TYPES and not route.tail):
        found = [own]
    else:
        found = ["token.rows"]
    return {"anyOf": [_ref(name) for name in (*found, "exception")]}


def _refusal(text: str) -> dict[str, Any]:
    return _response(text, {"application/json": {"schema": _ref("exception")}})


def _response(text: str, content: dict[str, Any]) -> dict[str, Any]:
    header = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    return {"description": text, "headers": header, **({"content": content} if content else {})}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}
