"""A verdict in plain words, for people."""

from datetime import UTC, datetime

from .model import State, Verdict

__all__ = ["explain"]

STATES = {
    State.UNASKED: "not asked",
    State.NONE: "no identity",
    State.VALID: "valid",
    State.INVALID: "invalid",
    State.UNKNOWN: "could not tell",
}
MARKS = {True: "passed", False: "FAILED", None: "not told"}
WORDS = {
    "form": "the token is well formed",
    "iat": "its time is near enough to now",
    "numbers": "it names the caller and the called",
    "certificate": "its certificate has a path to a root and was not revoked",
    "authority": "the certificate may sign for these numbers and claims",
    "signature": "the signature is the certificate's",
    "replay": "the token has not come with another call",
    "identity": "an Identity header",
}


def explain(verdict: Verdict) -> list[str]:
    """A line for the verdict, a line for each check, then what is known of the caller."""
    told = f" ({verdict.code} {verdict.reason})" if verdict.code else ""
    lines = [f"{STATES[verdict.state]}{told}, verstat {verdict.verstat}"]
    for check in verdict.checks:
        detail = check.detail or WORDS.get(check.name, "")
        lines.append(f"  {MARKS[check.passed]:8}  {check.name}: {detail}")
    facts = {
        "caller": verdict.orig,
        "called": ", ".join(verdict.dest),
        "attestation": verdict.attest,
        "origination id": verdict.origid,
        "signed at": moment_of(verdict.iat),
        "signer": verdict.signer,
        "provider codes": ", ".join(verdict.spc),
        "certificate": verdict.x5u,
        "name shown": str(verdict.display.get("nam", "")),
        "priority": ", ".join(verdict.priority),
    }
    lines += [f"  {name}: {fact}" for name, fact in facts.items() if fact]
    return lines


def moment_of(seconds: int) -> str:
    """A time in ISO 8601; one beyond the years that there are as its seconds."""
    if not seconds:
        return ""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return f"{seconds} seconds after 1970"
