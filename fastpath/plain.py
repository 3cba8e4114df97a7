"""The meaning of numbers, list entries, address prefixes and point codes, in plain Python.

The compiled modules numbers, lists, masks and prefixes answer as this one does.

Invariants:
1. A number is held as "+" and 1 to 15 digits. What cannot be brought to that is "", no number.
2. An entry is a number in which "x" stands for one digit and a trailing "*" for any rest, none
   included. What is no entry matches nothing.
"""

import ipaddress
from collections.abc import Iterable, Sequence
from typing import NamedTuple

__all__ = [
    "MAX_DIGITS",
    "Source",
    "country_code",
    "find",
    "first_match",
    "literals",
    "matches",
    "normalise",
    "normalise_entry",
    "parse_address",
    "parse_point_code",
    "parse_prefix",
]

MAX_DIGITS = 15  # E.164
DROPPED = " .-()"
DIGITS = frozenset("0123456789")

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Source(NamedTuple):
    """One mask of an origination source, and the position of what it stands for."""

    mask: str
    position: int


def _held(text: str, default_cc: str, marks: frozenset[str]) -> str:
    text = "".join(char for char in text if char not in DROPPED)
    code = "" if text.startswith("+") else default_cc
    digits = code + text.removeprefix("+")
    if text in ("", "+") or len(digits.rstrip("*")) > MAX_DIGITS:
        return ""
    return "+" + digits if set(code) <= DIGITS and set(digits) <= DIGITS | marks else ""


def normalise(text: str, default_cc: str) -> str:
    """The number as held; without "+" the country code is prepended. "" where it is none."""
    return _held(text, default_cc, frozenset())


def normalise_entry(text: str, default_cc: str = "") -> str:
    """The list entry as held, x in lower case; "" where it is none."""
    entry = _held(text.replace("X", "x"), default_cc, frozenset("x*"))
    return "" if "*" in entry[:-1] else entry


def literals(entry: str) -> int:
    """How many digits of an entry are given."""
    return sum(char in DIGITS for char in entry)


def matches(entry: str, number: str) -> bool:
    """Whether a held number is what a held entry stands for."""
    if entry.endswith("*"):
        entry = entry[:-1]
        number = number[: len(entry)]
    return len(entry) == len(number) and all(
        left == right or left == "x" for left, right in zip(entry, number, strict=True)
    )


def find(entries: Sequence[str], number: str) -> str:
    """The entry that a number matches: exact, then most literal digits, then order. "" for none."""
    if not number:
        return ""
    if number in entries:
        return number
    for entry in sorted(entries, key=literals, reverse=True):  # stable: entry order among equals
        if matches(entry, number):
            return entry
    return ""


def first_match(sources: Iterable[Source], number: str) -> Source | None:
    """The first source mask, in the order given, that a number matches."""
    for source in sources:
        if number and matches(source.mask, number):
            return source
    return None


def parse_address(text: str) -> Address | None:
    """An address; IPv4 within IPv6 is IPv4, a zone is dropped. None where it is none."""
    try:
        address = ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if address.version == 6 else None
    return mapped or address


def parse_prefix(text: str) -> Network | None:
    """An address or a block; host bits are dropped, IPv4 may be short of octets before a "/"."""
    base, slash, length = text.partition("/")
    if slash and ":" not in base:
        base += ".0" * (3 - base.count("."))
    if slash and not (length.isascii() and length.isdigit() and len(length) <= 3):
        return None
    try:
        network = ipaddress.ip_network(base + slash + length, strict=False)
    except ValueError:
        return None
    if network.version == 6 and network.prefixlen >= 96:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ipaddress.IPv4Network((mapped, network.prefixlen - 96))
    return network


def parse_point_code(text: str) -> int:
    """A signalling point code, decimal or as three decimals of 8 bits; -1 where it is none."""
    parts = text.split("-")
    if len(parts) not in (1, 3) or not all(part.isascii() and part.isdigit() for part in parts):
        return -1
    if len(text) > 11:
        return -1
    if len(parts) == 1:
        return int(text) if int(text) < 1 << 24 else -1
    values = [int(part) for part in parts]
    return -1 if max(values) > 255 else values[0] << 16 | values[1] << 8 | values[2]


def country_code(text: str) -> str:
    """A country code as held: 1 to 3 digits; "" where it is none."""
    text = text.removeprefix("+")
    return text if 1 <= len(text) <= 3 and set(text) <= DIGITS else ""
