"""What a call costs: numbers, masks, lists, plans and SIP parsing. Pure computation, no I/O."""

__all__: list[str] = []
