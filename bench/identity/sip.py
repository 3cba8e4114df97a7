"""Calls that are signed: INVITE in, 302 with an Identity out, beside Kamailio's secsipid.

python -m bench.identity sip [--quick] [--rounds N] [--seconds S] [--beside CALLS]

Each server is a process on the second core, with one worker, and is called from the first; each
figure is the median of the rounds, which take turns. Then unsigned calls come at a fixed rate,
alone and beside signed ones that come as fast as they are answered: at most 5 % may be lost.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from callscreen.v1 import object_pb2
from callscreen.v1.replication_pb2 import ResumeToken

from ..edge.measure import Seen, command, measured, seen
from ..edge.servers import Server, edge_of, end_on_sigterm, find_kamailio, kamailio
from ..edge.workload import PROVIDER, provisioned
from .floor import openssl, openssl_version
from .paths import certificate

__all__ = ["main"]

CONFIG = Path(__file__).parent / "secsipid.cfg"
MODULE = "*/kamailio/modules/secsipid.so"  # Debian's kamailio-secsipid-modules
URL = "https://certificates.example.com/path/to/0123456789abcdef0123456789.pem"
ORIGID = "00000000-0000-4000-8000-000000000001"
COUNT = 10_000  # subscribers: this is about signatures
WINDOW = 256  # signed calls that wait for an answer
TRUNK, OTHERS = "127.0.0.2", "127.0.0.3"  # whose calls are signed, and whose are not
LOST = 0.05  # the share of unsigned calls that may be lost beside signed ones
LOAD: dict[str, Any] = {"subscribers": COUNT, "listed": COUNT, "shares": "100,0,0,0"}
SIGNED = {**LOAD, "from": TRUNK, "signed": True}


def source() -> object_pb2.Object:
    """The origination source whose calls are signed."""
    body: Any = {
        "service_provider_name": PROVIDER,
        "name": "trunk",
        "source_ip": [f"{TRUNK}/32"],
        "orig_id": ORIGID,
        "attest": "A",
        "cert_name": "own",
    }
    name = f"pcs/origination_source/{PROVIDER}/trunk"
    return object_pb2.Object(name=name, origination_source=body)


@contextmanager
def ours(key: ec.EllipticCurvePrivateKey, *words: str) -> Iterator[Server]:
    """`callscreen edge`, with one worker and one thread that signs; `words` are options of it."""
    with tempfile.TemporaryDirectory() as folder:
        state, keys = Path(folder, "state"), Path(folder, "keys")
        image = state / "replica" / "image-0000000001"
        for each in (state, image.parent, keys):
            each.mkdir(mode=0o700)
        with image.open("wb") as file:
            token = ResumeToken(store_id="bench", epoch=1, revision=1)
            provisioned(COUNT, [source()]).saver(token)(file.fileno())
        (keys / "own.key").touch(0o600)
        (keys / "own.key").write_bytes(pem_of(key))
        (keys / "own.pem").write_bytes(certificate(key))
        (keys / "own.url").write_text(URL)
        with edge_of(state, "--stir-keys", str(keys), "--identity-threads", "1", *words) as server:
            yield server


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def secsipid(key: ec.EllipticCurvePrivateKey) -> Any:
    """Kamailio that signs, with one process for UDP."""
    words = {"ORIGID": ORIGID, "X5U": URL, "KEY": pem_of(key).decode().replace("\n", "\\n")}
    return kamailio(COUNT, CONFIG, words)


def signing(servers: dict[str, Server], given: argparse.Namespace) -> float:
    """Shows signed calls a second of each server; the first one's rate beside the others'."""
    rows: dict[str, list[Seen]] = {name: [] for name in servers}
    for _ in range(given.rounds):
        for name, server in servers.items():
            found = measured(server, **SIGNED, window=WINDOW, seconds=given.seconds)
            rows[name].append(found)
    for name, each in rows.items():
        show(name, each)
    own, *others = [statistics.median(one.rate for one in each) for each in rows.values()]
    return own / max(others, default=own)


def unsigned(server: Server, given: argparse.Namespace) -> float:
    """Shows unsigned calls alone and beside signed ones; the share of answers missing beside."""
    options = {**LOAD, "from": OTHERS, "rate": given.beside, "seconds": given.seconds}
    rows: dict[str, list[Seen]] = {"alone": [], "beside signed ones": [], "these": []}
    alone, both, signed = rows.values()
    for _ in range(given.rounds):
        alone.append(measured(server, **options))
        for row, found in zip((both, signed), beside(server, given), strict=True):
            row.append(found)
    print(f"{given.beside:,} unsigned calls a second")
    for name, each in rows.items():
        show(f"  {name}", each)
    rate, less = (statistics.median(one.rate for one in each) for each in (alone, both))
    return 1 - less / rate


def beside(server: Server, given: argparse.Namespace) -> tuple[Seen, Seen]:
    """Unsigned calls at a rate while signed ones come as fast as they are answered; and these."""
    options = {**SIGNED, "window": WINDOW, "seconds": given.seconds + 1.0, "warm": 0.1}
    options["patient"] = True  # both are called from one core
    with subprocess.Popen(
        command(server.port, **options), stdout=subprocess.PIPE, text=True
    ) as calling:
        options = {**LOAD, "from": OTHERS, "rate": given.beside, "seconds": given.seconds}
        found = measured(server, **options)
        said, _ = calling.communicate()
    return found, seen(json.loads(said), 0.0)


def show(name: str, every: list[Seen]) -> None:
    def median(what: str) -> float:
        return statistics.median(getattr(each, what) for each in every)

    print(f"{name:32}{median('rate'):>10,.0f}{median('cost'):>9.1f}{median('p50'):>10,.0f}", end="")
    print(f"{sum(each.lost for each in every):>7,}{sum(each.wrong for each in every):>7,}")


def main(words: list[str]) -> None:
    reader = argparse.ArgumentParser(prog="python -m bench.identity sip", description=__doc__)
    reader.add_argument("--quick", action="store_true", help="a look of some seconds")
    reader.add_argument("--rounds", type=int, default=5)
    reader.add_argument("--seconds", type=float, default=2.0, help="of one measurement")
    reader.add_argument("--beside", type=int, default=20_000, help="unsigned calls a second")
    given = reader.parse_args(words)
    end_on_sigterm()
    if given.quick:
        given.rounds, given.seconds = 3, 0.7
    key = ec.generate_private_key(ec.SECP256R1())
    with ExitStack() as stack:
        servers = {"ours": stack.enter_context(ours(key))}
        if find_kamailio() and any(Path("/usr/lib").glob(MODULE)):
            servers["Kamailio secsipid"] = stack.enter_context(secsipid(key))
        print(f"{openssl_version()}: {openssl(1).build:,.0f} bare signatures a second")
        print(f"{'':32}{'302/s':>10}{'us each':>9}{'p50 us':>10}{'lost':>7}{'wrong':>7}")
        factor = signing(servers, given)
        missing = unsigned(servers["ours"], given)
    met = {f"unsigned calls beside signed ones: {missing:.3f} fewer (<= {LOST})": missing <= LOST}
    if len(servers) > 1:
        met[f"signed calls, x Kamailio secsipid: {factor:.2f} (> 1)"] = factor > 1
    for what, is_met in met.items():
        print(f"{'met   ' if is_met else 'MISSED'} {what}")
    if not all(met.values()):
        sys.exit(1)
