"""The fuzzer's first inputs: requests of ours, each in several settings."""

from pathlib import Path

__all__ = ["SETTINGS", "requests", "write"]

# World, and bits of world.Setting.
SETTINGS = [
    *((world, bits) for world in range(4) for bits in (0, 8 | 2, 1)),
    *((world, bits) for world in (1, 2) for bits in (16, 32, 48, 64 | 4, 128)),
]

HEADERS = {
    "Via": "SIP/2.0/UDP 192.0.2.9:5070;rport;branch=z9hG4bK-1",
    "Max-Forwards": "70",
    "From": '"Carrier" <sip:+15557654321@carrier.example>;tag=abc',
    "To": "<sip:+15551230001@edge.example>",
    "Call-ID": "call-1@carrier.example",
    "CSeq": "1 INVITE",
    "Contact": "<sip:sbc@192.0.2.9:5070;transport=tcp>",
    "Content-Length": "0",
}
URI = "sip:+15551230001@edge.example:5060"


def request(method: str = "INVITE", uri: str = URI, **changed: str | None) -> bytes:
    headers: dict[str, str | None] = {**HEADERS, "CSeq": f"1 {method}"}
    headers |= {name.replace("_", "-"): value for name, value in changed.items()}
    lines = [f"{name}: {value}" for name, value in headers.items() if value is not None]
    return "\r\n".join([f"{method} {uri} SIP/2.0", *lines, "", ""]).encode()


def requests() -> list[bytes]:
    called = [
        "tel:+15551230001;phone-context=example.com",
        "sips:%2b15551230003@[2001:db8::1]:5061;user=phone?a=b&c=d",
        "sip:+15551230002;npdi;rn=+1700:pw@h.example;lr;maddr=192.0.2.77;x=%41",
        "sip:911@h",
        "sip:edge.example",
        "http://x",
    ]
    history = "<sip:+15551230009@a?Reason=SIP%3bcause%3d302>;index=1, <sip:b@c>;index=1.1;mp=1"
    compact = (
        b"INVITE sip:+15551230001@e SIP/2.0\r\nv: SIP/2.0/TCP [::1]:9;received=1.2.3.4, "
        b"SIP / 2.0 / UDP 10.0.0.9\r\nf: sip:5557654321@x;tag=1\r\nt: tel:+1-555-123-0001\r\n"
        b"i: 1\r\nCSeq: 1\r\n INVITE\r\nm: *\r\nl: 4\r\n\r\nv=0\n"
    )
    methods = ["ACK", "CANCEL", "OPTIONS", "BYE", "REGISTER", "INFO", "PRACK", "NEW"]
    return [
        *(request(method) for method in ["INVITE", *methods]),
        *(request(uri=uri) for uri in called),
        *(request(To=f"<{uri}>") for uri in called),
        request(To="<sip:+15551230001@e>;tag=x"),
        request(From="<sip:anonymous@anonymous.invalid>;tag=1", Privacy="id;critical"),
        request(From="<sip:+15550000001@x>;tag=1"),
        request(History_Info=history, Diversion="<sip:+15551230001@d>;reason=user-busy,<tel:1>"),
        request(P_Asserted_Identity='"A \\" B" <sip:+15556660000@p>, <tel:+1800;ext=5>'),
        request(Require="100rel, timer", Proxy_Require="sec-agree", Supported="path"),
        request(Route="<sip:r;lr>", Record_Route="<sip:a;lr>,<sip:b>", Identity="x;info=<y>"),
        request(Contact='"x" <sips:a@b:9>;q=0.5;expires="1", <sip:c@d>'),
        request(Via="SIP/2.0/UDP h;branch=z9hG4bK1;maddr=1.2.3.4;ttl=1, SIP/2.0/UDP 10.0.0.1"),
        request(Max_Forwards="0"),
        request(CSeq="2147483648 INVITE"),
        request(Content_Length="99999"),
        request(Call_ID=None),
        request().replace(b"SIP/2.0\r\nVia", b"SIP/3.0\r\nVia"),
        compact,
        b"SIP/2.0 200 OK\r\n\r\n",
        b"\r\n\r\n",
    ]


def write(folder: Path, more: list[bytes]) -> None:
    """The requests, and some made by others, each with settings before it."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, octets in enumerate(requests() + more):
        for place, setting in enumerate(SETTINGS):
            (folder / f"{number:03}-{place:02}").write_bytes(bytes(setting) + octets)
