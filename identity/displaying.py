"""What of a verified `rcd` is shown (RFC 9795): nothing that would have to be fetched first."""

import hmac
from base64 import b64encode
from hashlib import sha256
from typing import Any

from .canonical import canonical_json

__all__ = ["shown"]


def shown(claims: dict[str, Any]) -> dict[str, Any]:
    """Name, other name and inline card of a token that is good, and the reason of the call."""
    card = claims.get("rcd")
    made: dict[str, Any] = {}
    if card is not None:
        made = {name: card[name] for name in ("nam", "apn") if name in card}
        if "jcd" in card and fits(card["jcd"], claims.get("rcdi", {}).get("/jcd")):
            made["jcd"] = card["jcd"]
    if "crn" in claims:
        made["crn"] = claims["crn"]
    return made


def fits(value: Any, digest: str | None) -> bool:
    """Whether a digest of `rcdi` is of this value; where there is none, the token holds it all."""
    if digest is None:
        return True
    method, _, text = digest.partition("-")
    if method != "sha256":
        return False
    try:
        made = b64encode(sha256(canonical_json(value)).digest()).decode().rstrip("=")
    except ValueError:
        return False
    given = text.rstrip("=").replace("-", "+").replace("_", "/")
    return hmac.compare_digest(made, given)
