"""How often somebody may try to log in, and from where.

Invariants:
1. Failures are counted by user name and address, by address, and by user name; each kind has a
   number of its own after which it is locked out, for a time that doubles with each failure.
2. An address from which a user logged in or chose a password lately is a home of that user: only
   what fails there, as that user, counts there. Nobody elsewhere can lock the user out of it.
3. An address is counted as a whole, an IPv6 one by its /64: whoever has one has all of it.
4. What is remembered is bounded; the name longest untouched gives way. Homes are made by log-ins
   that succeed, so that a stranger pushes none out.
5. Time is an argument (seconds of a clock that never goes back). All of it can be said and taken
   up again: lockouts.py keeps it over a restart.
"""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from .limits import (
    HOMES_EACH,
    HOMES_SECONDS,
    LOCK_FORGET_SECONDS,
    LOCK_SECONDS,
    LOCK_SECONDS_MAX,
    LOGIN_NAMES,
    LOGINS,
    LOGINS_ADDRESS,
    LOGINS_USER,
)

DOUBLINGS = 32  # beyond which a lock-out is the longest anyhow
Who = tuple[str, str]  # product and user name


class Lockouts:
    """Failures by name; `burst` of them lock it out."""

    def __init__(self, burst: int, names: int = LOGIN_NAMES) -> None:
        self._burst = burst
        self._names = names
        # name -> failures, until when it is locked out, when it was touched last
        self._held: OrderedDict[Hashable, tuple[int, float, float]] = OrderedDict()

    def locked(self, name: Hashable, now: float) -> bool:
        return name in self._held and now < self._held[name][1]

    def take(self, name: Hashable, now: float) -> None:
        """Counts an attempt, which is a failure until it is given back."""
        count, until, last = self._held.pop(name, (0, 0.0, now))
        if now - max(until, last) > LOCK_FORGET_SECONDS:
            count = 0
        count += 1
        beyond = min(count - self._burst, DOUBLINGS)
        until = now + min(LOCK_SECONDS_MAX, LOCK_SECONDS * 2**beyond) if beyond >= 0 else 0.0
        self._held[name] = (count, until, now)
        if len(self._held) > self._names:
            self._held.popitem(last=False)

    def give(self, name: Hashable) -> None:
        """The attempt was no failure."""
        if name in self._held:
            count, until, last = self._held[name]
            self._held[name] = (count - 1, until if count > self._burst else 0.0, last)

    def clear(self, name: Hashable) -> None:
        """Forgets the failures of a name."""
        self._held.pop(name, None)

    def state(self) -> list[Any]:
        """What is held, as JSON can say it, in order."""
        return list(self._held.items())

    def restore(self, state: list[Any], shift: float) -> None:
        """The same of a clock that began otherwise, by so many seconds."""
        held = {
            _name(name): (int(count), float(until) + shift, float(last) + shift)
            for name, (count, until, last) in state[-self._names :]
        }
        self._held = OrderedDict(held)

    def __len__(self) -> int:
        return len(self._held)


class Logins:
    """The three kinds of lock-out, and the homes of users."""

    def __init__(self) -> None:
        self._pairs = Lockouts(LOGINS)
        self._addresses = Lockouts(LOGINS_ADDRESS)
        self._users = Lockouts(LOGINS_USER)
        self._homes: OrderedDict[Who, OrderedDict[str, float]] = OrderedDict()

    def take(self, who: Who, address: str, now: float) -> bool:
        """Begins an attempt. False: it is not to be made."""
        names = list(self._names(who, network_of(address), now))
        if any(kind.locked(name, now) for kind, name in names):
            return False
        for kind, name in names:
            kind.take(name, now)
        return True

    def succeeded(self, who: Who, address: str, now: float) -> None:
        """The attempt that was begun logged the user in."""
        network = network_of(address)
        for kind, name in self._names(who, network, now):
            kind.give(name)
        self.welcome(who, address, now)

    def welcome(self, who: Who, address: str, now: float) -> None:
        """The user is at that address, as it has shown: what failed there is forgotten."""
        network = network_of(address)
        self._pairs.clear((who, network))
        homes = self._homes.pop(who, OrderedDict())
        homes.pop(network, None)
        homes[network] = now
        if len(homes) > HOMES_EACH:
            homes.popitem(last=False)
        self._homes[who] = homes
        if len(self._homes) > LOGIN_NAMES:
            self._homes.popitem(last=False)

    def state(self) -> dict[str, Any]:
        """All of it, as JSON can say it; times are those of the clock of the arguments."""
        return {
            "pairs": self._pairs.state(),
            "addresses": self._addresses.state(),
            "users": self._users.state(),
            "homes": [(who, list(homes.items())) for who, homes in self._homes.items()],
        }

    def restore(self, state: Mapping[str, Any], shift: float) -> None:
        """Takes up a state whose clock began otherwise, by so many seconds.

        Raises ValueError, TypeError, LookupError, ArithmeticError for what is none, and changes
        nothing.
        """
        homes: OrderedDict[Who, OrderedDict[str, float]] = OrderedDict()
        for (product, username), seen in state["homes"][-LOGIN_NAMES:]:
            networks = [(str(network), float(at) + shift) for network, at in seen[-HOMES_EACH:]]
            homes[str(product), str(username)] = OrderedDict(networks)
        new = Lockouts(LOGINS), Lockouts(LOGINS_ADDRESS), Lockouts(LOGINS_USER)
        for lockouts, kind in zip(new, ("pairs", "addresses", "users"), strict=True):
            lockouts.restore(state[kind], shift)
        self._pairs, self._addresses, self._users = new
        self._homes = homes

    def _names(self, who: Who, network: str, now: float) -> Iterator[tuple[Lockouts, Hashable]]:
        yield self._pairs, (who, network)
        homes = self._homes.get(who)
        seen = None if homes is None else homes.get(network)
        if seen is None or now - seen > HOMES_SECONDS:
            yield self._addresses, network
            yield self._users, who


def _name(name: Any) -> Hashable:
    """A name that JSON held: its lists were tuples."""
    return tuple(map(_name, name)) if isinstance(name, list) else str(name)


@lru_cache(maxsize=1_024)
def network_of(address: str) -> str:
    """What an address is counted as; what is none, as it stands."""
    try:
        read = ip_address(address)
    except ValueError:
        return address
    if not isinstance(read, IPv6Address):
        return str(read)
    if read.ipv4_mapped is not None:
        return str(read.ipv4_mapped)
    return str(IPv6Network((int(read), 64), strict=False))


__all__ = ["Lockouts", "Logins", "network_of"]
