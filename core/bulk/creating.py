"""New objects by the block: what is told of each beforehand, what of all together.

Invariants:
1. A row is created here only where nothing stands at its key, nobody holds its unique values, no
   row before it in the group claims either, and its actor may create it below what is there.
   Every other row is left to the long way, which says what is wrong.
2. Rights and references are asked once a group for each place that rows have: both follow it.
"""

from collections.abc import Sequence
from functools import cache

from ...fastpath.staged_read import Block
from ...schema import TYPES, ObjectType
from ..access import Principal, Verb, place_of
from ..commands.draft import Draft
from ..errors import PermissionDenied
from ..store.tables import decode_parts
from .assembling import is_plain


@cache
def follows_key(kind: ObjectType) -> bool:
    """Whether all that objects of a type refer to is what they lie below."""
    referring = {field.name for field in kind.fields if field.rules.references}
    nested = any(
        held.rules.references for field in kind.fields if field.shape for held in field.shape.fields
    )
    return not nested and referring <= set(kind.key[:-1])


@cache
def referred(kind: ObjectType) -> tuple[tuple[str, int], ...]:
    """Types that what follows its key refers to, and how many parts of its key name them."""
    probe = kind.message(**{name: name for name in kind.key})
    return tuple((type_, len(key)) for _, type_, key in kind.references(probe))


def is_quick(kind: ObjectType, product: str, caller: Principal) -> bool:
    """Whether a caller may create an object is said by what it lies below."""
    reach = len(caller.place) <= len(kind.key) - 1
    return reach and is_plain(kind, product) and follows_key(kind)


class Creating:
    """What a group has made sure of."""

    def __init__(self, kind: ObjectType, product: str, caller: Principal) -> None:
        self._kind = kind
        self._product = product
        self._caller = caller
        self._places: dict[bytes, bool] = {}  # the store's key without its last part: may be used
        self._there: dict[tuple[str, tuple[str, ...]], bool] = {}  # by type and key
        self.keys: list[bytes] = []  # of what was created

    def create(self, draft: Draft, block: Block) -> list[int]:
        """Creates what it can; the places in the block of the rows that are left."""
        if not len(block):
            return []
        at, unique = block.at, block.unique
        taken, claimed = draft.taken(at, unique)
        places = block.places()
        for place in places:
            if place not in self._places:
                self._places[place] = self._may(draft, decode_parts(place)[2:])
        plain = not (taken or claimed) and all(self._places[place] for place in places)
        if plain and (block.ascends() or _distinct(at, unique)):
            draft.put_fresh(self._kind, self._product, block)
            self.keys += at
            return []
        usable = [self._places[key[: key.rindex(b"\0", 0, -1) + 1]] for key in at]
        chosen, left = self._choose(at, unique, usable, taken, claimed)
        if chosen:
            draft.put_fresh(self._kind, self._product, block, chosen)
            self.keys += [at[row] for row in chosen]
        return left

    def _choose(
        self,
        at: Sequence[bytes],
        unique: Sequence[bytes],
        usable: Sequence[bool],
        taken: set[bytes],
        claimed: set[bytes],
    ) -> tuple[list[int], list[int]]:
        """Places of the rows to create, and of those that are left."""
        each = len(unique) // len(at)
        seen, held = set(taken), set(claimed)
        chosen: list[int] = []
        left: list[int] = []
        for place, key in enumerate(at):
            marks = unique[place * each : place * each + each]
            free = usable[place] and key not in seen and held.isdisjoint(marks)
            (chosen if free else left).append(place)
            if free:
                seen.add(key)
                held.update(marks)
        return chosen, left

    def _may(self, draft: Draft, outer: tuple[str, ...]) -> bool:
        """Whether rows may be created whose keys begin with these parts, and have one more."""
        kind, product, caller = self._kind, self._product, self._caller
        try:
            caller.require(product, kind.type, (*outer, ""), Verb.CREATE)
        except PermissionDenied:
            return False
        return all(self._is_there(draft, type_, outer[:size]) for type_, size in referred(kind))

    def _is_there(self, draft: Draft, type_: str, key: tuple[str, ...]) -> bool:
        """Whether an object is there, and within the caller's knowledge."""
        if (type_, key) not in self._there:
            known = self._caller.knows(place_of(type_, key))
            self._there[type_, key] = known and draft.exists(TYPES[type_], self._product, key)
        return self._there[type_, key]


def _distinct(*lists: Sequence[bytes]) -> bool:
    return all(len(set(each)) == len(each) for each in lists)


__all__ = ["Creating", "is_quick"]
