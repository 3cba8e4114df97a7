"""How often strangers make us fetch: by host, by whose the host is, and in all.

Invariant: whoever owns one domain, or one network, has a share of what is fetched and no more:
names below it, and addresses within it, can be made without end.
"""

from collections import OrderedDict, deque
from collections.abc import Callable, Iterable
from ipaddress import ip_address, ip_network

__all__ = ["Limits", "domain_of", "host_of"]

MINUTE = 60.0
KEYS_MOST = 4_096  # whose fetches are counted; the least recently counted goes


class Limits:
    """What each key had in the last minute. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._asked: OrderedDict[str, deque[float]] = OrderedDict()

    def take(self, wanted: Iterable[tuple[str, int]]) -> bool:
        """Counts one more for each key, unless one of them has had as many as it may."""
        now = self._clock()
        counts = [(self._times(key), most) for key, most in wanted]
        for times, most in counts:
            while times and now - times[0] >= MINUTE:
                times.popleft()
            if len(times) >= most:
                return False
        for times, _ in counts:
            times.append(now)
        return True

    def _times(self, key: str) -> deque[float]:
        times = self._asked.setdefault(key, deque())
        self._asked.move_to_end(key)
        if len(self._asked) > KEYS_MOST:
            self._asked.popitem(last=False)
        return times


def host_of(url: str) -> str:
    """The host of an https URL, with its port unless that is 443, in its one spelling."""
    host = url[8:].partition("/")[0].lower().removesuffix(":443")
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal():
        return f"{name.removesuffix('.')}:{port}"
    return host.removesuffix(".")


def domain_of(host: str) -> str:
    """Whose a host is, its port left out: the last two labels of a name, the /24 of an IPv4
    address, the /48 of an IPv6 address. Names such as those below co.uk share one: it is a share of
    the limits, not a verdict."""
    name, colon, port = host.rpartition(":")
    if colon and port.isdecimal() and not host.endswith("]"):
        host = name
    host = host.strip("[]").removesuffix(".").lower()
    try:
        address = ip_address(host)
    except ValueError:
        return ".".join(host.rsplit(".", 2)[-2:])
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
