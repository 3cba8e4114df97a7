"""What is done again and again, whatever fails.

Invariants
1. A part that fails keeps no other from its turn, and has its own again the next time.
2. A failure is told when it begins and when it is another, not every time.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping

__all__ = ["Refreshing", "words_of"]

log = logging.getLogger("callscreen.identity")

WORDS_MOST = 300  # characters of an error in the log


class Refreshing:
    """Parts by name, in their order."""

    def __init__(self, parts: Mapping[str, Callable[[], Awaitable[object]]]) -> None:
        self._parts = dict(parts)
        self._failed: dict[str, str] = {}  # part: of what

    def failing(self) -> Iterator[tuple[str, bool]]:
        """Each part, and whether its last turn failed."""
        return ((name, name in self._failed) for name in self._parts)

    async def turn(self) -> None:
        """Does each part once. Raises nothing but a cancellation, or the end of the process."""
        for name, part in self._parts.items():
            try:
                await part()
            except (asyncio.CancelledError, KeyboardInterrupt, SystemExit):
                raise
            except BaseException as error:  # a panic inside of `cryptography` is no Exception
                self._tell(name, error)
            else:
                if self._failed.pop(name, ""):
                    log.info("%s: refreshed again", name)

    def _tell(self, name: str, error: BaseException) -> None:
        words = words_of(error)
        if self._failed.get(name) == words:
            return
        self._failed[name] = words
        ours = not isinstance(error, OSError)  # then it matters where it was raised
        log.error("%s: not refreshed: %s", name, words, exc_info=error if ours else None)


def words_of(error: BaseException) -> str:
    """An error for the log; many of them have a name alone."""
    return (str(error) or type(error).__name__)[:WORDS_MOST]
