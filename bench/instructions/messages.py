"""The datagrams whose cost is counted: as carriers send them, and one that is refused."""

__all__ = ["ACK", "BROKEN", "INVITE", "OPTIONS", "SMALL"]

SMALL = (
    b"INVITE sip:+15855551234@192.0.2.20 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1f2a9c77;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: <sip:+13155550100@carrier.example>;tag=9fxced76sl\r\n"
    b"To: <sip:+15855551234@192.0.2.20>\r\n"
    b"Call-ID: 3848276298220188511@192.0.2.7\r\n"
    b"CSeq: 1 INVITE\r\n"
    b"Contact: <sip:192.0.2.7:5060>\r\n"
    b"Content-Length: 0\r\n\r\n"
)
_SDP = (
    b"v=0\r\no=- 29739 7272939 IN IP4 192.0.2.8\r\ns=-\r\nc=IN IP4 192.0.2.8\r\nt=0 0\r\n"
    b"m=audio 49217 RTP/AVP 0 8 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n"
    b"a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
)
INVITE = (
    b"INVITE sip:+15855551234@192.0.2.20:5060;user=phone SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK1f2a9c77d02b;rport\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.61:5060;branch=z9hG4bK74bf9;received=192.0.2.62\r\n"
    b"Record-Route: <sip:192.0.2.7;lr;ftag=9fxced76sl>\r\n"
    b"Max-Forwards: 68\r\n"
    b'From: "Anna Bell" <sip:+13155550100@carrier.example;user=phone>;tag=9fxced76sl\r\n'
    b"To: <sip:+15855551234@carrier.example;user=phone>\r\n"
    b"Call-ID: 3848276298220188511-77@192.0.2.61\r\n"
    b"CSeq: 314159 INVITE\r\n"
    b"Contact: <sip:+13155550100@192.0.2.61:5060>\r\n"
    b"Allow: INVITE, ACK, CANCEL, BYE, OPTIONS, UPDATE, PRACK\r\n"
    b"Supported: 100rel, timer\r\n"
    b'P-Asserted-Identity: "Anna Bell" <sip:+13155550100@carrier.example>\r\n'
    b"Diversion: <sip:+12025550101@carrier.example>;reason=unconditional\r\n"
    b"User-Agent: Example SBC 4.2\r\n"
    b"Content-Type: application/sdp\r\n"
    b"Content-Length: %d\r\n"
    b"\r\n"
) % len(_SDP) + _SDP
OPTIONS = (
    b"OPTIONS sip:192.0.2.20:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 192.0.2.7:5060;branch=z9hG4bK7a11;rport\r\n"
    b"Max-Forwards: 70\r\n"
    b"From: <sip:dispatcher@192.0.2.7>;tag=81f2\r\n"
    b"To: <sip:192.0.2.20>\r\n"
    b"Call-ID: 7a11-81f2@192.0.2.7\r\n"
    b"CSeq: 10 OPTIONS\r\n"
    b"Content-Length: 0\r\n\r\n"
)
ACK = (
    SMALL.replace(b"INVITE", b"ACK")
    .replace(b"Contact: <sip:192.0.2.7:5060>\r\n", b"")
    .replace(b"@192.0.2.20>\r", b"@192.0.2.20>;tag=0f6b9e1d44c2a8f3\r")
)
BROKEN = SMALL.replace(b"To: <", b"To: <<")
