"""The screening index of the core itself: what Screen answers from.

Invariants:
1. It follows the same records that every edge gets, in the order of revisions.
2. A change is in it before whoever made the change is answered.
3. Where a change cannot be applied, or one before it was missed, the index is built anew beside
   the old one, then swapped in. While even that fails the old one answers, and the next change
   tries again: nothing is applied over a gap.
"""

import logging
from collections import Counter
from collections.abc import Callable, Sequence

from ..fastpath.index import Index
from ..fastpath.layout import layout
from ..fastpath.loader import Loader
from ..fastpath.model import StirSettings, Verdict
from ..schema import PRODUCTS, TYPES
from ..v1.object_pb2 import Change, Object
from .store.contract import Store

LAYOUT = layout(Change)
SCREENED = tuple(kind.type for kind in TYPES.values() if kind.screened)

log = logging.getLogger("callscreen.core")


class Engine:
    """An index and its loader, filled from a store that nobody else writes meanwhile."""

    def __init__(self, store: Store, make_index: Callable[[], Index] = Index) -> None:
        self._store = store
        self._make_index = make_index
        self._index, self._loader = self._build()
        self._whole = True  # every change up to the index's revision is in it
        self.verdicts: Counter[tuple[str, str, str]] = Counter()  # by product, treatment, reason

    @property
    def revision(self) -> int:
        return int(self._index.revision)

    def publish(self, changes: Sequence[tuple[int, bytes]]) -> None:
        """Applies committed changes. Called by the committer's thread alone.

        Raises what building the index anew raises.
        """
        if not self._apply(changes):
            self._whole = False
            self._index, self._loader = self._build()
            self._whole = True

    def _apply(self, changes: Sequence[tuple[int, bytes]]) -> bool:
        """Whether all of them are in the index now."""
        try:
            for revision, record in changes:
                if self._whole and revision <= self._index.revision:
                    continue
                if not self._whole or revision != self._index.revision + 1:
                    log.warning("the index is built anew: it lacks what came before %d", revision)
                    return False
                self._loader.apply_record(record, revision, LAYOUT, Change.FromString)
        except Exception:
            log.exception("the index is built anew: a change could not be applied")
            return False
        return True

    def screen(
        self, product: int, called: str, calling: str, anonymous: bool, source_ip: str
    ) -> Verdict:
        """Decides on a call; `product` 0 both, 1 PCS, 2 CIN."""
        verdict = self._index.screen(product, called, calling, anonymous, source_ip)
        self.verdicts[verdict.product, verdict.treatment, verdict.reason] += 1
        return verdict

    def stir_settings(self) -> StirSettings:
        """How callers' identities are verified."""
        return self._index.stir_settings()

    def trust_of(self, provider: str) -> str:
        """Which roots a provider's stir_shaken rule names."""
        return str(self._index.stir(provider).auth_address)

    def _build(self) -> tuple[Index, Loader]:
        index = self._make_index()
        loader = Loader(index)
        snapshot = self._store.snapshot(PRODUCTS, SCREENED)
        for chunk in snapshot.chunks:
            loader.load(Object.FromString(value) for _, value in chunk)
        index.revision = snapshot.revision
        return index, loader


__all__ = ["SCREENED", "Engine"]
