"""Calls that are verified together, step by step, where they are straight.

Invariants
1. Each has the verdict that it would have alone, and its token's signature is verified once.
2. One signature is verified right after another: it fills the processor's caches with tables, and
   what stands between two of them would be fetched anew each time.
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from .chains import check_authority
from .checking import fresh_for
from .keeping import Certificates
from .model import Chain, Fault, Policy, Question, Verdict
from .reading import Reading, read
from .replay import Replays
from .signatures import verified_digest
from .straight import GOOD, UNNAMED, is_straight, valid_verdict
from .verification import Judge, Judged

__all__ = ["Ready", "Signed", "at_hand", "judge_ready", "readied", "refuse_ready", "signed"]


class Ready(NamedTuple):
    """A straight call whose token says nothing amiss: its signature is left."""

    question: Question
    reading: Reading
    chain: Chain


# A call, and the digest of what was signed, or what is wrong with its signature.
Signed = tuple[Ready, bytes | Fault]
ChainOf = Callable[[str], Chain | None]


def at_hand(held: Certificates, trust_name: str) -> ChainOf:
    """Gives the chain of a URL, for calls of one moment: each is looked up once. None where it must
    be fetched first. Raises Fault."""
    found: dict[str, Chain | None] = {}

    def chain_of(url: str) -> Chain | None:
        if url not in found:
            found[url] = None if held.lacks(url) else held.chain_of(url, trust_name)
        return found[url]

    return chain_of


def readied(
    question: Question, chain_of: ChainOf | None, policy: Policy, now: float
) -> Ready | None:
    """A call whose signature is to be verified next; None where it is another's to say more, or
    there is no `chain_of`: its trust must be fetched first."""
    reading = read(question)
    if chain_of is None or not is_straight(question, reading, policy, now):
        return None
    header = reading.callers[0]
    try:
        chain = chain_of(header.info)  # it is x5u
        if chain is None:
            return None
        check_authority(chain, header.claims, header.ppt)
    except Fault:
        return None
    return Ready(question, reading, chain)


def signed(calls: Iterable[Ready]) -> list[Signed]:
    """Each call, once its signature was verified."""
    found: list[Signed] = []
    for each in calls:
        header = each.reading.callers[0]
        try:
            found.append((each, verified_digest(each.chain.key, header.signed, header.signature)))
        except Fault as fault:
            found.append((each, fault))
    return found


def judge_ready(
    ready: Ready, digest: bytes, policy: Policy, now: float, replays: Replays
) -> Verdict:
    """The verdict on a call whose token's signature is its own, as `judge` has it."""
    question, reading, chain = ready
    header = reading.callers[0]
    if not question.call_id:
        return valid_verdict(header, chain, UNNAMED)
    call = question.call_id + b"\n" + question.from_tag
    left = fresh_for(header, policy, now)
    if not replays.again(digest, header.signature, call, now, left, question.tenant):
        return valid_verdict(header, chain, GOOD)
    return judge_of(ready, policy, now).valid([Judged(header, chain)], again=True)


def refuse_ready(ready: Ready, fault: Fault, policy: Policy, now: float) -> Verdict:
    """The verdict on a call whose token has a fault, as `judge` has it."""
    return judge_of(ready, policy, now).refused(ready.reading.callers[0], fault)


def judge_of(ready: Ready, policy: Policy, now: float) -> Judge:
    question, reading, chain = ready
    return Judge(question, reading, lambda _: chain, policy, now, None, None)
