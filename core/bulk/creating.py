"""New objects by the block: what is told of each beforehand, what of all together.

Invariants:
1. A row is created here only where nothing stands at its key, nobody holds its unique values, no
   row before it in the group claims either, and its actor may create it below what is there.
   Every other row is left to the long way, which says what is wrong.
2. Rights and references are asked once a group for each place that rows have: both follow it.
"""

from collections.abc import Sequence
from functools import cache

from ...schema import ObjectType
from ...v1.bulk_pb2 import StagedBlock
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..commands.draft import Draft, Rows
from ..commands.prepare import Subject, missing_references
from ..errors import PermissionDenied
from .assembling import is_plain, marks_each


@cache
def follows_key(kind: ObjectType) -> bool:
    """Whether all that objects of a type refer to is what they lie below."""
    referring = {field.name for field in kind.fields if field.rules.references}
    nested = any(
        held.rules.references for field in kind.fields if field.shape for held in field.shape.fields
    )
    return not nested and referring <= set(kind.key[:-1])


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
        self.keys: list[bytes] = []  # of what was created

    def create(self, draft: Draft, block: StagedBlock) -> list[int]:
        """Creates what it can; the places in the block of the rows that are left."""
        at, unique = list(block.at), list(block.unique)
        taken, claimed = draft.taken(at, unique)
        above = [key[: key.rindex(b"\0", 0, -1)] for key in at]
        for place, row in dict(zip(above, range(len(above)), strict=True)).items():
            if place not in self._places:
                self._places[place] = self._may(draft, block, row)
        usable = [self._places[place] for place in above]
        plain = not (taken or claimed) and all(usable)
        if plain and len(set(at)) == len(at) and len(set(unique)) == len(unique):
            self._put(draft, block, None)
            return []
        chosen, left = self._choose(at, unique, usable, taken, claimed)
        if chosen:
            self._put(draft, block, chosen)
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
        each, _ = marks_each(self._kind, self._product)
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

    def _may(self, draft: Draft, block: StagedBlock, place: int) -> bool:
        """Whether rows of that row's place may be created."""
        kind, product = self._kind, self._product
        body = getattr(Object.FromString(block.field[place]), kind.type)
        try:
            self._caller.require(product, kind.type, kind.key_of(body), Verb.CREATE)
        except PermissionDenied:
            return False
        return not missing_references(draft, Subject(kind, product, body), self._caller)

    def _put(self, draft: Draft, block: StagedBlock, chosen: list[int] | None) -> None:
        rows = _rows(block)
        if chosen is not None:
            marks, columns = marks_each(self._kind, self._product)
            rows = Rows(
                at=_pick(rows.at, chosen, 1),
                names=_pick(rows.names, chosen, 1),
                fields=_pick(rows.fields, chosen, 1),
                shown=_pick(rows.shown, chosen, 1),
                unique=_pick(rows.unique, chosen, marks),
                columns=_pick(rows.columns, chosen, columns),
                audit=_pick(rows.audit, chosen, 1),
            )
        draft.put_fresh(self._kind, self._product, rows)
        self.keys += rows.at


def _rows(block: StagedBlock) -> Rows:
    fields = list(block.field)
    return Rows(
        at=list(block.at),
        names=list(block.name),
        fields=fields,
        shown=list(block.shown) or fields,
        unique=list(block.unique),
        columns=list(block.columns),
        audit=list(block.audit),
    )


def _pick(part: Sequence[bytes], chosen: Sequence[int], each: int) -> list[bytes]:
    """The entries of some rows, of which there are so many a row."""
    return [part[place * each + turn] for place in chosen for turn in range(each)]


__all__ = ["Creating", "is_quick"]
