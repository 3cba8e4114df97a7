"""Every endpoint of both references, typed from their lists: method, path, body, and who may.

What a role gets: ok, [] (an empty success: it looks not provisioned), or 403.
"""

from typing import Any, NamedTuple

from ..references import ORIGINATION_SOURCE, SCREENING_RULE

BOTH = ("pcs", "cin")
PCS = ("pcs",)
CIN = ("cin",)
OWNER = "service_provider:acme"


class Line(NamedTuple):
    """One endpoint and one method of it."""

    products: tuple[str, ...]
    method: str
    path: str
    body: dict[str, Any] | None
    owner: str  # what the platform owner gets
    provider: str  # what the administrator of acme gets
    subscriber: str  # what the administrator of acme's alice gets
    missing: str = ""  # a POST without this field: the documented sentence
    made: str = ""  # the path of what a POST makes, which is not there before

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


AUDIO = {"file": "new.wav", "location": "/temp/audio", "server": "lab"}
SOURCE = {
    **{k: v for k, v in ORIGINATION_SOURCE.items() if k != "service_provider_name"},
    "name": "new",
    "source_ip": ["192.0.2.77"],
}
RULES = {"stir_shaken": SCREENING_RULE["stir_shaken"]}
JOHN = {"username": "new_one", "first_name": "John"}

LINES = (
    # product, method, path, body -> platform owner, provider, subscriber
    Line(PCS, "GET", "pcs_cdr", None, "[]", "[]", "[]"),
    Line(PCS, "GET", "pcs_cdr/acme", None, "[]", "[]", "[]"),
    Line(PCS, "GET", "pcs_cdr/acme/alice", None, "[]", "[]", "[]"),
    Line(CIN, "GET", "cin_cdr", None, "[]", "[]", "[]"),
    Line(CIN, "GET", "cin_cdr/acme", None, "[]", "[]", "[]"),
    Line(CIN, "GET", "cin_cdr/acme/alice", None, "[]", "[]", "[]"),
    Line(BOTH, "GET", "cdr", None, "[]", "[]", "[]"),
    Line(BOTH, "GET", f"administrator/{OWNER}", None, "ok", "ok", "[]"),
    Line(
        *(BOTH, "POST", f"administrator/{OWNER}", JOHN, "ok", "ok", "403"),
        *("username", f"administrator/{OWNER}/new_one"),
    ),
    Line(BOTH, "GET", f"administrator/{OWNER}/john", None, "ok", "ok", "[]"),
    Line(BOTH, "PUT", f"administrator/{OWNER}/john", {"email": "a@b.c"}, "ok", "ok", "403"),
    Line(BOTH, "DELETE", f"administrator/{OWNER}/john", None, "ok", "ok", "403"),
    Line(BOTH, "POST", f"administrator/{OWNER}/john/reset", None, "ok", "ok", "403"),
    Line(BOTH, "GET", "service_provider", None, "ok", "ok", "[]"),
    Line(
        *(BOTH, "POST", "service_provider", {"name": "fresh"}, "ok", "403", "403"),
        *("name", "service_provider/fresh"),
    ),
    Line(BOTH, "GET", "service_provider/acme", None, "ok", "ok", "[]"),
    Line(BOTH, "PUT", "service_provider/acme", {"notes": "n"}, "ok", "ok", "403"),
    Line(BOTH, "DELETE", "service_provider/doomed", None, "ok", "403", "403"),
    Line(PCS, "GET", "service_selection_criteria/acme", None, "ok", "ok", "[]"),
    Line(
        *(PCS, "POST", "service_selection_criteria/acme", {"screening_group": "new"}),
        *("ok", "403", "403", "", "service_selection_criteria/acme/new"),
    ),
    Line(PCS, "GET", "screening_rule/acme", None, "ok", "ok", "[]"),
    Line(PCS, "PUT", "screening_rule/acme", RULES, "ok", "ok", "403"),
    Line(PCS, "GET", "audio/acme", None, "ok", "ok", "[]"),
    Line(PCS, "POST", "audio/acme", AUDIO, "ok", "ok", "403", "file", "audio/acme/new.wav"),
    Line(PCS, "GET", "audio/acme/Hello.wav", None, "ok", "ok", "[]"),
    Line(PCS, "PUT", "audio/acme/Hello.wav", {"label": "x"}, "ok", "ok", "403"),
    Line(PCS, "DELETE", "audio/acme/Hello.wav", None, "ok", "ok", "403"),
    Line(BOTH, "GET", "subscriber/acme", None, "ok", "ok", "ok"),
    Line(
        *(BOTH, "POST", "subscriber/acme", {"name": "new"}, "ok", "ok", "403"),
        *("name", "subscriber/acme/new"),
    ),
    Line(BOTH, "GET", "subscriber/acme/alice", None, "ok", "ok", "ok"),
    Line(BOTH, "PUT", "subscriber/acme/alice", {"notes": "n"}, "ok", "ok", "ok"),
    Line(BOTH, "DELETE", "subscriber/acme/doomed", None, "ok", "ok", "403"),
    Line(BOTH, "GET", "number", None, "ok", "ok", "ok"),
    Line(BOTH, "GET", "number/acme", None, "ok", "ok", "ok"),
    Line(
        *(BOTH, "POST", "number/acme", {"number": "5850000009", "subscriber_name": "alice"}),
        *("ok", "ok", "403", "number", "number/acme/alice/5850000009"),
    ),
    Line(BOTH, "GET", "number/acme/alice", None, "ok", "ok", "ok"),
    Line(
        *(BOTH, "POST", "number/acme/alice", {"number": "5850000009"}, "ok", "ok", "403"),
        *("number", "number/acme/alice/5850000009"),
    ),
    Line(BOTH, "GET", "number/acme/alice/5850000001", None, "ok", "ok", "ok"),
    Line(BOTH, "PUT", "number/acme/alice/5850000001", {"nickname": "n"}, "ok", "ok", "ok"),
    Line(BOTH, "DELETE", "number/acme/alice/5850000002", None, "ok", "ok", "403"),
    Line(PCS, "GET", "origination_source/acme", None, "ok", "ok", "[]"),
    Line(
        *(PCS, "POST", "origination_source/acme", SOURCE, "ok", "ok", "403"),
        *("orig_id", "origination_source/acme/new"),
    ),
    Line(PCS, "GET", "origination_source/acme/server1", None, "ok", "ok", "[]"),
    Line(PCS, "PUT", "origination_source/acme/server1", {"attest": "B"}, "ok", "ok", "403"),
    Line(PCS, "DELETE", "origination_source/acme/server1", None, "ok", "ok", "403"),
    Line(BOTH, "GET", "settings/", None, "ok", "ok", "[]"),
    Line(
        *(BOTH, "PUT", "settings/", {"web_settings": {"password_length": 9}}),
        *("ok", "ok", "403"),
    ),
)

# What stands before each call: made by the platform owner, in this order.
GIVEN: tuple[tuple[tuple[str, ...], str, dict[str, Any]], ...] = (
    (BOTH, "service_provider/acme", {}),
    (BOTH, "service_provider/doomed", {}),
    (BOTH, "subscriber/acme/alice", {}),
    (BOTH, "subscriber/acme/doomed", {}),
    (BOTH, "number/acme/alice/5850000001", {}),
    (BOTH, "number/acme/alice/5850000002", {}),
    (BOTH, f"administrator/{OWNER}/john", {}),
    (PCS, "screening_rule/acme", SCREENING_RULE | {"service_provider_name": "acme"}),
    (PCS, "service_selection_criteria/acme/pcs:acme", {"called_ccs": ["44"]}),
    (PCS, "audio/acme/Hello.wav", AUDIO | {"file": "Hello.wav"}),
    (
        PCS,
        "origination_source/acme/server1",
        ORIGINATION_SOURCE | {"service_provider_name": "acme"},
    ),
)
