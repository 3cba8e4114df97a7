"""What needs no decision, in plain Python: what refusing.pyx means (RFC 3261 8.2.1, 8.2.2)."""

import re

from .respond_types import RETRY_AFTER
from .routes_reference import Answer
from .sip_types import Request

__all__ = ["NOT_READY", "NO_DIALOG", "OPTIONS_HEADERS", "refused"]

ALLOW = (b"Allow", b"INVITE, ACK, CANCEL, OPTIONS")
# RFC 3261 section 8.2.1: these are known and not served. What lives in a dialog has none here.
REFUSED = frozenset({b"REGISTER", b"SUBSCRIBE", b"PUBLISH", b"MESSAGE", b"REFER"})
IN_DIALOG = frozenset({b"BYE", b"INFO", b"UPDATE", b"PRACK", b"NOTIFY"})
SERVED = frozenset({b"INVITE", b"CANCEL", b"OPTIONS"})
ODD = re.compile(rb"[^!-~]+")  # in an option tag: not to be given back

OPTIONS_HEADERS = (
    ALLOW,
    (b"Accept", b"application/sdp"),
    (b"Accept-Encoding", b"identity"),
    (b"Accept-Language", b"en"),
    (b"Supported", b""),  # no extension at all
)
NO_DIALOG = Answer(481, "Call/Transaction Does Not Exist")
NOT_READY = Answer(503, "Service Unavailable", ((b"Retry-After", b"%d" % RETRY_AFTER),))


def refused(request: Request, proxying: bool = False) -> Answer | None:
    """The inspection that comes before any work (RFC 3261 section 8.2.1 and 8.2.2).

    No merged request (482) is looked for: every transaction is over when it has been answered, and
    a dispatcher that tries a second time must get an answer. The body is not read, so that no
    content is refused either.
    """
    method = request.method
    if method in REFUSED:
        return Answer(405, "Method Not Allowed", (ALLOW,))
    if method not in SERVED and method not in IN_DIALOG:
        return Answer(501, "Not Implemented", (ALLOW,))
    # Of a proxy nothing is required but in Proxy-Require (RFC 3261 section 16.3).
    if request.require and method != b"CANCEL" and not proxying:
        unsupported = ODD.sub(b" ", b", ".join(request.require))
        return Answer(420, "Bad Extension", ((b"Unsupported", unsupported),))
    if method in IN_DIALOG or (request.to.tag is not None and method != b"CANCEL"):
        return NO_DIALOG
    return None
