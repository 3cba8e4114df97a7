"""From a PUT to a changed SIP answer, through every part; target p99 ≤ 100 ms."""

import http.client
import json
import secrets
import socket
import statistics
import time
from typing import Any

from .platform import Addresses, served

__all__ = ["main"]

ROUNDS = 500
CALLER, CALLED = "+15855550000", "+15851239876"
INVITE = (
    "INVITE sip:{called}@127.0.0.1 SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK{id};rport\r\n"
    "Max-Forwards: 70\r\n"
    "From: <sip:{calling}@example.net>;tag={id}\r\n"
    "To: <sip:{called}@example.net>\r\n"
    "Call-ID: {id}\r\n"
    "CSeq: 1 INVITE\r\n"
    "Contact: <sip:127.0.0.1:{port}>\r\n"
    "Content-Length: 0\r\n\r\n"
)


class Rest:
    """One kept connection to the gateway."""

    def __init__(self, where: Addresses) -> None:
        self.connection = http.client.HTTPConnection(where.http)
        self.token = ""
        login = {"username": "pcs_administrator", "password": where.password}
        self.token = self("POST", "authenticate", login)[0]["token"]

    def __call__(self, method: str, path: str, body: Any) -> Any:
        headers = {"Authorization": f"Basic {self.token}"} if self.token else {}
        self.connection.request(method, f"/pcs/api/{path}", json.dumps(body), headers)
        answer = json.load(self.connection.getresponse())
        assert answer["meta"]["code"] == 200, answer
        return answer["data"]


def status(udp: socket.socket, port: int) -> bytes:
    """The status code of the answer to one INVITE."""
    text = INVITE.format(called=CALLED, calling=CALLER, port=port, id=secrets.token_hex(8))
    udp.send(text.encode())
    return udp.recv(65535)[8:11]


def main() -> None:
    with served() as where, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        host, _, sip_port = where.sip.rpartition(":")
        udp.bind(("127.0.0.1", 0))
        udp.connect((host, int(sip_port)))
        udp.settimeout(5)
        port = udp.getsockname()[1]
        rest = Rest(where)
        rest("POST", "service_provider", {"name": "acme"})
        rest("POST", "subscriber/acme", {"name": "alice", "service_provider_name": "acme"})
        number = {"number": CALLED, "subscriber_name": "alice", "service_provider_name": "acme"}
        rest("POST", "number/acme/alice", number)
        rule = {"personal": True, "global": True, "override": False, "stir_shaken": False}
        lists = {"match": "terminate", "no_match": "next", "priority": 1}
        rest("PUT", "screening_rule/acme", {"blacklist": {**rule, **lists}})
        whole, put = [], []
        for turn in range(ROUNDS):
            listed, expected = ([CALLER], b"603") if turn % 2 == 0 else ([], b"302")
            started = time.perf_counter()
            rest("PUT", "number/acme/alice/%2B15851239876", {"blacklist": listed})
            put.append(time.perf_counter() - started)
            while status(udp, port) != expected:
                time.sleep(0.0002)
            whole.append(time.perf_counter() - started)
    for name, times in (("PUT sent to its answer", put), ("PUT sent to changed call", whole)):
        cuts = statistics.quantiles(times, n=100)
        print(f"  {name}: p50 {cuts[49] * 1e3:.1f} ms, p99 {cuts[98] * 1e3:.1f} ms")
    print(f"  changed call / PUT: {statistics.median(whole) / statistics.median(put):.2f} x")


if __name__ == "__main__":
    main()
