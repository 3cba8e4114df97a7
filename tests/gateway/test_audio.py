"""WAV files on their way in and out."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import httpx
import pytest

from callscreen.gateway import GatewayConfig
from callscreen.gateway.config import Limits
from callscreen.gateway.ranges import part_of
from callscreen.v1.jobs_pb2 import FileChunk
from callscreen.v1.object_pb2 import Object

from .fake_core import TOKEN, FakeCore, Refusal, faked

WAV = {**TOKEN, "Content-Type": "audio/wav"}
URL = "/pcs/api/audio/acme"
FILE = f"{URL}/hello.wav"
Faked = tuple[FakeCore, httpx.AsyncClient]


def stored(file: str = "hello.wav") -> Object:
    obj = Object(name=f"pcs/audio/acme/{file}", revision=27)
    obj.audio.file, obj.audio.service_provider_name = file, "acme"
    obj.audio.length, obj.audio.digest = 10, "1b"
    obj.stamps.modified.FromSeconds(1_700_000_000)
    return obj


@pytest.fixture
async def fake() -> AsyncIterator[Faked]:
    limits = replace(Limits(), audio_bytes=1000, piece_bytes=100)
    async with faked(GatewayConfig(limits=limits)) as (core, http, _):
        core.answers = {
            "Upload": stored(),
            "Get": stored(),
            "Create": stored(),
            "Update": stored(),
            "Read": [FileChunk(data=b"RIFF", total=10), FileChunk(data=b"123456", total=10)],
        }
        yield core, http


def code(answer: httpx.Response) -> object:
    return answer.json()["meta"]["code"]


@pytest.mark.parametrize(
    "kind",
    ["audio/wav", "audio/x-wav", "Audio/Wave", "application/octet-stream", "audio/wav; codecs=1"],
)
@pytest.mark.parametrize(("method", "new"), [("PUT", False), ("POST", True)])
async def test_a_file_is_uploaded_as_it_is(fake: Faked, kind: str, method: str, new: bool) -> None:
    core, http = fake
    headers = {**TOKEN, "Content-Type": kind}
    answer = await http.request(method, FILE, content=b"x" * 250, headers=headers)
    assert (code(answer), core.last.method) == (200, "Upload")
    assert answer.json()["data"][0]["attributes"]["file"] == "hello.wav"
    first, *rest = core.last.messages
    assert (first.spec.name, first.spec.must_be_new) == ("pcs/audio/acme/hello.wav", new)
    assert not first.spec.HasField("label")
    assert [len(message.data) for message in rest] == [100, 100, 50]


@pytest.mark.parametrize(
    ("name", "last"),
    [
        ("hello.wav", "hello.wav"),
        ("../../etc/x.wav", "x.wav"),
        ("C:\\temp\\x.wav", "x.wav"),
        ("a b\u00e9.wav", "a%20b%C3%A9.wav"),
    ],
)
async def test_a_form_names_the_file(fake: Faked, name: str, last: str) -> None:
    core, http = fake
    files = {"file": (name, b"RIFF", "audio/wav")}
    answer = await http.post(URL, data={"label": "Hello"}, files=files, headers=TOKEN)
    assert code(answer) == 200
    spec = core.last.messages[0].spec
    assert (spec.name, spec.label, spec.must_be_new) == (f"pcs/audio/acme/{last}", "Hello", True)


async def test_what_is_said_of_a_file_comes_before_it(fake: Faked) -> None:
    core, http = fake
    form = (
        '--x\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\nRIFF\r\n'
        '--x\r\nContent-Disposition: form-data; name="{}"\r\n\r\nl\r\n--x--\r\n'
    )
    headers = {**TOKEN, "Content-Type": "multipart/form-data; boundary=x"}
    for name, found in (("label", 400), ("file", 400), ("other", 200)):
        body = form.format(name).encode()
        assert code(await http.put(FILE, content=body, headers=headers)) == found
    assert core.ended == ["Upload"]
    assert [message.data for message in core.last.messages[1:]] == [b"RIFF"]


async def test_a_form_on_a_file_leaves_the_name_to_the_path(fake: Faked) -> None:
    core, http = fake
    files = {"file": ("other.wav", b"RIFF", "audio/wav")}
    assert code(await http.put(FILE, files=files, headers=TOKEN)) == 200
    assert core.last.messages[0].spec.name == "pcs/audio/acme/hello.wav"


async def test_a_file_needs_a_name(fake: Faked) -> None:
    core, http = fake
    answer = await http.post(URL, content=b"RIFF", headers=WAV)
    assert (code(answer), core.asked) == (400, [])
    files = {"file": ("folder/", b"RIFF", "audio/wav")}
    assert code(await http.post(URL, files=files, headers=TOKEN)) == 400


@pytest.mark.parametrize(("method", "asked"), [("PUT", "Update"), ("POST", "Create")])
async def test_json_describes(fake: Faked, method: str, asked: str) -> None:
    core, http = fake
    for url in (FILE, URL)[: 1 + (method == "POST")]:
        body = {"label": "x", "location": "/a", "server": "b"}
        answer = await http.request(method, url, json=body, headers=TOKEN)
        assert (code(answer), core.last.method) == (200, asked)


async def test_a_file_too_long_is_not_kept(fake: Faked) -> None:
    core, http = fake

    async def body() -> AsyncIterator[bytes]:
        for _ in range(11):
            yield b"x" * 100

    assert code(await http.put(FILE, content=body(), headers=WAV)) == 413
    assert core.ended == []
    assert code(await http.put(FILE, content=b"x" * 1001, headers=WAV)) == 413


async def test_what_is_no_such_file_is_refused_by_the_core(fake: Faked) -> None:
    core, http = fake
    core.answers["Upload"] = Refusal(grpc.StatusCode.INVALID_ARGUMENT, "No WAV file.")
    answer = await http.put(FILE, content=b"MP3", headers=WAV)
    assert (code(answer), answer.json()["meta"]["message"]) == (400, "No WAV file.")


async def test_a_file_is_downloaded_whole(fake: Faked) -> None:
    _, http = fake
    answer = await http.get(FILE, headers=TOKEN)
    assert (answer.status_code, answer.content) == (200, b"RIFF123456")
    expected = {
        "content-type": "audio/wav",
        "content-length": "10",
        "accept-ranges": "bytes",
        "etag": '"1b"',
        "last-modified": "Tue, 14 Nov 2023 22:13:20 GMT",
        "x-content-type-options": "nosniff",
        "content-disposition": 'attachment; filename="hello.wav"',
    }
    assert {name: answer.headers[name] for name in expected} == expected
    head = await http.head(FILE, headers=TOKEN)
    assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")


@pytest.mark.parametrize(
    ("headers", "span"),
    [
        ({"Range": "bytes=2-4"}, (2, 3)),
        ({"Range": "bytes=2-4", "If-Range": '"1b"'}, (2, 3)),
        ({"Range": "bytes=2-4", "If-Range": "Tue, 14 Nov 2023 22:13:20 GMT"}, (2, 3)),
        ({"Range": "bytes=2-4", "If-Range": '"1a"'}, None),
        ({"Range": "bytes=2-4", "If-Range": "Tue, 14 Nov 2023 22:13:21 GMT"}, None),
        ({"Range": "bytes=0-1,3-4"}, None),
    ],
)
async def test_a_part_is_downloaded(
    fake: Faked, headers: dict[str, str], span: tuple[int, int] | None
) -> None:
    core, http = fake
    answers: list[Any] = [FileChunk(data=b"xxx" if span else b"x" * 10, total=10)]
    core.answers["Read"] = answers
    answer = await http.get(FILE, headers={**TOKEN, **headers})
    request = core.last.messages[0]
    if span is None:
        assert (answer.status_code, request.offset, request.length) == (200, 0, 10)
        assert "content-range" not in answer.headers
    else:
        assert (answer.status_code, (request.offset, request.length)) == (206, span)
        assert answer.headers["content-range"] == "bytes 2-4/10"
        assert answer.headers["content-length"] == "3"


async def test_a_part_that_is_not_there(fake: Faked) -> None:
    _, http = fake
    answer = await http.get(FILE, headers={**TOKEN, "Range": "bytes=10-"})
    assert (answer.status_code, answer.headers["content-range"]) == (416, "bytes */10")


async def test_what_the_caller_has_is_not_sent_again(fake: Faked) -> None:
    _, http = fake
    answer = await http.get(FILE, headers={**TOKEN, "If-None-Match": '"1b"'})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", '"1b"')
    answer = await http.get(FILE, headers={**TOKEN, "If-None-Match": '"1a"'})
    assert answer.status_code == 200


@pytest.mark.parametrize(
    "chunks",
    [
        [FileChunk(data=b"RIFF", total=11)],
        [FileChunk(data=b"RIFF", total=10), Refusal(grpc.StatusCode.INTERNAL)],
    ],
)
async def test_a_file_that_breaks_off_is_never_taken_for_whole(
    fake: Faked, chunks: list[Any]
) -> None:
    core, http = fake
    core.answers["Read"] = chunks
    with pytest.raises(AssertionError):  # the answer was begun and never ended
        await http.get(FILE, headers=TOKEN)


async def test_without_a_file_the_description_is_answered(fake: Faked) -> None:
    core, http = fake
    core.answers["Get"].audio.ClearField("digest")
    answer = await http.get(FILE, headers=TOKEN)
    assert answer.json()["data"][0]["attributes"]["file"] == "hello.wav"
    core.answers["Get"] = Refusal(grpc.StatusCode.NOT_FOUND)
    answer = await http.get(FILE, headers=TOKEN)
    assert (code(answer), answer.json()["data"]) == (200, [])


async def test_the_description_is_answered_where_json_is_asked_for(fake: Faked) -> None:
    _, http = fake
    answer = await http.get(FILE, headers={**TOKEN, "Accept": "application/json"})
    assert answer.json()["data"][0]["attributes"]["file"] == "hello.wav"


@pytest.mark.parametrize(
    ("header", "part"),
    [
        (b"", None),
        (b"bytes=0-0", (0, 1)),
        (b"Bytes=0-99", (0, 10)),
        (b"bytes=9-", (9, 1)),
        (b"bytes=-3", (7, 3)),
        (b"bytes=-99", (0, 10)),
        (b" bytes= 3-4 ", (3, 2)),
        (b"bytes=4-3", None),
        (b"bytes=-", None),
        (b"bytes=a-b", None),
        (b"bytes=1-2,4-5", None),
        (b"lines=1-2", None),
        (b"bytes=" + b"9" * 30 + b"-", None),
    ],
)
def test_a_range(header: bytes, part: tuple[int, int] | None) -> None:
    assert part_of(header, 10) == part


@pytest.mark.parametrize("header", [b"bytes=10-", b"bytes=10-20", b"bytes=-0"])
def test_a_range_beyond_the_end(header: bytes) -> None:
    with pytest.raises(ValueError, match="range"):
        part_of(header, 10)
