"""The description of /stir/v1 in OpenAPI 3.1."""

from typing import Any, Final

from .cookies import CSRF_HEADER
from .stir import CALL_NAME_MOST, CALL_NAMES, FAULTS, IAT_MOST, NUMBERS_MOST, PATHS, PRODUCT

__all__ = ["STIR_PATHS", "STIR_SCHEMAS"]

Schema = dict[str, Any]
TN: Final = {"type": "string", "pattern": r"^\+?[0-9*#]{1,32}$"}
ONE: Final = {"type": "object", "properties": {"tn": TN}, "required": ["tn"]}
MANY: Final = {
    "type": "object",
    "properties": {
        "tn": {"type": "array", "items": TN, "minItems": 1, "maxItems": NUMBERS_MOST},
    },
    "required": ["tn"],
}
SECONDS: Final = {"type": "integer", "minimum": 1, "maximum": IAT_MOST}


def _within(name: str, fields: Schema, required: list[str]) -> Schema:
    inner = {"type": "object", "properties": fields, "required": required}
    return {"type": "object", "properties": {name: inner}, "required": [name]}


def _text(most: int) -> Schema:
    return {"type": "string", "minLength": 1, "maxLength": most, "pattern": "^[ -~]+$"}


SIGN_FIELDS: Final = {
    "attest": {"type": "string", "enum": ["A", "B", "C"]},
    "dest": MANY,
    "iat": SECONDS,
    "orig": ONE,
    "origid": _text(250),
}
VERIFY_FIELDS: Final = {"from": ONE, "to": MANY, "time": SECONDS, "identity": _text(8_192)}
CALL_FIELDS: Final = {name: _text(CALL_NAME_MOST) for name in CALL_NAMES}
VERDICT_FIELDS: Final = {
    "reasoncode": {"type": "integer"},
    "reasontext": {"type": "string"},
    "reasondesc": {"type": "string"},
    "verstat": {
        "type": "string",
        "enum": ["TN-Validation-Passed", "TN-Validation-Failed", "No-TN-Validation"],
    },
}
FAULT: Final = {
    "type": "object",
    "properties": {
        "messageId": {"type": "string", "enum": sorted(FAULTS)},
        "text": {"type": "string"},
        "variables": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["messageId", "text", "variables"],
}
STIR_SCHEMAS: Final[dict[str, Schema]] = {
    "stir.signingRequest": _within("signingRequest", SIGN_FIELDS, [*SIGN_FIELDS]),
    "stir.signingResponse": _within(
        "signingResponse", {"identity": {"type": "string"}}, ["identity"]
    ),
    "stir.verificationRequest": _within(
        "verificationRequest", VERIFY_FIELDS | CALL_FIELDS, [*VERIFY_FIELDS]
    ),
    "stir.verificationResponse": _within("verificationResponse", VERDICT_FIELDS, ["verstat"]),
    "stir.requestError": _within(
        "requestError", {"serviceException": FAULT, "policyException": FAULT}, []
    ),
}
STATUSES: Final = {
    400: "A parameter is missing or wrong.",
    401: "No token, or none that is good.",
    403: "The caller may not do it.",
    404: "No origination source of the provider has that.",
    405: "Only POST is allowed.",
    406: "The answer would be in JSON.",
    409: "The call is not signed, and why.",
    411: "Content-Length is missing.",
    413: "The body is too long.",
    415: "The body is no JSON.",
    429: "Too much at a time.",
    500: "An internal error.",
    503: "The service is not available.",
    504: "The service did not answer in time.",
}


def _answer(text: str, schema: str) -> Schema:
    header = {"X-Request-ID": {"$ref": "#/components/headers/X-Request-ID"}}
    content = {"application/json": {"schema": {"$ref": f"#/components/schemas/stir.{schema}"}}}
    return {"description": text, "headers": header, "content": content}


def _operation(name: str, asked: str, given: str, summary: str) -> Schema:
    body = {"application/json": {"schema": {"$ref": f"#/components/schemas/stir.{asked}"}}}
    return {
        "post": {
            "operationId": f"post_stir_{name}",
            "tags": [PRODUCT],
            "summary": summary,
            "parameters": [],
            "description": f"As of ATIS-1000082. With a session's cookie: {CSRF_HEADER} as well.",
            "security": [{"token": []}, {f"{PRODUCT}_session": [], "csrf": []}],
            "requestBody": {"required": True, "content": body},
            "responses": {
                "200": _answer("The answer.", given),
                **{str(code): _answer(text, "requestError") for code, text in STATUSES.items()},
            },
        }
    }


STIR_PATHS: Final[dict[str, Schema]] = {
    PATHS[0]: _operation("signing", "signingRequest", "signingResponse", "Sign a call"),
    PATHS[1]: _operation(
        "verification", "verificationRequest", "verificationResponse", "Verify who calls"
    ),
}
