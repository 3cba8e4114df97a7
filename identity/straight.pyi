from .model import Chain, Check, IdentityHeader, Policy, Question, Verdict
from .reading import Reading

def is_straight(question: Question, reading: Reading, policy: Policy, now: float) -> bool:
    """Whether a call came with one plain token alone, fresh at `now`, whose `orig` and one `dest`
    are the caller and the called of the question, and no Date is asked for."""

def valid_verdict(header: IdentityHeader, chain: Chain, checks: tuple[Check, ...]) -> Verdict:
    """The verdict on a straight call whose token passed these checks, and is no replay."""
