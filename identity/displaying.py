"""What of a verified `rcd` is shown (RFC 9795): nothing that would have to be fetched first.

Invariants
1. Where a digest of `rcdi` is not of what the token holds at its place, nothing of the card is
   shown: it is not the one that was vouched for.
2. A digest of what stands at a URI is not looked at, and what holds that URI is not shown.
3. Of several tokens the first that has a card is shown: who diverts a call renames no caller.
"""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Iterable
from typing import Any

from .canonical import canonical_json

__all__ = ["shown", "shown_of"]

METHODS = frozenset({"sha256", "sha384", "sha512"})  # RFC 9795 section 6.1
FETCHED = ("/icn", "/jcl")  # URIs: digests of them, and below them, are of what stands there
INLINE = ("nam", "apn", "jcd")


class Nothing(Exception):
    """A pointer leads to nothing."""


def shown_of(tokens: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """What is shown of the claims of tokens that are good, the caller's own first."""
    display: dict[str, Any] = {}
    for claims in tokens:
        if display.keys().isdisjoint(INLINE):
            display = shown(claims) | display
    return display


def shown(claims: dict[str, Any]) -> dict[str, Any]:
    """Name, other name and inline card of a token that is good, and the reason of the call."""
    made: dict[str, Any] = {}
    card = claims.get("rcd")
    if card is not None:
        hidden = held_back(card, claims.get("rcdi", {}))
        made = {name: card[name] for name in INLINE if name in card and name not in hidden}
    if "crn" in claims:
        made["crn"] = claims["crn"]
    return made


def held_back(card: dict[str, Any], digests: dict[str, str]) -> set[str]:
    """Members of a card that are not shown, by the digests of `rcdi`."""
    hidden: set[str] = set()
    for pointer, digest in digests.items():
        steps = [each.replace("~1", "/").replace("~0", "~") for each in pointer.split("/")[1:]]
        if f"/{steps[0]}" in FETCHED:
            continue
        try:
            value = found_at(card, steps)
        except Nothing:
            return set(INLINE)
        if len(steps) > 1 and is_link(value):
            hidden.add(steps[0])
        elif not fits(value, digest):
            return set(INLINE)
    return hidden


def found_at(value: Any, steps: list[str]) -> Any:
    """What a JSON pointer (RFC 6901) leads to. Raises Nothing."""
    for step in steps:
        if type(value) is dict and step in value:
            value = value[step]
        elif type(value) is list and is_index(step) and int(step) < len(value):
            value = value[int(step)]
        else:
            raise Nothing
    return value


def is_index(step: str) -> bool:
    return step.isascii() and step.isdecimal() and len(step) < 6 and step == str(int(step))


def is_link(value: Any) -> bool:
    return type(value) is str and value[:6].lower() == "https:"


def fits(value: Any, digest: str) -> bool:
    """Whether a digest is of a value: of its canonical JSON, a text's quotes included."""
    method, _, text = digest.partition("-")
    if method not in METHODS:
        return False
    try:
        made = b64encode(hashlib.new(method, canonical_json(value)).digest()).decode().rstrip("=")
    except ValueError:
        return False
    given = text.rstrip("=").replace("-", "+").replace("_", "/")
    return hmac.compare_digest(made, given)
