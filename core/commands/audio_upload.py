"""Takes a file of samples for an audio object.

Invariants:
1. What the object may not be, or the caller may not do, is refused before the first octet is read.
2. The object names the file once that is durable; where the upload ends in any other way, nothing
   has changed.
3. A file that is not readable is refused with the first octets that show it.
4. No provider fills the disk: its files are bounded, in number and together.
"""

import asyncio
import errno
from collections.abc import AsyncIterator, Callable
from functools import partial
from itertools import chain
from typing import Final, TypeVar

from ...schema import body_of
from ...v1.object_pb2 import Object
from ..access import Principal, Verb, place_of
from ..audio import Kept
from ..errors import AlreadyExists, InvalidInput, PermissionDenied, Unavailable
from ..limits import AUDIO_FILES, AUDIO_FILES_BYTES, AUDIO_PIECE, UPLOAD_SECONDS
from ..store.contract import StoreFailed, StoreFull
from ..wav import WavError
from .archive_keys import archive_type
from .context import Core, Means
from .create import fresh
from .draft import Draft
from .names import Target, canonical, target
from .prepare import Subject, fill_key, place, same_key, settle

KIND: Final = "audio"
LOCATION: Final = "audio"  # of the data folder
KEPT: Final = ", those in the archive included"
NO_DISK: Final = frozenset({errno.ENOSPC, errno.EDQUOT})

T = TypeVar("T")


async def upload(
    core: Core,
    caller: Principal,
    name: str,
    pieces: AsyncIterator[bytes],
    label: str | None = None,
    must_be_new: bool = False,
) -> Object:
    """The object as stored, made where it was not there.

    Raises InvalidInput, Invalid, NotFound, AlreadyExists, PermissionDenied, TooMuch, StoreFull,
    StoreFailed, Unavailable (it took too long), and what `pieces` raises.
    """
    at = target(name)
    if at.kind.type != KIND:
        raise _refused("name", "format", "The name must be that of an audio object.")

    def work(draft: Draft, kept: Kept | None) -> Object:
        described = core.audio.server, label
        return placed(draft, caller, at, core.means, described, kept, must_be_new)

    with core.store.read() as reader:
        work(Draft(reader, caller, core.clock()), None)
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            with core.audio.upload(f"{caller.product}/{caller.username}") as incoming:
                async for piece in pieces:
                    if len(piece) > AUDIO_PIECE:
                        raise _refused(
                            "data", "too_long", f"A piece has at most {AUDIO_PIECE} octets."
                        )
                    await _on_disk(partial(incoming.write, piece))
                kept = await _on_disk(incoming.keep)
    except WavError as error:
        raise _refused("file", "format", f"Audio(): The file {error}.") from error
    except TimeoutError:
        raise Unavailable("The upload took too long.") from None
    return await core.write(caller, lambda draft: work(draft, kept))


def placed(
    draft: Draft,
    caller: Principal,
    at: Target,
    means: Means,
    described: tuple[str, str | None],
    kept: Kept | None,
    must_be_new: bool,
) -> Object:
    """Inside the transaction: the object with its file; without one only its rules are checked."""
    if not caller.reaches(place_of(KIND, at.key)):  # a name says whose it is
        raise PermissionDenied
    key = canonical(draft.reader, at)
    old = draft.find(at.kind, at.product, key)
    verb = Verb.CREATE if old is None else Verb.UPDATE
    caller.require(at.product, KIND, key, verb)
    if old is not None and must_be_new:
        raise AlreadyExists
    subject = fresh(at, at.kind.message() if old is None else body_of(old))
    subject.given, subject.old = key, old
    fill_key(subject)
    body = subject.body
    body.server, label = described
    body.location = LOCATION
    if label is not None:
        body.label = label
    settle(draft, subject, means)
    same_key(subject)
    if kept is not None:
        body.digest, body.length = kept
    _check_room(draft, subject)
    return place(draft, subject, caller, verb)


def _check_room(draft: Draft, subject: Subject) -> None:
    """Raises InvalidInput where the provider's files would be too many, or too much."""
    product, key = subject.product, subject.key
    path = subject.kind.path_of(key)
    stand = draft.reader.scan(product, KIND, key[:1], limit=AUDIO_FILES + 1)
    archived = draft.reader.scan(product, archive_type(KIND), key[:1], limit=AUDIO_FILES + 1)
    others = [value for at, value in chain(stand, archived) if at.path != path]
    if len(others) >= AUDIO_FILES:
        raise _refused("file", "too_many", f"A provider has at most {AUDIO_FILES} files{KEPT}.")
    octets = sum(Object.FromString(value).audio.length for value in others) + subject.body.length
    if octets > AUDIO_FILES_BYTES:
        message = f"A provider's files have at most {AUDIO_FILES_BYTES} octets together{KEPT}."
        raise _refused("file", "too_long", message)


async def _on_disk(work: Callable[[], T]) -> T:
    """Runs it in a thread, to its end whatever happens to the caller. Raises StoreFull too."""
    task = asyncio.ensure_future(asyncio.to_thread(work))
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        raise
    except OSError as error:
        raise (StoreFull if error.errno in NO_DISK else StoreFailed) from error


def _refused(field: str, code: str, message: str) -> InvalidInput:
    return InvalidInput(message, [(field, code, message)])


__all__ = ["placed", "upload"]
