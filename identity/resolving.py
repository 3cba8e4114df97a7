"""Names are looked up by the system, which may hang: none of them keeps another from its turn.

Invariant: a name that hangs holds its place among RESOLVERS until the system gives it up, and its
domain has DOMAIN_RESOLVERS of them. Who finds no place is told so at once, and is not at fault; the
end of the process waits for none.
"""

import socket
import threading
from asyncio import wrap_future
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import Future

from .limits import domain_of

__all__ = ["DOMAIN_RESOLVERS", "RESOLVERS", "Names", "NoPlace"]

RESOLVERS = 64  # names that are looked up at once, each in a thread
DOMAIN_RESOLVERS = 8


class NoPlace(Exception):
    """Too many names are being looked up."""


class Names:
    """Looks names up, on any event loop."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._busy: Counter[str] = Counter()  # by domain

    async def look_up(self, host: str, port: int) -> Sequence[str]:
        """A name's addresses. Raises OSError, NoPlace."""
        domain = domain_of(host)
        with self._lock:
            if self._busy.total() >= RESOLVERS or self._busy[domain] >= DOMAIN_RESOLVERS:
                raise NoPlace
            self._busy[domain] += 1
        future: Future[list[str]] = Future()
        future.set_running_or_notify_cancel()
        work = threading.Thread(target=self._work, args=(host, port, domain, future), daemon=True)
        work.start()
        return await wrap_future(future)

    def _work(self, host: str, port: int, domain: str, future: "Future[list[str]]") -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as error:  # UnicodeError too: a label of more than 63 characters
            self._leave(domain)
            future.set_exception(error)
        else:
            self._leave(domain)
            future.set_result([str(each[4][0]) for each in found])

    def _leave(self, domain: str) -> None:
        with self._lock:
            self._busy[domain] -= 1
            if not self._busy[domain]:
                del self._busy[domain]
