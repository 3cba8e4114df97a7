from collections.abc import Callable
from typing import Any

from .model import Chain, Check, Fault, IdentityHeader, Policy, Question, Verdict
from .reading import Reading
from .replay import Replays

GOOD: tuple[Check, ...]  # what is checked of a token that passes
UNNAMED: tuple[Check, ...]  # where the call has no Call-ID: whether it is replayed is not told

def plain_header(
    value: bytes, around: Callable[[bytes, bytes], tuple[dict[str, Any], str, str]]
) -> IdentityHeader | None:
    """As header.read_plain. `around` reads the header part of a token and the parameters behind it:
    the header part's object, `info` and `ppt`; it may raise Fault."""

def is_straight(question: Question, reading: Reading, policy: Policy, now: float) -> bool:
    """Whether a call came with one plain token alone, fresh at `now`, whose `orig` and one `dest`
    are the caller and the called of the question, and no Date is asked for."""

def valid_verdict(header: IdentityHeader, chain: Chain, checks: tuple[Check, ...]) -> Verdict:
    """The verdict on a straight call whose token passed these checks, and is no replay."""

def looked_at(
    question: Question,
    reading: Reading,
    chain_of: Callable[[str], Chain],
    policy: Policy,
    now: float,
    replays: Replays | None,
) -> Verdict | Fault | Chain | None:
    """Looks at a straight call once: the verdict on a valid one; the Fault of its token; the chain
    of a token that is good, and came with another call. None: the call is not straight, and nothing
    was looked at."""
