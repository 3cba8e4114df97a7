"""Identity values, certificates and lists of others: an input is refused by a Fault, or is read.

1. An input is a reader (1 octet), and what it is to read: a value, or DER that is put where it
   belongs. What is signed is signed anew around it, so that a reader gets to it.
2. A token that verifies has the very octets that were signed; and what the reader of plain tokens
   takes, the other takes for the same.
"""

from collections.abc import Callable, Iterable
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from callscreen.identity.certificates import authority_of, constraints_of, read_path
from callscreen.identity.chains import check_authority, judge_chain
from callscreen.identity.claims import check_claims
from callscreen.identity.header import read_identity, read_plain, split_identities
from callscreen.identity.model import Chain, Fault, IdentityHeader, Policy, Question, State
from callscreen.identity.reading import read
from callscreen.identity.revocation import read_crl
from callscreen.identity.trust import Trust, read_trust_list, roots_of
from callscreen.identity.verification import judge

from ..identity import tokens
from ..identity.authority import SECONDS, Authority, enhanced_der, tn_authority_der
from ..identity.tokens import KEY, NOW, URL

__all__ = ["attempt", "seeds"]

ROOT = Authority(key=KEY)
CA = ROOT.intermediate(key=KEY)
SIGNER = ROOT.leaf((), key=KEY, name="Lists", usage=("crl_sign", "digital_signature"))
LEAF = CA.leaf(key=KEY, enhanced=enhanced_der(["attest"], {"attest": ["A", "B"]}, ["x"]))
TRUST = Trust(ROOT.roots)
CHAIN = Chain(KEY.public_key(), "SHAKEN 1234", spc=("1234",), until=float("inf"))
MORE = {
    "div": {"div": {"tn": "12155550131"}},
    "div-o": {"div": {"tn": "12155550131"}, "opt": tokens.token()},
    "rph": {"rph": {"auth": ["ets.0"]}},
    "rcd": {"rcd": {"nam": "A", "jcl": "https://a.example/x", "icn": "https://a.example/i"}},
}


def signed_values() -> list[bytes]:
    made = [tokens.value(), tokens.value(behind=f";info=<{URL}>")]
    for ppt, more in MORE.items():
        protected = tokens.PROTECTED | {"ppt": ppt}
        behind = f';info=<{URL}>;alg=ES256;ppt="{ppt}"'
        made.append(tokens.value(protected, tokens.CLAIMS | more, behind))
    return made


VALUES = signed_values()
SIGNED = {each.partition(b";")[0].rpartition(b".")[0] for each in VALUES}


def chain_of(url: str) -> Any:
    return CHAIN


def identity(octets: bytes) -> None:
    """Values of a call, parted by LF."""
    values = octets.split(b"\n")
    question = Question(values, "+12155550121", "+12155550131", call_id=b"a")
    reading = read(question)
    verdict = judge(question, reading, chain_of, Policy(), NOW)
    if verdict.state == State.VALID:
        headers = (*reading.callers, *reading.diversions)
        assert any(each.signed in SIGNED for each in headers), "only what was signed is valid"
    for value in split_identities(values):
        plain = read_plain(value)
        header = whole(value) if plain is not None else None
        assert header == plain, "both readers take a token for the same"


def whole(value: bytes) -> IdentityHeader:
    header = read_identity(value)
    check_claims(header)
    return header


def unsigned(octets: bytes) -> None:
    """Claims, in a token that is signed for the sake of them."""
    header = read_identity(tokens.value(claims=octets))
    check_claims(header)
    check_authority(CHAIN, header.claims, header.ppt)


def protected(octets: bytes) -> None:
    check_claims(read_identity(tokens.value(protected=octets)))


def path(octets: bytes) -> None:
    found = read_path(octets)
    for each in found:
        authority_of(each), constraints_of(each)
    judge_chain([*found, *LEAF.path[1:]], TRUST, SECONDS)


def number_list(octets: bytes) -> None:
    certificate = ROOT.leaf(key=KEY, tn_authority=octets).certificate
    authority_of(certificate)
    judge_chain([certificate], TRUST, SECONDS)


def constraints(octets: bytes) -> None:
    constraints_of(ROOT.leaf(key=KEY, enhanced=octets).certificate)


def plain_constraints(octets: bytes) -> None:
    constraints_of(ROOT.leaf(key=KEY, constraints=octets).certificate)


def crl(octets: bytes) -> None:
    read_crl(octets, ROOT.roots, SECONDS)


def trust_list(octets: bytes) -> None:
    """The body of a list, which is signed, or all of one."""
    if octets[:1] == b"{":
        text = f"{tokens.part({'alg': 'ES256', 'typ': 'JWT'})}.{tokens.part(octets)}"
        octets = f"{text}.{tokens.part(tokens.SoftwareKey(KEY).sign(text.encode()))}".encode()
    read_trust_list(octets, ROOT.roots, SECONDS)


def roots(octets: bytes) -> None:
    Trust(roots_of(octets))


READERS: tuple[Callable[[bytes], None], ...] = (
    *(identity, unsigned, protected, path, number_list, constraints, plain_constraints, crl),
    *(trust_list, roots),
)


def attempt(octets: bytes) -> str:
    """The reader, and the check that refused its input. Raises whatever breaks a promise."""
    if not octets:
        return ""
    reader = READERS[octets[0] % len(READERS)]
    try:
        reader(octets[1:])
    except Fault as fault:
        return f"{reader.__name__}: {fault.check}"
    return reader.__name__


def der(*certificates: x509.Certificate) -> Iterable[bytes]:
    return (each.public_bytes(Encoding.DER) for each in certificates)


def seeds() -> list[bytes]:
    """What each reader takes."""
    listed = ROOT.trust_list(ROOT.roots, signer=SIGNER)
    body = b'{"sequence":1,"exp":%d,"trustList":[%s]}'
    text = ROOT.pem.decode().replace("\n", "\\n").encode()
    given = [
        [*VALUES, b"\n".join(VALUES[:3])],
        [tokens.json.dumps(tokens.CLAIMS | more).encode() for more in ({}, *MORE.values())],
        [tokens.json.dumps(tokens.PROTECTED).encode()],
        [*der(*LEAF.path), LEAF.path[0].public_bytes(Encoding.PEM)],
        [
            tn_authority_der(["1234"], []),
            tn_authority_der([], ["1215", ("12155550100", 100)]),
            tn_authority_der(["1234", "997E"], ["1215", ("12155550100", 100)]),
        ],
        [enhanced_der(["a"], {"b": ["c"]}, ["d"])],
        [enhanced_der(["a"], {"b": ["c"]}, None)],
        [ROOT.crl(LEAF.path), ROOT.crl()],
        [listed, body % (int(SECONDS) + 9, b'"' + text + b'"')],
        [ROOT.pem, *der(ROOT.certificate)],
    ]
    return [bytes([place]) + each for place, some in enumerate(given) for each in some]
