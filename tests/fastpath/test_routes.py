"""Each treatment with each setting that bears on it becomes the documented answer."""

from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from callscreen.fastpath.extract_types import NumberSource
from callscreen.fastpath.index import Index
from callscreen.fastpath.model import PCS, EngineSettings
from callscreen.fastpath.recent import RecentTable
from callscreen.fastpath.respond import Responder
from callscreen.fastpath.routes_reference import TREATMENTS, Answer
from callscreen.fastpath.routes_reference import answer as plain_answer
from callscreen.fastpath.routes_types import redress
from callscreen.fastpath.uri import parse_uri

from ..edge.messages import read, request


class Asked(NamedTuple):
    called: str
    user: str
    host: str
    contact: str = ""
    uri: bytes = b""
    history: tuple[bytes, ...] = ()


ASKED = Asked("+15551230001", "5551230001", "edge.example:5060", "192.0.2.9:5070")
NAMES = (b"Contact", b"Diversion", b"Reason")


def Settings(  # noqa: N802 - reads as what it makes
    egress_route: str = "",
    voicemail_service_location: str = "",
    sip_routing_prefix: str = "",
    use_contact: bool = False,
    redirect_destination: str = "",
) -> EngineSettings:
    return EngineSettings(
        egress_route=egress_route,
        voicemail_service_location=voicemail_service_location,
        sip_routing_prefix=sip_routing_prefix,
        use_contact=use_contact,
        redirect_destination=redirect_destination,
    )


def compiled_answer(
    treatment: str, engine: EngineSettings, asked: Asked, voicemail: str | None = None
) -> Answer:
    """What a call gets that is decided so, from its INVITE."""
    index = Index()
    index.put_settings(PCS, "", engine._replace(default_treatment=treatment))
    index.put_number_sources(PCS, [NumberSource("hdr.to")], [])
    index.put_subscriber(PCS, "acme", "alice", True, frozenset(), [], [], voicemail)
    if asked.called:
        index.put_number(PCS, "acme", "alice", asked.called, [], [])
    seed, recent = b"0123456789abcdef", RecentTable(8)
    responder = Responder(index, b"secret", seed=seed, recent=recent, product=PCS)
    uri = f"sip:{asked.user}@{asked.host}" if asked.user else f"sip:{asked.host}"
    to = f"<sip:{asked.called or 'nobody'}@edge.example>"
    contact = f"<sip:{asked.contact}>" if asked.contact else None
    if not asked.host:
        uri = f"tel:{asked.user}"
    got = responder.receive(request(uri=uri, to=to, contact=contact), ("192.0.2.9", 5070))
    assert got.answer is not None
    answered = read(got.answer)
    named = [(name, answered.headers.get(name.decode(), [])) for name in NAMES]
    headers = tuple((name, values[0].encode()) for name, values in named if values)
    return Answer(answered.status, answered.reason, headers)


def answer(
    treatment: str, engine: EngineSettings, asked: Asked, voicemail: str | None = None
) -> Answer:
    """What both give."""
    given = plain_answer(treatment, engine, asked, voicemail)
    if asked.user or asked.host:
        assert compiled_answer(treatment, engine, asked, voicemail) == given
    return given


def contact(given: Answer) -> str:
    assert (given.status, given.reason) == (302, "Moved Temporarily")
    value = dict(given.headers)[b"Contact"].decode()
    assert value.startswith("<")
    assert value.endswith(">")
    parse_uri(value[1:-1].encode())
    return value[1:-1]


@pytest.mark.parametrize(
    ("engine", "expected"),
    [
        (Settings(egress_route="egress.example"), "sip:+15551230001@egress.example"),
        (Settings(egress_route="egress.example:5080"), "sip:+15551230001@egress.example:5080"),
        (Settings(egress_route="[2001:db8::1]:5080"), "sip:+15551230001@[2001:db8::1]:5080"),
        (Settings(egress_route="sip:egress.example"), "sip:+15551230001@egress.example"),
        (
            Settings(egress_route="egress.example", use_contact=True),
            "sip:+15551230001@192.0.2.9:5070",
        ),
        (
            Settings(egress_route="egress.example", sip_routing_prefix="77*#"),
            "sip:77*%23+15551230001@egress.example",
        ),
        # No route at all: the asked host, as long as that is not the very URI that was asked.
        (Settings(), "sip:+15551230001@edge.example:5060"),
        (Settings(egress_route="not a host>"), "sip:+15551230001@edge.example:5060"),
    ],
)
def test_continue(engine: EngineSettings, expected: str) -> None:
    assert contact(answer("continue", engine, ASKED)) == expected


def test_continue_without_a_contact_takes_the_egress_route() -> None:
    engine = Settings(egress_route="egress.example", use_contact=True)
    given = answer("continue", engine, ASKED._replace(contact=""))
    assert contact(given) == "sip:+15551230001@egress.example"


@pytest.mark.parametrize(
    "asked",
    [
        Asked("+15551230001", "+15551230001", "edge.example"),
        Asked("", "sales", "edge.example"),
        Asked("+15551230001", "+15551230001", ""),
        Asked("", "", "edge.example"),
    ],
)
def test_nobody_is_sent_back_to_what_he_asked(asked: Asked) -> None:
    assert answer("continue", Settings(), asked).status == 404


def test_a_call_without_a_number_goes_on_to_the_user_it_asked_for() -> None:
    given = answer("continue", Settings(egress_route="egress.example"), Asked("", "sales;x=y", "e"))
    assert contact(given) == "sip:sales%3Bx%3Dy@egress.example"


@pytest.mark.parametrize("treatment", ["terminate", "terminate_solicitor"])
def test_terminate(treatment: str) -> None:
    engine = Settings(egress_route="egress.example", redirect_destination="12345")
    assert answer(treatment, engine, ASKED, "vm@example") == (603, "Decline", ())


TAIL = ";target=sip:+15551230001%40edge.example:5060;cause=302"


@pytest.mark.parametrize(
    ("own", "service", "expected"),
    [
        ("sip:box@vm.example", "other.example", "sip:box@vm.example" + TAIL),
        ("sips:box@vm.example;a=b?X=y", "", "sips:box@vm.example;a=b" + TAIL + "?X=y"),
        ("box@vm.example:5090", "", "sip:box@vm.example:5090" + TAIL),
        ("vm.example", "", "sip:+15551230001@vm.example" + TAIL),
        ("+15559990000", "", "sip:+15559990000@egress.example" + TAIL),
        ("tel:+15559990000", "", "tel:+15559990000"),
        (None, "vm.example:5060", "sip:+15551230001@vm.example:5060" + TAIL),
        (None, "192.0.2.77", "sip:+15551230001@192.0.2.77" + TAIL),
        ("", "sip:vm.example", "sip:vm.example" + TAIL),
        ("not <usable>", "vm.example", "sip:+15551230001@vm.example" + TAIL),
    ],
)
def test_voicemail(own: str | None, service: str, expected: str) -> None:
    engine = Settings(egress_route="egress.example", voicemail_service_location=service)
    given = answer("voicemail", engine, ASKED, own)
    assert contact(given) == expected
    diversion = b"<sip:+15551230001@edge.example:5060>;reason=unconditional;counter=1"
    assert dict(given.headers)[b"Diversion"] == diversion


def test_voicemail_that_is_nowhere_turns_the_call_away() -> None:
    assert answer("voicemail", Settings(), ASKED, None).status == 603
    assert answer("voicemail", Settings(voicemail_service_location="sip:"), ASKED).status == 603


@pytest.mark.parametrize(
    ("destination", "expected"),
    [
        ("12345", "sip:12345@egress.example"),
        ("menu.example", "sip:+15551230001@menu.example"),
        ("menu@menu.example", "sip:menu@menu.example"),
        ("sip:menu@menu.example;transport=tcp", "sip:menu@menu.example;transport=tcp"),
    ],
)
def test_screen(destination: str, expected: str) -> None:
    engine = Settings(egress_route="egress.example", redirect_destination=destination)
    assert contact(answer("screen", engine, ASKED)) == expected


def test_screen_at_the_asked_host_without_a_route() -> None:
    given = answer("screen", Settings(redirect_destination="12345"), ASKED)
    assert contact(given) == "sip:12345@edge.example:5060"


def test_screen_with_no_menu_turns_the_call_away() -> None:
    assert answer("screen", Settings(), ASKED).status == 603


text = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), max_size=30)
pieces = st.lists(
    st.sampled_from(
        [
            *("sip:", "sips:", "tel:", "TEL:", "@", "?", ";a=b", "h.example", ":5060", "1", "+1"),
            *("*#", "[2001:db8::1]", "2001:db8::1", "%", "<", ">", '"', " ", "x y", "é", "X=y"),
        ]
    ),
    max_size=5,
).map("".join)
users = st.text("0123456789abc+*-_.!~'()&=$,;?/", min_size=1, max_size=30)


@settings(max_examples=400, deadline=None)
@given(
    st.sampled_from(sorted(TREATMENTS)),
    text | pieces,
    text | pieces,
    text | pieces,
    text | pieces,
    text | pieces,
    st.sampled_from(["", "+15551230001", "+442079460000"]),
    users | st.just(""),
    st.sampled_from(["edge.example", "[2001:db8::9]:5061", "192.0.2.1"]),
    st.sampled_from(["", "192.0.2.9:5070", "[::1]", "sbc.example"]),
    st.booleans(),
)
def test_nothing_given_breaks_out_of_a_header(
    treatment: str,
    egress: str,
    service: str,
    own: str,
    prefix: str,
    menu: str,
    called: str,
    user: str,
    host: str,
    contact: str,
    use_contact: bool,
) -> None:
    engine = Settings(egress, service, prefix, use_contact, menu)
    mail = own if called else None
    for _, value in answer(treatment, engine, Asked(called, user, host, contact), mail).headers:
        assert all(0x20 < octet < 0x7F for octet in value)
        assert value.count(b"<") == value.count(b">") == 1


@pytest.mark.parametrize("host", ["2001:db8::1", "[2001:db8::1]"])
def test_an_ipv6_address_is_a_host_with_brackets_or_without(host: str) -> None:
    given = answer("continue", Settings(egress_route=host), ASKED)
    assert contact(given) == "sip:+15551230001@[2001:db8::1]"
    given = answer("voicemail", Settings(), ASKED, host)
    assert contact(given) == "sip:+15551230001@[2001:db8::1]" + TAIL


def test_an_address_with_a_zone_is_no_host() -> None:
    given = answer("voicemail", Settings(), ASKED, "fe80::1%>x")
    assert given.status == 603
    given = answer("voicemail", Settings(), ASKED, "fe80::1%eth0")
    assert given.status == 603


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked("", "sales", "e"), "sip:sales@vm.example;target=sip:sales%40e;cause=302"),
        (Asked("", "", "e"), "sip:vm.example;target=sip:e;cause=302"),
        (Asked("", "", ""), "sip:vm.example"),
    ],
)
def test_voicemail_without_a_called_number(asked: Asked, expected: str) -> None:
    given = answer("voicemail", Settings(voicemail_service_location="vm.example"), asked)
    assert contact(given) == expected
    diversion = dict(given.headers).get(b"Diversion", b"<sip:x>;").decode()
    parse_uri(diversion[1 : diversion.index(">")].encode())


def test_a_menu_is_told_who_was_called() -> None:
    given = answer("screen", Settings("egress.example", redirect_destination="12345"), ASKED)
    diversion = b"<sip:+15551230001@edge.example:5060>;reason=unconditional;counter=1"
    assert dict(given.headers)[b"Diversion"] == diversion


@pytest.mark.parametrize(
    ("contact", "field"),
    [
        ("", ""),
        ("https://redress.example/a?b=c", "url=https://redress.example/a?b=c"),
        ("tel:+15550001111", "tel=+15550001111"),
        ("TEL:+15550001111", "tel=+15550001111"),
        ("mailto:noc@carrier.example", "email=noc@carrier.example"),
        ("tel:", "url=tel:"),
        ('a"b', ""),
        ("a;b", ""),
        ("a\\b", ""),
        ("a b", ""),
    ],
)
def test_whom_to_ask_about_a_block(contact: str, field: str) -> None:
    assert redress(contact) == field
