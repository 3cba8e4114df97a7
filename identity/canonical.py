"""JSON as PASSporT has it: one way to write it (RFC 8225 section 9), and a strict way to read it.

Invariants
1. What is written has no blanks, keys by code point at every depth, and UTF-8 that is not escaped.
2. What is read is one object with no key twice, no integer written as a fraction, valid UTF-8, and
   no more octets or depth than allowed: no two readers can take it for different things.
"""

import json
import math
import re
from typing import Any

import orjson

__all__ = ["DEPTH_MOST", "OCTETS_MOST", "canonical_json", "strict_json", "written"]

OCTETS_MOST = 8_192  # of one JSON text
DEPTH_MOST = 10  # objects and arrays within one another; a jCard takes five
INTEGER_DIGITS = 16  # as many as every reader of JSON keeps exactly (RFC 8259 section 6)

# In canonical text: a number with a fraction, an exponent or many digits, or text alike.
UNUSUAL = re.compile(rb"[:,\[]-?(?:[0-9]{16}|[0-9]+[.eE])")


def canonical_json(obj: Any) -> bytes:
    """The octets that are signed. ValueError where a value has no such form."""
    check_writable(obj, DEPTH_MOST)
    return written(obj)


def written(obj: Any) -> bytes:
    """As canonical_json, of what is known to be made of text, integers, objects and arrays."""
    try:
        return orjson.dumps(obj, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ValueError(f"no canonical JSON: {error}") from error


def check_writable(value: Any, depth: int) -> None:
    """ValueError unless it is made of objects, arrays, text, numbers, true, false and null."""
    kind = type(value)
    if kind is dict or kind is list:
        if depth == 0:
            raise ValueError("no canonical JSON: too deep")
        for each in value.values() if kind is dict else value:
            check_writable(each, depth - 1)
    elif kind is float:
        if not math.isfinite(value) or value.is_integer():
            raise ValueError("no canonical JSON: a number that is to be an integer")
    elif kind is int:
        if len(str(abs(value))) > INTEGER_DIGITS:
            raise ValueError("no canonical JSON: an integer too large")
    elif value is not None and kind is not str and kind is not bool:
        raise ValueError(f"no canonical JSON: {kind.__name__}")


def strict_json(
    octets: bytes, *, most: int = OCTETS_MOST, depth: int = DEPTH_MOST
) -> dict[str, Any]:
    """The object that a JSON text is; `most` octets, `depth` levels. ValueError where it is not."""
    if len(octets) > most:
        raise ValueError(f"more than {most} octets")
    value = orjson.loads(octets)  # its error is a ValueError
    if type(value) is not dict:
        raise ValueError("not an object")
    # Text that is already canonical has no key twice: writing it anew would have lost one.
    if (
        octets.count(b"{") + octets.count(b"[") <= depth
        and orjson.dumps(value, option=orjson.OPT_SORT_KEYS) == octets
        and not UNUSUAL.search(octets)
    ):
        return value
    if deeper(value, depth):  # before a reader that calls itself sees it
        raise ValueError(f"more than {depth} levels")
    return carefully(octets)


def carefully(octets: bytes) -> dict[str, Any]:
    """As strict_json, of a text that is known to be JSON, an object and not too deep."""
    value = json.loads(
        octets.decode(),
        object_pairs_hook=no_key_twice,
        parse_int=integer,
        parse_float=fraction,
    )
    assert isinstance(value, dict)
    return value


def no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key twice")
    return found


def integer(text: str) -> int:
    if len(text.removeprefix("-")) > INTEGER_DIGITS:
        raise ValueError("an integer too large")
    return int(text)


def fraction(text: str) -> float:
    number = float(text)
    if not math.isfinite(number) or number.is_integer():
        raise ValueError("an integer written as a fraction")
    return number


def deeper(value: Any, depth: int) -> bool:
    """Whether it has more than `depth` levels; level by level, so that no stack can run out."""
    level = [value]
    for _ in range(depth):
        level = [each for outer in level for each in inner(outer)]
        if not level:
            return False
    return any(type(each) in (dict, list) for each in level)


def inner(value: Any) -> list[Any]:
    if type(value) is dict:
        return list(value.values())
    return value if type(value) is list else []
