"""Address prefixes: every prefix that holds an address, the longest first."""

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callscreen.fastpath import plain
from callscreen.fastpath.prefixes import PrefixTable

v4 = st.integers(0, 255).map(lambda low: str(ipaddress.IPv4Address(0x0A0000F0 + low)))
v6 = st.integers(0, 63).map(lambda low: str(ipaddress.IPv6Address((0xFD << 120) + low)))
edges = st.sampled_from(["0.0.0.0", "255.255.255.255", "::", "f" + "fff:f" * 7 + "fff"])
addresses = st.one_of(v4, v6, edges)
blocks = st.one_of(
    addresses,
    st.tuples(v4, st.integers(0, 32)).map(lambda parts: f"{parts[0]}/{parts[1]}"),
    st.tuples(v6, st.integers(0, 128)).map(lambda parts: f"{parts[0]}/{parts[1]}"),
)


def find(entries: list[tuple[str, int]], address: str) -> list[tuple[str, int]]:
    """Every prefix that holds an address, found one by one."""
    parsed = plain.parse_address(address)
    networks = [(plain.parse_prefix(text), value) for text, value in entries]
    holding = [(net, value) for net, value in networks if net and parsed and parsed in net]
    holding.sort(key=lambda each: -each[0].prefixlen)
    return [(str(net), value) for net, value in holding]


@given(st.lists(blocks, max_size=15), st.lists(addresses, min_size=1, max_size=10))
def test_the_longest_prefix_comes_first(texts: list[str], tried: list[str]) -> None:
    entries = [(text, value) for value, text in enumerate(texts)]
    table = PrefixTable(entries)
    for address in tried:
        assert table.find(address) == find(entries, address)


@given(st.text("0123456789abcdef:.%x/ ", max_size=50))
def test_both_twins_read_the_same_addresses(text: str) -> None:
    found = [value for _, value in PrefixTable([("0.0.0.0/0", 4), ("::/0", 6)]).find(text)]
    address = plain.parse_address(text)
    assert found == ([] if address is None else [address.version])


@pytest.mark.parametrize(
    ("text", "prefix"),
    [
        ("192.168.1/24", "192.168.1.0/24"),  # short of an octet, as in the reference's example
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.1.2.3", "10.1.2.3/32"),
        ("2001:db8::1/32", "2001:db8::/32"),
        ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
    ],
)
def test_a_block_is_read_in_the_forms_people_write(text: str, prefix: str) -> None:
    assert str(plain.parse_prefix(text)) == prefix


@pytest.mark.parametrize("text", ["", "/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/255.0.0.0", "a"])
def test_what_is_no_prefix_is_passed_over(text: str) -> None:
    assert plain.parse_prefix(text) is None
    assert len(PrefixTable([(text, 1)])) == 0


@pytest.mark.parametrize("text", ["", "1.2.3", "1.2.3.4\0", "::1\0", "1" * 100, "１.2.3.4"])
def test_what_is_no_address_is_held_by_nothing(text: str) -> None:
    assert PrefixTable([("0.0.0.0/0", 4), ("::/0", 6)]).find(text) == []


def test_ipv4_within_ipv6_is_ipv4() -> None:
    assert PrefixTable([("10.0.0.0/8", 1)]).find("::ffff:10.1.2.3") == [("10.0.0.0/8", 1)]


@pytest.mark.parametrize(
    ("text", "code"),
    [("0", 0), ("12", 12), ("1-2-3", 66051), ("256-0-0", -1), ("1-2", -1), ("", -1), ("x", -1)],
)
def test_a_point_code_is_a_decimal_or_three(text: str, code: int) -> None:
    assert plain.parse_point_code(text) == code
