"""Says in words why a call was decided so: a line a step, then the verdict.

Invariants:
1. The words come from the trace alone: what it does not hold is not told.
2. An outcome without a sentence of its own is shown as it stands.
"""

from typing import Final

from ...v1.screening_pb2 import Call, Step, Verdict
from ..access import Principal
from .context import Core
from .screen import screen

RULES: Final = {
    "called_number": "Called number",
    "emergency": "Emergency numbers",
    "protected": "Protected numbers",
    "service_selection": "Service selection",
    "service_enabled": "Subscriber's service",
    "anonymous": "Anonymous handling",
    "whitelist": "Whitelist",
    "blacklist": "Blacklist",
    "vip": "VIP list",
    "blocked": "Blocked list",
    "stir_shaken": "Signature check",
    "call_guardian": "Call Guardian",
    "captcha": "Audio CAPTCHA",
    "recorded_greeting": "Recorded greeting",
    "default_treatment": "Default treatment",
    "nomatch_treatment": "Callers on no list",
    "error_treatment": "Error treatment",
}
# Sentences of an outcome, by "<rule> <outcome>" or by the outcome alone.
OUTCOMES: Final = {
    "emergency match": "{input} is an emergency number and is never screened",
    "protected match": "{input} is protected{entry}{scope} and is never screened",
    "service_selection match": "the call belongs to {bare_entry}",
    "anonymous match": "the caller is anonymous",
    "nomatch_treatment no_match": "{input} is on no list",
    "stir_shaken valid": "the caller's signature is valid",
    "stir_shaken invalid": "the caller's signature is not valid",
    "stir_shaken unsigned": "the call is not signed",
    "stir_shaken unverified": "it could not be told whether the caller's signature is valid",
    "match": "{input} is listed{entry}{scope}",
    "no_match": "{input} is not listed",
    "not_available": "it cannot be asked yet and says nothing",
    "not_provisioned": "{input} is not provisioned",
    "disabled": "it is turned off",
    "overridden": "the subscriber has turned it off",
    "unsigned": "{input} is listed{entry}{scope}, but the call has no valid signature",
    "unverified": "{input} is listed{entry}{scope}, but the call's signature was not verified",
    "end_of_rules": "no rule decided",
    "no_called_number": "no called number was found",
    "no_calling_number": "no calling number was found",
}
SCOPES: Final = {
    "number": "the number's own list",
    "subscriber": "the subscriber's list",
    "service_provider": "the service provider's list",
    "platform": "the platform's list",
}
TREATMENTS: Final = {
    "continue": "the call goes on",
    "terminate": "the call is turned away",
    "terminate_solicitor": "the call is turned away as a solicitor's",
    "voicemail": "the call goes to voice mail",
    "screen": "the caller is asked who is calling",
    "next": "the next rule decides",
}


def explain(core: Core, caller: Principal, call: Call) -> tuple[Verdict, list[str]]:
    """The verdict and its lines. Raises InvalidInput, PermissionDenied."""
    verdict = screen(core, caller, call)
    return verdict, lines(verdict)


def lines(verdict: Verdict) -> list[str]:
    """The trace in words, and the verdict as the last line."""
    owner = "/".join(
        part for part in (verdict.service_provider_name, verdict.subscriber_name) if part
    )
    called = verdict.called_number or "an unknown number"
    calling = verdict.calling_number or "an unknown number"
    first = f"A call from {calling} to {called}" + (f", which is {owner}'s." if owner else ".")
    treatment = TREATMENTS.get(verdict.treatment, verdict.treatment)
    last = f"Verdict: {verdict.treatment}: {treatment} ({verdict.reason})."
    return [first, *(line(step) for step in verdict.trace), last]


def line(step: Step) -> str:
    """One step in words."""
    sentence = OUTCOMES.get(f"{step.rule} {step.outcome}") or OUTCOMES.get(step.outcome)
    words = step.outcome or "it decides"
    if sentence is not None:
        words = sentence.format(
            input=step.input or "the number",
            entry=f" as {step.entry}" if step.entry and step.entry != step.input else "",
            bare_entry=step.entry,
            scope=f" in {SCOPES.get(step.scope, step.scope)}" if step.scope else "",
        )
    follows = TREATMENTS.get(step.treatment, step.treatment)
    return f"{RULES.get(step.rule, step.rule)}: {words}" + (f"; {follows}." if follows else ".")


__all__ = ["explain", "line", "lines"]
