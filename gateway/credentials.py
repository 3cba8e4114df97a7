"""What a request shows of its sender: a token in the Authorization header, or a session's cookie.

1. The header beats the cookie; a header that holds no token is refused, never passed over.
2. A change that rests on the cookie alone must show the session's own token too: another site can
   make a browser send the cookie, but cannot read it.
"""

import hmac
import re
from typing import Final

from .config import Limits
from .cookies import CSRF_HEADER, csrf_token, session_of
from .errors import NOT_LOGGED_IN, ApiError
from .request import Headers

__all__ = ["FORGED", "SAFE", "session_token", "shown_token", "token_of"]

TOKEN: Final = re.compile(r"[!-~]+")
SAFE: Final = ("GET", "HEAD")
FORGED: Final = f"The header {CSRF_HEADER} is missing or not of this session."


def shown_token(product: str, method: str, headers: Headers, limits: Limits) -> str:
    """The token that a request shows; empty where it shows none.

    Raises:
        ApiError: what it shows can be no token, or a change lacks its session's own token.
    """
    if headers.authorization:
        return token_of(headers.authorization, limits)
    if not headers.cookie:
        return ""
    session = session_token(product, headers, limits)
    if session and method not in SAFE:
        shown = headers.raw.get(CSRF_HEADER.lower().encode(), b"")
        if not hmac.compare_digest(shown, csrf_token(session).encode()):
            raise ApiError(403, FORGED)
    return session


def session_token(product: str, headers: Headers, limits: Limits) -> str:
    """The token in the session's cookie; empty where there is none, or none that could be one."""
    session = session_of(product, headers.cookie)
    return session if len(session) <= limits.token_bytes and TOKEN.fullmatch(session) else ""


def token_of(authorization: str, limits: Limits) -> str:
    """The token of an Authorization header; both Basic and Bearer carry it as it is.

    Raises:
        ApiError: there is none, or none that could be one.
    """
    scheme, _, token = authorization.partition(" ")
    token = token.strip()
    if (
        scheme.lower() in ("basic", "bearer")
        and len(token) <= limits.token_bytes
        and TOKEN.fullmatch(token)
    ):
        return token
    raise ApiError(401, NOT_LOGGED_IN)
