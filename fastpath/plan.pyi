from collections.abc import Sequence

from .model import PlanStep

RULE_WORDS: tuple[str, ...]
SCOPE_WORDS: tuple[str, ...]
OUTCOME_WORDS: tuple[str, ...]

def compiled(steps: Sequence[PlanStep]) -> list[tuple[str, int, str, str]]:
    """Rule, flags, match and no_match of a plan's steps as they will run; for tests.

    ValueError: an unknown rule or treatment, or more steps than there are rules.
    """
