"""CSV files on their way in, and jobs."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import grpc
import httpx
import pytest

from callscreen.gateway import GatewayConfig
from callscreen.gateway.config import Limits
from callscreen.v1.jobs_pb2 import (
    INSERT,
    REPLACE,
    UPSERT,
    FileChunk,
    Job,
    JobLine,
    JobState,
    ListJobsResponse,
)

from .fake_core import TOKEN, FakeCore, Refusal, faked

CSV = {**TOKEN, "Content-Type": "text/csv"}
LIMITS = replace(Limits(), import_bytes=1000, piece_bytes=100)
Faked = tuple[FakeCore, httpx.AsyncClient]


def job(**more: Any) -> Job:
    made = Job(name="pcs/job/j1", kind="import", object="number", actor="jim", **more)
    made.created.FromSeconds(1_700_000_000)
    return made


@pytest.fixture
async def fake() -> AsyncIterator[Faked]:
    async with faked(GatewayConfig(limits=LIMITS)) as (core, http, _):
        core.answers = {"Import": job(state=JobState.QUEUED), "Export": job()}
        yield core, http


def sent(core: FakeCore) -> tuple[Any, list[bytes]]:
    """What the core was sent last: what it is, and the pieces of the file."""
    first, *rest = core.last.messages
    return first.spec, [message.data for message in rest]


def code(answer: httpx.Response) -> object:
    return answer.json()["meta"]["code"]


@pytest.mark.parametrize(
    ("path", "parent"),
    [
        ("import/number", "pcs/number"),
        ("import/number/acme", "pcs/number/acme"),
        ("import/number/acme/alice", "pcs/number/acme/alice"),
        ("import/subscriber/acme", "pcs/subscriber/acme"),
        ("import/service_provider", "pcs/service_provider"),
        ("import/administrator", "pcs/administrator"),
        ("import/administrator/platform_owner", "pcs/administrator/platform_owner"),
        ("number/acme", "pcs/number/acme"),
        ("service_provider", "pcs/service_provider"),
        ("administrator/platform_owner", "pcs/administrator/platform_owner"),
    ],
)
async def test_a_csv_file_is_imported(fake: Faked, path: str, parent: str) -> None:
    core, http = fake
    answer = await http.post(f"/pcs/api/{path}", content=b"a,b\n", headers=CSV)
    assert code(answer) == 200, answer.text
    spec, pieces = sent(core)
    assert (core.last.method, spec.parent, spec.mode, spec.dry_run) == (
        "Import",
        parent,
        UPSERT,
        False,
    )
    assert pieces == [b"a,b\n"]
    [row] = answer.json()["data"]
    assert (row["scope"], row["attributes"]["id"], row["attributes"]["state"]) == (
        "job",
        "j1",
        "queued",
    )
    assert row["attributes"]["created"] == "2023-11-14T22:13:20.000Z"
    assert row["attributes"]["ended"] is None


async def test_an_import_says_how(fake: Faked) -> None:
    core, http = fake
    url = "/pcs/api/import/number"
    for mode, number in (("insert", INSERT), ("replace", REPLACE), ("upsert", UPSERT)):
        await http.post(f"{url}?mode={mode}&dry_run=true", content=b"x", headers=CSV)
        assert (sent(core)[0].mode, sent(core)[0].dry_run) == (number, True)
    for query in ("mode=merge", "dry_run=perhaps"):
        assert code(await http.post(f"{url}?{query}", content=b"x", headers=CSV)) == 400


@pytest.mark.parametrize(
    ("method", "path"),
    [
        *(("POST", path) for path in ("number/acme", "screening_rule/acme", "service_provider/a")),
        *(("PUT", path) for path in ("service_provider/a", "audio/acme/a.wav", "settings")),
        *(("DELETE", path) for path in ("service_provider/a", "audio/acme/a.wav", "job/j1")),
        *(("POST", path) for path in ("export/number", "administrator/platform_owner/x/reset")),
    ],
)
async def test_nothing_but_an_import_can_be_tried(fake: Faked, method: str, path: str) -> None:
    core, http = fake
    core.asked.clear()
    content = b"{}" if method != "DELETE" else None
    for query in ("dry_run=true", "mode=insert&dry_run=1", "dry_run=perhaps"):
        url = f"/pcs/api/{path}?{query}"
        answer = await http.request(method, url, content=content, headers=TOKEN)
        assert code(answer) == 400, answer.text
        assert "'dry_run'" in answer.json()["meta"]["message"]
    assert core.asked == []


async def test_a_form_holds_the_file(fake: Faked) -> None:
    core, http = fake
    answer = await http.post(
        "/pcs/api/import/number/acme",
        data={"mode": "insert", "dry_run": "true"},
        files={"file": ("C:\\here\\numbers\u00e9.csv", b"1\n2\n" * 60, "text/csv")},
        headers=TOKEN,
    )
    assert code(answer) == 200, answer.text
    spec, pieces = sent(core)
    assert (spec.file, spec.mode, spec.dry_run) == ("numbers\u00e9.csv", INSERT, True)
    assert b"".join(pieces) == b"1\n2\n" * 60
    assert [len(piece) for piece in pieces] == [100, 100, 40]


async def test_a_form_on_a_collection_is_an_import(fake: Faked) -> None:
    core, http = fake
    answer = await http.post("/pcs/api/number", files={"file": ("n.csv", b"1")}, headers=TOKEN)
    assert (code(answer), core.last.method) == (200, "Import")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "screening_rule/acme"),
        ("POST", "origination_source/acme"),
        ("PUT", "settings"),
        ("PUT", "number/acme/alice/1"),
        ("POST", "authenticate"),
    ],
)
async def test_what_has_no_csv_form_takes_none(fake: Faked, method: str, path: str) -> None:
    core, http = fake
    answer = await http.request(method, f"/pcs/api/{path}", content=b"a", headers=CSV)
    assert (code(answer), core.asked) == (415, [])


async def test_json_is_no_csv_file(fake: Faked) -> None:
    core, http = fake
    answer = await http.post("/pcs/api/import/number", json={}, headers=TOKEN)
    assert (code(answer), core.asked) == (415, [])


@pytest.mark.parametrize("path", ["import/screening_rule", "import", "import/servi", "export/cdr"])
async def test_what_cannot_be_imported_is_unknown(fake: Faked, path: str) -> None:
    _, http = fake
    answer = await http.post(f"/pcs/api/{path}", content=b"a", headers=CSV)
    assert code(answer) == "404"
    assert answer.json()["meta"]["message"] == f"No object '{path}' exists."


async def test_a_file_too_long_is_refused_before_it_is_read(fake: Faked) -> None:
    core, http = fake
    read = 0

    async def body() -> AsyncIterator[bytes]:
        nonlocal read
        for _ in range(100):
            read += 1
            yield b"x" * 100

    headers = {**CSV, "Content-Length": str(2 * 1024**3)}
    answer = await http.post("/pcs/api/import/number", content=body(), headers=headers)
    assert (code(answer), core.asked, read) == (413, [], 0)
    answer = await http.post("/pcs/api/import/number", content=body(), headers=CSV)
    assert (code(answer), core.ended, read) == (413, [], 11)


async def test_an_encoded_file_is_refused(fake: Faked) -> None:
    _, http = fake
    for encoding, found in (("gzip", 415), ("br, gzip", 415), ("identity", 200), ("", 200)):
        headers = {**CSV, "Content-Encoding": encoding}
        answer = await http.post("/pcs/api/import/number", content=b"x", headers=headers)
        assert code(answer) == found
        answer = await http.put("/pcs/api/settings", content=b"[]", headers=headers)


async def test_a_refusal_before_the_end_is_answered(fake: Faked) -> None:
    core, http = fake
    core.answers["Import"] = Refusal(grpc.StatusCode.PERMISSION_DENIED, "No.")
    answer = await http.post("/pcs/api/import/number", content=b"x" * 900, headers=CSV)
    assert (code(answer), answer.json()["meta"]["message"]) == (403, "No.")


FORM = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.csv"\r\n\r\n'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"", "boundary=x"),
        (b"nothing", "boundary=x"),
        (FORM + b"1,2", "boundary=x"),
        (FORM + b"1,2\r\n--x--\r\n", ""),
        (FORM + b"1,2\r\n--x--\r\n", "boundary=" + "x" * 300),
        (FORM.replace(b"form-data", b"attachment") + b"1\r\n--x--\r\n", "boundary=x"),
        (FORM.replace(b'name="file"; ', b"") + b"1\r\n--x--\r\n", "boundary=x"),
        (FORM.replace(b'"file"', b'"other"') + b"1\r\n--x--\r\n", "boundary=x"),
        (FORM.replace(b"a.csv", b"\xff.csv") + b"1\r\n--x--\r\n", "boundary=x"),
        (FORM + b"1\r\n" + FORM + b"2\r\n--x--\r\n", "boundary=x"),
        (FORM.replace(b"\r\n\r\n", b"\r\nA: b" * 9 + b"\r\n\r\n") + b"1\r\n--x--", "boundary=x"),
        (FORM.replace(b"a.csv", b"a" * 5000) + b"1\r\n--x--\r\n", "boundary=x"),
        (
            FORM.replace(b"\r\n\r\n", b"\r\nContent-Transfer-Encoding: base64\r\n\r\n")
            + b"1\r\n--x--\r\n",
            "boundary=x",
        ),
        (
            FORM.replace(b'"file"', b'"a"') + b"\r\n" + FORM.replace(b'"file"', b'"b"') * 17,
            "boundary=x",
        ),
    ],
)
async def test_a_form_that_cannot_be_read(body: bytes, kind: str) -> None:
    headers = {**TOKEN, "Content-Type": f"multipart/form-data; {kind}"}
    url = "/pcs/api/import/number"
    limits = replace(LIMITS, import_bytes=100_000)
    async with faked(GatewayConfig(limits=limits)) as (core, http, _):
        core.answers["Import"] = job()
        answer = await http.post(url, content=body, headers=headers)
        assert (code(answer), core.ended) == (400, []), answer.text


async def test_an_export_is_of_a_query(fake: Faked) -> None:
    core, http = fake
    url = "/pcs/api/export/number/acme?sort=number:asc&like=x"
    assert code(await http.post(url, headers=TOKEN)) == 200
    request = core.last.messages[0]
    assert (request.parent, request.query.sort, request.query.like) == (
        "pcs/number/acme",
        "number:asc",
        "x",
    )


async def test_jobs_are_listed_by_the_page(fake: Faked) -> None:
    core, http = fake
    core.answers["ListJobs"] = ListJobsResponse(jobs=[job(state=JobState.DONE)], total_size=7)
    answer = (await http.get("/pcs/api/job?limit=1&offset=2", headers=TOKEN)).json()
    request = core.last.messages[0]
    assert (request.parent, request.page_size, request.skip) == ("pcs/job", 1, 2)
    assert (answer["meta"]["records_total"], answer["data"][0]["attributes"]["state"]) == (
        7,
        "done",
    )


async def test_a_job_is_read_and_cancelled(fake: Faked) -> None:
    core, http = fake
    core.answers = {"GetJob": job(), "CancelJob": job(state=JobState.CANCELLED)}
    for method in ("GET", "DELETE"):
        answer = await http.request(method, "/pcs/api/job/j1", headers=TOKEN)
        assert answer.json()["data"][0]["attributes"]["id"] == "j1"
        assert core.last.messages[0].name == "pcs/job/j1"
    core.answers = {name: Refusal(grpc.StatusCode.NOT_FOUND) for name in core.answers}
    for path in ("job/j2", "job/j2/file"):
        answer = (await http.get(f"/pcs/api/{path}", headers=TOKEN)).json()
        assert (answer["meta"]["code"], answer["data"]) == (200, [])
    answer = await http.delete("/pcs/api/job/j2", headers=TOKEN)
    assert (code(answer), answer.json()["meta"]["message"]) == (
        404,
        "Job(): The object is not provisioned.",
    )


async def test_a_job_s_log_is_a_table(fake: Faked) -> None:
    core, http = fake
    core.answers["ReadLog"] = [JobLine(line=n, field="f", message="m") for n in range(25)]
    answer = (await http.get("/pcs/api/job/j1/log?limit=3&offset=20", headers=TOKEN)).json()
    assert answer["meta"]["records_total"] == 25
    assert [row["attributes"]["line"] for row in answer["data"]] == [20, 21, 22]
    assert answer["data"][0] == {
        "scope": "job_log",
        "attributes": {"line": 20, "field": "f", "message": "m"},
    }
    core.answers["ReadLog"] = Refusal(grpc.StatusCode.NOT_FOUND)
    assert (await http.get("/pcs/api/job/j1/log", headers=TOKEN)).json()["data"] == []


async def test_a_job_s_file_is_sent_as_it_comes(fake: Faked) -> None:
    core, http = fake
    core.answers["GetJob"] = job(file='a "b" é.csv')
    core.answers["Download"] = [FileChunk(data=b"1,2\n", total=8), FileChunk(data=b"3,4\n")]
    answer = await http.get("/pcs/api/job/j1/file", headers=TOKEN)
    assert (answer.status_code, answer.content) == (200, b"1,2\n3,4\n")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["content-length"] == "8"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"] == (
        "attachment; filename=\"a _b_ _.csv\"; filename*=UTF-8''a%20%22b%22%20%C3%A9.csv"
    )
    assert answer.headers["x-request-id"]


async def test_a_job_without_a_file_says_so(fake: Faked) -> None:
    core, http = fake
    core.answers["GetJob"] = job()
    core.answers["Download"] = Refusal(grpc.StatusCode.FAILED_PRECONDITION, "It runs still.")
    answer = await http.get("/pcs/api/job/j1/file", headers=TOKEN)
    assert (code(answer), answer.json()["meta"]["message"]) == (409, "It runs still.")


@pytest.mark.parametrize("query", ["mode=", "mode=merge", "dry_run=", "dry_run=perhaps"])
async def test_what_only_a_file_heeds_is_valid_beside_an_object_too(
    fake: Faked, query: str
) -> None:
    core, http = fake
    refused = await http.post(
        f"/pcs/api/subscriber/acme?{query}", json={"name": "a"}, headers=TOKEN
    )
    assert code(refused) == 400
    assert f"'{query.partition('=')[0]}'" in refused.json()["meta"]["message"]
    assert core.asked == []
