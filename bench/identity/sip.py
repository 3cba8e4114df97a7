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
def ours(key: ec.EllipticCurvePrivateKey) -> Iterator[Server]:
    """`callscreen edge`, with one worker and one thread that signs."""
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
        with edge_of(state, "--stir-keys", str(keys), "--identity-threads", "1") as server:
            yield server


def pem_of(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())


def secsipid(key: ec.EllipticCurvePrivateKey) -> Any:
    """Kamailio that signs, with one process for UDP."""
    words = {"ORIGID": ORIGID, "X5U": URL, "KEY": pem_of(key).decode().replace("\n", "\\n")}
    return kamailio(COUNT, CONFIG, words)


def beside(server: Server, rate: int, seconds: float) -> tuple[Seen, Seen]:
    """Unsigned calls at a rate while signed ones come as fast as they are answered."""
    options = {**SIGNED, "window": WINDOW, "seconds": seconds + 1.0, "warm": 0.1}
    with subprocess.Popen(
        command(server.port, **options), stdout=subprocess.PIPE, text=True
    ) as signing:
        unsigned = measured(server, **LOAD, **{"from": OTHERS}, rate=rate, seconds=seconds)
        said, _ = signing.communicate()
    return unsigned, seen(json.loads(said), 0.0)


def rates(key: ec.EllipticCurvePrivateKey, given: argparse.Namespace) -> tuple[float, float]:
    """Signed calls a second, ours and Kamailio's (0 where it is not there); shows them."""
    rows: dict[str, list[Seen]] = {"ours": [], "Kamailio secsipid": []}
    with ExitStack() as stack:
        servers = {"ours": stack.enter_context(ours(key))}
        if find_kamailio():
            servers["Kamailio secsipid"] = stack.enter_context(secsipid(key))
        for _ in range(given.rounds):
            for name, server in servers.items():
                found = measured(server, **SIGNED, window=WINDOW, seconds=given.seconds)
                rows[name].append(found)
        print(f"{openssl_version()}: {openssl(1).build:,.0f} bare signatures a second")
        print(f"{'':32}{'302/s':>10}{'us each':>9}{'p50 us':>10}{'lost':>7}{'wrong':>7}")
        for name, each in rows.items():
            if each:
                show(name, each)
        unsigned(servers["ours"], given)
    medians = [statistics.median([one.rate for one in each] or [0.0]) for each in rows.values()]
    return medians[0], medians[1]


def show(name: str, every: list[Seen]) -> None:
    def median(what: str) -> float:
        return statistics.median(getattr(each, what) for each in every)

    print(f"{name:32}{median('rate'):>10,.0f}{median('cost'):>9.1f}{median('p50'):>10,.0f}", end="")
    print(f"{sum(each.lost for each in every):>7,}{sum(each.wrong for each in every):>7,}")


def unsigned(server: Server, given: argparse.Namespace) -> None:
    """Unsigned calls alone and beside signed ones; ends the process where too many are lost."""
    options = {**LOAD, "from": OTHERS, "rate": given.beside, "seconds": given.seconds}
    alone, both, signed = [], [], []
    for _ in range(given.rounds):
        alone.append(measured(server, **options))
        one, other = beside(server, given.beside, given.seconds)
        both.append(one)
        signed.append(other)
    print(f"{given.beside:,} unsigned calls a second")
    show("  alone", alone)
    show("  beside signed ones", both)
    show("  these", signed)
    given.lost = statistics.median(each.share_lost for each in both)
    given.kept = statistics.median(each.rate for each in both) / statistics.median(
        each.rate for each in alone
    )


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
    own, theirs = rates(ec.generate_private_key(ec.SECP256R1()), given)
    met = {
        f"signed calls, x Kamailio secsipid: {own / theirs if theirs else 0:.2f} (> 1)": own
        > theirs,
        f"unsigned calls beside them: {1 - given.kept:.3f} fewer (<= {LOST})": 1 - given.kept
        <= LOST,
    }
    for what, is_met in met.items():
        print(f"{'met   ' if is_met else 'MISSED'} {what}")
    if not all(met.values()):
        sys.exit(1)
