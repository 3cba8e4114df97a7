"""Plain shaken tokens in one pass: what is made of them and read, the general way says too."""

from typing import Any
from uuid import UUID

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from callscreen.identity import signing
from callscreen.identity.canonical import written
from callscreen.identity.claims import check_claims
from callscreen.identity.composing import NoSignature, composed
from callscreen.identity.header import known_around, read_identity, read_plain
from callscreen.identity.model import Fault, IdentityHeader, Question, SignRequest
from callscreen.identity.reading import read, read_any
from callscreen.identity.signing import base64url
from callscreen.identity.writing import identity_value, shaken_octets, uuid_of

from .tokens import CLAIMS, NOW, ORIGID, PROTECTED, URL, part, signer, value

PLAIN = value()
TOKEN, _, BEHIND = PLAIN.partition(b";")
FIRST, SECOND, LAST = TOKEN.split(b".")
TEXT = written(CLAIMS)
SIGNER = signer()
NUMBERS = st.one_of(
    st.from_regex(r"[0-9#*]{1,32}", fullmatch=True),
    st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True),
    st.text(max_size=40),
)
TIMES = st.one_of(st.integers(NOW - 61, NOW + 61), st.sampled_from([0, -1, 1 << 40, 1 << 80, NOW]))
UUIDS = st.one_of(st.uuids().map(str), st.uuids().map(lambda each: str(each).upper()), st.text())


@given(st.sampled_from(["A", "B", "C", "", "D", "AB", "Á"]), NUMBERS, NUMBERS, TIMES, UUIDS)
@example("A", "12155550131", "12155550121", NOW, ORIGID)
@example("A", "12155550131\n", "12155550121", NOW, ORIGID)
@example("A", "12155550131", "١٢٣٤٥٦٧٨", NOW, ORIGID)
@example("A", "\ud800", "12155550121", NOW, ORIGID)
@settings(max_examples=300)
def test_octets_that_are_signed(attest: str, dest: str, orig: str, iat: int, origid: str) -> None:
    assume(iat and origid)
    octets = shaken_octets(b"head.", attest, dest, iat, orig, origid)
    request = SignRequest("one", attest, orig, (dest,), origid, iat)
    try:
        claims = composed(request, iat if octets else NOW).claims
    except NoSignature:
        assert octets is None
    else:
        expected = None if "uri" in claims["dest"] else b"head." + base64url(written(claims))
        assert octets == expected


@pytest.mark.parametrize("seconds", [1, 9, 10, 999_999_999, 1_000_000_000, (1 << 40) - 1])
def test_times_of_any_length(seconds: int) -> None:
    octets = shaken_octets(b"", "A", CLAIMS["dest"]["tn"][0], seconds, "12155550121", ORIGID)
    assert octets == base64url(written({**CLAIMS, "iat": seconds}))


@pytest.mark.parametrize("iat", [True, 1.5, None, "1", 1 << 40, 0, -1])
def test_what_is_no_time(iat: Any) -> None:
    assert shaken_octets(b"", "A", "1", iat, "12155550121", ORIGID) is None


@given(st.binary(max_size=40), st.binary(max_size=70), st.binary(max_size=40))
def test_a_value_is_put_together(signed: bytes, signature: bytes, tail: bytes) -> None:
    assert identity_value(signed, signature, tail) == b"%b.%b%b" % (
        signed,
        base64url(signature),
        tail,
    )


@given(st.binary(min_size=16, max_size=16))
def test_random_octets_make_the_uuid_that_the_library_makes(octets: bytes) -> None:
    assert uuid_of(octets) == str(UUID(bytes=octets, version=4))
    with pytest.raises(ValueError, match="16 octets"):
        uuid_of(octets[1:])


@given(st.sampled_from("ABC"), st.uuids().map(str), st.integers(NOW - 60, NOW + 60))
@settings(max_examples=30)
def test_a_plain_request_is_signed_as_any_other(attest: str, origid: str, iat: int) -> None:
    """But for the signature, which is another each time."""
    request = SignRequest("one", attest, "12155550121", ("12155550131",), origid, iat)
    general = SIGNER._general(request, NOW)
    plain = SIGNER.sign_plain(attest, "12155550121", "12155550131", origid, iat, NOW)
    signed = SIGNER.sign(request, NOW)
    assert plain[1:] == general[1:] == (signed.origid, signed.iat) == (origid, iat)
    for made in (plain[0], signed.value.encode()):
        read, other = read_identity(made), read_identity(general[0])
        assert (read.signed, read.protected) == (other.signed, other.protected)
        assert made.partition(b";")[2] == general[0].partition(b";")[2]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        (("N", "12155550121", "12155550131", ORIGID, 0), "attestation N"),
        (("A", "12155550121", "alice", ORIGID, 0), "neither a number nor a URI"),
        (("A", "12155550121", "12155550131", "x", 0), "no UUID"),
        (("A", "12155550121", "12155550131", ORIGID, NOW - 61), "60 seconds off"),
        (("A", "12155550121", "12155550131", ORIGID, 1 << 2000), "60 seconds off"),
    ],
)
def test_what_is_not_plain_is_not_signed(more: Any, why: str) -> None:
    with pytest.raises(NoSignature, match=why):
        SIGNER.sign_plain(*more, NOW)


def test_an_expired_certificate_signs_no_plain_token() -> None:
    one = signer(until=NOW + 10.0)
    with pytest.raises(NoSignature, match="expired"):
        one.sign_plain("A", "12155550121", "12155550131", "", 0, NOW + 10.0)


def test_a_plain_request_takes_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*given: Any) -> None:
        raise AssertionError(given)

    monkeypatch.setattr(signing, "composed", refused)
    request = SignRequest("one", "A", "12155550121", ("12155550131",), ORIGID)
    assert SIGNER.sign(request, NOW).origid == ORIGID


# Reading


def general(octets: bytes) -> IdentityHeader | None:
    """What the general way reads; None where it finds a fault."""
    try:
        header = read_identity(octets)
        check_claims(header)
    except Fault:
        return None
    return header


def agree(octets: bytes) -> IdentityHeader | None:
    """What is read in one pass, which is what the general way reads, or nothing."""
    plain = read_plain(octets)
    if plain is not None:
        assert plain == general(octets)
    asked = Question([octets], "", "")
    one, other = read(asked), read_any([octets])
    assert one[:3] + one[5:] == other[:3] + other[5:]
    assert [(token, str(fault)) for token, fault in one.faults] == [
        (token, str(fault)) for token, fault in other.faults
    ]
    return plain


def built(text: bytes | str, first: bytes = FIRST, last: bytes = LAST) -> bytes:
    return b"%b.%b.%b;%b" % (first, part(text).encode(), last, BEHIND)


def test_a_plain_value_is_read_in_one_pass() -> None:
    found = agree(PLAIN)
    assert found is not None
    assert found.claims == CLAIMS
    assert list(found.claims) == list(CLAIMS)
    assert found.protected == PROTECTED


CLAIMS_OF = st.fixed_dictionaries(
    {
        "attest": st.sampled_from(["A", "B", "C", "a", "", "AB", 1, None]),
        "dest": st.one_of(
            st.fixed_dictionaries({"tn": st.lists(NUMBERS, max_size=34)}),
            st.just({"tn": "1"}),
            st.just({"uri": ["sip:a@b"]}),
            st.just({"tn": ["1"], "uri": ["sip:a@b"]}),
        ),
        "iat": st.one_of(st.integers(-2, 1 << 42), st.sampled_from([1.5, "1", None, True])),
        "orig": st.one_of(NUMBERS.map(lambda each: {"tn": each}), st.just({"uri": "sip:a@b"})),
        "origid": UUIDS,
    },
    optional={"rcd": st.just({"nam": "x"}), "x": st.text()},
)


@given(CLAIMS_OF)
@settings(max_examples=300)
def test_claims_of_any_kind_are_read_as_the_general_way_does(claims: dict[str, Any]) -> None:
    try:
        text = written(claims)
    except ValueError:
        assume(False)
    agree(built(text))


@given(
    st.integers(0, len(TEXT)), st.integers(0, 3), st.binary(max_size=3), st.integers(0, len(TEXT))
)
@settings(max_examples=500)
def test_claims_with_octets_changed(at: int, size: int, octets: bytes, other: int) -> None:
    agree(built(TEXT[:at] + octets + TEXT[at + size :]))
    agree(built(TEXT[:at] + TEXT[other:]))


@given(st.integers(0, len(PLAIN)), st.integers(0, 3), st.binary(max_size=3))
@settings(max_examples=500)
def test_a_value_with_octets_changed(at: int, size: int, octets: bytes) -> None:
    agree(PLAIN[:at] + octets + PLAIN[at + size :])


@pytest.mark.parametrize(
    "text",
    [
        TEXT.replace(b'"iat":1', b'"iat":01'),
        TEXT.replace(b'"iat":1700000000', b'"iat":0'),
        TEXT.replace(b'"iat":1700000000', b'"iat":1099511627776'),
        TEXT.replace(b'"iat":1700000000', b'"iat":18446744075409551616'),
        TEXT.replace(b'"iat":1700000000', b'"iat":1.7e9'),
        TEXT.replace(b'"iat":1700000000', b'"iat":-1700000000'),
        TEXT.replace(b'"A"', b'"\\u0041"'),
        TEXT.replace(b'"tn":["12155550131"]', b'"tn":[]'),
        TEXT.replace(b'"tn":["12155550131"]', b'"tn":["1",]'),
        TEXT.replace(b'"tn":["12155550131"]', b'"tn":["1" ,"2"]'),
        TEXT.replace(b'"tn":["12155550131"]', b'"tn":["12155550131"],"tn":["1"]'),
        TEXT.replace(b"12155550121", b"1215555012\xd9\xa1"),
        TEXT.replace(b"12155550121", b"1215\\u0035550121"),
        TEXT.replace(b"12155550121", b""),
        TEXT.replace(b"12155550121", b"1" * 33),
        TEXT[:-1] + b',"attest":"C"}',
        TEXT + b"\x00",
        TEXT[:-1],
        b" " + TEXT,
        b"",
        TEXT * 20,
    ],
)
def test_what_is_not_plain_is_left_to_the_general_way(text: bytes) -> None:
    assert agree(built(text)) is None


def test_as_many_numbers_called_as_a_dest_may_have() -> None:
    many = [str(10**31 + each) for each in range(32)]
    found = agree(built(written({**CLAIMS, "dest": {"tn": many}})))
    assert found is not None
    assert found.claims["dest"]["tn"] == many
    assert agree(built(written({**CLAIMS, "dest": {"tn": [*many, "1"]}}))) is None


@pytest.mark.parametrize(
    "octets",
    [
        b"%b.%b.%b" % (FIRST, SECOND, LAST),
        b"%b.%b=.%b;%b" % (FIRST, SECOND, LAST, BEHIND),
        b"%b.%b.%b=;%b" % (FIRST, SECOND, LAST, BEHIND),
        b"%b.%b.%b;%b" % (FIRST, SECOND, LAST[:-1], BEHIND),
        b"%b.%b.%b;%b" % (FIRST, SECOND, LAST[:-1] + b"B", BEHIND),
        b"%b.%b.%b;%b" % (FIRST, SECOND, b"+" + LAST[1:], BEHIND),
        b"%b.%b.%b;%b" % (b"", SECOND, LAST, BEHIND),
        b"%b.%b.%b;%b" % (FIRST, b"", LAST, BEHIND),
        b"%b..%b.%b;%b" % (FIRST, SECOND, LAST, BEHIND),
        b"%b.%b.%b.%b;%b" % (FIRST, FIRST, SECOND, LAST, BEHIND),
        b".." + LAST + b";",
        b"",
        PLAIN + b", x",
        PLAIN + b";info=<x>",
        PLAIN.replace(b"ppt=shaken", b"ppt=div"),
        PLAIN.replace(b"ES256", b"none"),
        PLAIN.replace(URL.encode(), URL.encode() + b"x"),
        PLAIN + b";a=" + b"x" * 2_000,
        PLAIN + b" " * 9_000,
    ],
)
def test_values_that_are_not_plain(octets: bytes) -> None:
    assert agree(octets) is None


@pytest.mark.parametrize(
    "protected",
    [
        {**PROTECTED, "ppt": "rcd"},
        {**PROTECTED, "alg": "none"},
        {**PROTECTED, "typ": "JWT"},
        {**PROTECTED, "crit": ["x"]},
        {**PROTECTED, "x5u": "http://cert.example.org/passport.cer"},
        {each: PROTECTED[each] for each in PROTECTED if each != "ppt"},
    ],
)
def test_headers_that_are_not_of_shaken(protected: dict[str, Any]) -> None:
    text = part(protected).encode()
    assert agree(built(TEXT, first=text)) is None
    behind = f"info=<{URL}>".encode()
    assert agree(b"%b.%b.%b;%b" % (text, SECOND, LAST, behind)) is None


def test_what_was_wrong_around_the_claims_is_not_remembered() -> None:
    known_around.cache_clear()
    for octets in (PLAIN.replace(b"ES256", b"none"), PLAIN.replace(b"info", b"inof")):
        assert agree(octets) is None
    assert known_around.cache_info().currsize == 0
    assert agree(PLAIN) is not None
    assert agree(value(claims={**CLAIMS, "attest": "B"})) is not None
    assert known_around.cache_info().currsize == 1
