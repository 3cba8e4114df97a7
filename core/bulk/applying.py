"""Writes staged rows: what only the store can say of them, and what takes them back.

Invariants:
1. A row passes the same gate as a single write of its actor: rights, references, unique values.
2. A group is written whole, or not at all: one refused row refuses it, and all of its rows are
   looked at, so that every refused one is told.
3. What a group changed is in its undo entry, each object once, as it was before the group.
4. A row that changes nothing is not written.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from ...fastpath.staged_read import Block
from ...schema import Invalid, ObjectType, body_of
from ...v1.bulk_pb2 import StagedBlock, UndoGroup
from ...v1.jobs_pb2 import INSERT, REPLACE, JobLine
from ...v1.object_pb2 import Object
from ..access import Principal, Verb
from ..commands.draft import Draft
from ..commands.prepare import Subject, place
from ..errors import AlreadyExists, CallscreenError
from .checking import Mode
from .creating import Creating, is_quick
from .limits import ERRORS_KEPT, GROUP_BYTES, GROUP_LEAST, GROUP_ROWS, GROUP_SECONDS


@dataclass(frozen=True, slots=True)
class Plan:
    """What holds for every row of a file."""

    kind: ObjectType
    product: str
    caller: Principal
    mode: Mode
    fields: tuple[str, ...]  # that the file has columns for


@dataclass(slots=True)
class Group:
    """What became of some blocks."""

    blocks: int = 0
    rows: int = 0
    created: int = 0
    changed: int = 0
    errors: int = 0
    lines: list[JobLine] = field(default_factory=list)  # of the first ones
    undo: UndoGroup = field(default_factory=UndoGroup)
    touched: set[bytes] = field(default_factory=set)  # the store's keys in the undo entry

    def refuse(self, line: int, error: Exception) -> None:
        """Counts a refused row, and tells of it where there is room."""
        self.errors += 1
        if len(self.lines) >= ERRORS_KEPT:
            return
        if isinstance(error, Invalid):
            self.lines += [
                JobLine(line=line, field=each.field, message=each.message) for each in error.errors
            ]
        else:
            self.lines.append(JobLine(line=line, message=str(error)))


class Refused(CallscreenError):
    """Rows of the group were refused: it must not be written."""

    def __init__(self, group: Group) -> None:
        self.group = group
        super().__init__()


def apply_group(
    draft: Draft, plan: Plan, blocks: Sequence[Block], ticks: Callable[[], float]
) -> Group:
    """Writes the first of these blocks, as many as there is time for. Raises Refused."""
    group = Group(undo=UndoGroup(revision=draft.revision))
    creating = Creating(plan.kind, plan.product, plan.caller)
    until = ticks() + GROUP_SECONDS
    for block in blocks:
        _look_at(draft, plan, block, group, creating)
        late = group.rows >= GROUP_LEAST and ticks() >= until
        if late or group.rows >= GROUP_ROWS or draft.size >= GROUP_BYTES:
            break
    if group.errors:
        raise Refused(group)
    group.undo.created.extend(creating.keys)
    return group


def check_block(draft: Draft, plan: Plan, block: Block) -> Group:
    """What would become of a block; the draft is not for writing."""
    group = Group()
    _look_at(draft, plan, block, group, Creating(plan.kind, plan.product, plan.caller))
    return group


def _look_at(draft: Draft, plan: Plan, block: Block, group: Group, creating: Creating) -> None:
    """Puts a block's rows into the draft, and notes those that are refused."""
    count = len(block)
    left: Sequence[int] = range(count)
    if is_quick(plan.kind, plan.product, plan.caller):
        left = creating.create(draft, block)
        group.created += count - len(left)
    if left:
        _each(draft, plan, block, left, group, set(creating.keys))
    group.blocks += 1
    group.rows += count


def _each(
    draft: Draft,
    plan: Plan,
    block: Block,
    rows: Sequence[int],
    group: Group,
    made: set[bytes],
) -> None:
    """Puts these rows into the draft one by one; `made` are keys of what the group created."""
    staged = StagedBlock.FromString(block.octets)
    kept = {each.place: each.fields for each in staged.kept}
    for row in rows:
        try:
            _write(draft, plan, staged, row, kept.get(row, ()), group, made)
        except (Invalid, CallscreenError) as error:
            group.refuse(staged.line[row], error)


def _write(
    draft: Draft,
    plan: Plan,
    block: StagedBlock,
    row: int,
    kept: Sequence[str],
    group: Group,
    made: set[bytes],
) -> None:
    """Puts one row's object into the draft. Raises Invalid, CallscreenError."""
    kind, product = plan.kind, plan.product
    at = block.at[row]
    body: Any = getattr(Object.FromString(block.field[row]), kind.type)
    key = kind.key_of(body)
    old = draft.find(kind, product, key)
    verb = Verb.CREATE if old is None else Verb.UPDATE
    plan.caller.require(product, kind.type, key, verb)
    if old is not None and plan.mode == INSERT:
        raise AlreadyExists
    if old is not None:
        before = body_of(old)
        body = _merged(before, body, plan, kept)
        if body == before:
            return
    stored = b"" if old is None else old.SerializeToString(deterministic=True)
    place(draft, Subject(kind, product, body, old=old), plan.caller, verb)
    if old is None:
        group.created += 1
    else:
        group.changed += 1
    if at not in group.touched and at not in made:
        group.touched.add(at)
        group.undo.objects.add(key=key, before=stored)


def _merged(before: Any, given: Any, plan: Plan, kept: Sequence[str]) -> Message:
    """The object that a row makes of the one that stands."""
    keep = set(kept)
    if plan.mode != REPLACE:
        keep.update(field.name for field in plan.kind.fields if field.name not in plan.fields)
    for name in keep:
        given.ClearField(name)
    rest = type(before)()
    rest.CopyFrom(before)
    for descriptor, value in before.ListFields():
        name = descriptor.name
        # an empty text and none are the same cell
        if name not in keep and not (value == "" and not given.HasField(name)):
            rest.ClearField(name)
    given.MergeFrom(rest)
    return given  # type: ignore[no-any-return]


__all__ = ["Group", "Plan", "Refused", "apply_group", "check_block"]
