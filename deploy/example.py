"""A first look: serves, provisions a small example through REST, places four calls over SIP.

Run by `make run`. With data already in the folder it only serves. Needs nothing but the standard
library, so that it may also be read as the shortest integration there is.
"""

import argparse
import contextlib
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SECONDS = 10.0  # for an answer, a record, or the end
BOB = {"name": "bob", "service_provider_name": "acme", "voicemail": "vm.example.net"}
LIST_RULE = {"personal": True, "global": True, "override": False, "stir_shaken": False}
PCS = [
    ("POST", "service_provider", {"name": "acme", "blacklist": ["+1900xxxxxxx"]}),
    ("POST", "subscriber/acme", {"name": "alice", "service_provider_name": "acme"}),
    (
        "POST",
        "number/acme/alice",
        {
            "number": "585 123 9876",
            "subscriber_name": "alice",
            "service_provider_name": "acme",
            "whitelist": ["585-555-1234"],
        },
    ),
    (
        "PUT",
        "screening_rule/acme",
        {
            "whitelist": {**LIST_RULE, "match": "continue", "no_match": "next", "priority": 1},
            "blacklist": {**LIST_RULE, "match": "terminate", "no_match": "next", "priority": 2},
        },
    ),
    ("PUT", "settings/", {"screening_engine": {"drop_anonymous_calls": True}}),
]
CIN = [
    ("POST", "service_provider", {"name": "acme"}),
    ("POST", "subscriber/acme", BOB),
    (
        "POST",
        "number/acme/bob",
        {
            "number": "+15851230000",
            "subscriber_name": "bob",
            "service_provider_name": "acme",
            "blocked": ["+1800*"],
        },
    ),
]
CALLS = [
    ("pcs", "a friend on the whitelist", "+15855551234", "+15851239876"),
    ("pcs", "a number that the provider's blacklist masks", "+19005550000", "+15851239876"),
    ("pcs", "someone who withholds the number", "anonymous", "+15851239876"),
    ("cin", "a blocked caller of someone with voice mail", "+18005550000", "+15851230000"),
]
INVITE = """\
INVITE sip:{called}@127.0.0.1 SIP/2.0
Via: SIP/2.0/UDP {here};branch=z9hG4bK{id};rport
Max-Forwards: 70
From: <sip:{calling}@example.net>;tag={id}
To: <sip:{called}@example.net>
Call-ID: {id}
CSeq: 1 INVITE
Contact: <sip:{here}>
Content-Length: 0

"""


def rest(http: str, product: str, method: str, path: str, body: Any, token: str = "") -> Any:
    """One REST call: the `data` of its answer. Ends the program where the answer is an error."""
    request = urllib.request.Request(
        f"http://{http}/{product}/api/{path}",
        data=None if body is None else json.dumps(body).encode(),
        method=method,
        headers={"Content-Type": "application/json", "Authorization": f"Basic {token}"},
    )
    with urllib.request.urlopen(request, timeout=SECONDS) as response:
        answer = json.load(response)
    if answer["meta"]["code"] != 200:
        raise SystemExit(f"{method} {path}: {answer['meta']['message']}")
    return answer["data"]


def log_in(http: str, product: str, password: str) -> str:
    body = {"username": f"{product}_administrator", "password": password}
    return str(rest(http, product, "POST", "authenticate", body)[0]["token"])


def place_call(sip: str, calling: str, called: str) -> tuple[str, str]:
    """One INVITE: the status line of its final answer, and where it sends the call."""
    host, _, port = sip.rpartition(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        udp.bind(("127.0.0.1", 0))
        udp.settimeout(SECONDS)
        here = "{}:{}".format(*udp.getsockname())
        text = INVITE.format(called=called, calling=calling, here=here, id=secrets.token_hex(8))
        udp.sendto(text.replace("\n", "\r\n").encode(), (host, int(port)))
        lines = udp.recv(65535).decode().split("\r\n")
    contact = next((line for line in lines if line.startswith("Contact:")), "")
    return lines[0], contact.removeprefix("Contact:").strip()


def newest_record(http: str, product: str, token: str, calling: str) -> Any:
    """The call record of a caller's latest call; it arrives shortly after the answer."""
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        rows = rest(
            http, product, "GET", f"{product}_cdr?sort=start_time:desc&limit=1", None, token
        )
        party = "calling_number" if product == "pcs" else "calling_party"
        if rows and rows[0]["attributes"][party] in (calling, "", None):
            return rows[0]["attributes"]
        time.sleep(0.05)
    raise SystemExit("no call record arrived")


def show(http: str, sip: str, password: str) -> None:
    """Provisions both products, places the calls, and prints what became of them and why."""
    tokens = {product: log_in(http, product, password) for product in ("pcs", "cin")}
    for product, steps in (("pcs", PCS), ("cin", CIN)):
        for method, path, body in steps:
            print(f"{method:4} /{product}/api/{path}")
            rest(http, product, method, path, body, tokens[product])
    time.sleep(1.0)  # a change is in force on every edge within a second
    for product, who, calling, called in CALLS:
        status, contact = place_call(sip, calling, called)
        record = newest_record(http, product, tokens[product], calling)
        trace = record["additional_data"][0]
        print(f"\n{who}: {calling} calls {called}")
        print(f"  {status} {contact}".rstrip())
        print(f"  {trace['treatment']}, because of {trace['reason']}: {record['events']}")


@contextlib.contextmanager
def served(data: Path, password: str) -> Iterator[tuple["subprocess.Popen[str]", dict[str, str]]]:
    """The whole platform, and its addresses."""
    process = subprocess.Popen(
        [sys.executable, "-m", "callscreen.cli", "serve", "--data", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "CALLSCREEN_ADMIN_PASSWORD": password},
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            print(line, end="", flush=True)
            if line.startswith("ready "):
                yield process, dict(part.split("=", 1) for part in line.split()[1:])
                return
        raise SystemExit(process.wait() or 1)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--once", action="store_true", help="end after the example")
    parser.add_argument("--data", type=Path, default=os.environ.get("CALLSCREEN_DATA", "data"))
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # so that what was started is stopped
    empty = not options.data.exists() or not any(options.data.iterdir())
    password = os.environ.get("CALLSCREEN_ADMIN_PASSWORD") or secrets.token_urlsafe(12)
    with served(options.data, password) as (process, addresses):
        if empty:
            if "CALLSCREEN_ADMIN_PASSWORD" not in os.environ:
                print(f"administrators' password: {password}")
            show(addresses["http"], addresses["sip"], password)
        if not options.once:
            print(f"\nserving; the API is described at http://{addresses['http']}/docs", flush=True)
            with contextlib.suppress(KeyboardInterrupt):
                process.wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        main()
