"""The shape of claims, by `ppt`: what is missing or malformed is 438, whatever its signature."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.identity.claims import check_claims
from callscreen.identity.model import NOT_VALIDATED, Fault, IdentityHeader

from .tokens import CLAIMS, NOW, PROTECTED, URL

BASE = {name: CLAIMS[name] for name in ("dest", "iat", "orig")}
DIV = {**BASE, "div": {"tn": "12155550111"}}
RPH = {**BASE, "rph": {"auth": ["ets.0", "wps.0"]}}
CARD = {"nam": "Büro", "apn": "12155550199", "icn": "https://example.com/i.png"}
RCD = {**BASE, "rcd": CARD}
DIGEST = "sha256-" + "x" * 43
GOOD = {
    "": BASE,
    "shaken": CLAIMS,
    "div": DIV,
    "div-o": {**DIV, "opt": "a.b.c"},
    "rph": RPH,
    "rcd": RCD,
}
GONE = object()


def header(claims: dict[str, Any], ppt: str) -> IdentityHeader:
    return IdentityHeader(b"", b"", b"", {**PROTECTED, "ppt": ppt}, claims, URL, ppt)


def changed(ppt: str, **changes: Any) -> IdentityHeader:
    claims = {**GOOD[ppt], **changes}
    return header({name: each for name, each in claims.items() if each is not GONE}, ppt)


@pytest.mark.parametrize("ppt", GOOD)
def test_claims_as_they_are_to_be(ppt: str) -> None:
    check_claims(changed(ppt))
    check_claims(changed(ppt, mky=[{"alg": "sha-256", "dig": "AA"}], unknown=1))


@pytest.mark.parametrize(
    ("ppt", "changes"),
    [
        ("shaken", {"attest": "C"}),
        ("shaken", {"origid": "123E4567-E89B-12D3-A456-426655440000"}),
        ("shaken", {"orig": {"tn": "01256700600"}}),
        ("shaken", {"dest": {"uri": ["sip:alice@example.com"], "tn": ["911", "*67"]}}),
        ("shaken", {"dest": {"uri": ["urn:service:sos"]}}),
        ("shaken", {"rcd": CARD, "crn": "a call back"}),
        ("", {"orig": {"uri": "sip:bob@example.com"}}),
        ("div", {"div": {"uri": "sip:a@example.com", "hi": "1.1"}}),
        ("rph", {"rph": {"auth": ["esnet.0"]}, "sph": "psap-callback"}),
        ("rcd", {"rcd": {"nam": ""}}),
        ("rcd", {"rcd": GONE, "crn": "a call back"}),
        ("rcd", {"rcd": {"nam": "a", "jcd": ["vcard", []]}, "rcdi": {"/jcd/1~1": DIGEST}}),
        ("rcd", {"rcd": {"nam": "a", "jcl": "https://example.com/a.json"}}),
    ],
)
def test_other_claims_that_are_good(ppt: str, changes: dict[str, Any]) -> None:
    check_claims(changed(ppt, **changes))


OF_ALL = [
    *[("iat", each) for each in (GONE, None, str(NOW), NOW + 0.5, True, 0, -1, 1 << 40, [NOW])],
    ("orig", GONE),
    ("orig", "12155550121"),
    ("orig", {}),
    ("orig", {"tn": ["12155550121"]}),
    ("orig", {"tn": "+12155550121"}),
    ("orig", {"tn": "Bob"}),
    ("orig", {"tn": ""}),
    ("orig", {"tn": "1" * 33}),
    ("orig", {"tn": "12155550121\n"}),
    ("orig", {"tn": "١٢٣٤"}),
    ("orig", {"tn": "12155550121", "uri": "sip:a@b"}),
    ("orig", {"tn": "12155550121", "hi": "1"}),
    ("orig", {"uri": "no uri"}),
    ("orig", '{"tn":"12155550121"}'),
    ("dest", GONE),
    ("dest", {}),
    ("dest", ["12155550131"]),
    ("dest", {"tn": "12155550131"}),
    ("dest", {"tn": []}),
    ("dest", {"tn": ["1"] * 33}),
    ("dest", {"tn": ["12155550131", 1]}),
    ("dest", {"tn": ["Alice"]}),
    ("dest", {"tn": ["12155550131"], "uri": []}),
    ("dest", {"tn": ["12155550131"], "other": ["x"]}),
    ("dest", {"uri": ["sip:<a>@b"]}),
    ("dest", {"uri": ["sip:" + "a" * 600]}),
]
OF_ONE = [
    *[("shaken", "attest", each) for each in (GONE, "D", "Z", "", "a", "AB", None, ["A"])],
    *[
        ("shaken", "origid", each)
        for each in (GONE, "", "ref", 7, "123e4567e89b12d3a456426655440000")
    ],
    ("shaken", "origid", "{123e4567-e89b-12d3-a456-426655440000}"),
    ("shaken", "origid", "123e4567-e89b-12d3-a456-42665544000g"),
    ("shaken", "orig", {"uri": "sip:bob@example.com"}),
    ("div", "div", GONE),
    ("div", "div", "12155550111"),
    ("div", "div", {}),
    ("div", "div", {"hi": "1"}),
    ("div", "div", {"tn": ["12155550111"]}),
    ("div", "div", {"tn": "12155550111", "hi": 1}),
    ("div", "opt", "a.b.c"),
    ("div-o", "opt", GONE),
    ("div-o", "opt", ["a.b.c"]),
    ("div-o", "opt", "é.b.c"),
    ("div-o", "div", GONE),
    ("div-o", "div", {"tn": "12155550111", "hi": 1}),
    ("rph", "rph", GONE),
    ("rph", "rph", ["ets.0"]),
    ("rph", "rph", {}),
    ("rph", "rph", {"auth": "ets.0"}),
    ("rph", "rph", {"auth": []}),
    ("rph", "rph", {"auth": ["ets"]}),
    ("rph", "rph", {"auth": ["ets.0", 0]}),
    ("rph", "rph", {"auth": ["ets.0"] * 33}),
    ("rph", "rph", {"other": ["ets.0"]}),
    ("rph", "sph", "other"),
    ("rcd", "rcd", GONE),
    ("rcd", "rcd", "Alice"),
    ("rcd", "rcd", {}),
    ("rcd", "rcd", {"nam": 1}),
    ("rcd", "rcd", {"nam": "a" * 1025}),
    ("rcd", "rcd", {"nam": "a", "apn": 1}),
    ("rcd", "rcd", {"nam": "a", "icn": "http://example.com/i"}),
    ("rcd", "rcd", {"nam": "a", "jcl": 1}),
    ("rcd", "rcd", {"nam": "a", "jcd": {}}),
    ("rcd", "rcd", {"nam": "a", "jcd": [], "jcl": "https://example.com/a"}),
    ("rcd", "crn", 1),
    ("rcd", "rcdi", {}),
    ("rcd", "rcdi", {"nam": DIGEST}),
    ("rcd", "rcdi", {"/nam": "md5-" + "x" * 43}),
    ("rcd", "rcdi", {"/nam": 1}),
    ("shaken", "rcd", {}),
]
WRONG = [(ppt, name, wrong) for ppt in GOOD for name, wrong in OF_ALL] + OF_ONE


@pytest.mark.parametrize(("ppt", "name", "wrong"), WRONG)
def test_claims_that_are_missing_or_malformed(ppt: str, name: str, wrong: Any) -> None:
    with pytest.raises(Fault) as caught:
        check_claims(changed(ppt, **{name: wrong}))
    assert (caught.value.code, caught.value.verstat) == (438, NOT_VALIDATED)
    if name != "opt":
        assert caught.value.check == name


JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2)
    ),
    max_leaves=4,
)
NAMES = ["attest", "dest", "iat", "orig", "origid", "div", "rph", "sph", "rcd", "rcdi", "crn"]


@given(st.sampled_from(sorted(GOOD)), st.dictionaries(st.sampled_from(NAMES), JSON, max_size=3))
@settings(max_examples=200)
def test_nothing_but_a_fault_comes_of_any_json(ppt: str, changes: dict[str, Any]) -> None:
    try:
        check_claims(changed(ppt, **changes))
    except Fault as fault:
        assert fault.code == 438  # noqa: PT017 - one of the two happens
