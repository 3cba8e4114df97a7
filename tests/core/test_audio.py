"""Files of samples: taken whole or not at all, read as they were, gone when nobody names them."""

import asyncio
import hashlib
import os

import pytest

from callscreen.core.audio import INCOMING, AudioFolder
from callscreen.core.commands import audio_collect, audio_read, audio_upload, purge, restore, write
from callscreen.core.errors import (
    AlreadyExists,
    InvalidInput,
    NotFound,
    PermissionDenied,
    TooMuch,
    Unavailable,
)
from callscreen.core.limits import AUDIO_BYTES, AUDIO_CHUNK, AUDIO_PIECE, UPLOADS_EACH
from callscreen.core.store.contract import StoreFailed, StoreFull
from callscreen.schema import Invalid

from .conftest import obj
from .wavs import chunk, fmt, riff, wav

HELLO = "pcs/audio/acme/hello.wav"
SAMPLES = wav()


async def cut(octets, step=700):
    for place in range(0, len(octets), step):
        yield octets[place : place + step]


def upload(desk, octets=SAMPLES, name=HELLO, **given):
    return audio_upload.upload(desk.core, desk.caller, name, cut(octets), **given)


async def read(desk, name=HELLO, offset=0, length=0):
    pieces = audio_read.read(desk.core, desk.caller, name, offset, length)
    found = [piece async for piece in pieces]
    assert len({total for _, total in found}) <= 1
    return b"".join(data for data, _ in found)


@pytest.fixture
async def acme(owner):
    await owner.create("pcs/service_provider", name="acme")
    return owner


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "audio"


def files(folder):
    """Every file below the folder."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


async def test_a_provider_has_so_many_files(acme, folder, monkeypatch):
    monkeypatch.setattr(audio_upload, "AUDIO_FILES", 2)
    await acme.create("pcs/service_provider", name="other")
    for name in ("one", "two", "two"):
        await upload(acme, name=f"pcs/audio/acme/{name}.wav")
    await upload(acme, name="pcs/audio/other/one.wav")

    async def never():
        raise AssertionError("the file was read")
        yield b""

    async def refused_at_once():
        with pytest.raises(InvalidInput, match="at most 2 files"):
            await audio_upload.upload(
                acme.core, acme.caller, "pcs/audio/acme/three.wav", never(), None
            )

    await refused_at_once()
    await acme.delete("pcs/audio/acme/one.wav")
    await refused_at_once()  # it can come back
    await purge.purge(acme.core, acme.caller, "pcs/audio/acme/one.wav")
    await upload(acme, name="pcs/audio/acme/three.wav")


async def test_a_provider_s_files_have_so_many_octets(acme, folder, monkeypatch):
    monkeypatch.setattr(audio_upload, "AUDIO_FILES_BYTES", 2 * len(SAMPLES))
    for name in ("one", "two", "two"):
        await upload(acme, name=f"pcs/audio/acme/{name}.wav")
    with pytest.raises(InvalidInput, match="octets together"):
        await upload(acme, name="pcs/audio/acme/three.wav")
    with pytest.raises(InvalidInput, match="octets together"):
        await upload(acme, wav(bytes(2 * len(SAMPLES))), name="pcs/audio/acme/two.wav")
    assert await read(acme, "pcs/audio/acme/two.wav") == SAMPLES


async def test_a_file_comes_back_as_it_was(acme, folder):
    made = await upload(acme, label="Hello")
    digest = hashlib.sha256(SAMPLES).hexdigest()
    assert (made.name, made.audio.label, made.audio.location) == (HELLO, "Hello", "audio")
    assert made.audio.server == acme.core.audio.server
    assert (made.audio.length, made.audio.digest) == (len(SAMPLES), digest)
    assert acme.get(HELLO) == made
    assert await read(acme) == SAMPLES
    assert files(folder) == [folder / digest[:2] / digest]
    assert (folder / digest[:2] / digest).stat().st_mode & 0o777 == 0o600


async def test_a_part_of_a_file(acme):
    octets = wav(os.urandom(2 * AUDIO_CHUNK))
    await upload(acme, octets)
    for offset, length in ((0, 1), (5, 10), (3, 0), (len(octets), 0), (1, 10**9), (7, AUDIO_CHUNK)):
        end = offset + length if length else None
        assert await read(acme, offset=offset, length=length) == octets[offset:end]
    with pytest.raises(InvalidInput):
        await read(acme, offset=len(octets) + 1)


async def test_a_file_takes_the_place_of_another(acme):
    await acme.create("pcs/audio/acme", file="hello.wav", location="/x", server="s", label="l")
    with pytest.raises(NotFound):
        await read(acme)
    await upload(acme)
    other = wav(bytes(100))
    changed = await upload(acme, other)
    assert (changed.audio.label, changed.audio.location) == ("l", "audio")
    assert await read(acme) == other
    with pytest.raises(AlreadyExists):
        await upload(acme, must_be_new=True)
    assert await read(acme) == other


async def test_what_the_core_sets_nobody_else_does(acme):
    made = await upload(acme)
    body = {"file": "hello.wav", "location": "/x", "server": "s"}
    lie = {"length": 1, "digest": "f" * 64}
    changed = await acme.update(HELLO, **body, **lie)
    assert (changed.audio.digest, changed.audio.length) == (made.audio.digest, made.audio.length)
    cleared = await acme.update(HELLO, mask=("digest", "length"))
    assert cleared.audio.digest == made.audio.digest
    batch = [obj("audio", service_provider_name="acme", **body, **lie)]
    await write.write(acme.core, acme.caller, "pcs/audio", batch)
    assert acme.get(HELLO).audio.digest == made.audio.digest
    fresh = await acme.create("pcs/audio/acme", **{**body, **lie, "file": "new.wav"})
    assert (fresh.audio.digest, fresh.audio.length) == ("", 0)


async def test_a_file_goes_with_its_object(acme):
    await upload(acme)
    await acme.update("pcs/service_provider/acme", name="zeta")
    await acme.update("pcs/audio/zeta/hello.wav", file="hi.wav")
    assert await read(acme, "pcs/audio/zeta/hi.wav") == SAMPLES
    await acme.delete("pcs/service_provider/zeta")
    with pytest.raises(NotFound):
        await read(acme, "pcs/audio/zeta/hi.wav")
    await restore.restore(acme.core, acme.caller, "pcs/service_provider/zeta")
    assert await read(acme, "pcs/audio/zeta/hi.wav") == SAMPLES


@pytest.mark.parametrize(
    ("octets", "why"),
    [
        (b"", "The file is no WAV file"),
        (b"<html>" * 9, "The file is no WAV file"),
        (SAMPLES[:-1], "The file ends before its end"),
        (wav(bits=24), "The file must be 8 or 16 bit PCM"),
        (riff(fmt(), size=2**31), f"The file must have at most {AUDIO_BYTES} octets"),
    ],
)
async def test_what_is_no_such_file_is_refused_and_leaves_nothing(acme, folder, octets, why):
    revision = acme.core.store.revision
    with pytest.raises(InvalidInput, match=why) as refused:
        await upload(acme, octets)
    assert refused.value.errors[0][:2] == ("file", "format")
    assert files(folder) == []
    assert acme.core.store.revision == revision


async def test_a_file_that_is_too_long_is_refused_early(acme, folder):
    read_so_far = 0

    async def endless():
        nonlocal read_so_far
        yield riff(fmt(), chunk(b"data", b""), size=2**31)[:60]
        while True:
            read_so_far += AUDIO_PIECE
            yield bytes(AUDIO_PIECE)

    with pytest.raises(InvalidInput, match="at most"):
        await audio_upload.upload(acme.core, acme.caller, HELLO, endless())
    assert read_so_far == 0
    with pytest.raises(InvalidInput, match="octets"):
        await audio_upload.upload(acme.core, acme.caller, HELLO, cut(bytes(9**7), 9**7))
    assert files(folder) == []


async def untouched():
    raise AssertionError("nothing is to be read")
    yield b""


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("pcs/audio/acme/..%2F..%2Fetc%2Fpasswd.wav", Invalid),
        ("pcs/audio/acme/a%5Cb.wav", Invalid),
        ("pcs/audio/acme/hello.mp3", Invalid),
        ("pcs/audio/nobody/hello.wav", Invalid),
        ("pcs/audio/acme/" + "a" * 251 + ".wav", Invalid),
        ("pcs/audio/acme", InvalidInput),
        ("pcs/subscriber/acme/alice", InvalidInput),
        ("cin/audio/acme/hello.wav", NotFound),
    ],
)
async def test_a_bad_name_is_refused_before_the_file_is_read(acme, folder, name, error):
    with pytest.raises(error):
        await audio_upload.upload(acme.core, acme.caller, name, untouched())
    assert files(folder) == []


async def test_a_name_never_reaches_the_file_system(acme, folder):
    for name in ("..wav", ".wav", "%2E%2E%2E.wav", "a b%00.wav".replace("%00", "+"), "\u20ac.wav"):
        await upload(acme, name=f"pcs/audio/acme/{name}")
    assert len(files(folder)) == 1  # they all hold the same


async def test_who_may(acme, desk, folder):
    await acme.create("pcs/service_provider", name="other")
    await upload(acme)
    own, other = desk("service_provider:acme"), desk("service_provider:other")
    person = desk("subscriber:acme:alice")
    assert await read(own) == SAMPLES
    await upload(own, wav(bytes(10)))
    for stranger in (other, person, desk("platform_owner", "cin")):
        with pytest.raises(NotFound):
            await read(stranger)
        with pytest.raises(PermissionDenied):
            await audio_upload.upload(acme.core, stranger.caller, HELLO, untouched())


async def test_an_upload_that_breaks_leaves_nothing(acme, folder):
    async def breaking():
        yield SAMPLES[:50]
        assert len(files(folder)) == 1
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await audio_upload.upload(acme.core, acme.caller, HELLO, breaking())
    started = asyncio.Event()

    async def waiting():
        yield SAMPLES[:50]
        started.set()
        await asyncio.sleep(60)

    task = asyncio.create_task(audio_upload.upload(acme.core, acme.caller, HELLO, waiting()))
    await started.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert files(folder) == []


async def test_what_a_killed_core_left_is_cleared_at_the_start(acme, folder, clock):
    await upload(acme)
    left = folder / INCOMING / "tmpleft"
    left.write_bytes(b"x")
    AudioFolder(folder, "s", clock)
    assert not left.exists()
    assert await read(acme) == SAMPLES


async def test_an_upload_may_not_take_for_ever(acme, folder, monkeypatch):
    monkeypatch.setattr(audio_upload, "UPLOAD_SECONDS", 0.05)

    async def slow():
        yield SAMPLES[:50]
        await asyncio.sleep(60)

    with pytest.raises(Unavailable):
        await audio_upload.upload(acme.core, acme.caller, HELLO, slow())
    assert files(folder) == []


async def test_uploads_at_one_time_have_a_limit(acme, desk, folder):
    hold, begun = asyncio.Event(), asyncio.Semaphore(0)

    async def held():
        yield SAMPLES
        begun.release()
        await hold.wait()

    tasks = [
        asyncio.create_task(
            audio_upload.upload(acme.core, acme.caller, f"pcs/audio/acme/{n}.wav", held())
        )
        for n in range(UPLOADS_EACH)
    ]
    for _ in tasks:
        await begun.acquire()
    with pytest.raises(TooMuch):
        await upload(acme)
    other = desk("platform_owner")
    await upload(other)
    hold.set()
    await asyncio.gather(*tasks)
    assert len(acme.names("pcs/audio/acme")) == UPLOADS_EACH + 1
    await upload(acme)
    assert len(files(folder)) == 1


async def test_a_full_disk_is_told_as_such(acme, monkeypatch):
    for number, error in ((28, StoreFull), (5, StoreFailed)):

        def fail(*_, number=number):
            raise OSError(number, "no")

        monkeypatch.setattr(os, "fsync", fail)
        with pytest.raises(error):
            await upload(acme)
        monkeypatch.undo()


async def test_a_file_that_nobody_names_goes(acme, folder, clock):
    await upload(acme)
    await upload(acme, name="pcs/audio/acme/same.wav")
    await upload(acme, wav(bytes(10)), name="pcs/audio/acme/other.wav")
    await upload(acme, wav(bytes(20)), name="pcs/audio/acme/other.wav")
    await audio_collect.collect(acme.core)
    assert len(files(folder)) == 3  # too young to go
    clock.now += 3601
    await audio_collect.collect(acme.core)
    assert len(files(folder)) == 2
    await acme.delete(HELLO)
    await acme.delete("pcs/audio/acme/same.wav")
    await audio_collect.collect(acme.core)
    assert len(files(folder)) == 2  # the archive names it
    await purge.purge(acme.core, acme.caller, HELLO)
    await audio_collect.collect(acme.core)
    assert len(files(folder)) == 2
    await purge.purge(acme.core, acme.caller, "pcs/audio/acme/same.wav")
    await audio_collect.collect(acme.core)
    assert len(files(folder)) == 1
    assert await read(acme, "pcs/audio/acme/other.wav")


async def test_a_file_that_is_uploaded_again_meanwhile_stays(acme, folder, clock):
    await upload(acme)
    await acme.delete(HELLO)
    await purge.purge(acme.core, acme.caller, HELLO)
    clock.now += 3601
    kept = []

    def named():
        with acme.core.audio.upload("somebody") as incoming:
            incoming.write(SAMPLES)
            kept.append(incoming.keep())
        return ()

    assert acme.core.audio.collect(named) == 0
    assert len(files(folder)) == 1
    clock.now += 3601
    assert acme.core.audio.collect(lambda: ()) == 1
    assert files(folder) == []
