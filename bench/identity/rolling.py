"""Roots, certificates and lists of revoked ones are changed while calls are verified.

python -m bench.identity rolling [--rate N] [--seconds N]

An edge takes signed calls of several certificates at a steady rate, and fetches the certificates
from a host of TLS. Step by step a root is added, a certificate revoked, another replaced under its
URL, then under a new one, a list set back, a root taken away. Each answer is compared with what is
right at that time. Within WINDOW seconds of a change the former verdict, or that it cannot be told,
is right as well: files are looked at every five seconds.
"""

import argparse
import os
import select
import socket
import ssl
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from callscreen.identity.signing import Signer
from callscreen.v1.replication_pb2 import ResumeToken

from ..edge.servers import Server, cores, edge_of, end_on_sigterm
from ..edge.workload import provisioned
from .paths import Root
from .verify import COUNT, PASSED, called_id, invite, rules, signer

__all__ = ["main"]

HOST, PORT = "127.0.0.1", 8443
WINDOW = 7.0  # seconds
VALID, INVALID, UNTOLD = "valid", "invalid", "could not be told"


class Host:
    """What a host of certificates serves, by path."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: Counter[str] = Counter()

    @contextmanager
    def serving(self, root: Root, folder: Path) -> Iterator[None]:
        key = ec.generate_private_key(ec.SECP256R1())
        own = folder / "host.pem"
        own.write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
            + root.host(key, HOST).public_bytes(Encoding.PEM)
        )
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                host.asked[self.path] += 1
                body = host.files.get(self.path)
                self.send_response(404 if body is None else 200)
                self.send_header("Content-Type", "application/pem-certificate-chain")
                self.send_header("Content-Length", str(len(body or b"")))
                self.end_headers()
                self.wfile.write(body or b"")

            def log_message(self, format: str, *words: object) -> None:
                """Says nothing."""

        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(own)
        server = ThreadingHTTPServer((HOST, PORT), Handler)
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
            server.server_close()


class Due(NamedTuple):
    """What is right of a caller's calls from a time on, and what was before."""

    since: float
    now: str
    before: str

    def right(self, sent: float, found: str) -> bool:
        if found == self.now:
            return True
        return sent - self.since < WINDOW and found in (self.before, UNTOLD)


class World:
    """The roots, the list and the callers, as they are at the moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.host = Host()
        self.first, self.second, self.policy = Root("First"), Root("Second"), Root("Policy")
        self.by: dict[str, Signer] = {}
        self.due: dict[str, Due] = {}
        self.leaf = {}
        (folder / "roots").mkdir()
        self._put("roots/first.pem", self.first.pem)
        self._put("policy.pem", self.policy.pem)
        self._put("crl.der", self.policy.crl(1, []))
        for name, root, due in (
            ("steady", self.first, VALID),
            ("revoked", self.first, VALID),
            ("renewed", self.first, VALID),
            ("stranger", self.second, INVALID),
        ):
            self.caller(name, root, due)

    def _put(self, name: str, octets: bytes) -> None:
        """A file that is whole at any time."""
        path = self.folder / name
        path.with_name(path.name + ".new").write_bytes(octets)
        path.with_name(path.name + ".new").rename(path)

    def caller(self, name: str, root: Root, due: str, url: str = "") -> None:
        """One whose calls are signed with a new certificate from now on."""
        key, path = ec.generate_private_key(ec.SECP256R1()), url or f"/{name}.pem"
        self.leaf[name] = root.leaf(key)
        self.host.files[path] = self.leaf[name].public_bytes(Encoding.PEM)
        self.by[name] = signer(key, f"https://{HOST}:{PORT}{path}")
        self.become(name, due)

    def become(self, name: str, due: str) -> None:
        before = self.due[name].now if name in self.due else due
        self.due[name] = Due(time.monotonic(), due, before)

    def steps(self) -> dict[str, Callable[[], None]]:
        return {
            "as it begins": lambda: None,
            "a root is added": self.add_root,
            "a certificate is revoked": self.revoke,
            "a certificate is replaced under its URL": lambda: self.caller(
                "renewed", self.first, VALID
            ),
            "and then under another": lambda: self.caller(
                "renewed", self.first, VALID, "/renewed-2.pem"
            ),
            "a list is set back": lambda: self._put("crl.der", self.policy.crl(1, [])),
            "a root is taken away": self.take_root,
        }

    def add_root(self) -> None:
        self._put("roots/second.pem", self.second.pem)
        self.become("stranger", VALID)

    def revoke(self) -> None:
        self._put("crl.der", self.policy.crl(2, [self.leaf["revoked"]]))
        self.become("revoked", INVALID)

    def take_root(self) -> None:
        (self.folder / "roots" / "first.pem").unlink()
        for name in ("steady", "renewed"):
            self.become(name, INVALID)


@contextmanager
def edge(world: World) -> Iterator[Server]:
    folder = world.folder
    state = folder / "state"
    image = state / "replica" / "image-0000000001"
    for each in (state, image.parent):
        each.mkdir(mode=0o700)
    with image.open("wb") as file:
        token = ResumeToken(store_id="bench", epoch=1, revision=1)
        provisioned(COUNT, [rules()]).saver(token)(file.fileno())
    (folder / "ca.pem").write_bytes(world.policy.pem)
    words = {
        "--stir-roots": folder / "roots",
        "--stir-crl": folder / "crl.der",
        "--stir-trust-list-ca": folder / "policy.pem",
        "--stir-ca": folder / "ca.pem",
        "--stir-private": "127.0.0.0/8",
        "--identity-threads": 1,
    }
    with edge_of(state, *(str(each) for pair in words.items() for each in pair)) as server:
        yield server


def verdict(answer: bytes) -> str:
    if not answer.startswith(b"SIP/2.0 302"):
        return INVALID
    return VALID if PASSED in answer else UNTOLD


class Seen:
    """The answers of a step."""

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.longest = 0.0
        self.lost = 0


def taken(world: World, server: Server, udp: socket.socket, rate: float, seconds: float) -> Seen:
    """Calls of every caller in turn, for so many seconds."""
    seen, names = Seen(), list(world.by)
    sent: dict[bytes, tuple[str, float, Due]] = {}
    begun, count = time.monotonic(), 0
    port = udp.getsockname()[1]
    while (now := time.monotonic()) - begun < seconds or (sent and now - begun < seconds + 2):
        while now - begun < seconds and count < (now - begun) * rate:
            name = names[count % len(names)]
            call, octets = invite(world.by[name], port)
            sent[call] = name, time.monotonic(), world.due[name]
            udp.sendto(octets, (HOST, server.port))
            count += 1
        if not select.select([udp], [], [], 0.001)[0]:
            continue
        answer = udp.recv(65_535)
        if answer.startswith(b"SIP/2.0 100") or called_id(answer) not in sent:
            continue
        name, at, due = sent.pop(called_id(answer))
        found = verdict(answer)
        seen.found[found] += 1
        seen.longest = max(seen.longest, time.monotonic() - at)
        if not due.right(at, found):
            seen.wrong[f"{name}: {found}, not {due.now}"] += 1
    seen.lost = len(sent)
    return seen


def main(words: list[str]) -> None:
    reader = argparse.ArgumentParser(prog="python -m bench.identity rolling", description=__doc__)
    reader.add_argument("--rate", type=float, default=1_000, help="calls a second")
    reader.add_argument("--seconds", type=float, default=12, help="of each step")
    given = reader.parse_args(words)
    end_on_sigterm()
    with ExitStack() as stack:
        world = World(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.enter_context(world.host.serving(world.policy, world.folder))
        server = stack.enter_context(edge(world))
        udp = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        udp.bind((HOST, 0))
        os.sched_setaffinity(0, {cores()[0]})
        amiss = 0
        print(f"{'':44}{VALID:>9}{INVALID:>9}{'untold':>9}{'lost':>6}{'wrong':>7}{'longest':>9}")
        for name, step in world.steps().items():
            step()
            seen = taken(world, server, udp, given.rate, given.seconds)
            wrong = sum(seen.wrong.values())
            amiss += wrong + seen.lost
            print(
                f"{name:44}{seen.found[VALID]:>9,}{seen.found[INVALID]:>9,}"
                f"{seen.found[UNTOLD]:>9,}{seen.lost:>6}{wrong:>7}{seen.longest:>8.3f}s",
                flush=True,
            )
            for each, often in seen.wrong.items():
                print(f"    {often} x {each}")
        print("fetched: " + ", ".join(f"{path} {n}" for path, n in world.host.asked.items()))
    print(f"{'MISSED' if amiss else 'met   '} no wrong verdict, no call lost: {amiss}")
    if amiss:
        sys.exit(1)
