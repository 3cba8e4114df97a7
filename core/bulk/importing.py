"""One import from its file to its end, whatever comes in between.

Invariants:
1. A file with a line that is wrong by itself writes nothing.
2. Every transaction that writes rows stores how far the job has come and what undoes it, so that a
   core that was killed goes on exactly there. The last one stores that the job is done.
3. A job that fails or is cancelled while it is written takes back all of it before it ends.
4. A file of GROUP_LEAST rows or less is one batch.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from functools import partial
from typing import Final

from ...fastpath.staged_read import Block
from ...v1.bulk_pb2 import (
    APPLYING,
    ENDED,
    STAGING,
    UNDOING,
    WAITING,
    JobRecord,
    UndoGroup,
)
from ...v1.jobs_pb2 import CANCELLED, DONE, FAILED, RUNNING, Job, JobLine
from ..commands.context import Core
from ..commands.draft import Draft
from ..commands.names import canonical, collection, default_cc
from ..errors import CallscreenError
from .applying import Group, Plan, Refused, apply_group, check_block
from .blocks import Blocks
from .keeping import Cancelled, Kept
from .limits import CHECKED_ROWS, ERRORS_KEPT, GROUP_ROWS
from .log import Log
from .processes import stage_file
from .records import Files, undo_key
from .seen import Seen
from .staging import Staged, Task
from .states import State, move
from .undoing import undo_some

REFUSED: Final = "{} of {} lines were refused: nothing was written."
EMPTY: Final = "The file holds no line that can be read."
INTERNAL: Final = "internal error"

log = logging.getLogger("callscreen.core")


class Import:
    """Runs one job from where its record says it is."""

    def __init__(self, core: Core, files: Files, kept: Kept) -> None:
        self._core = core
        self._files = files
        self._kept = kept
        self._record = kept.record
        self._at = collection(kept.job.parent)
        self._log = Log(files.log)

    @property
    def _job(self) -> Job:
        return self._kept.job

    async def run(self) -> None:
        """To the end of the job. Raises only what ends the core."""
        if self._record.phase in (WAITING, STAGING):
            await self._safely(self._stage)
        if self._record.phase == APPLYING:
            await self._safely(self._apply)
        if self._record.phase == UNDOING:
            await self._undo()

    async def _safely(self, work: Callable[[], Awaitable[None]]) -> None:
        """Whatever stops the work ends the job, once what it wrote is taken back."""
        try:
            await work()
        except Cancelled:
            await self._give_up(CANCELLED, "")
        except CallscreenError as error:
            log.warning("job %s failed: %s", self._job.name, error)
            await self._give_up(FAILED, str(error))
        except Exception:
            log.exception("job %s failed", self._job.name)
            await self._give_up(FAILED, INTERNAL)

    # Staging

    async def _stage(self) -> None:
        core = self._core
        await self._kept.move(STAGING, RUNNING)
        job = self._job
        with core.store.read() as reader:
            code, given = default_cc(reader, self._at.product), canonical(reader, self._at)
        task = Task(
            file=str(self._files.input),
            product=self._at.product,
            type=self._at.kind.type,
            given=given,
            mode=job.mode,
            default_cc=code,
            pepper=core.means.pepper.hex(),
        )
        parts = await stage_file(task, self._files, job.bytes_total, self._staged)
        self._staged(parts)
        self._record.parts = len(parts)
        self._record.fields[:] = parts[0].fields
        job.bytes_done = job.bytes_total
        job.rows_total, job.rows_done = job.rows_done + job.errors, 0
        errors = [self._files.errors(part) for part in range(len(parts))]
        await asyncio.to_thread(self._log.merge, errors)
        if job.errors:
            await self._check_staged(len(parts))
        elif not job.rows_total:
            job.message = EMPTY
            await self._end(FAILED)
        else:
            await self._kept.move(APPLYING, RUNNING)

    def _staged(self, parts: Sequence[Staged]) -> None:
        """How far the parts have come. Raises Cancelled."""
        self._kept.check_cancelled()
        self._job.bytes_done = min(part.octets for part in parts)
        self._job.rows_done = sum(part.rows for part in parts)
        self._job.errors = sum(part.errors for part in parts)

    # Applying

    async def _apply(self) -> None:
        job, record = self._job, self._record
        plan = self._plan()
        paths = [self._files.staged(part) for part in range(record.parts)]
        await asyncio.to_thread(self._log.merge, ())  # of a core that was killed while it told
        with closing(await asyncio.to_thread(Blocks, paths, record.blocks)) as blocks:
            if job.dry_run:
                await self._rehearse(plan, blocks)
            else:
                await self._write_all(plan, blocks)

    def _plan(self) -> Plan:
        fields, mode = tuple(self._record.fields), self._job.mode
        return Plan(self._at.kind, self._at.product, self._kept.caller, mode, fields)

    async def _write_all(self, plan: Plan, blocks: Blocks) -> None:
        waiting: deque[Block] = deque()
        ahead = _ahead(blocks)
        try:
            while self._record.phase != ENDED:
                self._kept.check_cancelled()
                rows, more = sum(map(len, waiting)), True
                while more and rows <= GROUP_ROWS:
                    found = await ahead
                    more = bool(found)
                    waiting.extend(found)
                    rows += sum(map(len, found))
                    ahead = _ahead(blocks)  # while these are written
                group = await self._kept.retried(partial(self._write, plan, waiting, not more))
                for _ in range(group.blocks):
                    waiting.popleft()
        except Refused as refused:
            for _ in range(refused.group.blocks):
                waiting.popleft()
            waiting.extend(await ahead)
            await self._check_rest(plan, waiting, blocks, refused.group)
            return
        finally:
            await asyncio.gather(ahead, return_exceptions=True)  # then the files are closed
        self._close()

    async def _write(self, plan: Plan, waiting: deque[Block], last: bool) -> Group:
        """Commits one group, and that it is. Raises Refused, CallscreenError."""

        def work(draft: Draft, record: JobRecord) -> Group:
            group = apply_group(draft, plan, waiting, self._core.ticks)
            record.blocks += group.blocks
            _count(record, group)
            if last and group.blocks == len(waiting):
                for number in range(record.groups):
                    draft.remove_raw(undo_key(record.job, number))
                record.groups = 0
                move(record, ENDED, DONE, draft.now)
            else:
                undo = group.undo.SerializeToString()
                draft.put_raw(undo_key(record.job, record.groups), undo)
                record.groups += 1
            return group

        return await self._kept.write(work, dear=True)

    async def _check_staged(self, parts: int) -> None:
        """Some lines are wrong by themselves: says which others the store would refuse."""
        paths = [self._files.staged(part) for part in range(parts)]
        with closing(await asyncio.to_thread(Blocks, paths, 0)) as blocks:
            await self._check_rest(self._plan(), deque(), blocks, Group())

    async def _check_rest(
        self, plan: Plan, waiting: deque[Block], blocks: Blocks, group: Group
    ) -> None:
        """Says what else is wrong, within reason; then all is taken back."""
        self._note(group)
        rows = group.rows
        while rows < CHECKED_ROWS and self._job.errors < ERRORS_KEPT:
            self._kept.check_cancelled()
            block = waiting.popleft() if waiting else await asyncio.to_thread(blocks.read)
            if block is None:
                break
            group = await asyncio.to_thread(self._look_at, plan, block)
            rows += group.rows
            self._note(group)
        await asyncio.to_thread(self._log.sort)
        await self._give_up(FAILED, REFUSED.format(self._job.errors, self._job.rows_total))

    async def _rehearse(self, plan: Plan, blocks: Blocks) -> None:
        """What would become of every row; nothing is written."""
        job = self._job
        job.errors = job.rows_done = job.rows_created = job.rows_changed = 0
        with Seen(self._files.seen) as seen:
            while (block := await asyncio.to_thread(blocks.read)) is not None:
                self._kept.check_cancelled()
                group = await asyncio.to_thread(self._look_at, plan, block, seen)
                _count(self._record, group)
                self._note(group)
        if job.errors:
            job.message = REFUSED.format(job.errors, job.rows_total)
        await self._end(FAILED if job.errors else DONE)

    def _look_at(self, plan: Plan, block: Block, seen: Seen | None = None) -> Group:
        """Checks a block against the store as it is."""
        with self._core.store.read() as reader:
            draft = Draft(reader, self._kept.caller, self._core.clock())
            group = check_block(draft, plan, block)
        if seen is not None:
            seen.look_at(plan, block, group)
        return group

    def _note(self, group: Group) -> None:
        self._job.errors += group.errors
        self._log.add(group.lines)

    # Undoing, and the end

    async def _give_up(self, outcome: State, message: str) -> None:
        """Ends the job so, once what it wrote is taken back."""
        self._job.message = message
        self._record.outcome = outcome
        if self._record.phase == APPLYING:
            await self._kept.insisted(lambda: self._kept.move(UNDOING, RUNNING))
        else:
            await self._end(outcome)

    async def _undo(self) -> None:
        while self._record.groups:
            left = await self._kept.insisted(lambda: self._kept.write(self._undo_last, dear=True))
            self._log.add(left)
        await self._end(self._record.outcome or FAILED)

    def _undo_last(self, draft: Draft, record: JobRecord) -> list[JobLine]:
        key = undo_key(record.job, record.groups - 1)
        undo = UndoGroup.FromString(draft.raw(key) or b"")
        at, ticks = self._at, self._core.ticks
        left = undo_some(draft, at.kind, at.product, undo, record.undone, ticks)
        record.undone.append(draft.revision)
        if undo.objects or undo.created:
            draft.put_raw(key, undo.SerializeToString())
        else:
            draft.remove_raw(key)
            record.groups -= 1
        return left

    async def _end(self, state: State) -> None:
        if state != DONE:
            self._job.rows_created = self._job.rows_changed = 0
        await self._kept.insisted(lambda: self._kept.move(ENDED, state))
        self._close()

    def _close(self) -> None:
        """What only a running job needs goes; so does a file that holds secrets, or may."""
        self._files.remove_staged()
        secret = {field.name for field in self._at.kind.fields if field.rules.secret}
        if secret and (not self._record.fields or secret.intersection(self._record.fields)):
            self._files.input.unlink(missing_ok=True)


def _ahead(blocks: Blocks) -> asyncio.Task[list[Block]]:
    """Reads on beside what else is done, for about a group; none at the end. Raises Damaged."""
    return asyncio.create_task(asyncio.to_thread(blocks.some, GROUP_ROWS))


def _count(record: JobRecord, group: Group) -> None:
    record.job.rows_done += group.rows
    record.job.rows_created += group.created
    record.job.rows_changed += group.changed


__all__ = ["Import"]
