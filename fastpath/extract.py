"""Called and calling numbers of a request, by called_sources_config and calling_sources_config.

1. Sources are tried in order; the first that yields a number wins, and each that did not says why.
2. A number is E.164 with its plus sign, at most 15 digits, or a short code as dialled.
3. A short code (911, 112) never gains a country code, whatever the configuration says.
4. What cannot be read is an entry in `tried`, never an exception: strangers write these headers.

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
from typing import Any, NamedTuple

from .sip import parse_name_addr, parse_uri
from .sip_types import Request
from .uri import Uri

__all__ = [
    "Extracted",
    "NumberPolicy",
    "NumberSource",
    "PostStep",
    "Tried",
    "extract",
    "is_anonymous",
    "number_source",
]

MAX_DIGITS = 15  # digits of an E.164 number
SHORT_CODE_DIGITS = 3  # most digits of a code that is dialled as it stands
LONGEST = "longest-digit-substring"

_SEPARATORS = str.maketrans("", "", "-.() ")
_GLOBAL = re.compile(r"\+([0-9]+)")
_LOCAL = re.compile(r"[0-9*#]+")
_DIGITS = re.compile(r"[0-9]+")
_NOT_PRIVATE = frozenset((b"none", b"critical", b""))


class PostStep(NamedTuple):
    """A step on the number found; which other fields count depends on its type."""

    type: str  # strip_prefix, extract_substring, set_cc, default_cc, require_digits
    prefix: str = ""
    range: tuple[int, int] | None = None  # first position, and the one after the last
    country_code: str = ""
    min_length: int = 0  # digits


class NumberPolicy(NamedTuple):
    """How a URI is read as a number."""

    user_phone_missing_context: str | None = None
    attempt_implicit_user_phone: bool = False
    heuristic_digits: str = "as-is"


class NumberSource(NamedTuple):
    """One entry of called_sources_config or calling_sources_config."""

    source: str
    policy: NumberPolicy = NumberPolicy()
    post: tuple[PostStep, ...] = ()


class Tried(NamedTuple):
    """A source that gave no number, and why."""

    source: str
    error: str


class Extracted(NamedTuple):
    """The number, or None and the error; and the sources tried before."""

    number: str | None
    source: str
    error: str | None
    tried: tuple[Tried, ...]


class _Number(NamedTuple):
    """The reference's number object; is_global says that the digits begin with a country code."""

    digits: str
    country_code: str | None = None
    context: str | None = None
    prefix: str | None = None
    is_global: bool = False


def number_source(config: Any) -> NumberSource:
    """A NumberSource of a CalledSource or CallingSource message, or what has its attributes."""
    policy = config.policy
    steps = (
        PostStep(
            step.type,
            step.prefix,
            (step.range[0], step.range[1]) if len(step.range) == 2 else None,
            step.country_code,
            step.min_length,
        )
        for step in config.post
    )
    return NumberSource(
        config.source,
        NumberPolicy(
            policy.user_phone_missing_context or None,
            policy.attempt_implicit_user_phone,
            policy.heuristic_digits or "as-is",
        ),
        tuple(steps),
    )


def extract(message: Request, sources: Sequence[NumberSource], default_cc: str) -> Extracted:
    """The number of the first source that yields one; default_cc goes before a national number."""
    tried: list[Tried] = []
    for source in sources:
        error = "not there"
        for uri in _uris(message, source.source):
            try:
                number = _number(parse_uri(uri), source.policy)
                for step in source.post:
                    number = _apply(number, step)
                return Extracted(_e164(number, default_cc), source.source, None, tuple(tried))
            except ValueError as problem:
                error = str(problem)
        tried.append(Tried(source.source, error))
    why = "; ".join(f"{each.source}: {each.error}" for each in tried)
    return Extracted(None, "", why or "no source is configured", tuple(tried))


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
    return uri.user.lower() == b"anonymous" or uri.host.lower() == b"anonymous.invalid"


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


def _number(uri: Uri, policy: NumberPolicy) -> _Number:
    """The number object of a URI under a policy. Raises ValueError."""
    named = (uri.params.get(b"user") or b"").lower() == b"phone"
    if uri.scheme == "tel" or named or policy.attempt_implicit_user_phone:
        number = _telephone(uri, policy.user_phone_missing_context)
        if number is not None:
            return number
    if uri.scheme == "tel":
        raise ValueError("not a telephone number")
    user = _text(uri.subscriber)
    if not user:
        raise ValueError("no user part")
    if policy.heuristic_digits != LONGEST:
        return _Number(user)
    runs = list(_DIGITS.finditer(user))
    if not runs:
        raise ValueError("no digits")
    longest = max(runs, key=lambda run: len(run[0]))  # the first of several
    return _Number(longest[0], is_global=user[: longest.start()].endswith("+"))


def _telephone(uri: Uri, missing_context: str | None) -> _Number | None:
    """The user part as RFC 3966 reads it: a global number, or a local one with its context."""
    text = _text(uri.subscriber).translate(_SEPARATORS)
    found = _GLOBAL.fullmatch(text)
    if found is not None:
        return _Number(found[1], is_global=True)
    if not _LOCAL.fullmatch(text):
        return None
    context = uri.user_params.get(b"phone-context")
    return _Number(text, context=_text(context) if context else missing_context or None)


def _apply(number: _Number, step: PostStep) -> _Number:
    """One post-processing step (reference: Settings, called_sources_config). Raises ValueError."""
    digits = number.digits
    if step.type == "strip_prefix":
        if not step.prefix or not digits.startswith(step.prefix):
            return number
        rest = digits[len(step.prefix) :]
        return number._replace(digits=rest, prefix=step.prefix, is_global=False)
    if step.type == "extract_substring":
        if step.range is None:
            raise ValueError("extract_substring: no range")
        part = digits[step.range[0] : step.range[1]]
        return number._replace(digits=part, is_global=number.is_global and part == digits)
    if step.type == "set_cc" or (
        step.type == "default_cc" and number.country_code is None and not _begins_with_cc(number)
    ):
        code = step.country_code.removeprefix("+")
        return number._replace(country_code=code, context=None, is_global=False)
    if step.type == "require_digits":
        if digits and not _DIGITS.fullmatch(digits):
            raise ValueError("require_digits: not all are digits")
        if len(digits) < step.min_length:
            raise ValueError(f"require_digits: fewer than {step.min_length} digits")
    return number


def _begins_with_cc(number: _Number) -> bool:
    return number.is_global or number.digits.startswith("+")


def _e164(number: _Number, default_cc: str) -> str:
    """The number as it is looked up: plus and digits, or a short code. Raises ValueError."""
    text = number.digits.translate(_SEPARATORS)
    is_global = number.country_code is None and _begins_with_cc(number)
    digits = text.removeprefix("+")
    if not _DIGITS.fullmatch(digits):
        raise ValueError("not a number")
    if not is_global:
        if len(digits) <= SHORT_CODE_DIGITS:
            return digits
        digits = _country_code(number, default_cc) + digits
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"more than {MAX_DIGITS} digits")
    return "+" + digits


def _country_code(number: _Number, default_cc: str) -> str:
    """What goes before a national number: its own code, a global context, or the default."""
    if number.country_code is not None:
        return number.country_code
    found = _GLOBAL.fullmatch((number.context or "").translate(_SEPARATORS))
    return found[1] if found else default_cc.removeprefix("+")


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace")
