from .asking_types import Asked, Claimed, Plain
from .respond import Responder
from .respond_types import Address, Responded

__all__ = ["Asked", "Asker", "Claimed", "Plain"]

class Asker(Responder):
    """A Responder that says what it has read of a call that awaits something."""

    def ask(
        self,
        data: bytes,
        source: Address,
        transport: str = "udp",
        now_ns: int = 0,
        via_trusted: bool = False,
        whole: bool = False,
    ) -> Plain | Claimed | Asked | Responded:
        """As `receive` without a Told; of a call that awaits something what it says. `whole`: all
        of it, where it is to be verified."""
