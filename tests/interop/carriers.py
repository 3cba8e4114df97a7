"""Two carriers, each a Kamailio that asks an edge: the first signs, the second verifies and rings.

 sipp ──▶ Kamailio ──▶ Kamailio ──▶ baresip
           │ edge A     │ edge B

Invariants
1. Both run `docs/integrate/kamailio.cfg` as it stands; from one to the other goes SIP alone.
2. Edge A has keys and no roots, edge B roots and no keys, unless it signs what it diverts.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..edge.double import Core
from ..edge.identity_double import SOURCE
from ..edge.objects import CALLED, FRIEND, obj
from ..edge.test_identity_calls import Signing
from .conftest import platform
from .peers import SCENARIOS, Phone, edge, free_port, phone, place, proxy

__all__ = ["OUTSIDE", "TRUNK", "Carriers", "carriers", "variant"]

TRUNK, OUTSIDE = "127.0.0.2", "127.0.0.3"  # whose calls the first carrier signs, and whose not
BELIEVED = '[[peer]]\nname = "kamailio"\naddresses = ["127.0.0.1"]\nproxy = true\n'


def variant(folder: Path, scenario: str, *lines: str, status: int = 0) -> str:
    """A scenario whose INVITE has more header lines, and which wants this final answer."""
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    at = "      Max-Forwards: 70\n"
    text = text.replace(at, at + "".join(f"      {line}\n" for line in lines), 1)
    if status:
        text = text.replace('response="603"', f'response="{status}"')
    path = folder / "variant.xml"
    path.write_text(text)
    return str(path.with_suffix(""))


def originating(onward: str) -> list[Any]:
    """The first carrier screens nobody; its trunk's calls are signed, and go to `onward`."""
    engine = {"default_treatment": "continue", "use_contact": False, "egress_route": onward}
    web = {"default_cc": "1"}
    return [
        obj("pcs/settings/", settings={"screening_engine": engine, "web_settings": web}),
        obj("pcs/service_provider/acme", service_provider={"name": "acme"}),
        obj("pcs/origination_source/acme/trunk", origination_source={**SOURCE}),
    ]


def terminating(onward: str, invalid: str) -> list[Any]:
    """The second takes who calls for a friend only where it is signed; everybody else goes to the
    mailbox. `invalid` is what becomes of a bad signature."""
    listed = {"personal": True, "global": False, "override": False, "stir_shaken": True}
    rule = {
        "service_provider_name": "acme",
        "stir_shaken": {"enabled": True, "override": False, "invalid": invalid, "priority": 1},
        "whitelist": {**listed, "match": "continue", "no_match": "voicemail", "priority": 2},
    }
    found = {each.name: each for each in platform(onward)}
    found["pcs/settings/"].settings.screening_engine.divert_cert_name = "acme-1"
    name = "pcs/screening_rule/acme"
    return [*(found | {name: obj(name, screening_rule=rule)}).values()]


@dataclass
class Carriers:
    """Both of them, what their edges recorded, and the phone at the end."""

    first: int  # ports of the proxies
    second: int
    made: Core  # the core of edge A, and that of B
    found: Core
    rings: Phone
    folder: Path

    async def call(
        self,
        scenario: str = "through",
        *,
        source: str = TRUNK,
        port: int = 0,
        calling: str = FRIEND,
    ) -> str:
        """Places a call with the first carrier, or at a port; what the caller saw on the wire."""
        seen = self.folder / "seen.log"
        seen.unlink(missing_ok=True)
        more = ("-m", "1", "-trace_msg", "-message_file", str(seen))
        port = port or self.first
        await place(port, self.folder, scenario, CALLED, calling, *more, source=source)
        return seen.read_text()

    def rung(self) -> list[str]:
        """The header lines of the last INVITE that the phone got."""
        said = self.rings.said().replace("\r\n", "\n")
        _, _, last = said.rpartition("\nINVITE sip:")
        return f"INVITE sip:{last}".partition("\n\n")[0].splitlines()


@asynccontextmanager
async def carriers(
    folder: Path, signing: Signing, invalid: str, *, diverts: bool = False
) -> AsyncIterator[Carriers]:
    one, two = folder / "one", folder / "two"
    for each in (one, two):
        each.mkdir()
    believed = folder / "peers.toml"
    believed.write_text(BELIEVED)
    signs = ("--stir-keys", signing.config.keys, "--peers", str(believed))
    verifies = ("--stir-roots", signing.config.roots, "--stir-ca", signing.config.ca)
    verifies += ("--stir-private", "127.0.0.0/8")
    if diverts:
        verifies += ("--stir-keys", signing.config.keys)
    made, found = Core(), Core()
    async with AsyncExitStack() as stack:
        enter = stack.enter_async_context
        for core in (made, found):
            await core.start()
            stack.push_async_callback(core.stop)
        rings = await enter(phone(folder, CALLED, "mailbox"))
        onward = free_port()
        for each in originating(f"127.0.0.1:{onward}"):
            made.note(each.name, body=each)
        for each in terminating(f"127.0.0.1:{rings.port}", invalid):
            found.note(each.name, body=each)
        edge_a, edge_b = await asyncio.gather(
            enter(edge(made, one, "a", 0, *signs)), enter(edge(found, two, "b", 0, *verifies))
        )
        first, second = await asyncio.gather(
            enter(proxy(one, [edge_a.port])), enter(proxy(two, [edge_b.port], onward))
        )
        yield Carriers(first.port, second.port, made, found, rings, folder)
