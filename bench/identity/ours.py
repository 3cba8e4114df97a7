"""Our own building and verifying of whole Identity values, and pyjwt's of bare tokens."""

import itertools
from collections.abc import Callable
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec

from callscreen.identity.header import read_identity
from callscreen.identity.model import Chain, Policy, Question, SignRequest, State
from callscreen.identity.replay import Replays
from callscreen.identity.signing import Signer, SoftwareKey
from callscreen.identity.verification import judge, read

__all__ = ["NOW", "URL", "ours", "pyjwts", "signed_octets"]

NOW = 1_700_000_000.0
URL = "https://certificates.example.com/path/to/0123456789abcdef0123456789.pem"  # 71, the median
CALLS = 256  # different ones, in turns

Pair = tuple[Callable[[], object], Callable[[], object]]


def requests() -> list[SignRequest]:
    return [
        SignRequest("one", "ABC"[n % 3], f"1215555{n:04}", (f"1646555{n:04}",))
        for n in range(CALLS)
    ]


def signer(key: ec.EllipticCurvePrivateKey) -> Signer:
    return Signer(SoftwareKey(key), Chain(key.public_key(), "one", spc=("1234",)), URL)


def ours(key: ec.EllipticCurvePrivateKey) -> Pair:
    """From a request to an Identity value; from a call's value to its verdict, by a certificate at
    hand."""
    by = signer(key)
    sign, chain, policy = by.sign, by.certificate, Policy()
    asked = itertools.cycle(requests())
    calls = itertools.cycle([question(each, by) for each in requests()])
    replays = Replays(CALLS // 2)  # when a token comes again it is forgotten: each is a new one

    def check() -> None:
        call = next(calls)
        verdict = judge(call, read(call), lambda _: chain, policy, NOW, replays)
        if verdict.state is not State.VALID:
            raise ValueError(f"no valid call: {verdict}")

    return (lambda: sign(next(asked), NOW)), check


def question(request: SignRequest, by: Signer) -> Question:
    """A call with this token, as an edge asks of it."""
    value = by.sign(request, NOW).value.encode()
    orig, dest = "+" + request.orig, "+" + request.dest[0]
    call_id = f"{request.orig}@198.51.100.17".encode()
    return Question([value], orig, dest, dest, call_id=call_id, from_tag=b"9fxced76sl")


def signed_octets(key: ec.EllipticCurvePrivateKey) -> bytes:
    """What the signature of one token is over."""
    return read_identity(signer(key).sign(requests()[0], NOW).value.encode()).signed


def pyjwts(key: ec.EllipticCurvePrivateKey) -> Pair:
    values = [signer(key).sign(each, NOW).value.encode() for each in requests()]
    read = [read_identity(each) for each in values]
    claims = itertools.cycle([each.claims for each in read])
    tokens = itertools.cycle([each.token.decode() for each in read])
    public, headers = key.public_key(), read[0].protected
    options: Any = {"verify_exp": False, "verify_iat": False}
    return (
        lambda: jwt.encode(next(claims), key, "ES256", headers=headers),
        lambda: jwt.decode(next(tokens), public, ["ES256"], options=options),
    )
