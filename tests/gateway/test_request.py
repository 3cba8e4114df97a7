"""Reading what a request says."""

import pytest

from callscreen.gateway.config import Limits
from callscreen.gateway.credentials import token_of
from callscreen.gateway.errors import ApiError
from callscreen.gateway.request import (
    Disconnected,
    headers_of,
    json_object,
    query_of,
    read_body,
    segments_of,
)

LIMITS = Limits()


@pytest.mark.parametrize(
    ("raw", "parts"),
    [
        (b"/pcs/api/service_provider", ("service_provider",)),
        (b"/pcs/api/service_provider/", ("service_provider",)),
        (b"/pcs/api/number/acme/alice/%2B15855551234", ("number", "acme", "alice", "+15855551234")),
        (b"/pcs/api/number/acme/alice/+15855551234", ("number", "acme", "alice", "+15855551234")),
        (b"/pcs/api/subscriber/a%2Fb/c%20d/", ("subscriber", "a/b", "c d")),
        (b"/pcs/api/subscriber/%C3%A9", ("subscriber", "é")),
        (b"/pcs/api/number//alice", ("number", "", "alice")),
        (
            b"/pcs/api/administrator/service_provider:acme",
            ("administrator", "service_provider:acme"),
        ),
        (b"/pcs/api", ()),
        (b"/pcs/api/", ()),
    ],
)
def test_a_path_is_split_before_it_is_decoded(raw: bytes, parts: tuple[str, ...]) -> None:
    assert segments_of({"raw_path": raw}) == parts


@pytest.mark.parametrize(("part", "why"), [(b"%ff", "UTF-8"), (b"a%00", "null character")])
def test_a_path_that_is_no_text_is_refused(part: bytes, why: str) -> None:
    with pytest.raises(ApiError, match=why) as refused:
        segments_of({"raw_path": b"/pcs/api/subscriber/" + part})
    assert refused.value.code == 400


@pytest.mark.parametrize("header", ["Basic abc-123_x=", "basic abc-123_x=", "Bearer  abc-123_x= "])
def test_both_schemes_carry_the_token(header: str) -> None:
    assert token_of(header, LIMITS) == "abc-123_x="


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic ", "Digest abc", "abc", "Basic a b", "Basic é", "Basic " + "a" * 513],
)
def test_what_can_be_no_token_is_nobody(header: str) -> None:
    with pytest.raises(ApiError) as refused:
        token_of(header, LIMITS)
    assert refused.value.code == 401


def test_a_query_holds_the_documented_parameters() -> None:
    query = query_of(
        b"sort=name%20ASC&search=a:1:2,b:x&like=y&sort_function=name:lower&icontains=n:z"
        b"&limit=25&offset=50&unknown=1",
        LIMITS,
    )
    assert query.table.sort == "name ASC"
    assert query.table.search == "a:1:2,b:x"
    assert query.table.like == "y"
    assert query.table.sort_function == "name:lower"
    assert query.table.icontains == "n:z"
    assert query.page == (25, 50)
    assert (query.archive, query.restore) == (False, False)


@pytest.mark.parametrize(
    ("raw", "name"), [(b"limit=x", "limit"), (b"offset=-1", "offset"), (b"archive=2", "archive")]
)
def test_a_bad_parameter_is_named_among_the_errors(raw: bytes, name: str) -> None:
    with pytest.raises(ApiError) as refused:
        query_of(raw, LIMITS)
    (error,) = refused.value.errors
    assert (error.field, error.code) == (name, "format")
    assert refused.value.message == error.message


def test_a_query_left_out_has_the_documented_defaults() -> None:
    assert query_of(b"", LIMITS).page == (10, 0)
    assert query_of(b"sort=", LIMITS).page == (10, 0)
    assert query_of(b"limit=0", LIMITS).page == (0, 0)


def test_a_plus_before_a_digit_is_a_plus_and_else_a_space() -> None:
    query = query_of(b"search=number:+1585,notes:a+b&sort=number+ASC&like=+1", LIMITS)
    assert query.table.search == "number:+1585,notes:a b"
    assert query.table.sort == "number ASC"
    assert query.table.like == "+1"


@pytest.mark.parametrize(
    "raw",
    [
        b"limit=",
        b"archive=",
        b"limit=-1",
        b"limit=1001",
        b"limit=ten",
        b"limit=1.5",
        b"limit=%D9%A1",
        b"limit=" + b"9" * 5000,
        b"offset=-1",
        b"offset=1e3",
        b"offset=9007199254740992",
        b"archive=perhaps",
        b"like=%ff",
        b"like=\xff",
        b"&".join(b"a=1" for _ in range(65)),
    ],
)
def test_a_bad_query_is_refused(raw: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        query_of(raw, LIMITS)
    assert refused.value.code == 400


def headers(*pairs: tuple[bytes, bytes]):  # type: ignore[no-untyped-def]
    return headers_of({"headers": pairs})


@pytest.mark.parametrize(
    "kind",
    [b"", b"application/json", b"application/x-www-form-urlencoded", b"text/plain", b"nonsense"],
)
def test_json_is_read_whatever_the_content_type_says(kind: bytes) -> None:
    assert json_object(headers((b"content-type", kind)), b' {"a": 1} ') == {"a": 1}


@pytest.mark.parametrize("kind", [b"text/csv; charset=utf-8", b"Multipart/form-data; boundary=x"])
def test_the_bulk_types_are_refused(kind: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        json_object(headers((b"content-type", kind)), b"{}")
    assert refused.value.code == 415


def test_of_a_name_given_twice_the_last_value_counts() -> None:
    assert json_object(headers(), b'{"a": 1, "a": 2}') == {"a": 2}


class Source:
    """A request body in pieces, which counts how many of them were asked for."""

    def __init__(self, *chunks: bytes, length: int | None = None, whole: bool = True) -> None:
        self.chunks = list(chunks)
        self.asked = 0
        self.whole = whole
        self.headers = headers(*([(b"content-length", b"%d" % length)] if length else []))

    async def receive(self) -> dict[str, object]:
        self.asked += 1
        if not self.chunks:
            return {"type": "http.disconnect"}
        chunk = self.chunks.pop(0)
        more = bool(self.chunks) or not self.whole
        return {"type": "http.request", "body": chunk, "more_body": more}


async def test_a_body_comes_in_pieces() -> None:
    source = Source(b"ab", b"", b"c")
    assert await read_body(source.headers, source.receive, LIMITS) == b"abc"


async def test_a_body_that_is_not_whole_is_not_read() -> None:
    source = Source(b"ab", length=4, whole=False)
    with pytest.raises(Disconnected):
        await read_body(source.headers, source.receive, LIMITS)


async def test_a_body_at_the_limit_is_read_and_one_beyond_is_not() -> None:
    limits = Limits(body_bytes=4, drain_bytes=100)
    source = Source(b"abc", b"d")
    assert await read_body(source.headers, source.receive, limits) == b"abcd"
    source = Source(b"abc", b"de", b"f")
    with pytest.raises(ApiError) as refused:
        await read_body(source.headers, source.receive, limits)
    assert refused.value.code == 413
    assert source.chunks == []  # read to its end, so that the caller sees the answer


async def test_a_body_far_beyond_the_limit_is_not_waited_for() -> None:
    limits = Limits(body_bytes=4, drain_bytes=8)
    declared = Source(b"a" * 9, length=9)
    with pytest.raises(ApiError):
        await read_body(declared.headers, declared.receive, limits)
    assert declared.asked == 0
    endless = Source(*(b"abc" for _ in range(100)))
    with pytest.raises(ApiError):
        await read_body(endless.headers, endless.receive, limits)
    assert endless.asked == 3
