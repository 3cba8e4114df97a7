"""The next calls of a number, as an edge tells them, in words.

Invariants
1. What a caller wrote reaches the terminal without control characters.
"""

import http.client
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

__all__ = ["TraceError", "calls", "told"]

ANSWER_SECONDS = 5.0
MORE_SECONDS = 10.0  # past the time that the edge was given
LINE_OCTETS = 1024 * 1024


class TraceError(Exception):
    """The edge is not there, or refuses; the text says which."""


def calls(address: str, token: str, number: str, count: int, seconds: int) -> Iterator[str]:
    """A line that it watches, then a block a call. Raises TraceError."""
    query = urlencode({"number": number, "count": count, "seconds": seconds})
    connection = http.client.HTTPConnection(address, timeout=ANSWER_SECONDS)
    try:
        connection.request("GET", f"/trace?{query}", headers={"Authorization": f"Bearer {token}"})
        sock = connection.sock
        answer = connection.getresponse()
        if answer.status != 200:
            raise TraceError(f"{address} answers {answer.status}: {plain(answer.read(500))}")
        sock.settimeout(seconds + MORE_SECONDS)
        while one := answer.readline(LINE_OCTETS):
            try:
                block = told(json.loads(one))
            except (ValueError, LookupError, TypeError, AttributeError):
                raise TraceError(f"{address} answers something else than a trace") from None
            yield block
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise TraceError(f"{address} does not answer: {error}") from None
    finally:
        connection.close()


def told(said: dict[str, Any]) -> str:
    """A line of the edge as a block of text."""
    if "response" in said:
        return "\n".join(map(shown, (*response(said), "")))
    if "request" not in said:
        return "  ".join(shown(f"{key} {value}") for key, value in said.items())
    return "\n".join(map(shown, (*call(said), "")))


def call(said: dict[str, Any]) -> Iterator[str]:
    again = "  (again)" if said["repeated"] else ""
    yield f"{said['request']}{again}"
    yield f"  from     {said['peer']} over {said['transport']}  Call-ID {said.get('call_id', '?')}"
    for name in ("called", "calling"):
        if name in said:
            found = said[name]
            yield f"  {name:8} {found['number'] or 'none'}  {found['source']}".rstrip()
            for each in found["tried"]:
                yield f"           not {each}"
    if "unread" in said:
        yield f"  numbers  {', '.join(said['numbers'])}; not shown whole: {said['unread']}"
    if "verdict" in said:
        yield from verdict(said["verdict"])
    if "identity" in said:
        yield from identity(said["identity"])
    if "signature" in said:
        yield from signature(said["signature"])
    if "sent_on" in said:
        yield f"  sent on  {said['sent_on']}"
        yield f"           to {said['next_hop']}"
    else:
        yield f"  answer   {said['answer']}"
    for each in said["contact"]:
        yield f"  {each}"


def response(said: dict[str, Any]) -> Iterator[str]:
    """The final response to a call that was sent on."""
    yield said["response"]
    yield f"  from     {said['peer']}  Call-ID {said['call_id']}"
    yield f"  relayed  to {said['to']}"


def verdict(found: dict[str, Any]) -> Iterator[str]:
    owner = f"  {found['product']} {found['owner']}" if found["owner"] else ""
    yield f"  verdict  {found['treatment']}: {found['reason']}{owner}  revision {found['revision']}"
    for place, step in enumerate(found["steps"], start=1):
        yield f"    {place}. {step}"


def identity(found: dict[str, Any]) -> Iterator[str]:
    told = [found["state"], found["attest"], found["verstat"], str(found["code"] or "")]
    again = "  (its token came with another call)" if found["replayed"] else ""
    yield f"  identity {'  '.join(filter(None, told))}{again}"
    if found["signer"] or found["x5u_host"]:
        yield f"           by {found['signer'] or 'nobody known'} at {found['x5u_host'] or '?'}"
    for each in found["checks"]:
        yield f"           {each}"


def signature(made: dict[str, Any]) -> Iterator[str]:
    why = f"  not signed: {made['failure']}" if made["failure"] else ""
    mask = f" mask {made['mask']}" if made["mask"] else ""
    yield f"  signed   {made['attest']}  as {made['source']}{mask}{why}"
    if not why and made["orig"]:
        yield f"           {made['orig']} to {', '.join(made['dest'])}  {made['certificate']}"


def shown(text: str) -> str:
    """Without what a terminal would obey."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def plain(octets: bytes) -> str:
    return shown(octets.decode("utf-8", "replace").strip())
