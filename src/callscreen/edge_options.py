"""The options of the edge, in groups; `serve` passes them on."""

from typing import Any

import click

from .options import Networks, option

__all__ = ["edge_options", "stir_options"]

WORKER_OPTIONS = (
    option("--name", "", "What call records call this edge; else the host's name.", metavar="NAME"),
    option(
        "--memory-limit",
        "0",
        "MiB that the edge's index may hold, one that is loaded beside it included; 0 for any.",
        type=click.IntRange(0),
        metavar="MIB",
    ),
    option(
        "--workers",
        "1",
        "Threads that answer SIP over UDP: as many as there are cores for it.",
        type=click.IntRange(1, 64),
    ),
    option(
        "--identity-threads",
        "2",
        "Threads of the edge that verify callers' signatures and sign calls.",
        type=click.IntRange(1, 64),
    ),
    option("--no-segmentation", False, "Each answer is sent by itself.", is_flag=True),
    option(
        "--spin",
        "50",
        "Microseconds that a worker looks for the next datagram before it sleeps, while they come"
        " as close together; 0: it sleeps at once.",
        type=click.IntRange(0, 1000),
    ),
)

STREAM_OPTIONS = (
    option(
        "--no-tcp", False, "SIP is not answered over TCP at the address of --sip.", is_flag=True
    ),
    option("--sips", "", "Where the edge answers SIP over TLS; nowhere, if it is not given."),
    option("--tls-certificate", "", "Certificate of TLS, with its chain: PEM.", metavar="FILE"),
    option("--tls-key", "", "Its key: PEM.", metavar="FILE"),
    option(
        "--tls-client-ca",
        "",
        "Who signs certificates that clients must show: PEM; if it is not given, they need none.",
        metavar="FILE",
    ),
)


PEER_OPTIONS = (
    option(
        "--trust",
        "",
        "Whose SIP is answered, besides loopback: addresses and CIDR blocks, separated by commas.",
        metavar="LIST",
        type=Networks(),
    ),
    option(
        "--peers",
        "",
        "The same with names, rates and proxies: a TOML file, read again when it changes.",
        metavar="FILE",
    ),
    option(
        "--ceiling",
        "0",
        "Calls a second that the edge decides, all peers together; 0 for any number.",
        type=click.IntRange(0, 10_000_000),
    ),
)


MODE_OPTIONS = (
    click.option(
        "--mode",
        default="redirect",
        envvar="CALLSCREEN_SIP_MODE",  # CALLSCREEN_MODE is that of a bulk upload
        show_default=True,
        show_envvar=True,
        help="What becomes of a call that goes on: answered 302, or sent on to the egress route."
        " One that came over TCP or TLS is answered 302 all the same.",
        type=click.Choice(["redirect", "proxy"]),
    ),
    option(
        "--via",
        "",
        "HOST:PORT in the Via of what a proxy sends on, where --sip is all addresses.",
        metavar="HOST:PORT",
    ),
    option(
        "--branch-secret-file",
        "",
        "File with the secret of a proxy's branches, for edges behind one address: each brings back"
        " the responses of all. Else an edge has a secret of its own, until it ends.",
        metavar="FILE",
    ),
)


HEP_OPTIONS = (
    option(
        "--hep", "", "Where SIP messages are sent as HEP version 3; nowhere, if it is not given."
    ),
    option(
        "--hep-id",
        "0",
        "Number of this edge at that server.",
        type=click.IntRange(0, 4_294_967_295),
    ),
    option("--hep-key", "", "What that server is shown; better in the environment.", metavar="KEY"),
)


STIR_OPTIONS = (
    option(
        "--stir-keys",
        "",
        "Certificates and keys that calls are signed with: a folder, or pkcs11:...",
        metavar="WHERE",
    ),
    option(
        "--stir-roots",
        "",
        "Folder of the roots that callers' certificates must end in: PEM files.",
        metavar="DIR",
    ),
    option(
        "--stir-ca",
        "",
        "Who signs the TLS certificates of hosts that certificates are fetched from: PEM; the"
        " system's, if it is not given.",
        metavar="FILE",
    ),
    option(
        "--stir-private",
        "",
        "Private addresses that certificates may be fetched from all the same: addresses and CIDR"
        " blocks, separated by commas.",
        metavar="LIST",
        type=Networks(),
    ),
    option("--stir-crl", "", "The list of revoked certificates.", metavar="FILE|URL"),
    option("--stir-trust-list", "", "The signed list of roots.", metavar="FILE|URL"),
    option("--stir-trust-list-ca", "", "Who signs that list and the CRL: PEM.", metavar="FILE"),
)


def edge_options(command: Any) -> Any:
    """What an edge can be told, but for its addresses, where its data comes from, and its log."""
    groups = WORKER_OPTIONS, STIR_OPTIONS, STREAM_OPTIONS, PEER_OPTIONS, MODE_OPTIONS, HEP_OPTIONS
    for each in reversed([one for group in groups for one in group]):
        command = each(command)
    return command


def stir_options(command: Any) -> Any:
    """The options of caller identity (STIR/SHAKEN): stir_keys, stir_roots and so on."""
    for each in reversed(STIR_OPTIONS):
        command = each(command)
    return command
