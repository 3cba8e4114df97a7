"""Log lines: their two forms, whose work they say, and what they never hold."""

import io
import json
import logging
import re
from collections.abc import Callable, Iterator

import pytest

from callscreen.ops import logs
from callscreen.ops.limits import EVENT_CHARS

TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z"
SetUp = Callable[..., io.StringIO]


@pytest.fixture
def set_up() -> Iterator[SetUp]:
    """Sets up the log as a part does, onto a string; afterwards all is as it was."""
    root, ours = logging.getLogger(), logging.getLogger("callscreen")
    before = root.level, ours.level, list(root.handlers)

    def begin(level: str = "info", form: str = "text", **more: object) -> io.StringIO:
        logs.set_up(level, form, "edge", **more)  # type: ignore[arg-type]
        (handler,) = root.handlers
        assert isinstance(handler, logging.StreamHandler)
        stream = io.StringIO()
        handler.setStream(stream)
        return stream

    yield begin
    root.handlers[:] = before[2]
    root.setLevel(before[0])
    ours.setLevel(before[1])


def test_a_text_line_has_time_severity_part_and_text(set_up: SetUp) -> None:
    stream = set_up()
    logging.getLogger("callscreen.core").warning("%d dropped", 3)
    logging.getLogger("uvicorn.error").error("oops")
    first, second = stream.getvalue().splitlines()
    assert re.fullmatch(f"{TIME} WARNING core 3 dropped", first)
    assert re.fullmatch(f"{TIME} ERROR edge oops", second)


def test_a_json_line_is_an_object(set_up: SetUp) -> None:
    stream = set_up(form="json")
    try:
        raise ValueError("first\nsecond")
    except ValueError:
        logging.getLogger("callscreen.gateway").exception("it\nfailed \ud800 %s", "ü")
    (line,) = stream.getvalue().splitlines()
    found = json.loads(line)
    assert re.fullmatch(TIME, found.pop("time"))
    fault = found.pop("fault")
    assert found == {"level": "ERROR", "part": "gateway", "event": "it\nfailed \ud800 ü"}
    assert fault.startswith("Traceback")
    assert fault.endswith("ValueError: first\nsecond")


def test_whose_work_it_is_stands_behind(set_up: SetUp) -> None:
    stream = set_up()
    logs.request_id.set("r-1")
    logging.getLogger("callscreen.gateway").info("one")
    logs.request_id.set("")
    logging.getLogger("callscreen.gateway").info("two")
    stream = io.StringIO(stream.getvalue())
    assert [line.split(" ", 2)[2].strip() for line in stream] == [
        "gateway one request_id=r-1",
        "gateway two",
    ]


def test_the_core_says_request_and_job(set_up: SetUp) -> None:
    from callscreen.core.origin import Origin, origin, told

    stream = set_up(form="json", context=told)
    with origin(Origin(request_id="r-2", job_id="j-1")):
        logging.getLogger("callscreen.core").info("x")
    found = json.loads(stream.getvalue())
    assert (found["request_id"], found["job_id"]) == ("r-2", "j-1")


def test_no_text_makes_a_line_of_its_own(set_up: SetUp) -> None:
    stream = set_up()
    try:
        raise ValueError("x\n2026-01-01T00:00:00.000Z INFO core all is well\x1b[2J")
    except ValueError:
        logging.getLogger("callscreen.core").exception("a\r\nb\x00c\u2028d\x9be")
    lines = stream.getvalue().split("\n")
    assert lines[0].endswith(r"core a\r\nb\x00c\u2028d\x9be")
    assert all(line.startswith("  ") for line in lines[1:-1])
    assert "\x1b" not in stream.getvalue()


@pytest.mark.parametrize("form", ["text", "json"])
def test_credentials_are_masked(set_up: SetUp, form: str) -> None:
    stream = set_up(form=form)
    log = logging.getLogger("callscreen.core")
    log.info("headers: %r", {"authorization": "Bearer abcdefgh12345678"})
    log.info("Authorization: basic YWxpY2U6c2VjcmV0")
    try:
        raise ValueError("BEARER 0123456789abcdef")
    except ValueError:
        log.exception("refused")
    text = stream.getvalue()
    assert text.count("***") == 4  # the last one in the traceback's line of code, too
    assert "Bearer ***'}" in text
    for secret in ("abcdefgh", "YWxpY2U6", "0123456789"):
        assert secret not in text


def test_a_long_text_is_cut(set_up: SetUp) -> None:
    stream = set_up(form="json")
    logging.getLogger("callscreen.core").info("x" * (EVENT_CHARS + 1))
    event = json.loads(stream.getvalue())["event"]
    assert len(event) == EVENT_CHARS
    assert event.endswith("x…")


def test_arguments_that_do_not_fit_lose_no_line(set_up: SetUp) -> None:
    stream = set_up()
    logging.getLogger("callscreen.core").info("%d and %d", 1)
    assert stream.getvalue().endswith("core %d and %d\n")


def test_at_debug_only_our_own_lines_say_more(set_up: SetUp) -> None:
    stream = set_up("debug")
    logging.getLogger("callscreen.core").debug("ours")
    logging.getLogger("aiosmtplib").debug("AUTH PLAIN c2VjcmV0")
    logging.getLogger("aiosmtplib").info("told")
    assert [line.split(" ", 2)[2] for line in stream.getvalue().splitlines()] == [
        "core ours",
        "edge told",
    ]


def test_below_the_severity_asked_for_nothing_is_said(set_up: SetUp) -> None:
    stream = set_up("error")
    logging.getLogger("callscreen.core").warning("no")
    logging.getLogger("other").warning("no")
    logging.getLogger("callscreen.core").error("yes")
    assert stream.getvalue().count("\n") == 1


def test_what_belongs_to_every_part_is_said_by_the_part_at_hand(set_up: SetUp) -> None:
    stream = set_up()
    logging.getLogger("callscreen").info("traces are sent")
    assert stream.getvalue().endswith("INFO edge traces are sent\n")
