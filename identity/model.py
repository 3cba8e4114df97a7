"""What the parts of the identity library say to one another: plain values, none of which changes.

Invariants
1. A verdict is one of four states: who asked nothing got NONE; VALID only where every check passed;
   INVALID where one failed that says so of the call; UNKNOWN where it could not be told.
2. The octets of a token are kept as they were received: what is verified is never written anew.
3. Times are seconds since 1970; numbers are digits without a plus (RFC 8224 8.3).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey

__all__ = [
    "FAILED",
    "NOTHING",
    "NOT_VALIDATED",
    "PASSED",
    "REASONS",
    "Chain",
    "Check",
    "Constraints",
    "Fault",
    "IdentityHeader",
    "Policy",
    "Question",
    "Rules",
    "SignRequest",
    "Signed",
    "State",
    "Verdict",
]

# Values of `verstat` (3GPP TS 24.229).
PASSED, FAILED, NOT_VALIDATED = (
    "TN-Validation-Passed",
    "TN-Validation-Failed",
    "No-TN-Validation",
)
# Reason phrases (RFC 8224 section 6.2.2).
REASONS = {
    403: "Stale Date",
    428: "Use Identity Header",
    436: "Bad Identity Info",
    437: "Unsupported Credential",
    438: "Invalid Identity Header",
}

NOTHING: Mapping[str, Any] = MappingProxyType({})


class State(IntEnum):
    """What is known of a caller's identity; the numbers are those of a Call in decide.pxd."""

    UNASKED = 0
    NONE = 1
    VALID = 2
    INVALID = 3
    UNKNOWN = 4


class Fault(Exception):
    """A check that failed: the code and verstat that RFC 8224 and ATIS-1000074 give it.

    `unknown`: it says nothing of the call, such as a certificate that could not be fetched.
    """

    def __init__(
        self, check: str, code: int, verstat: str, detail: str, *, unknown: bool = False
    ) -> None:
        super().__init__(f"{check}: {detail}")
        self.check = check
        self.code = code
        self.verstat = verstat
        self.detail = detail
        self.unknown = unknown


@dataclass(frozen=True, slots=True)
class Check:
    """A step of a verification: whether it passed (None: not looked at), and what it saw."""

    name: str
    passed: bool | None
    detail: str = ""


class IdentityHeader(NamedTuple):
    """One Identity value taken apart (RFC 8224 section 4.1); octets as received."""

    token: bytes  # header.payload.signature, base64url; "..signature" in the compact form
    signed: bytes  # header.payload: what the signature is over
    signature: bytes  # 64 octets, r and s
    protected: dict[str, Any]  # alg, ppt, typ, x5u
    claims: dict[str, Any]
    info: str  # the URL of the info parameter, without its angle brackets
    ppt: str

    @property
    def x5u(self) -> str:
        return str(self.protected["x5u"])


@dataclass(frozen=True, slots=True)
class Constraints:
    """JWT claim constraints of one certificate (RFC 8226 section 8, RFC 9118)."""

    must_include: tuple[str, ...] = ()
    permitted: tuple[tuple[str, tuple[str, ...]], ...] = ()  # claim, its values
    must_exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Chain:
    """A path that was judged good until `until`, or for the signing of claims that it allows.

    `spc` are the service provider codes of the leaf, `numbers` its telephone number ranges (first,
    last) or single ones twice, as `ranges.ordered` has them; `constraints` are those of every
    certificate of the path.
    """

    key: EllipticCurvePublicKey
    name: str  # of the subject
    spc: tuple[str, ...] = ()
    numbers: tuple[tuple[str, str], ...] = ()
    constraints: tuple[Constraints, ...] = ()
    until: float = 0.0
    fingerprint: str = ""  # SHA-256 of the leaf, hexadecimal


class Rules(Protocol):
    """Settings that say how callers are verified."""

    @property
    def freshness(self) -> int: ...
    @property
    def require_date(self) -> bool: ...
    @property
    def require_identity(self) -> bool: ...
    @property
    def replayed_invalid(self) -> bool: ...
    @property
    def malformed_failed(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class Policy:
    """What a verifier is told to do where the standards leave it open. Seconds."""

    freshness: int = 60
    div_freshness: int = 3 * 3600  # of inner tokens of a chain of diversions
    require_date: bool = False
    require_identity: bool = False  # none at all is 428
    replayed_invalid: bool = True  # one token with another Call-ID is refused, not only told
    malformed_failed: bool = False  # verstat of a 438 for claims: Failed, not No-TN-Validation

    @classmethod
    def of(cls, rules: Rules) -> "Policy":
        """The policy that settings ask for."""
        return cls(
            freshness=rules.freshness,
            require_date=rules.require_date,
            require_identity=rules.require_identity,
            replayed_invalid=rules.replayed_invalid,
            malformed_failed=rules.malformed_failed,
        )


class Question(NamedTuple):
    """A call whose caller is to be verified; addresses are URIs or numbers as received."""

    identities: Sequence[bytes]  # values of Identity fields, unfolded, one element each or several
    orig: str  # the user part or number of P-Asserted-Identity, else From
    dest: str  # of To
    target: str = ""  # of the Request-URI, what the last `div` must name
    date: str = ""  # value of Date
    call_id: bytes = b""
    from_tag: bytes = b""
    default_cc: str = "1"
    resource_priority: Sequence[str] = ()
    tenant: bytes = b""  # who asks: one's calls make no token of another's calls a replay


class Verdict(NamedTuple):
    """What was found. `code` and `reason` are a SIP answer's, 0 and "" where there is no fault."""

    state: State
    verstat: str = NOT_VALIDATED
    code: int = 0
    reason: str = ""
    attest: str = ""
    origid: str = ""
    orig: str = ""
    dest: tuple[str, ...] = ()
    iat: int = 0
    x5u: str = ""
    spc: tuple[str, ...] = ()
    signer: str = ""
    ppt: str = ""
    replayed: bool = False
    display: Mapping[str, Any] = NOTHING  # `rcd` that was verified
    priority: tuple[str, ...] = ()  # `rph` that was verified
    failed: tuple[tuple[int, str, bytes], ...] = ()  # code, reason, token of each bad header
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class SignRequest:
    """What is to be signed. `origid` empty: a fresh one; `iat` 0: now."""

    cert_name: str
    attest: str
    orig: str
    dest: Sequence[str]
    origid: str = ""
    iat: int = 0
    div: str = ""  # the number that the call is diverted from: a `div` and no `shaken`
    rph: Sequence[str] = ()
    rcd: dict[str, Any] = field(default_factory=dict)
    sph: str = ""  # "psap-callback", beside an rph (RFC 9027)
    original: bytes = b""  # the Identity value that a div stands beside


class Signed(NamedTuple):
    """`value` is that of an Identity header field."""

    value: str
    origid: str
    iat: int
    certificate: str  # fingerprint
