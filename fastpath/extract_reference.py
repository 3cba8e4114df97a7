"""Called and calling numbers in plain Python: what extract*.pyx mean.

1. Sources are tried in order; the first that yields a number wins, and each that did not says why.
2. A number is E.164 with its plus sign, at most 15 digits, or a short code as dialled.
3. A short code (911, 112) never gains a country code, whatever the configuration says.
4. What cannot be read is an entry in `tried`, never an exception: strangers write these headers.
5. Until it is E.164 a number is octets: positions and lengths count them.

Decided where the reference is silent:
- A step that changes the digits of a global number makes it a national one again, so that
  `extract_substring` and then `set_cc` work as meant; `default_cc` leaves a global number alone.
- From a Diversion header the topmost entry counts (RFC 5806: the latest diversion). From
  History-Info the entry before the last: the last is where the call goes now, the one before it is
  who sent it there (RFC 7044), the same party that a Diversion would name first.
- A user part that is not a telephone number falls back on the heuristic.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

from .extract_types import (
    FEW_DIGITS,
    LONG_USER,
    LONGEST,
    MANY_DIGITS,
    MAX_DIGITS,
    MAX_USER,
    NO_DIGITS,
    NO_NUMBER,
    NO_RANGE,
    NO_TELEPHONE,
    NO_URI,
    NO_USER,
    NOT_THERE,
    ODD_DIGITS,
    SHORT_CODE_DIGITS,
    Extracted,
    NumberPolicy,
    NumberSource,
    PostStep,
    Tried,
    not_found,
    number_source,
)
from .sip import parse_name_addr, parse_uri
from .sip_types import Request
from .uri import Uri

__all__ = [
    "Extracted",
    "NumberPolicy",
    "NumberSource",
    "NumberSources",
    "PostStep",
    "Tried",
    "contact_place",
    "extract",
    "is_anonymous",
    "number_source",
    "request_place",
    "request_user",
]

_SEPARATORS = b"-.() "
_GLOBAL = re.compile(rb"\+([0-9]+)")
_LOCAL = re.compile(rb"[0-9*#]+")
_DIGITS = re.compile(rb"[0-9]+")
_NOT_PRIVATE = frozenset((b"none", b"critical", b""))


class NumberSources(tuple[NumberSource, ...]):
    """Sources made ready once for many calls; here there is nothing to make ready."""

    __slots__ = ()


class _Number(NamedTuple):
    """The reference's number object; is_global says that the digits begin with a country code."""

    digits: bytes
    country_code: bytes | None = None
    context: bytes | None = None
    is_global: bool = False


def extract(message: Request, sources: Sequence[NumberSource], default_cc: str) -> Extracted:
    """The number of the first source that yields one; default_cc goes before a national number."""
    tried: list[Tried] = []
    for source in sources:
        error = NOT_THERE
        for uri in _uris(message, source.source):
            try:
                number = _number(uri, source.policy)
                for step in source.post:
                    number = _apply(number, step)
                found = _e164(number, _code(default_cc))
                return Extracted(found, source.source, None, tuple(tried))
            except ValueError as problem:
                error = str(problem)
        tried.append(Tried(source.source, error))
    return not_found(tuple(tried))


def is_anonymous(message: Request) -> bool:
    """The caller is withheld: From user `anonymous`, anonymous.invalid, or Privacy but `none`."""
    for value in message.all(b"privacy"):
        wanted = {part.strip().lower() for part in value.replace(b",", b";").split(b";")}
        if wanted - _NOT_PRIVATE:
            return True
    try:
        uri = parse_uri(message.from_.uri)
    except ValueError:
        return False
    return uri.subscriber.lower() == b"anonymous" or uri.host.lower() == b"anonymous.invalid"


def request_user(message: Request) -> str:
    """The user part of the Request-URI without escapes; empty where it is too long or none."""
    try:
        uri = parse_uri(message.uri)
    except ValueError:
        return ""
    return uri.user.decode("utf-8", "replace") if len(uri.raw_user) <= MAX_USER else ""


def request_place(message: Request) -> str:
    """host[:port] of the Request-URI; empty for a tel URI."""
    return _place(message.uri)


def contact_place(message: Request) -> str:
    """host[:port] of the first Contact; empty where that is no place to send a call to."""
    addresses = _addresses(message.contacts[:1])
    return _place(addresses[0]) if addresses else ""


def _place(text: bytes) -> str:
    try:
        uri = parse_uri(text)
    except ValueError:
        return ""
    name = uri.host.decode("ascii")
    return name if uri.port is None else f"{name}:{uri.port}"


def _uris(message: Request, source: str) -> list[bytes]:
    """The URIs a source names, in the order they are tried."""
    if source == "request_uri":
        return [message.uri]
    if source == "hdr.to":
        return [message.to.uri]
    if source == "hdr.from":
        return [message.from_.uri]
    if source == "hdr.diversion":
        return _addresses(message.all(b"diversion")[:1])
    if source == "hdr.p_asserted_identity":
        return _addresses(message.all(b"p-asserted-identity"))
    if source == "hdr.history_info":
        return _addresses(message.all(b"history-info")[-2:-1])
    return []


def _addresses(values: list[bytes]) -> list[bytes]:
    uris = []
    for value in values:
        try:
            uris.append(parse_name_addr(value).uri)
        except ValueError:
            uris.append(b"")  # tried, and found not to be a URI
    return uris


def _number(text: bytes, policy: NumberPolicy) -> _Number:
    """The number object of a URI under a policy. Raises ValueError."""
    try:
        uri = parse_uri(text)
    except ValueError:
        raise ValueError(NO_URI) from None
    if len(uri.raw_user.partition(b";")[0]) > MAX_USER:
        raise ValueError(LONG_USER)
    named = (uri.params.get(b"user") or b"").lower() == b"phone"
    if uri.scheme == "tel" or named or policy.attempt_implicit_user_phone:
        number = _telephone(uri, policy.user_phone_missing_context)
        if number is not None:
            return number
    if uri.scheme == "tel":
        raise ValueError(NO_TELEPHONE)
    user = uri.subscriber
    if not user:
        raise ValueError(NO_USER)
    if policy.heuristic_digits != LONGEST:
        return _Number(user)
    runs = list(_DIGITS.finditer(user))
    if not runs:
        raise ValueError(NO_DIGITS)
    longest = max(runs, key=lambda run: len(run[0]))  # the first of several
    return _Number(longest[0], is_global=user[: longest.start()].endswith(b"+"))


def _telephone(uri: Uri, missing_context: str | None) -> _Number | None:
    """The user part as RFC 3966 reads it: a global number, or a local one with its context."""
    text = uri.subscriber.translate(None, _SEPARATORS)
    found = _GLOBAL.fullmatch(text)
    if found is not None:
        return _Number(found[1], is_global=True)
    if not _LOCAL.fullmatch(text):
        return None
    context = uri.user_params.get(b"phone-context") or (missing_context or "").encode()
    return _Number(text, context=context)


def _apply(number: _Number, step: PostStep) -> _Number:
    """One post-processing step (reference: Settings, called_sources_config). Raises ValueError."""
    digits = number.digits
    if step.type == "strip_prefix":
        prefix = step.prefix.encode()
        if not prefix or not digits.startswith(prefix):
            return number
        return number._replace(digits=digits[len(prefix) :], is_global=False)
    if step.type == "extract_substring":
        if step.range is None:
            raise ValueError(NO_RANGE)
        part = digits[step.range[0] : step.range[1]]
        return number._replace(digits=part, is_global=number.is_global and part == digits)
    if step.type == "set_cc" or (
        step.type == "default_cc" and number.country_code is None and not _begins_with_cc(number)
    ):
        code = _code(step.country_code)
        return number._replace(country_code=code, context=None, is_global=False)
    if step.type == "require_digits":
        if digits and not _DIGITS.fullmatch(digits):
            raise ValueError(ODD_DIGITS)
        if len(digits) < step.min_length:
            raise ValueError(FEW_DIGITS.format(least=step.min_length))
    return number


def _code(text: str) -> bytes:
    return text.removeprefix("+").encode()


def _begins_with_cc(number: _Number) -> bool:
    return number.is_global or number.digits.startswith(b"+")


def _e164(number: _Number, default_cc: bytes) -> str:
    """The number as it is looked up: plus and digits, or a short code. Raises ValueError."""
    text = number.digits.translate(None, _SEPARATORS)
    is_global = number.country_code is None and _begins_with_cc(number)
    digits = text.removeprefix(b"+")
    if not _DIGITS.fullmatch(digits):
        raise ValueError(NO_NUMBER)
    if not is_global:
        if len(digits) <= SHORT_CODE_DIGITS:
            return digits.decode()
        digits = _country_code(number, default_cc) + digits
    if not _DIGITS.fullmatch(digits):
        raise ValueError(NO_NUMBER)
    if len(digits) > MAX_DIGITS:
        raise ValueError(MANY_DIGITS)
    return "+" + digits.decode()


def _country_code(number: _Number, default_cc: bytes) -> bytes:
    """What goes before a national number: its own code, a global context, or the default."""
    if number.country_code is not None:
        return number.country_code
    found = _GLOBAL.fullmatch((number.context or b"").translate(None, _SEPARATORS))
    return found[1] if found else default_cc
