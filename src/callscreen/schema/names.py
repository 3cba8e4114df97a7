"""Resource names: `<product>/<type>/<key part>...`, each part percent-encoded.

1. `parse_name(format_name(p, t, k)) == (p, t, k)` for every key without NUL.
2. `pcs/settings` is the collection (an empty key), `pcs/settings/` the platform's own settings
   (a key of one empty part).
3. A name says nothing of what exists: types and lengths of keys are the caller's to check.
"""

from collections.abc import Sequence
from re import compile as _compile
from typing import NamedTuple
from urllib.parse import quote, unquote

PRODUCTS: tuple[str, str] = ("pcs", "cin")
MAX_NAME = 4096  # characters of a resource name
MAX_KEY_PARTS = 4

_TYPE = _compile(r"[a-z][a-z_]{0,63}")


class ResourceName(NamedTuple):
    """A parsed name; a collection has fewer key parts than its objects."""

    product: str
    type: str
    key: tuple[str, ...]


def format_name(product: str, type: str, key: Sequence[str] = ()) -> str:
    """The resource name of an object, or of a collection where the key is not whole."""
    return "/".join((product, type, *(quote(part, safe="") for part in key)))


def parse_name(name: str) -> ResourceName:
    """The parts of a resource name. Raises ValueError where it is none."""
    product, *rest = name.split("/", MAX_KEY_PARTS + 2) if len(name) <= MAX_NAME else [""]
    if product not in PRODUCTS or not rest or not _TYPE.fullmatch(rest[0]):
        raise ValueError("A resource name is <product>/<type>/<key>..., product pcs or cin.")
    if len(rest) > MAX_KEY_PARTS + 1:
        raise ValueError("The resource name has too many parts.")
    try:
        key = tuple(unquote(part, errors="strict") if "%" in part else part for part in rest[1:])
        "".join(key).encode()
    except UnicodeError:
        raise ValueError("The resource name is not UTF-8.") from None
    if any("\0" in part for part in key):
        raise ValueError("The resource name holds a null character.")
    return ResourceName(product, rest[0], key)
