"""Identity values that must never be called valid, each with what it is refused for."""

import json
from base64 import urlsafe_b64encode
from typing import Any

import pytest

from callscreen.identity.model import FAILED, NOT_VALIDATED, Chain, Policy, Question, State, Verdict
from callscreen.identity.verification import judge, read

from .tokens import CLAIMS, KEY, NOW, PROTECTED, URL, part, token, value

CHAIN = Chain(KEY.public_key(), "SHAKEN 1234", spc=("1234",))
ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
SIGNATURE = token().rpartition(".")[2]


def verdict_on(*values: bytes) -> Verdict:
    question = Question(values, "+12155550121", "+12155550131", call_id=b"1")
    return judge(question, read(question), lambda url: CHAIN, Policy(), NOW)


def without(name: str) -> dict[str, Any]:
    return {key: each for key, each in CLAIMS.items() if key != name}


def claims(**more: Any) -> bytes:
    return value(claims={**CLAIMS, **more})


def head(behind: str | None = None, **more: Any) -> bytes:
    protected = {key: each for key, each in {**PROTECTED, **more}.items() if each is not None}
    return value(protected, behind=behind)


def located(url: Any) -> bytes:
    """A token whose `info` and `x5u` name one URL."""
    return value({**PROTECTED, "x5u": url}, behind=f";info=<{url}>;ppt=shaken")


def raw(payload: bytes, protected: bytes | None = None) -> bytes:
    """A token that is well signed over any octets."""
    return value(
        (protected or json.dumps(PROTECTED).encode()),
        payload,
        f";info=<{URL}>;ppt=shaken",
    )


def signed_as(signature: bytes | str) -> bytes:
    text = signature if isinstance(signature, str) else part(signature)
    return f"{token().rpartition('.')[0]}.{text};info=<{URL}>;ppt=shaken".encode()


def pair(r: int, s: int) -> bytes:
    return signed_as(r.to_bytes(32, "big") + s.to_bytes(32, "big"))


def behind(text: str) -> bytes:
    return value(behind=text)


TEXT = json.dumps(CLAIMS)
DEEP = "[" * 500 + "]" * 500

MALFORMED: dict[str, bytes] = {
    **{f"without {name}": value(claims=without(name)) for name in CLAIMS},
    "attest Z": claims(attest="Z"),
    "attest lower": claims(attest="a"),
    "attest none": claims(attest=None),
    "attest list": claims(attest=["A"]),
    "attest N": claims(attest="N"),
    "origid no UUID": claims(origid="abc"),
    "origid number": claims(origid=7),
    "iat text": claims(iat=str(NOW)),
    "iat fraction": raw(TEXT.replace(str(NOW), f"{NOW}.0").encode()),
    "iat exponent": raw(TEXT.replace(str(NOW), "1.7e9").encode()),
    "iat true": claims(iat=True),
    "iat negative": claims(iat=-NOW),
    "iat huge": claims(iat=1 << 70),
    "iat null": claims(iat=None),
    "orig text": claims(orig="12155550121"),
    "orig empty": claims(orig={}),
    "orig of two": claims(orig={"tn": "12155550121", "uri": "sip:a@b"}),
    "orig list": claims(orig={"tn": ["12155550121"]}),
    "orig with plus": claims(orig={"tn": "+12155550121"}),
    "orig number": claims(orig={"tn": 12155550121}),
    "orig uri in shaken": claims(orig={"uri": "sip:+12155550121@h"}),
    "dest text": claims(dest={"tn": "12155550131"}),
    "dest empty": claims(dest={"tn": []}),
    "dest nothing": claims(dest={}),
    "dest number": claims(dest={"tn": [12155550131]}),
    "dest list": claims(dest=["12155550131"]),
    "dest of another": claims(dest={"tn": ["12155550132"]}),
    "orig of another": claims(orig={"tn": "12155550122"}),
    "orig twice": raw(TEXT.replace('"orig"', '"orig": {"tn": "12155550199"}, "orig"').encode()),
    "iat twice": raw(TEXT.replace('"iat"', '"iat": 5, "iat"').encode()),
    "tn twice": raw(TEXT.replace('{"tn": "1', '{"tn": "9", "tn": "1').encode()),
    "no JSON": raw(b"x"),
    "JSON list": raw(b"[]"),
    "two texts": raw(TEXT.encode() * 2),
    "a byte order mark": raw(b"\xef\xbb\xbf" + TEXT.encode()),
    "no UTF-8": raw(TEXT.replace("A", "\udcff").encode("utf-8", "surrogateescape")),
    "a lone surrogate": raw(TEXT.replace('"A"', '"\\ud800"').encode()),
    "deep": raw(TEXT.replace('"A"', DEEP).encode()),
    "NaN": raw(TEXT.replace(str(NOW), "NaN").encode()),
    "64 KiB": raw(TEXT.encode() + b" " * 65_536),
    "compact": f"..{SIGNATURE};info=<{URL}>;ppt=shaken".encode(),
    "two parts": f"{token().rpartition('.')[0]};info=<{URL}>".encode(),
    "four parts": f"{token()}.x;info=<{URL}>".encode(),
    "r||s short": signed_as(b"\1" * 63),
    "r||s long": signed_as(b"\1" * 65),
    "r||s empty": signed_as(""),
    "r||s DER": signed_as(bytes.fromhex("3006020101020101")),
    "no base64": signed_as("!" * 86),
    "padded": signed_as(urlsafe_b64encode(b"\1" * 64).decode()),
    "spare bits": signed_as(SIGNATURE[:-1] + chr(ord(SIGNATURE[-1]) ^ 1)),
    "ppt differs": behind(f";info=<{URL}>;ppt=div"),
    "ppt no text": head(ppt=5),
    "ppt empty": head(ppt=""),
    "crit": head(crit=["x"]),
    "parameters": behind(f";info=<{URL}>;=;"),
    "ppt twice": behind(f";info=<{URL}>;ppt=shaken;ppt=shaken"),
    "a NUL": value().replace(b".", b".\0", 1),
}
BAD_INFO: dict[str, bytes] = {
    "no info": behind(";ppt=shaken"),
    "info not in brackets": behind(f";info={URL};ppt=shaken"),
    "info another": behind(";info=<https://evil.example.org/a.pem>;ppt=shaken"),
    "info twice": behind(f";info=<{URL}>;info=<{URL}>;ppt=shaken"),
    "info of other case": behind(f";info=<{URL.upper()}>;ppt=shaken"),
    "no x5u": head(x5u=None),
    "x5u list": head(x5u=[URL]),
    "x5u empty": head(x5u=""),
    "http": located("http://cert.example.org/a.pem"),
    "port": located("https://cert.example.org:444/a.pem"),
    "user": located("https://me@cert.example.org/a.pem"),
    "password": located("https://me:it@cert.example.org/a.pem"),
    "query": located("https://cert.example.org/a.pem?x=1"),
    "fragment": located("https://cert.example.org/a.pem#x"),
    "file": located("file:///etc/passwd"),
    "data": located("data:application/pem,x"),
    "no host": located("https:///a.pem"),
    "long": located("https://cert.example.org/" + "a" * 2_100),
    "a backslash": located("https://cert.example.org\\@evil.example.org/a.pem"),
}
BAD_CREDENTIAL: dict[str, bytes] = {
    "alg none": head(alg="none"),
    "alg RS256": head(alg="RS256"),
    "alg HS256": head(alg="HS256"),
    "alg ES384": head(alg="ES384"),
    "alg lower": head(alg="es256"),
    "alg missing": head(alg=None),
    "alg list": head(alg=["ES256"]),
    "typ JWT": head(typ="JWT"),
    "typ missing": head(typ=None),
    "typ upper": head(typ="PASSPORT"),
    "alg parameter": behind(f";info=<{URL}>;alg=none;ppt=shaken"),
}
BAD_SIGNATURE: dict[str, bytes] = {
    "r zero": pair(0, 1),
    "s zero": pair(1, 0),
    "both zero": pair(0, 0),
    "r is n": pair(ORDER, 1),
    "s is n": pair(1, ORDER),
    "above n": pair((1 << 256) - 1, (1 << 256) - 1),
    "of another token": (
        token(claims={**CLAIMS, "iat": NOW - 1}).rpartition(".")[0]
        + "."
        + SIGNATURE
        + f";info=<{URL}>;ppt=shaken"
    ).encode(),
}
STALE = {
    f"iat {ahead:+}": claims(iat=NOW + ahead)
    for ahead in (-86_400, -3_600, -61, 61, 3_600, 86_400, -NOW + 1)
}
IGNORED = {
    "ppt unknown": head(behind=f";info=<{URL}>;ppt=magic", ppt="magic"),
    "ppt msec": head(behind=f";info=<{URL}>;ppt=msec", ppt="msec"),
}
EVERY = [
    *(("malformed", 438, NOT_VALIDATED, name, each) for name, each in MALFORMED.items()),
    *(("info", 436, NOT_VALIDATED, name, each) for name, each in BAD_INFO.items()),
    *(("credential", 437, NOT_VALIDATED, name, each) for name, each in BAD_CREDENTIAL.items()),
    *(("signature", 438, FAILED, name, each) for name, each in BAD_SIGNATURE.items()),
    *(("stale", 403, NOT_VALIDATED, name, each) for name, each in STALE.items()),
]


def test_the_measure_is_good() -> None:
    assert verdict_on(value()).state is State.VALID
    assert verdict_on(raw(TEXT.encode())).state is State.VALID
    assert verdict_on(located("https://cert.example.org:8443/a.pem")).state is State.VALID
    assert len(EVERY) + len(IGNORED) >= 60


@pytest.mark.parametrize(
    ("code", "verstat", "header"),
    [pytest.param(*each[1:3], each[4], id=f"{each[0]}: {each[3]}") for each in EVERY],
)
def test_a_hostile_header_is_invalid(code: int, verstat: str, header: bytes) -> None:
    found = verdict_on(header)
    assert (found.state, found.code, found.verstat) == (State.INVALID, code, verstat)
    assert len(found.failed) == 1
    beside = verdict_on(header, value())
    assert (beside.state, beside.code) == (State.VALID, 0)


@pytest.mark.parametrize("name", IGNORED)
def test_a_header_that_is_not_supported_is_none(name: str) -> None:
    assert verdict_on(IGNORED[name]).state is State.NONE


def test_more_values_than_allowed_are_refused_whole() -> None:
    found = verdict_on(*[value()] * 11)
    assert (found.state, found.code) == (State.INVALID, 438)
    assert verdict_on(b",".join([value()] * 11)).state is State.INVALID
    assert verdict_on(*[value()] * 10).state is State.VALID
