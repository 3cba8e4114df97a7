from .respond import Responder

def responses(responder: Responder, data: bytes, times: int) -> tuple[int, int]:
    """An INVITE answered that often, each time anew; status and octets of its record."""
