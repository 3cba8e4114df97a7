"""Calls that are verified: INVITE with an Identity in, 302 out, beside Kamailio's secsipid; and
calls whose certificate's host is dead.

python -m bench.identity verify [--rounds N] [--calls N]

Each server is a process on the second core, with one worker, and is called from the first; the
certificate is at hand. Every call is another token, signed beforehand. Then some calls name hosts
that take a connection and say nothing: none may wait longer than the budget.
"""

import argparse
import itertools
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from callscreen.identity.certificates import read_path
from callscreen.identity.kept import Entry, Shelf
from callscreen.identity.model import Chain, SignRequest
from callscreen.identity.signing import Signer, SoftwareKey
from callscreen.v1 import object_pb2
from callscreen.v1.replication_pb2 import ResumeToken

from ..edge.servers import Server, cores, edge_of, end_on_sigterm, find_kamailio, kamailio
from ..edge.workload import PROVIDER, called, friend, provisioned
from .paths import path_and_root

__all__ = ["main"]

CONFIG = Path(__file__).parent / "secsipid_check.cfg"
URL = "https://certificates.example.com/path/to/0123456789abcdef0123456789.pem"
COUNT = 10_000  # subscribers
WINDOW = 256  # calls that wait for an answer
BUDGET = 0.3  # seconds: the setting's default
SLACK = 0.05  # seconds that an answer may come later than the budget, on a machine of two cores
DEAD_RATE, OTHER_RATE = 100, 1_000  # calls a second of the second part
PASSED = b";verstat=TN-Validation-Passed"
SERIAL = itertools.count(1)


class Run(NamedTuple):
    rate: float
    seconds: list[float]  # each call's, sorted
    dead: list[float]  # and of those whose certificate cannot be fetched
    lost: int
    wrong: int
    cost: float  # microseconds of the server's processor time for a call


def rules() -> object_pb2.Object:
    """Invalid callers are declined, then friends let through."""
    off = {"personal": False, "global": False, "override": False, "stir_shaken": False}
    friends = {**off, "personal": True, "match": "continue", "no_match": "next", "priority": 2}
    checked = {"enabled": True, "override": False, "invalid": "terminate", "priority": 1}
    body: Any = {"service_provider_name": PROVIDER, "stir_shaken": checked, "whitelist": friends}
    return object_pb2.Object(name=f"pcs/screening_rule/{PROVIDER}", screening_rule=body)


@contextmanager
def ours(path: bytes, root: bytes) -> Iterator[Server]:
    """`callscreen edge` with one worker, one thread that verifies, and the certificate at hand."""
    with tempfile.TemporaryDirectory() as folder:
        state, roots = Path(folder, "state"), Path(folder, "roots")
        image = state / "replica" / "image-0000000001"
        for each in (state, image.parent, roots, state / "identity", state / "identity" / "x5u"):
            each.mkdir(mode=0o700)
        with image.open("wb") as file:
            token = ResumeToken(store_id="bench", epoch=1, revision=1)
            provisioned(COUNT, [rules()]).saver(token)(file.fileno())
        (roots / "bench.pem").write_bytes(root)
        now = time.time()
        shelf = Shelf(state / "identity")
        shelf.write(Entry(URL, path, tuple(read_path(path)), now, now + 86_400))
        words = ("--stir-roots", str(roots), "--stir-private", "127.0.0.0/8")
        with edge_of(state, *words, "--identity-threads", "1") as server:
            yield server


def secsipid(key: ec.EllipticCurvePrivateKey) -> Any:
    """Kamailio that verifies with the key in its memory, one process for UDP."""
    info = PublicFormat.SubjectPublicKeyInfo
    pem = key.public_key().public_bytes(Encoding.PEM, info).decode().replace("\n", "\\n")
    return kamailio(COUNT, CONFIG, {"KEY": pem})


def signer(key: ec.EllipticCurvePrivateKey, url: str = URL) -> Signer:
    return Signer(SoftwareKey(key), Chain(key.public_key(), "own", spc=("1234",)), url)


def invite(by: Signer | None, port: int) -> tuple[bytes, bytes]:
    """The Call-ID and octets of another call of a friend, with an Identity where it is signed."""
    serial = next(SERIAL)
    to, caller = called(serial % COUNT), friend(serial % COUNT)
    name, identity = f"v{serial}", ""
    if by is not None:
        value = by.sign(SignRequest("own", "A", caller[1:], (to[1:],)), time.time()).value
        identity = f"Identity: {value}\r\n"
    text = (
        f"INVITE sip:{to}@127.0.0.1 SIP/2.0\r\n"
        f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{name};rport\r\nMax-Forwards: 69\r\n"
        f"From: <sip:{caller}@carrier.example>;tag={name}\r\n"
        f"To: <sip:{to}@127.0.0.1;user=phone>\r\nCall-ID: {name}\r\nCSeq: 1 INVITE\r\n"
        f"Contact: <sip:trunk@127.0.0.1:{port}>\r\n{identity}Content-Length: 0\r\n\r\n"
    )
    return name.encode(), text.encode()


def called_id(answer: bytes) -> bytes:
    return answer.partition(b"Call-ID: ")[2].partition(b"\r\n")[0]


def run(
    server: Server,
    udp: socket.socket,
    calls: list[tuple[bytes, bytes]],
    dead: set[bytes],
    rate: float,
    said: bytes = b"",
) -> Run:
    """Sends each call, by a window or, where `rate` is not 0, so many a second; `said` has to stand
    in each answer."""
    sent: dict[bytes, float] = {}
    took: list[float] = []
    dead_took: list[float] = []
    wrong, at = 0, 0
    begun = last = time.monotonic()
    spent = server.cpu()
    while at < len(calls) or (sent and time.monotonic() - last < 1.0):
        now = time.monotonic()
        due = int((now - begun) * rate) if rate else at + WINDOW - len(sent)
        for name, octets in calls[at : min(due, at + 16)]:
            sent[name] = time.monotonic()
            udp.sendto(octets, ("127.0.0.1", server.port))
            at += 1
        try:
            while True:
                answer = udp.recv(65_535)
                last = time.monotonic()
                if answer.startswith(b"SIP/2.0 100"):
                    continue
                name = called_id(answer)
                since = sent.pop(name, None)
                if since is None:
                    continue
                (dead_took if name in dead else took).append(last - since)
                wrong += not answer.startswith(b"SIP/2.0 302") or said not in answer
        except BlockingIOError:
            continue
    reached = (len(took) + len(dead_took)) / (last - begun)
    cost = (server.cpu() - spent) / len(calls) * 1e6
    return Run(reached, sorted(took), sorted(dead_took), len(sent), wrong, cost)


def part(values: list[float], share: float) -> float:
    """In milliseconds."""
    return 1e3 * values[min(len(values) - 1, int(share * len(values)))] if values else 0.0


def show(name: str, rows: list[Run]) -> None:
    def median(of: Any) -> float:
        return float(statistics.median(of(each) for each in rows))

    print(
        f"{name:32}{median(lambda r: r.rate):>10,.0f}{median(lambda r: r.cost):>9.1f}"
        f"{median(lambda r: part(r.seconds, 0.5)):>9.2f}"
        f"{median(lambda r: part(r.seconds, 0.99)):>9.2f}"
        f"{sum(r.lost for r in rows):>7}{sum(r.wrong for r in rows):>7}",
        flush=True,
    )


def main(words: list[str]) -> None:
    reader = argparse.ArgumentParser(prog="python -m bench.identity verify", description=__doc__)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--calls", type=int, default=4_000, help="of one measurement")
    given = reader.parse_args(words)
    end_on_sigterm()
    key = ec.generate_private_key(ec.SECP256R1())
    path, root = path_and_root(key)
    with ExitStack() as stack:
        servers = {"ours": stack.enter_context(ours(path, root))}
        if find_kamailio():
            servers["Kamailio secsipid"] = stack.enter_context(secsipid(key))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        udp.bind(("127.0.0.1", 0))
        udp.setblocking(False)
        silent = stack.enter_context(socket.socket())
        silent.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        silent.bind(("0.0.0.0", 8443))
        silent.listen(1024)
        os.sched_setaffinity(0, {cores()[0]})
        met = verified(servers, udp, key, given) | dead_hosts(servers["ours"], udp, key, given)
    for what, is_met in met.items():
        print(f"{'met   ' if is_met else 'MISSED'} {what}")
    if not all(met.values()):
        sys.exit(1)


def verified(
    servers: dict[str, Server], udp: socket.socket, key: Any, given: Any
) -> dict[str, bool]:
    """Verified calls a second of each, in turns."""
    rows: dict[str, list[Run]] = {name: [] for name in servers}
    by, port = signer(key), udp.getsockname()[1]
    for _ in range(given.rounds):
        for name, server in servers.items():
            calls = [invite(by, port) for _ in range(given.calls)]
            said = PASSED if name == "ours" else b""  # secsipid turns the others away
            rows[name].append(run(server, udp, calls, set(), 0, said))
    print(f"{'':32}{'302/s':>10}{'us each':>9}{'p50 ms':>9}{'p99 ms':>9}{'lost':>7}{'wrong':>7}")
    for name, each in rows.items():
        show(name, each)
    own, *others = [statistics.median(one.rate for one in each) for each in rows.values()]
    factor = own / max(others, default=own)
    right = not sum(each.wrong + each.lost for each in rows["ours"])
    return {f"verified calls, x secsipid: {factor:.2f} (> 1)": factor > 1 and right}


def dead_hosts(server: Server, udp: socket.socket, key: Any, given: Any) -> dict[str, bool]:
    """Unsigned calls at a rate, alone and beside calls whose certificate's host is silent."""
    port, hosts = udp.getsockname()[1], itertools.count(1)
    alone, beside = [], []
    for _ in range(given.rounds):
        calls = [invite(None, port) for _ in range(2 * OTHER_RATE)]
        alone.append(run(server, udp, calls, set(), OTHER_RATE))
        dead: set[bytes] = set()
        mixed: list[tuple[bytes, bytes]] = []
        for place in range(2 * OTHER_RATE):
            if place % (OTHER_RATE // DEAD_RATE) == 0:
                host = next(hosts)
                url = f"https://127.9.{host // 250}.{host % 250 + 1}:8443/a.pem"
                mixed.append(invite(signer(key, url), port))
                dead.add(mixed[-1][0])
            mixed.append(invite(None, port))
        beside.append(run(server, udp, mixed, dead, OTHER_RATE + DEAD_RATE))
    show("unsigned, alone", alone)
    show("unsigned, beside dead hosts", beside)
    longest = max(max(each.dead, default=9.0) for each in beside)
    first, then = (statistics.median(part(r.seconds, 0.99) for r in x) for x in (alone, beside))
    print(f"dead hosts: p50 {part(beside[0].dead, 0.5):.1f} ms, longest {longest * 1e3:.1f} ms")
    print(f"p99 of other calls: {first:.2f} ms alone, {then:.2f} ms beside")
    most = BUDGET + SLACK
    return {f"longest wait for a dead host: {longest:.3f} s (<= {most})": longest <= most}


if __name__ == "__main__":
    main(sys.argv[1:])
