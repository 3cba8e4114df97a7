"""What an INVITE says of its caller, as the compiled modules hand it to who verifies and signs."""

from collections.abc import Sequence
from typing import NamedTuple

from .model import Origination

__all__ = ["Asked", "Claimed", "Plain"]


class Asked(NamedTuple):
    """A call that awaits something. Octets of a URI stand where its user part is not plain: an
    optional plus and 3 to 15 digits."""

    awaits: str  # VERIFY or SIGN
    provider: str  # whose rules of PCS hold, empty for nobody's
    default_cc: str  # digits that go before its national numbers
    source: str  # address that the call comes from
    calling: str | None  # user part of who calls; None: not read here
    host: bytes  # and of that URI the host, empty in a tel URI
    called: str | bytes  # user part of To
    target: str | bytes  # of the Request-URI
    anonymous: bool  # the caller is withheld
    date: str | None  # value of Date; None: there is none
    origination: Origination | None  # of a call to be signed, whose `calling` has a plus
    # Of a call to be verified.
    identities: Sequence[bytes] = ()  # values of Identity fields
    call_id: bytes = b""
    from_tag: bytes = b""
    priority: Sequence[str] = ()  # values of Resource-Priority fields
    screened: str = ""  # the caller's number that the rules of PCS go by, empty for none


class Plain(NamedTuple):
    """A call that is to be signed, and nothing speaks against it: both numbers have a plus, the
    caller's is one of E.164 and not withheld, there is no Date, and the attestation is one."""

    orig: str  # digits
    dest: str
    origination: Origination


class Claimed(NamedTuple):
    """A call that is to be verified and has one Identity: the numbers of caller and called party
    have a plus, and are such of E.164; the rules of PCS go by no other number of the caller."""

    identity: bytes  # the field's value
    orig: str  # with the plus
    dest: str
    call_id: bytes
    from_tag: bytes
    provider: str  # whose rules of PCS hold, empty for nobody's
    shown: bytes  # host where the caller's number may be shown with a verdict; empty: nowhere
