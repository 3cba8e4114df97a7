"""The end of a certificate that a part shows: told 30, 7 and 1 days before, and once it came.

Invariants
1. Each of these is told once; another certificate is told of anew.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

__all__ = ["CertificateEnd"]

ALARM_DAYS = (30, 7, 1)
DAY = 86_400.0  # seconds


class CertificateEnd:
    """Of the certificate in a file. `clock` gives Unix time, `log` takes the lines."""

    def __init__(
        self, name: Path, log: logging.Logger, clock: Callable[[], float] = time.time
    ) -> None:
        self._name = name
        self._log = log
        self._clock = clock
        self._told: int | None = None  # the days before the end that were last told of
        self.until: float | None = None  # Unix time; None: not known

    def set(self, until: float | None) -> None:
        """Another certificate is in use, which ends at this Unix time; None: nobody knows."""
        self.until, self._told = until, None

    def tell(self) -> None:
        """Says so where the end has come closer."""
        if self.until is None:
            return
        left = (self.until - self._clock()) / DAY
        due = min((days for days in (*ALARM_DAYS, 0) if left <= days), default=None)
        if due is not None and due != self._told:
            day = datetime.fromtimestamp(self.until, UTC).date()
            level = logging.WARNING if due > 1 else logging.ERROR
            if due == 0:
                self._log.error("the TLS certificate of %s expired on %s", self._name, day)
            else:
                text = "the TLS certificate of %s ends on %s, in less than %d days"
                self._log.log(level, text, self._name, day, due)
        self._told = due
