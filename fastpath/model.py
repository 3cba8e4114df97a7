"""What goes into the screening index and what comes out: plain tuples, shared by both engines.

Invariants:
1. The words here are the documented ones; both engines know no others.
2. Every value is immutable, so a verdict may outlive the data that gave it.
3. `check` knows every word that makes an index refuse a change.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

BOTH, PCS, CIN = 0, 1, 2
PRODUCT_NAMES = ("", "pcs", "cin")

# The order of rules of one priority, and the bit of each in a subscriber's overrides.
RULES = ("stir_shaken", "whitelist", "blacklist", "call_guardian", "captcha", "recorded_greeting")
LIST_RULES = ("whitelist", "blacklist")
STIR_RULE = RULES[0]
TREATMENTS = ("next", "continue", "terminate", "terminate_solicitor", "voicemail", "screen")
EMERGENCY_NUMBERS = ("911", "112")
# What is known of a caller's identity, in the order of identity.model.State. UNASKED is decided as
# UNKNOWN is, and a verdict says that it awaits it.
UNASKED, NONE, VALID, INVALID, UNKNOWN = range(5)
UNSIGNED_ATTEST = "N"  # of calls that go on as they are

# One change of the index: the name of an Index method, and its arguments.
Operation = tuple[str, tuple[Any, ...]]
# Those of a product have it as their first argument.
OF_A_PRODUCT = frozenset(
    f"{verb}_{kind}"
    for verb in ("put", "drop")
    for kind in ("provider", "subscriber", "number", "settings")
) | {"put_number_sources"}
METHODS = (
    OF_A_PRODUCT
    | frozenset(
        f"{verb}_{kind}" for verb in ("put", "drop") for kind in ("plan", "criteria", "source")
    )
    | {"put_numbers", "put_stir_settings"}
)


class PlanStep(NamedTuple):
    """An enabled rule of a provider's plan. Five fields are for the list rules, the last two for
    stir_shaken."""

    rule: str
    priority: int
    override: bool = False  # the subscriber may turn it off
    personal: bool = False
    global_list: bool = False
    stir_shaken: bool = False  # it matches only with a valid signature
    match: str = "next"
    no_match: str = "next"
    invalid: str = "next"  # treatment of a signature that is not valid
    auth_address: str = ""  # where the roots are that it trusts; empty: all


class StirRule(NamedTuple):
    """Whom the stir_shaken rule of a provider trusts; the defaults where the rule is off."""

    auth_address: str = ""


class StirSettings(NamedTuple):
    """How callers' identities are verified: the platform's settings of PCS."""

    freshness: int = 60  # seconds
    fetch_budget: int = 300  # milliseconds
    require_date: bool = False
    require_identity: bool = False  # a call without a signature counts as one that is not valid
    replayed_invalid: bool = True
    malformed_failed: bool = False


class EngineSettings(NamedTuple):
    """How calls are carried on: the effective values of one product for one provider."""

    egress_route: str = ""
    reject_with_media: bool = False
    voicemail_service_location: str = ""
    sip_routing_prefix: str = ""
    use_contact: bool = True
    default_treatment: str = "continue"
    drop_anonymous_calls: bool = False
    redirect_destination: str = "12345"
    anonymous_treatment: str = "screen"
    nomatch_treatment: str = "screen"
    sip_connection_type: str = "redirect"
    trunk_id_in_forward_call: bool = False
    protected_numbers: tuple[str, ...] = ()
    default_cc: str = "1"
    network_blocked_contact: str = ""
    divert_cert_name: str = ""  # certificate that signs diversions, empty: they are not signed


class Step(NamedTuple):
    """What one rule saw and said; the fields are those of Step in screening.proto."""

    rule: str
    input: str
    entry: str
    scope: str
    outcome: str
    treatment: str


class Verdict(NamedTuple):
    """What becomes of a call, and why; see Verdict in screening.proto.

    `product`, `service_provider_name` and `subscriber_name` are those of the called number, empty
    where it is not provisioned. `voicemail` is the subscriber's own, None without one.
    """

    treatment: str
    reason: str
    product: str
    service_provider_name: str
    subscriber_name: str
    called_number: str
    calling_number: str
    voicemail: str | None
    settings: EngineSettings
    trace: tuple[Step, ...]
    revision: int
    rules_of: str = ""  # the provider whose rules of PCS hold, empty for nobody's
    awaits: bool = False  # the verdict on the caller was asked for, and is not known


class SourceNumbers(NamedTuple):
    """How the calls of some numbers of an origination source are signed."""

    masks: Sequence[str]
    orig_id: str
    attest: str
    cert_name: str
    priority: int  # lower is tried earlier


class Origination(NamedTuple):
    """How a call is signed. `mask` is the entry that the calling number matched, empty for none."""

    service_provider_name: str
    source_name: str
    orig_id: str
    attest: str
    cert_name: str
    mask: str


def check(method: str, arguments: Sequence[Any]) -> None:
    """Raises ValueError where an index would refuse an operation for what it says.

    A transaction is checked whole before the first change is made.
    """
    if method not in METHODS:
        raise ValueError(f"no change of an index: {method!r}")
    if method in OF_A_PRODUCT and arguments[0] not in (PCS, CIN):
        raise ValueError(f"a product is 1 (PCS) or 2 (CIN), not {arguments[0]!r}")
    if method == "put_plan":
        _check_plan(arguments[1], arguments[2])
    elif method == "put_subscriber":
        _known(RULES, *arguments[4])
    elif method == "put_settings":
        given = arguments[2]
        _known(
            TREATMENTS, given.default_treatment, given.anonymous_treatment, given.nomatch_treatment
        )


def _check_plan(steps: Sequence[PlanStep], error_treatment: str | None) -> None:
    _known(RULES, *(step.rule for step in steps))
    if len({step.rule for step in steps}) < len(steps):
        raise ValueError("a rule stands twice in a plan")
    for step in steps:
        _known(TREATMENTS, step.match, step.no_match, step.invalid)
    if error_treatment is not None:
        _known(TREATMENTS, error_treatment)


def _known(words: Sequence[str], *given: str) -> None:
    for word in given:
        if word not in words:
            raise ValueError(f"{word!r} is none of {', '.join(words)}")
