"""What one field demands of another: one function a message, in one table.

1. A function looks only at fields that are set; what is missing is the field's own rule to refuse.
2. An empty text means none, where a setting may have none.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

from . import places
from .errors import Errors
from .overrides import check_own

Cross = Callable[[Any, str, Errors], None]  # message, what stands before its fields, errors

STEP_NEEDS = {
    "strip_prefix": "prefix",
    "extract_substring": "range",
    "set_cc": "country_code",
    "default_cc": "country_code",
}


def _post_step(step: Any, prefix: str, errors: Errors) -> None:
    needs = STEP_NEEDS.get(step.type)
    if needs and not getattr(step, needs):
        errors.required(prefix + needs)
    if step.range and not (len(step.range) == 2 and step.range[0] < step.range[1]):
        errors.add(prefix + "range", "range", "must be two positions, the second beyond the first")


def _call_guardian(rule: Any, prefix: str, errors: Errors) -> None:
    whole = rule.HasField("lower_threshold") and rule.HasField("upper_threshold")
    if whole and rule.lower_threshold >= rule.upper_threshold:
        errors.add(prefix + "lower_threshold", "range", "must be below upper_threshold")


def _point_codes(pair: Any, prefix: str, errors: Errors) -> None:
    if not (pair.first and pair.last):
        return
    first, last = pair.first.split("-"), pair.last.split("-")
    if len(first) != len(last):
        errors.add(prefix + "last", "range", "must be written as the first point code is")
    elif all(map(str.isdecimal, first + last)) and _numbers(first) > _numbers(last):
        errors.add(prefix + "last", "range", "must not be below the first point code")


class Form(NamedTuple):
    """A grammar of texts."""

    fits: Callable[[str], bool]
    what: str  # a text must be
    pattern: str  # of texts that fit: all but spellings that nobody writes


_URL = Form(places.is_web_page, "must be an http or https URL", places.WEB_PAGE)
_MASK = Form(
    places.is_number_mask,
    "must hold d, D or x for a digit, and braces only in pairs, around what is optional",
    places.NUMBER_MASK,
)
_ROUTE = Form(places.is_route, "must be a host, with or without a port", places.ROUTE)
_SERVER = Form(places.is_server, "must be a host, without a port", places.SERVER)
_LOCATION = Form(
    places.is_location,
    "must be a SIP URI, user@host, a telephone number or a host",
    places.LOCATION,
)
_CONTEXT = Form(
    places.is_phone_context,
    "must be the beginning of a global number or a domain",
    places.CONTEXT,
)

FORMS: dict[str, dict[str, Form]] = {
    "WebSettings": {
        "help_page": _URL,
        "number_mask": _MASK,
    },
    "ScreeningEngineSettings": {
        "egress_route": _ROUTE,
        "voicemail_service_location": _LOCATION,
        "redirect_destination": _LOCATION,
    },
    "NumberPolicy": {"user_phone_missing_context": _CONTEXT},
    "EmailSettings": {"host": _SERVER},
    "Settings": {
        "csr_location": _LOCATION,
        "screening_engine_uri": _URL,
    },
}


def _forms(name: str) -> Cross:
    forms = FORMS[name]

    def check(message: Any, prefix: str, errors: Errors) -> None:
        for field, form in forms.items():
            value = getattr(message, field)
            if value and not form.fits(value):
                errors.add(prefix + field, "format", form.what)

    return check


def _email(settings: Any, prefix: str, errors: Errors) -> None:
    _forms("EmailSettings")(settings, prefix, errors)
    if settings.use_email and not settings.host:
        errors.required(prefix + "host")


def _settings(settings: Any, prefix: str, errors: Errors) -> None:
    _forms("Settings")(settings, prefix, errors)
    check_own(settings, prefix, errors)


def _numbers(parts: list[str]) -> list[int]:
    return [int(part) for part in parts]


CROSS: dict[str, Cross] = {
    "PostStep": _post_step,
    "CallGuardianRule": _call_guardian,
    "PointCodeRange": _point_codes,
    "WebSettings": _forms("WebSettings"),
    "ScreeningEngineSettings": _forms("ScreeningEngineSettings"),
    "NumberPolicy": _forms("NumberPolicy"),
    "EmailSettings": _email,
    "Settings": _settings,
}
