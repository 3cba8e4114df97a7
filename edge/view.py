"""The data that answers: one index, its loader, and the number sources in their ready form.

Invariants
1. A view is filled by one loader and never goes back in revision.
2. The sources are made ready when the platform's settings change, not at each call.
"""

from collections.abc import Sequence
from typing import NamedTuple

from ..fastpath.extract import (
    NumberPolicy,
    NumberSource,
    NumberSources,
    PostStep,
    number_source,
)
from ..fastpath.index import Index
from ..fastpath.loader import Loader
from ..v1 import object_pb2

__all__ = ["BOTH", "CIN", "PCS", "ScreeningView", "Sources"]

BOTH, PCS, CIN = 0, 1, 2  # products as the index knows them

# What holds where a product's settings are not provisioned: the documented defaults.
DEFAULT_CALLED = NumberSources([NumberSource("hdr.to"), NumberSource("request_uri")])
THREE_DIGITS = (PostStep("require_digits", min_length=3),)
DEFAULT_CALLING = NumberSources(
    [
        NumberSource("hdr.from", NumberPolicy(None, True), THREE_DIGITS),
        NumberSource(
            "hdr.p_asserted_identity",
            NumberPolicy(None, True, "longest-digit-substring"),
            THREE_DIGITS,
        ),
    ]
)


class Sources(NamedTuple):
    """Where one product looks for its numbers."""

    called: NumberSources = DEFAULT_CALLED
    calling: NumberSources = DEFAULT_CALLING
    default_cc: str = "1"


class ScreeningView:
    """What a replica fills and the calls read."""

    def __init__(self) -> None:
        self.index = Index()
        self._loader = Loader(self.index)
        self._sources = {PCS: Sources(), CIN: Sources()}
        self.alike = True  # both products look for their numbers in the same places

    def sources(self, product: int) -> Sources:
        """Of PCS or CIN."""
        return self._sources[product]

    def load(self, objects: Sequence[object_pb2.Object]) -> None:
        self._loader.load(objects)

    def whole(self, revision: int) -> None:
        """All that was loaded is in force, as of `revision`."""
        self.index.revision = revision
        self._take_sources()

    def apply(self, change: object_pb2.Change) -> None:
        self._loader.apply(change)
        if any("/settings/" in mutation.name for mutation in change.mutations):
            self._take_sources()

    def _take_sources(self) -> None:
        for product in (PCS, CIN):
            called, calling = self._loader.sources(product)
            self._sources[product] = Sources(
                NumberSources(map(number_source, called)) if called else DEFAULT_CALLED,
                NumberSources(map(number_source, calling)) if calling else DEFAULT_CALLING,
                self.index.settings(product).default_cc,
            )
        self.alike = self._sources[PCS] == self._sources[CIN]
