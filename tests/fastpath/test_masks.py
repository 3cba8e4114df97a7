"""Masks in the order they are to be tried, as for the source_numbers of an origination source."""

import random

from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath import plain
from callscreen.fastpath.index import Index, SourceNumbers
from callscreen.fastpath.masks import MaskSet
from callscreen.fastpath.reference import Index as PlainIndex

digits = st.text("012x", min_size=1, max_size=6)
masks = st.tuples(digits, st.sampled_from(["", "", "", "*"])).map(lambda p: "+" + "".join(p))
tried = st.text("012", min_size=1, max_size=7).map("+".__add__)


def first(texts: list[str], number: str) -> tuple[str, int] | None:
    found = plain.first_match([plain.Source(each, i) for i, each in enumerate(texts)], number)
    return tuple(found) if found else None


@given(st.lists(masks, max_size=60), st.lists(tried, min_size=1, max_size=10))
def test_the_first_mask_that_fits_counts(texts: list[str], numbers: list[str]) -> None:
    table = MaskSet(texts)
    for number in numbers:
        assert table.find(number) == first(texts, number)


def test_ten_thousand_masks_of_every_form_are_told_apart() -> None:
    world = random.Random(1)
    forms = ("+1{:03d}xxxxxxx", "+1585{:03d}xxxx", "+1x{:03d}xx5xxx", "+44{:03d}*", "+{:03d}x*")
    texts = [world.choice(forms).format(world.randrange(1000)) for _ in range(10_000)]
    table = MaskSet(texts)
    assert len(table) == 10_000
    for mask in world.sample(texts, 100):
        number = mask.replace("x", world.choice("0123456789")).replace("*", "77")
        assert table.find(number) == first(texts, number) != None  # noqa: E711


def test_no_number_and_no_masks_find_nothing() -> None:
    assert MaskSet([]).find("+1") is None
    assert MaskSet(["+x"]).find("") is None


def signed(index: Index | PlainIndex, calling: str) -> str | None:
    found = index.origination("10.0.0.1", calling)
    return found and f"{found.orig_id} {found.mask}".strip()


def test_source_numbers_are_tried_by_priority_then_in_order(index: Index | PlainIndex) -> None:
    groups = [
        SourceNumbers(["+1585xxxxxxx", "+1585555xxxx"], "late", "B", "c1", 2),
        SourceNumbers(["+1585555xxxx"], "early", "C", "c2", 1),
        SourceNumbers(["+1585555xxxx", "+1716xxxxxxx"], "same", "C", "c3", 1),
    ]
    index.put_source("acme", "trunk", ["10.0.0.0/8"], "own", "A", "c0", groups)
    assert signed(index, "+15855551234") == "early +1585555xxxx"
    assert signed(index, "+17165551234") == "same +1716xxxxxxx"
    assert signed(index, "585 444 1234") == "late +1585xxxxxxx"
    assert signed(index, "+13105551234") == "own"
    assert signed(index, "") == "own"


def test_the_source_with_the_longest_prefix_signs(index: Index | PlainIndex) -> None:
    index.put_source("acme", "wide", ["10.0.0.0/8", "2001:db8::/32"], "wide", "A", "c", [])
    index.put_source("acme", "close", ["10.0.0.1"], "close", "N", "c", [])
    assert signed(index, "+1") == "close"
    found = index.origination("2001:db8::9", "+1")
    assert found is not None
    assert (found.service_provider_name, found.source_name, found.attest) == ("acme", "wide", "A")
    assert index.origination("192.0.2.1", "+1") is None
    assert index.origination("", "+1") is None
    index.drop_source("acme", "close")
    assert signed(index, "+1") == "wide"
