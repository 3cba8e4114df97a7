"""What no schema can say of valid data: which parents, tokens and files there are, and that the
parts of one object agree.

1. Only data that is valid by the schema is touched, but for the token that a log-out ends. A file
   that can be read is sent in the body's place, which stays as the schema has it.
2. A body is never changed in place: other cases share it.
3. Nothing here is left to chance: names come from a counter.
"""

import io
import itertools
import json
import os
import re
import time
import urllib.request
import uuid
import wave
from typing import Any

import schemathesis
from schemathesis import Case, GenerationMode, HookContext

KEYS = {
    "service_provider_name": "acme",
    "service_provider": "acme",
    "subscriber_name": "alice",
    "subscriber": "alice",
    "role_id": "service_provider:acme",
}
GROUPS = ["default:service_provider"]
NEW = {  # what a new object must have beside its key: a PUT may create one
    "audio": {"location": "/greetings", "server": "media"},
    "origination_source": {"attest": "A", "cert_name": "one", "orig_id": "1"},
}
COUNT = itertools.count(1)
CSV = b"name\nvalue\n"
THERE = ("acme", "alice")  # that others need
LONGEST = 64  # characters of a name
E164 = re.compile(r"\+?[1-9][0-9]{6,14}")
BEYOND = re.compile(r"bytes=(?:0*[1-9][0-9]{3}|-0*(?:$|,))")  # what no file here has
LEAST = 8  # characters of a password, by the default settings


def sound() -> bytes:
    """A fifth of a second."""
    octets = io.BytesIO()
    with wave.open(octets, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(1)
        file.setframerate(8000)
        file.writeframes(bytes(1600))
    return octets.getvalue()


def ask(product: str, path: str, body: Any, token: str = "") -> Any:
    """The rows of the answer to a POST."""
    request = urllib.request.Request(
        f"{os.environ['CALLSCREEN_URL']}/{product}/api/{path}",
        data=json.dumps(body).encode(),
        headers={"Authorization": f"Basic {token}"},
        method="POST",
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["data"]


def log_in(product: str) -> str:
    login = {
        "username": f"{product}_administrator",
        "password": os.environ["CALLSCREEN_ADMIN_PASSWORD"],
    }
    token: str = ask(product, "authenticate", login)[0]["token"]
    return token


def reset_token(product: str) -> str:
    """A token by which a new administrator may set a password."""
    own = os.environ[f"CALLSCREEN_TOKEN_{product.upper()}"]
    name = f"reset_{next(COUNT)}"
    role = KEYS["role_id"]
    ask(product, f"administrator/{role}", {"username": name, "permissions": GROUPS}, own)
    token: str = ask(product, f"administrator/{role}/{name}/reset", None, own)[0]["token"]
    return token


@schemathesis.auth(refresh_interval=None)
class Tokens:
    """The token that a case shows; a log-out has its own, since it ends it."""

    def get(self, case: Case, context: Any) -> str:
        product = case.path.split("/")[1]
        own = os.environ[f"CALLSCREEN_TOKEN_{product.upper()}"]
        return log_in(product) if case.path.endswith("/logout") else own

    def set(self, case: Case, data: str, context: Any) -> None:
        case.headers["Authorization"] = f"Basic {data}"


@schemathesis.hook
def before_call(context: HookContext, case: Case, kwargs: dict[str, Any]) -> None:
    product = case.path.split("/")[1]
    if case.method == "DELETE" and case.path_parameters.get("name") in THERE:
        case.path_parameters["name"] = f"gone_{next(COUNT)}"
    if case.meta is None or case.meta.generation.mode != GenerationMode.POSITIVE:
        return
    for name, value in case.path_parameters.items():
        if name in KEYS:
            case.path_parameters[name] = KEYS[name]
        elif "%" in value:  # would be judged as it is in the URL
            case.path_parameters[name] = plain(name, value)
    if BEYOND.match(case.headers.get("Range", "")):
        case.headers["Range"] = "bytes=0-"
    if case.media_type == "application/json":
        case.query.pop("dry_run", None)  # of files in CSV alone
        if isinstance(case.body, dict):
            named = {**case.body}
            case.body = call_of(named) if product == "stir" else body_of(case, product, named)
    elif case.media_type and case.method in ("POST", "PUT"):
        kwargs.update(file_of(case, case.media_type))


def plain(name: str, value: str) -> str:
    """A part of a path that is the same in the URL, where the value is too long or no number so."""
    if name == "number":
        return f"{next(COUNT):010}"
    return value if len(value) <= LONGEST else f"name_{next(COUNT)}"


def body_of(case: Case, product: str, body: dict[str, Any]) -> dict[str, Any]:
    """The same body, in agreement with the path and with what there is."""
    for name in [*body]:
        if name in case.path_parameters or (name == "name" and "{name}" in case.path):
            del body[name]
        elif name in KEYS:
            body[name] = KEYS[name]
    kind = case.path.split("/")[3]
    if kind == "number" and "subscriber_name" not in case.path_parameters:
        body["subscriber_name"] = KEYS["subscriber_name"]
    if "permissions" in body:
        body["permissions"] = GROUPS
    if "username" in body and kind == "administrator":
        body["username"] = f"user_{next(COUNT)}"
    if body.get("source_numbers"):
        body["source_numbers"] = [
            {**each, **{name: KEYS[name] for name in KEYS if name in each}}
            for each in body["source_numbers"]
        ]
    if isinstance(body.get("call_guardian"), dict):
        body["call_guardian"] = {
            **body["call_guardian"],
            "lower_threshold": 1,
            "upper_threshold": 2,
        }
    if "group_name" in body:
        body.pop("screening_group", None)
    if "screening_group" in case.path_parameters:
        body.pop("group_name", None)
    if body.get("point_code_ranges"):
        body["point_code_ranges"] = [[first, first] for first, _ in body["point_code_ranges"]]
    if case.method == "PUT":
        body = {**NEW.get(kind, {}), **body}
    if kind == "settings":
        body = settings_of(body)
    if kind == "authenticate":
        password = os.environ["CALLSCREEN_ADMIN_PASSWORD"]
        body = {"username": f"{product}_administrator", "password": password}
    if kind == "password":
        body = {"token": reset_token(product), "password": f"{body['password']:x>{LEAST}}"}
    return body


def call_of(body: dict[str, Any]) -> dict[str, Any]:
    """The same request to sign, of a call that is made now, by a number of E.164."""
    if "signingRequest" not in body:
        return body
    call = {**body["signingRequest"], "iat": int(time.time()), "origid": str(uuid.uuid4())}
    if not E164.fullmatch(call["orig"]["tn"]):
        call["orig"] = {**call["orig"], "tn": "12155550121"}
    return {**body, "signingRequest": call}


def settings_of(body: dict[str, Any]) -> dict[str, Any]:
    """The same settings, of which no field lacks another that it needs."""
    found = {**body}
    found.pop("service_provider_name", None)  # a provider may hold only what it may override
    if isinstance(body.get("web_settings"), dict):
        found["web_settings"] = {**body["web_settings"], "password_length": LEAST}
    if isinstance(body.get("email_settings"), dict):
        found["email_settings"] = {**body["email_settings"], "use_email": False}
    for name in ("called_sources_config", "calling_sources_config"):
        sources = body.get(name)
        if isinstance(sources, list):
            found[name] = [
                {**each, "post": [rising(step) for step in each.get("post") or []]}
                for each in sources
            ]
    return found


def rising(step: dict[str, Any]) -> dict[str, Any]:
    """The same step, whose range ends beyond its beginning."""
    return {**step, "range": [0, 1]} if step.get("range") else step


def file_of(case: Case, media_type: str) -> dict[str, Any]:
    """What is sent in place of the body: a file that can be read."""
    octets, name = CSV, "file.csv"
    if "/audio" in case.path:
        octets, name = sound(), f"sound_{next(COUNT)}.wav"
        if "file" in case.path_parameters:
            case.path_parameters["file"] = name
    if media_type == "multipart/form-data":
        return {"files": {"file": (name, octets)}}
    return {"data": octets}
