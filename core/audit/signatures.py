"""Rows of the audit log for signatures: who had which call signed, with what, and how.

Invariants:
1. A signature is one row of the object origination_source, or where it is of a diversion of the
   settings that wished it; action sign. Its code says what became of it: SIGNED, WISHED
   (attestation N: it was not to be signed) or FAILED, with the reason.
2. changed_fields holds the same fields each time, as new values.
"""

from typing import Final

import orjson

from ...schema import format_name
from ...v1.screening_pb2 import Signature
from ..origin import Origin
from .rows import line

TYPE: Final = "origination_source"
SETTINGS: Final = "settings"
PRODUCT: Final = "pcs"
ACTION: Final = "sign"
SIGNED, WISHED, FAILED = "200", "204", "409"


def signature_row(
    signature: Signature, username: str, role_id: str, of: Origin, now: float
) -> bytes:
    """The row of one signature. `now` is Unix seconds, of when it was written."""
    fields = {
        "mask": signature.mask,
        "attest": signature.attest,
        "cert_name": signature.cert_name,
        "certificate": signature.certificate,
        "orig": signature.orig,
        "dest": list(signature.dest),
        "div": signature.div,
        "origid": signature.origid,
        "iat": signature.iat,
        "failure": signature.failure,
    }
    shown = orjson.dumps({name: (None, value) for name, value in fields.items()})
    code = SIGNED if signature.certificate else FAILED if signature.failure else WISHED
    type_, key = TYPE, [signature.service_provider_name, signature.source_name]
    if not signature.source_name:
        type_, key = SETTINGS, key[:1]
    id_ = format_name(PRODUCT, type_, key).split("/", 2)[2]
    return line(username, role_id, of, now, (PRODUCT, type_, id_, ACTION, code), shown)


__all__ = ["PRODUCT", "signature_row"]
