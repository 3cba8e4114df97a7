"""Values that are more than text: each format brings a value into the one form in which it is held.

1. `f(f(value)) == f(value)`; a value that has no such form raises ValueError, whose text completes
   the sentence `Field 'x' ...`.
2. Only ASCII digits are digits. No value grows beyond the limits named here.
"""

from collections.abc import Callable, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from re import Pattern
from re import compile as _compile

from ..v1.rules_pb2 import Format
from ..v1.service_provider_pb2 import ServiceProvider
from ..v1.subscriber_pb2 import Subscriber
from .fields import shape_of

MAX_DIGITS = 15  # of an E.164 number
MAX_ADDRESS = 64  # characters of an address or a block, as written
MAPPED_BITS = 96  # of an IPv6 address that holds an IPv4 one (RFC 4291 2.5.5.2)
POINT_CODE_BITS = 24

HASHED_PIN = "hmac-sha256$"  # how a PIN begins once its keyed hash has taken its place

_DROPPED = str.maketrans("", "", " .-()")
_NUMBER = _compile(r"\+?[0-9]+")
_MASK = _compile(r"\+?[0-9xX]+")
_ENTRY = _compile(r"\+?[0-9xX]+\*?")
_COUNTRY_CODE = _compile(r"[1-9][0-9]{0,2}")
_ROLE = _compile(
    r"platform_owner|service_provider:(?P<own>[^:]+)"
    r"|subscriber:(?P<provider>[^:]+):(?P<subscriber>[^:]+)"
)
_SHORT_BLOCK = _compile(r"[0-9]{1,3}(\.[0-9]{1,3}){0,2}")
_PREFIX_LENGTH = _compile(r"[0-9]{1,3}")
_POINT_CODE = _compile(r"[0-9]{1,8}|[0-9]{1,3}-[0-9]{1,3}-[0-9]{1,3}")

CANONICAL: dict[int, Pattern[str]] = {
    # What is held already, by format: such a value needs no further look.
    Format.NUMBER: _compile(rf"\+[0-9]{{1,{MAX_DIGITS}}}"),
    Format.NUMBER_MASK: _compile(rf"\+[0-9x]{{1,{MAX_DIGITS}}}"),
    Format.LIST_ENTRY: _compile(rf"\+[0-9x]{{1,{MAX_DIGITS}}}\*?"),
    Format.COUNTRY_CODE: _COUNTRY_CODE,
}

_CANONICAL_LINES = {
    format_: _compile(rf"(?:{form.pattern}\n)*+") for format_, form in CANONICAL.items()
}


def all_held(format_: int, values: Sequence[str]) -> bool:
    """Whether all values are held in that form, each once: one quick look at a long list."""
    lines = _CANONICAL_LINES.get(format_)
    if lines is None or len(set(values)) != len(values):
        return False
    text = "\n".join(values) + "\n" if values else ""
    return bool(lines.fullmatch(text)) and text.count("\n") == len(values)


def _dial(value: str, default_cc: str, form: Pattern[str], what: str) -> str:
    text = value
    if not form.fullmatch(text):
        text = text.translate(_DROPPED)
        if not form.fullmatch(text):
            raise ValueError(what)
    if text[0] != "+":
        text = f"+{default_cc}{text}"
    if len(text) - 1 - text.endswith("*") > MAX_DIGITS:
        raise ValueError(f"must have at most {MAX_DIGITS} digits")
    return text.lower()


def number(value: str, default_cc: str) -> str:
    """E.164: `+` and digits; without `+` the default country code is prepended."""
    return _dial(value, default_cc, _NUMBER, "must be a telephone number")


def number_mask(value: str, default_cc: str) -> str:
    """A number where `x` stands for one digit."""
    return _dial(value, default_cc, _MASK, "must be a telephone number, x for any digit")


def list_entry(value: str, default_cc: str) -> str:
    """A number where `x` stands for one digit, and a trailing `*` for any rest."""
    what = "must be a telephone number, x for any digit and a trailing * for any rest"
    return _dial(value, default_cc, _ENTRY, what)


def address_prefix(value: str, _default_cc: str = "") -> str:
    """An address, or a block by its network address; a block may leave out zero bytes."""
    text = value.strip()
    address, slash, length = text.partition("/")
    if _SHORT_BLOCK.fullmatch(address) and slash:
        address += ".0" * (3 - address.count("."))
    if len(text) > MAX_ADDRESS or "%" in text or (slash and not _PREFIX_LENGTH.fullmatch(length)):
        raise ValueError("must be an IP address or a block in CIDR notation")
    try:
        block = ip_network(address + slash + length, strict=False)
    except ValueError:
        raise ValueError("must be an IP address or a block in CIDR notation") from None
    mapped = block.network_address.ipv4_mapped if isinstance(block, IPv6Network) else None
    if mapped is not None and block.prefixlen >= MAPPED_BITS:  # the same source, said otherwise
        block = IPv4Network((mapped, block.prefixlen - MAPPED_BITS))
    whole = block.prefixlen == block.max_prefixlen
    return str(block.network_address) if whole else str(block)


def role_id(value: str, _default_cc: str = "") -> str:
    """One of the three forms of a role."""
    parts = role_parts(value)
    if parts is None or not all(_is_name(part) for part in parts if part):
        raise ValueError(
            "must be platform_owner, service_provider:<service_provider_name> or "
            "subscriber:<service_provider_name>:<subscriber_name>"
        )
    return value


def username(value: str, _default_cc: str = "") -> str:
    """Folded to lower case; characters that no name may hold are left for the pattern to refuse."""
    return value.lower() if value.isascii() else value


def pin(value: str, _default_cc: str = "") -> str:
    """As it is: digits, or the hash that took their place."""
    return value


def country_code(value: str, _default_cc: str = "") -> str:
    """One to three digits; a `+` before them is dropped."""
    text = value.strip().removeprefix("+")
    if not _COUNTRY_CODE.fullmatch(text):
        raise ValueError("must be a country code of one to three digits")
    return text


def point_code(value: str, _default_cc: str = "") -> str:
    """A decimal, or three decimals joined by hyphens, without leading zeros."""
    text = value.strip()
    parts = [int(part) for part in text.split("-")] if _POINT_CODE.fullmatch(text) else []
    if not parts or max(parts) >= (1 << (8 if len(parts) == 3 else POINT_CODE_BITS)):
        raise ValueError("must be a point code: a decimal, or three joined by hyphens")
    return "-".join(map(str, parts))


NORMALISE: dict[int, Callable[[str, str], str]] = {
    Format.NUMBER: number,
    Format.LIST_ENTRY: list_entry,
    Format.NUMBER_MASK: number_mask,
    Format.ADDRESS_PREFIX: address_prefix,
    Format.ROLE_ID: role_id,
    Format.USERNAME: username,
    Format.PIN: pin,
    Format.COUNTRY_CODE: country_code,
    Format.POINT_CODE: point_code,
}


def role_parts(role: str) -> tuple[str, str] | None:
    """Provider and subscriber of a role id, empty where it names none; None where it is no role."""
    match = _ROLE.fullmatch(role)
    if match is None:
        return None
    return match["own"] or match["provider"] or "", match["subscriber"] or ""


def _is_name(text: str) -> bool:
    """Whether a service provider or a subscriber may have that name."""
    return all(
        len(text) <= rules.max_len and _compile(rules.pattern).fullmatch(text) for rules in _NAMES
    )


_NAMES = tuple(
    field.rules
    for holder in (ServiceProvider, Subscriber)
    for field in shape_of(holder).fields
    if field.name == "name"
)
