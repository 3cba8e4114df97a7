from collections.abc import Sequence

class MaskSet:
    """Masks tried in the order given; what is no mask is passed over. Immutable."""

    def __init__(self, masks: Sequence[str]) -> None: ...
    def __len__(self) -> int: ...
    def find(self, number: str) -> tuple[str, int] | None:
        """The first mask that a number matches, and its position; None for none."""
