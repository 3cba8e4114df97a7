from .extract import NumberSources
from .index import Index

def scans(data: bytes, times: int) -> int:
    """A datagram scanned that often; its fault, 0 where it is sound."""

def numbers(data: bytes, sources: NumberSources, times: int) -> str:
    """The number that the sources of a datagram yield; ValueError without one."""

def packed(data: bytes, sources: NumberSources) -> tuple[str, int]:
    """The number that the sources yield and its packed form; nothing and 0 without one."""

def anonymity(data: bytes, times: int) -> bool:
    """Whether the caller is withheld."""

def tags(data: bytes, times: int) -> bytes:
    """The To tag of a datagram."""

def answers(data: bytes, status: int, times: int) -> bytes:
    """The head and the end of an answer to a datagram."""

def whole(data: bytes, called: NumberSources, calling: NumberSources, times: int) -> bytes:
    """All but the decision: scanned, both numbers and anonymity, tagged, answered; the answer."""

def decisions(index: Index, called: str, calling: str, times: int) -> bool:
    """A decision on a call to a PCS number; whether that number is provisioned."""

def whole_at(address: int, size: int) -> int:
    """All of `whole` on octets at an address, with numbers from every source; the fault."""
