"""Decides on calls.

Invariants:
1. The engine is the one that every edge runs; nothing is decided here.
2. Of a called number outside the caller's reach a verdict says only that it is not provisioned.
3. A token of one product asks that product alone.
4. A source that is no address is refused, not taken for an unknown one.
"""

from ipaddress import ip_address
from typing import Final

from ...fastpath.model import Verdict
from ...v1 import rules_pb2, screening_pb2
from ..access import Principal, Verb
from ..errors import InvalidInput, PermissionDenied
from ..limits import CALL_CHARS
from .context import Core

PRODUCTS: Final = {"": rules_pb2.PRODUCT_UNSPECIFIED, "pcs": rules_pb2.PCS, "cin": rules_pb2.CIN}
CONTINUE: Final = "continue"
NOT_PROVISIONED: Final = "not_provisioned"


def screen(core: Core, caller: Principal, call: screening_pb2.Call) -> screening_pb2.Verdict:
    """Raises InvalidInput, PermissionDenied."""
    product = _product(caller, call)
    _check(call)
    verdict = core.engine.screen(product, call.called, call.calling, call.anonymous, call.source_ip)
    if not caller.reaches((verdict.service_provider_name, verdict.subscriber_name)):
        return screening_pb2.Verdict(
            treatment=CONTINUE,
            reason=NOT_PROVISIONED,
            called_number=verdict.called_number,
            calling_number=verdict.calling_number,
            revision=verdict.revision,
        )
    return to_message(verdict)


def to_message(verdict: Verdict) -> screening_pb2.Verdict:
    message = screening_pb2.Verdict(
        treatment=verdict.treatment,
        reason=verdict.reason,
        product=PRODUCTS[verdict.product],
        service_provider_name=verdict.service_provider_name,
        subscriber_name=verdict.subscriber_name,
        called_number=verdict.called_number,
        calling_number=verdict.calling_number,
        revision=verdict.revision,
    )
    add = message.trace.add
    for rule, given, entry, scope, outcome, treatment in verdict.trace:
        add(rule=rule, input=given, entry=entry, scope=scope, outcome=outcome, treatment=treatment)
    return message


def _product(caller: Principal, call: screening_pb2.Call) -> int:
    """Which products decide, as the engine counts them."""
    if call.product not in PRODUCTS.values():
        raise _refused("product", "not_accepted", "must be PCS, CIN or unspecified")
    if not caller.product:
        return int(call.product)
    own = PRODUCTS[caller.product]
    if call.product not in (own, rules_pb2.PRODUCT_UNSPECIFIED):
        raise PermissionDenied
    if not caller.may(caller.product, "screening", Verb.READ):
        raise PermissionDenied
    return int(own)


def _check(call: screening_pb2.Call) -> None:
    for field in ("called", "calling", "source_ip"):
        if len(getattr(call, field)) > CALL_CHARS:
            raise _refused(field, "too_long", f"must have at most {CALL_CHARS} characters")
    if call.source_ip and not _is_address(call.source_ip):
        raise _refused("source_ip", "format", "must be an IPv4 or IPv6 address")


def _is_address(text: str) -> bool:
    """Without a zone: that of another machine says nothing here."""
    try:
        ip_address(text)
    except ValueError:
        return False
    return "%" not in text


def _refused(field: str, code: str, what: str) -> InvalidInput:
    message = f"Call(): Field '{field}' {what}."
    return InvalidInput(message, [(field, code, message)])


__all__ = ["screen", "to_message"]
