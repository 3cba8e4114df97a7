"""What takes several calls, through gateway and core: files in and out, archive, sessions."""

import asyncio
import io
import wave
from collections.abc import AsyncIterator
from typing import Any

import grpc
import httpx
import pytest
import pytest_asyncio
from google.protobuf.message import Message

from callscreen.gateway.client import Client
from callscreen.gateway.config import Limits
from callscreen.gateway.cookies import csrf_token
from callscreen.gateway.observed import Requests
from callscreen.gateway.request import Disconnected
from callscreen.v1.audio_files_pb2 import UploadRequest, UploadSpec
from callscreen.v1.jobs_pb2 import ImportRequest, ImportSpec

from .conftest import PASSWORD, Caller
from .examples import accepted, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def provider(pcs: Caller, cin: Caller) -> None:
    for caller in (pcs, cin):
        accepted(await caller.put("service_provider/acme", {}))
        accepted(await caller.put("subscriber/acme/alice", {}))


async def ended(caller: Caller, answer: dict[str, Any]) -> dict[str, Any]:
    """The job that an answer is, once it has ended."""
    job = accepted(answer)
    async with asyncio.timeout(20):
        while job["ended"] is None:
            await asyncio.sleep(0.02)
            job = await caller.attributes(f"job/{job['id']}")
    return job


CSV = {"Content-Type": "text/csv"}


async def test_a_file_is_imported_and_exported_again(owner: Caller) -> None:
    rows = "".join(f"{5850000000 + n},alice,acme,nick{n}\n" for n in range(30)).encode()
    tried = await ended(owner, await owner.post("import/number?dry_run=true", rows, headers=CSV))
    assert (tried["state"], tried["dry_run"]) == ("done", True)
    assert (await owner.get("number?limit=0"))["meta"]["records_total"] == 0
    job = await ended(owner, await owner.post("number/acme", rows, headers=CSV))
    assert (job["state"], job["rows_created"], job["errors"]) == ("done", 30, 0)
    assert (await owner.get("number/acme/alice?limit=0"))["meta"]["records_total"] == 30
    job = await ended(owner, await owner.post("export/number/acme?search=nickname:nick7"))
    file = await owner.send("GET", f"job/{job['id']}/file")
    assert file.headers["content-type"] == "text/csv; charset=utf-8"
    header, row = file.text.splitlines()
    assert header.startswith("number,subscriber_name,service_provider_name,nickname")
    assert row.startswith("+15850000007,alice,acme,nick7")
    again = await ended(owner, await owner.post("import/number", file.content, headers=CSV))
    assert (again["state"], again["rows_created"]) == ("done", 0)


async def test_a_file_with_a_bad_line_changes_nothing(owner: Caller) -> None:
    rows = b"5859000001,alice,acme\n5859000002,nobody,acme\n"
    job = await ended(owner, await owner.post("import/number?mode=insert", rows, headers=CSV))
    assert (job["state"], job["errors"]) == ("failed", 1)
    log = await owner.get(f"job/{job['id']}/log")
    [line] = [row["attributes"] for row in log["data"]]
    assert (line["line"], line["field"]) == (2, "subscriber_name")
    assert (await owner.get("number?search=number:5859000001"))["data"] == []


def samples(seconds: float) -> bytes:
    held = io.BytesIO()
    with wave.open(held, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"\1\2" * int(8000 * seconds))
    return held.getvalue()


async def test_a_sound_comes_back_as_it_went(pcs: Caller) -> None:
    sound = samples(0.5)
    path = "audio/acme/hello.wav"
    stored = accepted(
        pcs.json(await pcs.send("PUT", path, sound, headers={"Content-Type": "audio/wav"}))
    )
    assert stored["length"] == len(sound)
    whole = await pcs.send("GET", path)
    assert (whole.status_code, whole.content) == (200, sound)
    assert whole.headers["etag"] == f'"{stored["digest"]}"'
    part = await pcs.send("GET", path, headers={"Range": "bytes=-100"})
    assert (part.status_code, part.content) == (206, sound[-100:])
    accepted(await pcs.put(path, {"label": "Hello"}))
    assert (await pcs.send("GET", path)).content == sound
    described = await pcs.get(path, headers={"Accept": "application/json"})
    assert accepted(described)["label"] == "Hello"
    answer = await pcs.send("PUT", path, b"MP3", headers={"Content-Type": "audio/wav"})
    refused(pcs.json(answer), 400)
    assert (await pcs.send("GET", path)).content == sound
    assert (await pcs.delete(path))["meta"]["code"] == 200
    assert (await pcs.get(path))["data"] == []


async def test_a_form_brings_a_sound(pcs: Caller) -> None:
    files = {"file": ("a folder/new one.wav", samples(0.1), "audio/wav")}
    sent = await pcs.send("POST", "audio/acme", files=files, data={"label": "New"})
    stored = accepted(pcs.json(sent))
    assert (stored["file"], stored["label"]) == ("new one.wav", "New")
    again = await pcs.send("POST", "audio/acme", files=files)
    refused(pcs.json(again), 409)


async def test_what_was_archived_comes_back_whole(owner: Caller) -> None:
    accepted(await owner.put("number/acme/alice/5850000099", {"nickname": "kept"}))
    before = await owner.attributes("subscriber/acme/alice")
    assert (await owner.delete("subscriber/acme/alice"))["data"] == []
    assert (await owner.get("number/acme/alice/5850000099"))["data"] == []
    found = await owner.get("subscriber/acme/alice?archive=true")
    assert accepted(found) == before
    said = found["data"][0]["meta"]["archived"]
    assert said["actor"] == f"{owner.product}_administrator"
    assert said["root"] == f"{owner.product}/subscriber/acme/alice"
    listed = await owner.get("subscriber/acme?archive=true")
    assert listed["meta"]["records_total"] >= 1
    accepted(await owner.put("subscriber/acme/alice", {}))
    refused(await owner.delete("subscriber/acme/alice?restore=true"), 409)
    await owner.delete("subscriber/acme/alice")
    await owner.delete("subscriber/acme/alice?archive=true")
    refused(await owner.delete("subscriber/acme/alice?restore=true"), 404)
    assert (await owner.get("subscriber/acme/alice?archive=true"))["data"] == []


async def test_the_settings_in_force_are_shown_with_their_sources(owner: Caller) -> None:
    found = await owner.get("settings/?effective=true")
    assert accepted(found)["web_settings"]["default_cc"] == "1"
    sources = found["data"][0]["meta"]["sources"]
    assert sources["web_settings.default_cc"] == "default"
    accepted(await owner.put("settings", {"web_settings": {"password_length": 10}}))
    found = await owner.get("settings/?effective=true")
    assert found["data"][0]["meta"]["sources"]["web_settings.password_length"] == "platform"
    accepted(await owner.put("settings", {"web_settings": {"password_length": 8}}))


async def test_a_browser_s_session(owner: Caller, http: httpx.AsyncClient) -> None:
    base = f"/{owner.product}/api"
    login = {"username": f"{owner.product}_administrator", "password": PASSWORD}
    answer = await http.post(f"{base}/authenticate", json=login)
    first, second = (
        cookie.partition(";")[0].partition("=")[2]
        for cookie in answer.headers.get_list("set-cookie")
    )
    assert second == csrf_token(first)
    cookie = {"Cookie": f"{owner.product}_sessionid={first}"}
    shown = cookie | {"X-CSRF-Token": second}

    async def code(method: str, headers: dict[str, str], path: str = "subscriber/acme") -> object:
        body = {"name": "by_cookie"} if method == "POST" else None
        sent = await http.request(method, f"{base}/{path}", json=body, headers=headers)
        return sent.json()["meta"]["code"]

    assert await code("GET", cookie) == 200
    assert await code("POST", cookie) == 403
    assert await code("POST", shown) == 200
    assert await code("DELETE", shown, "subscriber/acme/by_cookie") == 200
    assert await code("POST", shown, "logout") == 200
    assert await code("GET", cookie) == 401


@pytest.mark.parametrize("which", ["import", "sound"])
async def test_what_breaks_off_is_not_kept(
    pcs: Caller, channel: grpc.aio.Channel, which: str
) -> None:
    client = Client(channel, Limits(), Requests())
    metadata = (("authorization", f"Bearer {pcs.token}"),)
    before = (await pcs.get("job"))["meta"]["records_total"]

    async def messages() -> AsyncIterator[Message]:
        if which == "import":
            yield ImportRequest(spec=ImportSpec(parent="pcs/number"))
            yield ImportRequest(data=b"5857777777,alice,acme\n")
        else:
            yield UploadRequest(spec=UploadSpec(name="pcs/audio/acme/broken.wav"))
            yield UploadRequest(data=samples(0.1))  # whole already, but for its end
        await asyncio.sleep(0.003)
        raise Disconnected

    method = client.jobs.Import if which == "import" else client.audio_files.Upload
    for _ in range(20):
        with pytest.raises(Disconnected):
            await client.send(method, messages(), metadata)
    await asyncio.sleep(0.1)
    assert (await pcs.get("job"))["meta"]["records_total"] == before
    assert (await pcs.get("audio/acme/broken.wav"))["data"] == []
