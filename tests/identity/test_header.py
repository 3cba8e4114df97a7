"""The value of an Identity header field, as friends and others write it (RFC 8224 section 4.1)."""

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.header import (
    VALUE_MOST,
    read_identity,
    split_identities,
)
from callscreen.identity.model import NOT_VALIDATED, Fault
from callscreen.identity.urls import is_certificate_url

from .tokens import CLAIMS, PROTECTED, URL, part, token, value

GOOD = value()
TOKEN = GOOD.split(b";")[0]
FIRST, SECOND, LAST = TOKEN.split(b".")
BEHIND = f";info=<{URL}>".encode()


def fault_of(octets: bytes) -> tuple[str, int]:
    with pytest.raises(Fault) as caught:
        read_identity(octets)
    assert caught.value.verstat == NOT_VALIDATED
    assert not caught.value.unknown
    return caught.value.check, caught.value.code


def test_a_value_is_taken_apart_and_its_octets_are_kept() -> None:
    header = read_identity(GOOD)
    assert header.token == TOKEN
    assert header.signed == FIRST + b"." + SECOND
    assert part(header.signature).encode() == LAST
    assert (header.protected, header.claims) == (PROTECTED, CLAIMS)
    assert header.info == header.x5u == URL
    assert header.ppt == "shaken"


@pytest.mark.parametrize(
    "behind",
    [
        ";info=<{}>",
        ";info=<{}>;ppt=shaken",
        ';info=<{}>;alg=ES256;ppt="shaken"',
        ';ppt="sh\\aken";alg="ES256";info=<{}>',
        " ; info = <{}> ; alg = ES256 ; ppt = shaken  ",
        "\t;\tINFO\t=\t<{}>;Alg=ES256;PPT=shaken",
        ';info=<{}>;canon=abc;more;other="a;b,c\\"<>"',
    ],
)
def test_ways_to_write_the_parameters(behind: str) -> None:
    header = read_identity(b"  " + TOKEN + behind.format(URL).encode())
    assert (header.info, header.ppt, header.token) == (URL, "shaken", TOKEN)


def test_claims_that_are_not_canonical_are_kept_as_received() -> None:
    written = '{ "origid":"x", "mky":[{"dig":"AA", "alg":"sha-256"}], "iat":1 }'
    header = read_identity(value(claims=written))
    assert header.claims == {"origid": "x", "mky": [{"dig": "AA", "alg": "sha-256"}], "iat": 1}
    assert header.signed.split(b".")[1] == part(written).encode()


def test_a_token_without_ppt_is_read() -> None:
    protected = {name: each for name, each in PROTECTED.items() if name != "ppt"}
    assert read_identity(value(protected, behind=BEHIND.decode())).ppt == ""
    assert fault_of(value(protected)) == ("identity", 438)  # the parameter says shaken


@pytest.mark.parametrize("ppt", ["div-O", "foo", "Shaken", "x" * 200])
def test_an_unsupported_ppt_is_told_apart_wherever_it_stands(ppt: str) -> None:
    protected = {**PROTECTED, "ppt": ppt}
    assert fault_of(value(protected, behind=f";info=<{URL}>;ppt={ppt}")) == ("ppt", 428)
    assert fault_of(value(protected, behind=f";info=<{URL}>")) == ("ppt", 428)
    assert fault_of(f"..{LAST.decode()};info=<x>;ppt={ppt}".encode()) == ("ppt", 428)


@pytest.mark.parametrize(
    ("behind", "check", "code"),
    [
        ("", "info", 436),
        (";ppt=shaken", "info", 436),
        (";info=", "identity", 438),
        (";info", "info", 436),
        (f";info={URL}", "info", 436),
        (f';info="{URL}"', "info", 436),
        (f';info="<{URL}>"', "info", 436),
        (f";info=<{URL}>;info=<{URL}>", "info", 436),
        (f";info=<{URL}>;Info=<{URL}>", "info", 436),
        (f";info=<{URL}x>", "info", 436),
        (f";info=<{URL.upper()}>", "info", 436),
        (f";info=< {URL}>", "identity", 438),
        (f";info=<{URL}", "identity", 438),
        (f";info=<{URL}>;alg=none", "alg", 437),
        (f";info=<{URL}>;alg=HS256", "alg", 437),
        (f";info=<{URL}>;alg=es256", "alg", 437),
        (f";info=<{URL}>;alg=", "identity", 438),
        (f";info=<{URL}>;alg", "alg", 437),
        (f";info=<{URL}>;alg=ES256;alg=ES256", "identity", 438),
        (f";info=<{URL}>;ppt=div", "identity", 438),
        (f";info=<{URL}>;ppt=shaken;ppt=shaken", "identity", 438),
        (f";info=<{URL}>;", "identity", 438),
        (f";;info=<{URL}>", "identity", 438),
        (f",info=<{URL}>", "identity", 438),
        (f";info=<{URL}>\r\nVia: x", "identity", 438),
        (f";info=<{URL}>\x00", "identity", 438),
        (f';info=<{URL}>;a="b', "identity", 438),
        (f";info=<{URL}>é", "identity", 438),
    ],
)
def test_parameters_that_are_amiss(behind: str, check: str, code: int) -> None:
    assert fault_of(TOKEN + behind.encode()) == (check, code)


def without(name: str) -> dict[str, Any]:
    return {each: PROTECTED[each] for each in PROTECTED if each != name}


@pytest.mark.parametrize(
    ("protected", "check", "code"),
    [
        (without("alg"), "alg", 437),
        ({**PROTECTED, "alg": "none"}, "alg", 437),
        ({**PROTECTED, "alg": "HS256"}, "alg", 437),
        ({**PROTECTED, "alg": ["ES256"]}, "alg", 437),
        (without("typ"), "typ", 437),
        ({**PROTECTED, "typ": "JWT"}, "typ", 437),
        ({**PROTECTED, "typ": None}, "typ", 437),
        ({**PROTECTED, "ppt": ""}, "identity", 438),
        ({**PROTECTED, "ppt": None}, "identity", 438),
        ({**PROTECTED, "ppt": ["shaken"]}, "identity", 438),
        ({**PROTECTED, "crit": ["exp"], "exp": 1}, "identity", 438),
        (without("x5u"), "x5u", 436),
        ({**PROTECTED, "x5u": 1}, "x5u", 436),
        ({**PROTECTED, "x5u": "http://cert.example.org/passport.cer"}, "x5u", 436),
        ('{"alg":"ES256","alg":"ES256","ppt":"shaken","typ":"passport"}', "header", 438),
        ("[]", "header", 438),
        ("{", "header", 438),
        (b"\xff\xfe", "header", 438),
    ],
)
def test_header_parts_that_are_amiss(protected: Any, check: str, code: int) -> None:
    for _ in range(2):  # what is remembered of a header part does not change the answer
        assert fault_of(value(protected)) == (check, code)


def test_an_unknown_member_of_the_header_part_does_no_harm() -> None:
    assert read_identity(value({**PROTECTED, "kid": "1"})).protected["kid"] == "1"


@pytest.mark.parametrize(
    "claims",
    [
        '{"iat":1,"iat":1}',
        '{"orig":{"tn":"1"},"orig":{"tn":"2"}}',
        '{"iat":1.0}',
        '{"iat":1e9}',
        "[]",
        "x",
        b"\xff",
        '{"a":' + "[" * 20 + "]" * 20 + "}",
        "[" * 3000,
    ],
)
def test_claims_that_are_no_strict_json(claims: Any) -> None:
    assert fault_of(value(claims=claims)) == ("claims", 438)


def wrong_tokens() -> Iterator[tuple[bytes, str]]:
    yield b".." + LAST, "compact"
    yield FIRST + b".." + LAST, "compact"
    yield b"." + SECOND + b"." + LAST, "compact"
    yield FIRST + b"." + SECOND + b".", "signature"
    yield FIRST + b"." + SECOND, "identity"
    yield TOKEN + b"." + LAST, "identity"
    yield TOKEN + b"=", "signature"
    yield TOKEN[:-1] + b"=", "signature"
    yield TOKEN[:-1] + b"\n", "signature"
    yield TOKEN[:-1] + b"+", "signature"
    yield TOKEN[:8] + b"/" + TOKEN[9:], "header"
    yield b'"' + TOKEN + b'"', "header"
    yield TOKEN.replace(b".", b". ", 1), "claims"
    yield FIRST + b"==." + SECOND + b"." + LAST, "header"
    yield b"", "identity"
    yield TOKEN[:-1], "signature"
    yield TOKEN + b"A", "signature"
    yield TOKEN[:-4], "signature"
    yield FIRST + b"." + SECOND + b"." + b"A" * 95, "signature"  # DER, as some write it
    yield FIRST + b"." + SECOND + b"A." + LAST, "claims"
    yield FIRST + b"A." + SECOND + b"." + LAST, "header"


@pytest.mark.parametrize(("octets", "check"), list(wrong_tokens()))
def test_tokens_that_are_amiss(octets: bytes, check: str) -> None:
    assert fault_of(octets + BEHIND) == (check, 438)


def test_spare_bits_make_no_second_spelling_of_a_token() -> None:
    """Otherwise one token could come again as another."""
    alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = alphabet.index(LAST[-1:])
    for spare in range(1, 16):
        other = TOKEN[:-1] + alphabet[place + spare : place + spare + 1]
        assert fault_of(other + BEHIND) == ("signature", 438)


def test_size_is_bounded() -> None:
    room = VALUE_MOST - len(GOOD) - len(";a=")
    assert read_identity(GOOD + b";a=" + b"x" * room).ppt == "shaken"
    assert fault_of(GOOD + b";a=" + b"x" * (room + 1)) == ("identity", 438)


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://cert.example.org/passport.cer", True),
        ("https://cert.example.org:443/a", True),
        ("https://cert.example.org:8443/a/%7Eb,c;d=1", True),
        ("https://cert.example.org", True),
        ("https://192.0.2.1/a", True),  # whether it may be asked is another matter
        ("https://[2001:db8::1]:8443/a", True),
        ("HTTPS://cert.example.org/a", False),
        ("http://cert.example.org/a", False),
        ("https://cert.example.org:80/a", False),
        ("https://cert.example.org:08443/a", False),
        ("https://cert.example.org:/a", False),
        ("https://user@cert.example.org/a", False),
        ("https://user:word@cert.example.org/a", False),
        ("https://cert.example.org/a?b", False),
        ("https://cert.example.org/a#b", False),
        ("https://cert.example.org/a b", False),
        ("https://cert.example.org/a\n", False),
        ("https://cert.example.org/%2", False),
        ("https://cert.example.org/é", False),
        ("https://cert.example.org\\@evil.example/a", False),
        ("https:///a", False),
        ("https://", False),
        ("//cert.example.org/a", False),
        ("file:///etc/passwd", False),
        ("https://cert.example.org/" + "a" * 2023, True),
        ("https://cert.example.org/" + "a" * 2024, False),
        ("", False),
    ],
)
def test_urls_of_certificates(url: str, good: bool) -> None:
    assert is_certificate_url(url) is good


def test_values_are_told_apart_at_commas_outside_urls_and_quotes() -> None:
    other = b'a.b.c;info=<https://h/a,b>;x="1,\\",2"'
    given = [GOOD + b" , " + other, b"", b" ,", other]
    assert split_identities(given) == [GOOD, other, other]
    assert split_identities([]) == []
    unclosed = [b"a;b=<c,d", b'e;f="g,h\\']
    assert split_identities(unclosed) == unclosed


def test_no_more_than_ten_values() -> None:
    assert len(split_identities([GOOD] * 10)) == 10
    for values in ([GOOD] * 11, [b",".join([GOOD] * 11)]):
        with pytest.raises(Fault) as caught:
            split_identities(values)
        assert caught.value.code == 438


@given(st.binary(max_size=60), st.integers(0, len(GOOD)), st.integers(0, 4))
@settings(max_examples=300)
def test_nothing_but_a_fault_comes_of_a_value_that_was_meddled_with(
    octets: bytes, place: int, cut: int
) -> None:
    meddled = GOOD[:place] + octets + GOOD[place + cut :]
    for each in (meddled, octets):
        try:
            header = read_identity(each)
        except Fault as fault:
            assert fault.code in (428, 436, 437, 438)  # noqa: PT017 - one of the two happens
        else:
            assert header.info == header.x5u
            assert len(header.signature) == 64


def test_a_hostile_length_costs_its_length() -> None:
    """Each of these would take hours of a reader that tries all the ways to cut it."""
    for octets in (
        b"a;b=<" * 100_000,
        b'"\\' * 100_000,
        b"<" * 200_000,
        b'"a' * 100_001,
    ):
        assert split_identities([b"x," + octets]) == [b"x", octets]
    assert split_identities([b"," * 200_000]) == []
    for octets in (b";" * 8_000, b"; \t" * 2_600, b";a=" * 2_600, b";a=b" * 2_000, b" " * 8_000):
        with pytest.raises(Fault):
            read_identity(TOKEN + octets)


def test_a_token_of_the_test_is_what_it_says() -> None:
    assert token().encode().rpartition(b".")[0] == TOKEN.rpartition(b".")[0]
