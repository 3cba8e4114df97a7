"""What a stranger says of how a caller was verified does not go on, and all else does."""

import re
from itertools import product
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath.forwarding_types import REFUSALS

from .test_forwarding import PLACES, SOURCE, URI, invite, pair

SPELLINGS = (
    ";verstat=TN-Validation-Passed",
    ";VerStat=TN-Validation-Passed",
    ";verstat",
    "; verstat = TN-Validation-Passed",
    ";verstat =x",
    ";\r\n verstat\r\n\t=\r\n x",
    ";%76erstat=TN-Validation-Passed",
    ";v%45%72stat=x",
    ";ver%73tat",
    "%3bverstat%3dTN-Validation-Passed",
    ";verstat%20=x",
    ';verstat="TN;Validation"',
    ';verstat="x"y',
    ";ver;verstat;verstat",
    ';ver;verstat="x"stat=y',
    ";;verstat verstat",
    ";;verstat=x%20verstat=y ",
    ";%3bverstat%3d%20verstat",
)
WHERE = (
    "<sip:+15551234567{}@a.example;user=phone>",
    "<sip:+15551234567@a.example{};user=phone>",
    "<tel:+15551234567{}>",
    "<tel:+15551234567>{};x=1",
    '"A, B" <tel:+15551234567{}>',
    "tel:+15551234567{}",
    "Bob <sip:a@b>, <sip:c{}@d>",
    '"x" <sip:a{0}@b>,, "y\\"z" <tel:+1{0}>',
)
KEPT = (
    "<tel:+1;verstatus=1>",
    "<tel:+1;verstat%75s=1>",
    "<tel:+1;x-verstat=1;averstat>",
    "<tel:+1;ver;stat=verstat>",
    '"a ;verstat=b" <tel:+1>',
    '"a\\";verstat=b" <tel:+1>',
    '<tel:+1>, "b ;verstat" <sip:c@d>;e',
    "<sip:verstat@verstat.example?x=y>",
)
FIELDS = ("From", "f", "P-Asserted-Identity", "p-preferred-identity \t")
PIECES = (
    *(";", "%3B", "verstat", "%76erstat", "VERSTAT", "=", "%3d", " ", "\t", "\r\n ", '"', "\\"),
    *("<", ">", "@", ",", "?", "x", "%", "%7", "sip:a@b", "<tel:+1", ">;", "%20", "stat", ";ver"),
)


def with_field(name: str, value: str) -> bytes:
    """An INVITE with one more field, or another From."""
    if name.strip().lower() in ("from", "f"):
        data = invite(PLACES[0], "", [])
        start = data.index(b"From:")
        end = data.index(b"\r\n", start)
        return data[:start] + f"{name}: {value}".encode() + data[end:]
    return invite(PLACES[0], "", [f"{name}: {value}"])


def value_of(sent: bytes, name: str) -> bytes:
    """The value of a field, with its folds."""
    found = re.search(rb"\r\n%s:((?:[^\r]|\r\n[ \t])*)" % name.encode(), sent)
    assert found is not None, sent
    return found[1].strip()


def is_claimed(value: bytes) -> bool:
    """Whether a reader who forgives everything but what stands in a display name sees a verstat."""
    value = re.sub(rb'(^|,)(\s*)"(?:[^"\\]|\\.)*"(?=\s*<)', rb"\1\2", value, flags=re.DOTALL)
    _, *parts = unquote_to_bytes(value).lower().split(b";")
    names = [re.match(rb"[\x00-\x20]*([0-9a-z.!%*_+`'~-]*)", part) for part in parts]
    return any(name is not None and name[1] == b"verstat" for name in names)


def is_sound(where: str, spelling: str) -> bool:
    """Whether a From with it is one address, and well-formed: another is not sent on at all."""
    if where == WHERE[3]:
        return not re.search(r'%3b|"x"|;;', spelling)
    wrong = r'[\s"]' if where == WHERE[0] else r'[\s"]|%3b'
    return where in WHERE[:5] and not re.search(wrong, spelling)


IN_FROM = [
    (name, where, spelling)
    for name, where, spelling in product(FIELDS[:2], WHERE, SPELLINGS)
    if is_sound(where, spelling)
]


@pytest.mark.parametrize(
    ("name", "where", "spelling"),
    [*IN_FROM, *product(FIELDS[2:], WHERE, SPELLINGS)],
)
def test_a_verstat_is_left_out_whatever_its_spelling(name: str, where: str, spelling: str) -> None:
    tag = ";tag=1" if name in FIELDS[:2] else ""
    value = where.format(spelling) + tag
    rest = ";ver" if spelling.startswith(";ver;") else ";" * spelling.startswith((";;", ";%3b"))
    rest += " " * spelling.endswith(" ")
    for each in pair():
        sent = each.forward(with_field(name, value), SOURCE, URI)
        found = value_of(sent, name)
        assert not is_claimed(found), found
        assert found == (where.format(rest) + tag).encode().strip(), found
        assert value.encode() in each.forward(with_field(name, value), SOURCE, URI, trusted=True)


@pytest.mark.parametrize("value", KEPT)
def test_what_is_no_verstat_stays(value: str) -> None:
    for each in pair():
        sent = each.forward(with_field("P-Asserted-Identity", value), SOURCE, URI)
        assert value_of(sent, "P-Asserted-Identity") == value.encode()


@pytest.mark.parametrize(
    "line", ["Attestation-Info: A", "ORIGINATION-ID\t: 1\r\n 2", "p-identity-bypass: 1"]
)
def test_a_field_that_says_nothing_else_is_left_out(line: str) -> None:
    data, bare = invite(PLACES[0], "", [line]), invite(PLACES[0], "", [])
    for each in pair():
        assert each.forward(data, SOURCE, URI) == each.forward(bare, SOURCE, URI)
        assert line.encode() in each.forward(data, SOURCE, URI, trusted=True)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=14), st.sampled_from(FIELDS[2:]))
def test_both_leave_out_the_same_and_no_claim_stays(pieces: list[str], name: str) -> None:
    value = "<tel:+1" + "".join(pieces)
    compiled, plain = pair()
    data = with_field(name, value)
    sent: Any = compiled.forward(data, SOURCE, URI)
    assert sent == plain.forward(data, SOURCE, URI)
    if sent is None or sent in REFUSALS:
        return
    found, before = value_of(sent, name), value_of(data, name)
    assert is_part(found, before), (found, before)
    if before.count(b'"') == 0:  # else what is a display name is a matter of taste
        assert not is_claimed(found), (found, before)


def is_part(found: bytes, whole: bytes) -> bool:
    """Whether nothing was added or put elsewhere."""
    octets = iter(whole)
    return all(octet in octets for octet in found)
