"""What the number extraction and its plain twin share: limits, settings, results, flaws.

1. Every tuple here is immutable: sources compiled once may be read by every call.
2. The place of a flaw in `FLAWS` is its number in extract_number.pxd.
"""

from typing import Any, NamedTuple

MAX_DIGITS = 15  # digits of an E.164 number
SHORT_CODE_DIGITS = 3  # most digits of a code that is dialled as it stands
MAX_USER = 256  # octets of a user part before its parameters, as received
LONGEST = "longest-digit-substring"

# Why a source gave no number.
FLAWS = (
    "",
    "not there",
    "not a sip, sips or tel URI",
    "the user part is too long",
    "not a telephone number",
    "no user part",
    "no digits",
    "extract_substring: no range",
    "require_digits: not all are digits",
    "require_digits: fewer than {least} digits",
    "not a number",
    f"more than {MAX_DIGITS} digits",
)
(
    _,
    NOT_THERE,
    NO_URI,
    LONG_USER,
    NO_TELEPHONE,
    NO_USER,
    NO_DIGITS,
    NO_RANGE,
    ODD_DIGITS,
    FEW_DIGITS,
    NO_NUMBER,
    MANY_DIGITS,
) = FLAWS

SOURCES = (
    "request_uri",
    "hdr.to",
    "hdr.from",
    "hdr.diversion",
    "hdr.p_asserted_identity",
    "hdr.history_info",
)
STEPS = ("strip_prefix", "extract_substring", "set_cc", "default_cc", "require_digits")


class PostStep(NamedTuple):
    """A step on the number found; which other fields count depends on its type."""

    type: str  # one of STEPS
    prefix: str = ""
    range: tuple[int, int] | None = None  # first octet, and the one after the last
    country_code: str = ""
    min_length: int = 0  # digits


class NumberPolicy(NamedTuple):
    """How a URI is read as a number."""

    user_phone_missing_context: str | None = None
    attempt_implicit_user_phone: bool = False
    heuristic_digits: str = "as-is"


class NumberSource(NamedTuple):
    """One entry of called_sources_config or calling_sources_config."""

    source: str  # one of SOURCES
    policy: NumberPolicy = NumberPolicy()
    post: tuple[PostStep, ...] = ()


# Where numbers are looked for where nothing is configured: the documented defaults.
_THREE_DIGITS = (PostStep("require_digits", min_length=3),)
DEFAULT_CALLED = (NumberSource("hdr.to"), NumberSource("request_uri"))
DEFAULT_CALLING = (
    NumberSource("hdr.from", NumberPolicy(None, True), _THREE_DIGITS),
    NumberSource("hdr.p_asserted_identity", NumberPolicy(None, True, LONGEST), _THREE_DIGITS),
)


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


def not_found(tried: tuple[Tried, ...]) -> Extracted:
    """What is answered where no source yields a number."""
    why = "; ".join(f"{each.source}: {each.error}" for each in tried)
    return Extracted(None, "", why or "no source is configured", tried)
