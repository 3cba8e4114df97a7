"""Messages that somebody looks at: taken from workers and streams, given to those who asked.

Invariants
1. With nobody asking nothing is copied anywhere.
2. Nobody is waited for: what a watcher or a ring has no room for is counted as lost.
3. All is done by the event loop, some time after the call was answered.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from ..fastpath.numbers import pack
from ..fastpath.respond_types import Responded
from ..fastpath.tapping_types import ALL, OFF, WATCHED, WATCHED_MOST, Tapped, read_tapped
from ..ops import Add, Family
from ..v1.records_pb2 import AppendRequest
from .entries import split_entries

__all__ = ["TAP_FAMILIES", "TAP_OCTETS", "Busy", "Taps"]

log = logging.getLogger("callscreen.edge")

TAP_OCTETS = 1024 * 1024  # of a worker's messages that wait to be taken, at most 16 KiB each
WAITING_MOST = 1_000  # messages that a watcher has not taken yet

TAP_FAMILIES = (
    Family(
        "callscreen_edge_watched_numbers",
        "gauge",
        "Numbers whose calls somebody looks at.",
    ),
    Family(
        "callscreen_edge_taps_lost_total",
        "counter",
        "Messages looked at that found no room on their way to who looks.",
    ),
)
Switch = Callable[[int, Sequence[int]], None]  # takes a mode, and the packed numbers it watches


class Busy(Exception):
    """As many numbers are watched as can be."""


class Taps:
    """Who looks, and what they are shown. `every` is given all messages, where there is one."""

    def __init__(self, every: Callable[[Tapped], None] | None = None) -> None:
        self._every = every
        self._watchers: list[tuple[int, asyncio.Queue[Tapped]]] = []
        self._switch: Switch | None = None
        self._full = 0

    @property
    def on(self) -> bool:
        """Whether anybody looks."""
        return self._every is not None or bool(self._watchers)

    @property
    def busy(self) -> bool:
        """Whether nobody else can watch a number."""
        return len(self._watchers) >= WATCHED_MOST

    def attach(self, switch: Switch) -> None:
        """From now on the workers copy what is asked for."""
        self._switch = switch
        self._tell()

    @contextmanager
    def watching(self, number: str) -> Iterator[asyncio.Queue[Tapped]]:
        """The calls from and to a number, "+" and digits, while the block runs; and all responses
        that are brought back.

        Raises ValueError where it is no number, Busy.
        """
        packed = pack(number)
        if not packed:
            raise ValueError(f"{number!r} is no number: + and up to 15 digits")
        if self.busy:
            raise Busy(f"{WATCHED_MOST} numbers are watched already")
        one = packed, asyncio.Queue[Tapped](WAITING_MOST)
        self._watchers.append(one)
        self._tell()
        try:
            yield one[1]
        finally:
            self._watchers = [each for each in self._watchers if each is not one]
            self._tell()

    def put(self, entries: bytes) -> None:
        """Takes what a worker copied."""
        for entry in split_entries(entries):
            self._give(read_tapped(entry))

    def stream(
        self, message: bytes, source: tuple[str, int], transport: str, now: int, done: Responded
    ) -> None:
        """Takes a message of a stream, and what became of it."""
        if done.dropped is not None:
            return
        numbers: tuple[int, ...] = ()
        if done.record and self._watchers:
            record = AppendRequest.FromString(done.record).records[0]
            numbers = pack(record.called_number), pack(record.calling_number)
        tapped = Tapped(
            now,
            source[0],
            source[1],
            message,
            done.answer or done.onward or b"",
            source[1] if done.send_to is None else done.send_to[1],
            done.status,
            done.record or b"",
            numbers,
            transport,
            call=done.record is not None,
            target="" if done.send_to is None else done.send_to[0],
        )
        self._give(tapped)

    def show(self, add: Add, lost: int) -> None:
        """Gives the metrics of the moment; `lost` are those that rings had no room for."""
        add("callscreen_edge_watched_numbers", len(self._watchers))
        add("callscreen_edge_taps_lost_total", lost + self._full)

    def _give(self, tapped: Tapped) -> None:
        if self._every is not None:
            self._every(tapped)
        if not tapped.call and not tapped.relayed:
            return
        for number, queue in self._watchers:
            if not tapped.relayed and number not in tapped.numbers:
                continue  # whose call a response belongs to, its watcher knows
            try:
                queue.put_nowait(tapped)
            except asyncio.QueueFull:
                self._full += 1

    def _tell(self) -> None:
        if self._switch is None:
            return
        mode = ALL if self._every is not None else WATCHED if self._watchers else OFF
        self._switch(mode, [number for number, _ in self._watchers])
