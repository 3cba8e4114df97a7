def wide() -> bool:
    """Whether the processor has the widest way."""

def found(data: bytes, start: int, how: str) -> tuple[int, list[int], list[int]] | None:
    """Position after the empty line or 0, the marks and the line feeds up to there, from start.

    None where a carriage return or a line feed stands alone before it. how: octets, narrow, wide.
    """
