"""What is shown of an `rcd`, by the digests of `rcdi` (RFC 9795 section 6)."""

import hashlib
from base64 import b64encode, urlsafe_b64encode
from typing import Any

import pytest

from callscreen.identity.displaying import shown

CARD: dict[str, Any] = {
    "nam": "Q Branch Spy Gadgets",
    "apn": "12155550199",
    "icn": "https://example.com/q.png",
    "jcd": [
        "vcard",
        [
            ["version", {}, "text", "4.0"],
            ["fn", {}, "text", "Q Branch"],
            ["logo", {}, "uri", "https://example.com/q.png"],
        ],
    ],
}
ELSE = "sha256-" + "A" * 43


def digest(octets: str, method: str = "sha256") -> str:
    made = hashlib.new(method, octets.encode()).digest()
    return f"{method}-{b64encode(made).decode()}"


JCD = (
    '["vcard",[["version",{},"text","4.0"],["fn",{},"text","Q Branch"],'
    '["logo",{},"uri","https://example.com/q.png"]]]'
)


def of(digests: dict[str, str] | None) -> set[str]:
    claims = {"rcd": CARD, "crn": "a call back"} | ({"rcdi": digests} if digests else {})
    found = shown(claims)
    assert found.pop("crn") == "a call back"
    assert all(found[each] == CARD[each] for each in found)
    return set(found)


def test_what_a_token_holds_is_shown_and_what_stands_elsewhere_is_not() -> None:
    assert of(None) == {"nam", "apn", "jcd"}
    assert shown({"rcd": {"nam": "a", "jcl": "https://example.com/a.json"}}) == {"nam": "a"}
    assert shown({"crn": "x"}) == {"crn": "x"}
    assert shown({}) == {}


def test_the_digest_of_a_text_is_that_of_its_json() -> None:
    """As in the example of RFC 9795, which has this one."""
    assert of({"/nam": "sha256-sM275lTgzCte+LHOKHtU4SxG8shlOo6OS4ot8IJQImY="}) == {
        *("nam", "apn", "jcd"),
    }
    assert of({"/nam": digest("Q Branch Spy Gadgets")}) == set()


@pytest.mark.parametrize("method", ["sha256", "sha384", "sha512"])
def test_digests_that_fit(method: str) -> None:
    whole = {"/nam": '"Q Branch Spy Gadgets"', "/apn": '"12155550199"', "/jcd": JCD}
    parts = {"/jcd/0": '"vcard"', "/jcd/1/1/3": '"Q Branch"', "/jcd/1/1/1": "{}"}
    for each in (whole, parts, whole | parts):
        made = {pointer: digest(text, method) for pointer, text in each.items()}
        assert of(made) == {"nam", "apn", "jcd"}
        assert of({name: value.rstrip("=") for name, value in made.items()}) == of(made)
        for pointer in made:
            assert of(made | {pointer: ELSE}) == set()
    other = urlsafe_b64encode(hashlib.new(method, b'"vcard"').digest()).decode()
    assert of({"/jcd/0": f"{method}-{other}"}) == {"nam", "apn", "jcd"}


@pytest.mark.parametrize("pointer", ["/icn", "/jcl", "/jcl/1/2/3"])
def test_what_would_have_to_be_fetched_is_not_looked_at(pointer: str) -> None:
    assert of({pointer: ELSE}) == {"nam", "apn", "jcd"}


def test_a_card_with_contents_elsewhere_that_are_vouched_for_is_not_shown() -> None:
    """Nobody has compared them."""
    assert of({"/jcd/1/2/3": ELSE}) == {"nam", "apn"}
    assert of({"/jcd/1/2/3": ELSE, "/jcd/1/1/3": ELSE}) == set()


@pytest.mark.parametrize(
    "pointer",
    [
        *("/", "/other", "/nam/0", "/jcd/2", "/jcd/01", "/jcd/-", "/jcd/-1", "/jcd/1/1/1/x"),
        *("/jcd/0/0", "/jcd/9999999999", "/jcd/\u0661", "/na~0m", "/jcd~10"),
    ],
)
def test_a_digest_of_nothing_that_is_there(pointer: str) -> None:
    assert of({pointer: digest('"vcard"')}) == set()


def test_other_methods_and_values_without_a_form_fit_nothing() -> None:
    assert of({"/nam": "md5-" + "A" * 22}) == set()
    card = {"nam": "a", "jcd": ["vcard", [1.5]]}
    assert shown({"rcd": card, "rcdi": {"/jcd": ELSE}}) == {}
