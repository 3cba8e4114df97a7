"""Verifies who calls, for whoever has a call but no SIP for us.

Invariants:
1. The roots are those of the provider's stir_shaken rule, the limits those of the platform.
2. Our own clock says whether a token is fresh, whatever the caller says of the time.
"""

from typing import Final

from ...identity.model import Policy, Question, State, Verdict
from ...v1.identity_pb2 import VerifyCallRequest, VerifyCallResponse
from ...v1.screening_pb2 import Identity
from ..access import Principal, Verb
from ..errors import InvalidInput
from .context import Core
from .names import default_cc
from .sign_call import TYPE
from .signing_source import PRODUCT

TEXT_MOST: Final = 1_024  # characters of an address or another text
VALUE_MOST: Final = 8_192  # of an Identity value
VALUES_MOST: Final = 10


async def verify(core: Core, caller: Principal, request: VerifyCallRequest) -> VerifyCallResponse:
    """Raises InvalidInput, PermissionDenied."""
    provider = request.service_provider_name or caller.provider
    caller.require(PRODUCT, TYPE, (provider,) if provider else (), Verb.READ)
    check(request)
    settings = core.engine.stir_settings()
    with core.store.read() as reader:
        cc = default_cc(reader, PRODUCT)
    question = Question(
        identities=[each.encode() for each in request.identity],
        orig=request.orig,
        dest=request.dest,
        target=request.target or request.dest,
        date=request.date,
        call_id=request.call_id.encode(),
        from_tag=request.from_tag.encode(),
        default_cc=cc,
        tenant=provider.encode(),
    )
    trust = core.engine.trust_of(provider)
    budget = settings.fetch_budget / 1000
    verdict = await core.identities.verify(question, trust, Policy.of(settings), budget)
    return VerifyCallResponse(identity=to_message(verdict), reason=verdict.reason)


def to_message(verdict: Verdict) -> Identity:
    found = Identity(
        state=State(verdict.state).name.lower(),
        verstat=verdict.verstat,
        code=verdict.code,
        attest=verdict.attest,
        origid=verdict.origid,
        spc=verdict.spc,
        signer=verdict.signer,
        iat=verdict.iat,
        x5u_host=verdict.x5u.removeprefix("https://").partition("/")[0],
        replayed=verdict.replayed,
    )
    for check in verdict.checks:
        found.checks.add(name=check.name, passed=check.passed, detail=check.detail)
    return found


def check(request: VerifyCallRequest) -> None:
    """Raises InvalidInput."""
    if len(request.identity) > VALUES_MOST:
        raise refused("identity", "too_many", f"must have at most {VALUES_MOST} values")
    if any(len(each) > VALUE_MOST for each in request.identity):
        raise refused("identity", "too_long", f"must have at most {VALUE_MOST} characters each")
    for name in ("service_provider_name", "orig", "dest", "target", "date", "call_id", "from_tag"):
        if len(getattr(request, name)) > TEXT_MOST:
            raise refused(name, "too_long", f"must have at most {TEXT_MOST} characters")
    for name in ("orig", "dest"):
        if not getattr(request, name):
            raise refused(name, "required", "is required, but missing")


def refused(field: str, code: str, what: str) -> InvalidInput:
    message = f"VerifyCallRequest(): Field '{field}' {what}."
    return InvalidInput(message, [(field, code, message)])


__all__ = ["verify"]
