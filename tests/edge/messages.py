"""SIP requests for the tests, and a reader of answers."""

from typing import NamedTuple

BRANCH = "z9hG4bK-1"


def request(
    method: str = "INVITE",
    *more: str,
    uri: str = "sip:+15551230001@edge.example:5060",
    to: str = "<sip:+15551230001@edge.example>",
    caller: str = "<sip:+15557654321@carrier.example>;tag=abc",
    via: str = "SIP/2.0/UDP 192.0.2.9:5070;branch=" + BRANCH,
    call_id: str = "call-1@carrier.example",
    cseq: str = "",
    contact: str | None = "<sip:sbc@192.0.2.9:5070>",
    body: bytes = b"",
) -> bytes:
    lines = [
        f"{method} {uri} SIP/2.0",
        f"Via: {via}",
        "Max-Forwards: 70",
        f"From: {caller}",
        f"To: {to}",
        f"Call-ID: {call_id}",
        f"CSeq: {cseq or '1 ' + method}",
    ]
    if contact is not None:
        lines.append(f"Contact: {contact}")
    lines += more
    lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode() + body


class Response(NamedTuple):
    status: int
    reason: str
    headers: dict[str, list[str]]

    def one(self, name: str) -> str:
        (value,) = self.headers[name]
        return value


def read(data: bytes) -> Response:
    head, _, _ = data.decode().partition("\r\n\r\n")
    start, *lines = head.split("\r\n")
    version, status, reason = start.split(" ", 2)
    assert version == "SIP/2.0"
    headers: dict[str, list[str]] = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers.setdefault(name, []).append(value)
    return Response(int(status), reason, headers)
