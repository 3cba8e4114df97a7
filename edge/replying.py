"""What other threads than a worker's send, by the socket that the worker answers with.

Invariants
1. An answer leaves from the address that was asked; a call that is sent on, from the one that the
   system chooses.
2. Nobody is waited for: what cannot be sent at once is named and given up, as a worker does it.
3. Answers to a batch leave together, as a worker's do.
"""

import errno
import socket
from collections.abc import Sequence

from ..fastpath.handing import Replies
from ..fastpath.respond_types import Responded
from .sockets import IP_PKTINFO, can_segment

__all__ = ["Answer", "Replier"]

Answer = tuple[bytes, str, int, bytes]  # octets, host, port, packet information of what it answers

IN_PKTINFO, IN6_PKTINFO = 12, 20  # octets of packet information
IPV6_PKTINFO = 50
FLAGS = int(socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
ATTEMPTS = 3  # an ICMP error of an earlier answer is told to the next one, once
FULL = {errno.EAGAIN, errno.EWOULDBLOCK, errno.ENOBUFS, errno.ENOMEM}
OF_OTHERS = {errno.ECONNREFUSED, errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EINTR}


class Replier:
    """Sends from a worker's socket, which may be closed meanwhile."""

    def __init__(self, sock: socket.socket, segmenting: bool = False) -> None:
        """`segmenting`: the kernel may take apart answers that were sent together."""
        self._socket = sock.dup()
        self._v6 = sock.family == socket.AF_INET6
        self._segmenting = segmenting and can_segment(sock)

    def __call__(self, done: Responded, own: bytes) -> str:
        """Sends an answer, with packet information `own` of what it answers; or a call on.

        What was amiss, in the words of a worker's counters; empty for nothing.
        """
        octets, place = done.answer, done.destination
        if done.onward is not None:
            octets, place, own = done.onward, done.send_to, b""
        if octets is None or place is None:
            return ""
        host, port = place
        if self._v6 and ":" not in host:
            host = "::ffff:" + host
        told = []
        if len(own) == IN_PKTINFO:
            told = [(socket.IPPROTO_IP, IP_PKTINFO, own)]
        elif len(own) == IN6_PKTINFO:
            told = [(socket.IPPROTO_IPV6, IPV6_PKTINFO, own)]
        number: int | None = None
        for _ in range(ATTEMPTS):
            try:
                self._socket.sendmsg([octets], told, FLAGS, (host, port))
            except OSError as error:
                number = error.errno
                if number not in OF_OTHERS:
                    break
            else:
                return ""
        if number in FULL:
            return "send_buffer"
        return "unreachable" if number in OF_OTHERS else "unsendable"

    def send_all(self, replies: Replies, answers: Sequence[Answer]) -> None:
        """Sends answers together; what is amiss is counted by `replies`."""
        replies.send(self._socket.fileno(), self._v6, self._segmenting, answers)

    def close(self) -> None:
        self._socket.close()
