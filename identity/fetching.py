"""Fetches what a stranger's URL names: certificates over https, and nothing else is reached.

Invariants
1. A connection is made only to an address that was checked: names are resolved here, once, and
   what is private, shared, local, multicast or a disguise of such is left out (RFC 6890).
2. No redirect is followed, no proxy, cookie or password is used, no compressed body is opened.
3. Each fetch ends after TOTAL_SECONDS and OCTETS_MOST; only who was asked in vain is at fault.
"""

import asyncio
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import NamedTuple

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from .model import NOT_VALIDATED, Fault
from .resolving import Names, NoPlace

__all__ = ["OCTETS_MOST", "PORTS", "Fetched", "Fetcher", "Unfetched", "is_reachable", "read_url"]

OCTETS_MOST = 64 * 1024  # of an answer
TOTAL_SECONDS = 5.0  # of a fetch, from the name to the last octet
CONNECT_SECONDS = 3.0
CONNECTIONS_MOST = 64
HOST_CONNECTIONS_MOST = 4
URL_MOST = 2_048  # characters
AGE_MOST = 31 * 86_400  # seconds that an answer's max-age may say
PORTS = (443, 8443)  # ATIS-1000074

Network = IPv4Network | IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]  # a name's addresses; raises OSError

SHAPE = re.compile(
    r"https://([A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?\.?|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?"
    r"(?:/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)?"
)
NUMERIC = re.compile(r"(?:0[xX][0-9A-Fa-f]*|[0-9]+)\.?")  # the last label of an address
MAX_AGE = re.compile(r"(?:^|[,\s])max-age\s*=\s*\"?([0-9]{1,10})", re.IGNORECASE)
TRANSLATED = ip_network("64:ff9b::/96")  # an IPv4 address in its last octets (RFC 6052)


class Unfetched(Fault):
    """436, which says nothing of the call. `dead`: the host is at fault, not this URL of it."""

    def __init__(self, detail: str, *, dead: bool = False, kind: str = "refused") -> None:
        super().__init__("x5u", 436, NOT_VALIDATED, detail, unknown=True)
        self.dead = dead
        self.kind = kind  # for counts


class Fetched(NamedTuple):
    """An answer's octets, and for how many seconds more it holds (0: it does not say)."""

    octets: bytes
    max_age: float = 0.0


def read_url(url: str, ports: Sequence[int] = PORTS) -> tuple[str, int]:
    """Host (no brackets, lower case) and port of an x5u. Raises Unfetched for a URL that has what
    ATIS-1000074 forbids: another scheme or port, a user, a query, a fragment."""
    found = SHAPE.fullmatch(url) if len(url) <= URL_MOST else None
    if found is None:
        raise Unfetched("no https URL without user, query and fragment")
    host, port = found[1].lower(), int(found[2] or 443)
    if port not in ports:
        raise Unfetched(f"port {port} is none of {', '.join(map(str, ports))}")
    if host.startswith("["):
        host = host[1:-1]
    elif NUMERIC.fullmatch(host.removesuffix(".").rpartition(".")[2]) is None:
        return host, port
    try:
        return str(ip_address(host)), port  # other spellings of an address are none
    except ValueError as error:
        raise Unfetched("its host is no name and no address") from error


def is_reachable(text: str, private: Iterable[Network] = ()) -> bool:
    """Whether an address may be connected to: a global one, or one of the prefixes `private`."""
    address: IPv4Address | IPv6Address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is not None:
            address = address.ipv4_mapped
        elif address in TRANSLATED:
            address = IPv4Address(int(address) & 0xFFFFFFFF)
    if any(address.version == each.version and address in each for each in private):
        return True
    if isinstance(address, IPv6Address) and (
        address.sixtofour or address.teredo or address.is_site_local
    ):
        return False
    return address.is_global and not (
        address.is_multicast or address.is_reserved or address.is_unspecified
    )


class CheckedNames(AbstractResolver):
    """Gives a connector the addresses of a name that may be connected to, and no others."""

    def __init__(self, resolve: Resolve, private: Sequence[Network]) -> None:
        self._resolve = resolve
        self._private = private

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Raises OSError where the name has no address, Unfetched where none may be reached."""
        found = await self._resolve(host, port)
        good = [each for each in found if is_reachable(each, self._private)]
        if not good:
            raise Unfetched("its host has no address that may be reached")
        return [
            ResolveResult(
                hostname=host,
                host=each,
                port=port,
                family=socket.AF_INET6 if ":" in each else socket.AF_INET,
                proto=socket.IPPROTO_TCP,
                flags=socket.AI_NUMERICHOST,
            )
            for each in good
        ]

    async def close(self) -> None:
        """Nothing is held."""


class Fetcher:
    """Fetches one URL after another or at once, on one event loop."""

    def __init__(
        self,
        *,
        private: Iterable[str] = (),
        ports: Sequence[int] = PORTS,
        ca: str = "",
        resolve: Resolve | None = None,
        seconds: float = TOTAL_SECONDS,
    ) -> None:
        """`ca`: a PEM file of the CAs of https servers, "" those of the system. Raises OSError,
        ValueError."""
        self._private = [ip_network(each) for each in private]
        self._ports = tuple(ports)
        self._tls = ssl.create_default_context(cafile=ca or None)
        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2
        self._resolve = resolve or Names().look_up
        self._seconds = seconds
        self._session: aiohttp.ClientSession | None = None

    async def get(self, url: str, most: int = OCTETS_MOST) -> Fetched:
        """The body of a 200 answer of at most `most` octets. Raises Unfetched."""
        host, _ = read_url(url, self._ports)
        if _is_address(host) and not is_reachable(host, self._private):
            raise Unfetched("an address that may not be reached")
        try:
            async with asyncio.timeout(self._seconds):
                return await self._got(url, most)
        except NoPlace as error:
            raise Unfetched("too many names are being looked up", kind="limited") from error
        except TimeoutError as error:
            raise Unfetched("no answer in time", dead=True, kind="timeout") from error
        except (aiohttp.ClientConnectionError, ssl.SSLError, OSError) as error:
            raise Unfetched(f"no connection: {error}"[:200], dead=True, kind="dead") from error
        except (aiohttp.ClientError, ValueError) as error:
            raise Unfetched(f"no answer: {error}"[:200], kind="bad") from error

    async def close(self) -> None:
        """Ends connections; a later `get` opens anew."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def _got(self, url: str, most: int) -> Fetched:
        get = self._opened().get(URL(url, encoded=True), allow_redirects=False)
        async with get as answer:
            if answer.status != 200:
                raise Unfetched(f"answered {answer.status}", kind="bad")
            if "Content-Encoding" in answer.headers:
                raise Unfetched("an encoded answer", kind="bad")
            octets = bytearray()
            async for piece in answer.content.iter_any():
                octets += piece
                if len(octets) > most:
                    raise Unfetched(f"more than {most} octets", kind="bad")
            return Fetched(bytes(octets), _max_age(answer.headers))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(
                resolver=CheckedNames(self._resolve, self._private),
                ssl=self._tls,
                use_dns_cache=False,
                force_close=True,
                limit=CONNECTIONS_MOST,
                limit_per_host=HOST_CONNECTIONS_MOST,
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                trust_env=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(total=self._seconds, connect=CONNECT_SECONDS),
                headers={
                    "Accept": "application/pem-certificate-chain, */*;q=0.5",
                    "Accept-Encoding": "identity",
                    "User-Agent": "callscreen",
                },
            )
        return self._session


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _max_age(headers: Mapping[str, str]) -> float:
    """Seconds that an answer holds (RFC 9111 section 4.2), less those it is old already."""
    said = MAX_AGE.search(str(headers.get("Cache-Control", "")))
    age = str(headers.get("Age", "0"))
    spent = int(age) if age.isascii() and age.isdecimal() and len(age) < 11 else 0
    return float(min(max(int(said[1]) - spent, 0), AGE_MOST)) if said else 0.0
