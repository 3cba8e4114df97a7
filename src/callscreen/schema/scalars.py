"""Single values of JSON: what is taken for a text, an integer or a boolean.

1. Each function gives the value, or notes why it is refused and gives None.
"""

from collections.abc import Sequence
from re import compile as _compile
from typing import Any

from .errors import Errors
from .fields import INT32

_INTEGER = _compile(r"[+-]?[0-9]{1,19}")


def read_string(value: Any, path: str, errors: Errors) -> str | None:
    """A text that UTF-8 can hold, without null characters."""
    if not isinstance(value, str):
        errors.add(path, "type", "must be a string")
    elif not value.isascii() and not _is_text(value):
        errors.add(path, "format", "must be text that UTF-8 can hold")
    elif "\0" in value:
        errors.add(path, "format", "must not hold a null character")
    else:
        return value
    return None


def read_digits(value: Any, path: str, errors: Errors) -> str | None:
    """A text of digits, which may have come as a number: an integer, or a whole float."""
    is_number = isinstance(value, int) and not isinstance(value, bool)
    is_number |= isinstance(value, float) and value.is_integer()
    if is_number and 0 <= value <= INT32[1]:
        return str(int(value))
    return read_string(value, path, errors)


def all_plain(values: Sequence[Any]) -> bool:
    """Whether all are texts in ASCII without null characters: the quick look at a long list."""
    if not set(map(type, values)) <= {str}:
        return False
    joined = "".join(values)
    return joined.isascii() and "\0" not in joined


def _is_text(value: str) -> bool:
    try:
        value.encode()
    except UnicodeEncodeError:
        return False
    return True


def read_integer(value: Any, path: str, errors: Errors) -> int | None:
    """An integer of 32 bits, as such, as a whole float, or in quotes."""
    number: int | None = None
    if isinstance(value, str):
        number = int(value) if _INTEGER.fullmatch(value) else None
    elif isinstance(value, float):
        number = int(value) if value.is_integer() else None
    elif isinstance(value, int) and not isinstance(value, bool):
        number = value
    if number is None:
        errors.add(path, "type", "must be an integer")
    elif not INT32[0] <= number <= INT32[1]:
        errors.add(path, "range", f"must be between {INT32[0]} and {INT32[1]}")
        return None
    return number


_BOOLEANS = {"true": True, "false": False}


def read_boolean(value: Any, path: str, errors: Errors) -> bool | None:
    """true or false, as such or in quotes."""
    truth = _BOOLEANS.get(value) if isinstance(value, str) else value
    if isinstance(truth, bool):
        return truth
    errors.add(path, "type", "must be true or false")
    return None
