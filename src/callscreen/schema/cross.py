"""What one field demands of another: one function a message, in one table.

1. A function looks only at fields that are set; what is missing is the field's own rule to refuse.
"""

from collections.abc import Callable
from typing import Any

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


def _numbers(parts: list[str]) -> list[int]:
    return [int(part) for part in parts]


CROSS: dict[str, Cross] = {
    "PostStep": _post_step,
    "CallGuardianRule": _call_guardian,
    "PointCodeRange": _point_codes,
    "Settings": check_own,
}
