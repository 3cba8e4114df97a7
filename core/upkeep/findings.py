"""What a check tells."""

from typing import Final, NamedTuple

FINDINGS: Final = 100  # told of one kind; of the rest only the number


class Finding(NamedTuple):
    """Something that is not as it must be: of which kind, and what."""

    kind: str
    text: str


__all__ = ["FINDINGS", "Finding"]
