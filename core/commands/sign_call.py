"""Signs one call for a provider.

Invariants:
1. Whoever signs is an internal service, the platform, or of the provider whose source it is.
2. A signature is given out only once its row of the audit log is durable.
3. What is wrong with a key, its files or its token is for the operator: the log and the audit log
   have it, the answer has not.
4. A signature that was begun has its row though who asked is gone.
5. Attestation N, a missing certificate and a number outside E.164 are refusals, each with its
   reason, and are audited too.
"""

import asyncio
from ipaddress import ip_address
from typing import Final

from ...fastpath.model import Origination
from ...identity.claims import NAMES_MOST
from ...identity.composing import NoSignature, Unusable, origid_of
from ...identity.model import SignRequest
from ...identity.telephone import is_e164
from ...v1.identity_pb2 import SignCallRequest, SignCallResponse
from ...v1.screening_pb2 import Signature
from ..access import Principal, Verb
from ..audit.signatures import signature_row
from ..errors import Conflict, InvalidInput
from ..origin import current
from .context import Core
from .names import default_cc
from .signing_source import PRODUCT, Wanted, find_source, weaker

TYPE: Final = "signing"
TEXT_MOST: Final = 250  # characters of any text of a request
UNUSABLE: Final = "the certificate, or its key, cannot be used now"
NOT_WISHED: Final = "The origination source has attestation N: the call is not to be signed."


async def sign(core: Core, caller: Principal, request: SignCallRequest) -> SignCallResponse:
    """Raises InvalidInput, PermissionDenied, NotFound, TooMuch, Conflict (it is not signed, and
    why)."""
    provider = request.service_provider_name or caller.provider
    caller.require(PRODUCT, TYPE, (provider,) if provider else (), Verb.CREATE)
    check(request, provider)
    who = (True, caller.provider) if caller.provider else (False, caller.username)
    core.signings.let_in((who, provider), core.ticks())
    with core.store.read() as reader:
        wanted = Wanted(provider, request.source_name, request.source_ip, request.orig)
        how = find_source(reader, wanted, default_cc(reader, PRODUCT))
    how = weaker(how, request.attest)
    response, told = await core.signings.whole(recorded(core, caller, request, how))
    if not response.identity:
        raise Conflict(f"The call is not signed: {told}." if told else NOT_WISHED)
    return response


async def recorded(
    core: Core, caller: Principal, request: SignCallRequest, how: Origination
) -> tuple[SignCallResponse, str]:
    """As `signed`, once its row is durable."""
    response, told = await asyncio.to_thread(signed, core, request, how)
    origin, now = current(), core.clock()
    row = signature_row(response.signature, caller.username, caller.role_id, origin, now)
    await core.write(caller, lambda draft: draft.tell(PRODUCT, row))
    return response, told


def signed(core: Core, request: SignCallRequest, how: Origination) -> tuple[SignCallResponse, str]:
    """What became of it, and why it failed as the caller is told; not for the event loop, as keys
    may lie in a device."""
    signature = Signature(
        service_provider_name=how.service_provider_name,
        source_name=how.source_name,
        mask=how.mask,
        attest=how.attest,
        cert_name=how.cert_name,
        orig=request.orig,
        dest=request.dest,
    )
    if how.attest == "N":
        return SignCallResponse(signature=signature), ""
    asked = SignRequest(
        cert_name=how.cert_name,
        attest=how.attest,
        orig=request.orig,
        dest=list(request.dest),
        origid=request.origid or origid_of(how.orig_id, how.service_provider_name),
        iat=request.iat,
    )
    try:
        made = core.identities.sign(asked)
    except NoSignature as error:
        signature.failure = str(error)[:TEXT_MOST]
        told = UNUSABLE if isinstance(error, Unusable) else signature.failure
        return SignCallResponse(signature=signature), told
    signature.certificate = made.certificate
    signature.origid, signature.iat = made.origid, made.iat
    return SignCallResponse(identity=made.value, signature=signature), ""


def check(request: SignCallRequest, provider: str) -> None:
    """Raises InvalidInput."""
    if not provider:
        raise refused(
            "service_provider_name",
            "required",
            "is required: the platform itself has no certificate",
        )
    if not is_e164(request.orig):
        raise refused("orig", "format", "must be a number of E.164: digits without a plus")
    if not 1 <= len(request.dest) <= NAMES_MOST:
        raise refused("dest", "too_many", f"must have 1 to {NAMES_MOST} numbers")
    if not all(1 <= len(each) <= TEXT_MOST for each in request.dest):
        raise refused("dest", "length", f"must have numbers of 1 to {TEXT_MOST} characters")
    if request.iat < 0:
        raise refused("iat", "range", "must be seconds since 1970, or 0")
    if request.attest not in ("", "A", "B", "C"):
        raise refused("attest", "not_accepted", "must be A, B or C")
    for name in ("service_provider_name", "source_name", "origid"):
        if len(getattr(request, name)) > TEXT_MOST:
            raise refused(name, "too_long", f"must have at most {TEXT_MOST} characters")
    if request.source_ip and not is_address(request.source_ip):
        raise refused("source_ip", "format", "must be an IPv4 or IPv6 address")


def is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def refused(field: str, code: str, what: str) -> InvalidInput:
    message = f"SignCallRequest(): Field '{field}' {what}."
    return InvalidInput(message, [(field, code, message)])


__all__ = ["TYPE", "sign"]
