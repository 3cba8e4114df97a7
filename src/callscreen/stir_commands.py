"""`callscreen stir`: Identity headers signed, verified and taken apart by hand.

Invariants
1. What a caller wrote reaches the terminal without control characters.
2. The exit status says what was found: see STATUS. What was asked wrongly ends with 2.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import orjson

from .options import EPILOG, Seconds, option
from .running import emit, fail

if TYPE_CHECKING:
    from .identity.model import Chain, Question, Verdict

__all__ = ["STATUS", "stir"]

STATUS = {"VALID": 0, "INVALID": 1, "NONE": 3, "UNKNOWN": 4}  # exit status of verify
REFUSED = 1  # of sign and inspect
INPUT_MOST = 81_920  # octets of a header read from standard input
EXIT_STATUS = """

\b
Exit status:
  0  {0}
  1  {1}
  2  what was asked cannot be read
"""

identity_argument = click.argument("identity")
keys_option = option(
    "--stir-keys", "", "Certificates and keys: a folder, or pkcs11:...", metavar="WHERE"
)


class Moment(click.ParamType[float]):
    """A time: seconds since 1970, or ISO 8601, in UTC where it says nothing else."""

    name = "TIME"

    def convert(self, value: Any, param: Any, ctx: Any) -> float:
        if isinstance(value, float):
            return value
        try:
            if value.isascii() and value.isdigit() and len(value) < 12:
                return float(value)
            found = datetime.fromisoformat(value)
            return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
        except ValueError:
            self.fail(f"{value!r} is no time", param, ctx)


at_option = click.option(
    "--at",
    type=Moment(),
    metavar="TIME",
    help="As if it were then: 1700000000 or 2026-03-01T12:00.",
)


@click.group(epilog=EPILOG)
def stir() -> None:
    """Caller identity by hand (STIR/SHAKEN): sign, verify and inspect Identity headers."""


@stir.command(
    epilog=EXIT_STATUS.format("it was signed", "it was not signed, and why") + EPILOG,
    short_help="Signs a call.",
)
@keys_option
@click.option("--name", required=True, metavar="NAME", help="The certificate: its name there.")
@click.option("--attest", type=click.Choice(["A", "B", "C"]), required=True, help="Attestation.")
@click.option("--orig", required=True, metavar="NUMBER", help="The calling number, of E.164.")
@click.option("--dest", required=True, multiple=True, metavar="NUMBER", help="The called number.")
@click.option("--origid", default="", metavar="UUID", help="Origination id; a new one without.")
@at_option
def sign(
    stir_keys: str,
    name: str,
    attest: str,
    orig: str,
    dest: tuple[str, ...],
    origid: str,
    at: float | None,
) -> None:
    """Signs a call and prints the value of its Identity header.

    Tells whether a certificate and its key do before calls depend on them.
    """
    from .identity.keystore import KeyStore
    from .identity.model import SignRequest
    from .identity.signing import NoSignature

    now = time.time() if at is None else at
    plus = [each.removeprefix("+") for each in dest]
    request = SignRequest(name, attest, orig.removeprefix("+"), plus, origid)
    try:
        signed = KeyStore(stir_keys, clock=lambda: now).signer(name).sign(request, now)
    except NoSignature as error:
        fail(f"not signed: {error}")
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    emit(signed.value)


@stir.command(
    epilog=EXIT_STATUS.format("it has the form of one", "it has not, and why") + EPILOG,
    short_help="Takes a header apart.",
)
@identity_argument
def inspect(identity: str) -> None:
    """Prints what an Identity header says, without looking at its signature.

    IDENTITY is the header's value, or - to read it from standard input.
    """
    from .identity.claims import check_claims
    from .identity.header import read_identity
    from .identity.model import Fault

    try:
        header = read_identity(given(identity))
        show("header", header.protected)
        show("claims", header.claims)
        emit(f"info    {shown(header.info)}")
        iat = header.claims.get("iat")
        if type(iat) is int and 0 <= iat < 2**37:
            made = datetime.fromtimestamp(iat, UTC).isoformat()
            emit(f"made    {made}, {time.time() - iat:.0f} seconds ago")
        check_claims(header)
    except Fault as fault:
        emit(f"refused {shown(f'{fault.check}: {fault.detail}')} ({fault.code}, {fault.verstat})")
        sys.exit(REFUSED)


@stir.command(
    epilog="\b\nExit status:\n  0  valid\n  1  invalid\n  2  what was asked cannot be read\n"
    "  3  there is nothing that could be verified\n"
    "  4  it could not be told, such as where the certificate could not be fetched\n\n" + EPILOG,
    short_help="Verifies a header.",
)
@identity_argument
@click.option("--orig", required=True, metavar="NUMBER", help="Who calls: a number or a URI.")
@click.option("--dest", required=True, metavar="NUMBER", help="Who is called.")
@click.option("--target", default="", metavar="NUMBER", help="Of the Request-URI, if another.")
@click.option("--date", default="", help="The value of the Date header.")
@at_option
@option("--stir-roots", "", "Roots: a PEM file, or a folder of them.", metavar="PATH")
@click.option(
    "--certificate",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The signer's path in PEM, leaf first: nothing is fetched then.",
)
@option("--stir-ca", "", "Who signs the TLS certificates of hosts: PEM.", metavar="FILE")
@option("--stir-private", "", "Private addresses that may be fetched from.", metavar="LIST")
@option("--stir-crl", "", "The list of revoked certificates.", metavar="FILE|URL")
@option("--stir-trust-list-ca", "", "Who signs that list, if no root does: PEM.", metavar="FILE")
@click.option(
    "--freshness",
    default=60,
    type=click.IntRange(1, 3_600),
    show_default=True,
    help="Seconds a token is good.",
)
@click.option("--default-cc", default="1", show_default=True, help="Of numbers without a plus.")
@click.option(
    "--budget",
    default=5.0,
    type=Seconds(0, 60),
    show_default=True,
    help="Seconds to fetch in.",
)
def verify(
    identity: str,
    orig: str,
    dest: str,
    target: str,
    date: str,
    at: float | None,
    certificate: Path | None,
    freshness: int,
    default_cc: str,
    budget: float,
    **stir: str,
) -> None:
    """Verifies an Identity header and prints each step with its result.

    IDENTITY is the header's value, or - to read it from standard input. The certificate is fetched
    from where the header says, unless --certificate gives it.
    """
    from .identity.model import Policy, Question
    from .identity.stating import explain

    question = Question(
        identities=[given(identity)],
        orig=orig,
        dest=dest,
        target=target or dest,
        date=date,
        default_cc=default_cc,
    )
    now, policy = time.time() if at is None else at, Policy(freshness=freshness)
    try:
        if certificate is not None:
            verdict = offline(question, certificate, stir, policy, now)
        else:
            verdict = asyncio.run(fetching(question, policy, now, budget, stir))
    except (ValueError, OSError) as error:
        raise click.UsageError(str(error)) from error
    for line in explain(verdict):
        emit(shown(line))
    sys.exit(STATUS[verdict.state.name])


def offline(
    question: "Question", certificate: Path, stir: dict[str, str], policy: Any, now: float
) -> Any:
    """The verdict with a path that is at hand. Raises ValueError, OSError."""
    from .identity.certificates import read_path
    from .identity.chains import judge_chain
    from .identity.model import Fault
    from .identity.revocation import Revocations, read_crl
    from .identity.trust import Trust, roots_of, signers_of
    from .identity.verification import judge, read

    crl, signers = stir["stir_crl"], stir["stir_trust_list_ca"]
    if crl.startswith("https://"):
        raise ValueError("with --certificate nothing is fetched: give --stir-crl as a file")
    try:
        files = pem_files(stir["stir_roots"])
        roots = tuple(root for each in files for root in roots_of(each.read_bytes()))
        path = read_path(certificate.read_bytes())
        held = signers_of(Path(signers).read_bytes()) if signers else roots
        revoked = read_crl(Path(crl).read_bytes(), held, now) if crl else Revocations()
    except Fault as fault:
        raise ValueError(fault.detail) from fault
    trust = Trust(roots, revoked)
    chain_of: Callable[[str], Chain] = lambda url: judge_chain(path, trust, now)  # noqa: E731
    return judge(question, read(question), chain_of, policy, now)


async def fetching(
    question: "Question", policy: Any, now: float, budget: float, stir: dict[str, str]
) -> "Verdict":
    """The verdict with a path from its URL. Raises ValueError, OSError."""
    from .identity.service import Identities
    from .identity_options import identity_config

    names = ("stir_keys", "stir_trust_list")
    config = identity_config({**stir, **dict.fromkeys(names, "")}, None)
    identities = Identities(config, clock=lambda: now)
    try:
        return await identities.verify(question, "", policy, budget)
    finally:
        await identities.close()


def pem_files(roots: str) -> list[Path]:
    """Raises ValueError where there is none."""
    path = Path(roots)
    found = sorted(path.glob("*.pem")) if path.is_dir() else [path]
    if not roots or not found:
        raise ValueError("no roots: give --stir-roots")
    return found


def given(identity: str) -> bytes:
    """The value, as it is or without the header's name before it."""
    if identity == "-":
        octets = sys.stdin.buffer.read(INPUT_MOST)
    else:
        octets = identity.encode(errors="surrogateescape")  # as the system gave them
    text = octets.decode(errors="surrogateescape")
    name, colon, rest = text.partition(":")
    if colon and name.strip().lower() in ("identity", "y"):
        text = rest
    return text.strip().encode(errors="surrogateescape")


def show(name: str, parts: dict[str, Any]) -> None:
    for key, value in parts.items():
        emit(f"{name:7} {shown(key)} = {shown(orjson.dumps(value).decode())}")


def shown(text: str) -> str:
    """Without control characters."""
    return "".join(each if each.isprintable() else "?" for each in text)
