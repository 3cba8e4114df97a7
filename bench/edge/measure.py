"""One measurement: the generator calls a server, and what came of it."""

import json
import subprocess
from typing import Any, NamedTuple

from .servers import Server, cores, pinned
from .tools import compiled

__all__ = ["Seen", "measured"]

WINDOW = 1024  # calls that wait for an answer, where as many as possible are asked for


class Seen(NamedTuple):
    """Times in microseconds; `cost` is of the server's processor time for a call."""

    rate: float  # right answers a second
    sent: int
    answered: int
    lost: int
    wrong: int  # and of those that were nobody's, or came twice
    p50: float
    p99: float
    largest: float
    cost: float

    @property
    def share_lost(self) -> float:
        return self.lost / max(self.sent, 1)


def words(options: dict[str, Any]) -> list[str]:
    """Options as the generator wants them: `ack=True` is `--ack`, `rate=5` is `--rate 5`."""
    given: list[str] = []
    for name, value in options.items():
        if value is True:
            given.append(f"--{name}")
        elif value is not False and value is not None:
            given += [f"--{name}", str(value)]
    return given


def command(port: int, **options: Any) -> list[str]:
    if "rate" not in options:
        options.setdefault("window", WINDOW)
    program = [str(compiled("generate")), "--to", f"127.0.0.1:{port}", *words(options)]
    return pinned(program, cores()[0])


def measured(server: Server, **options: Any) -> Seen:
    """Runs the generator. RuntimeError where it could not call at all."""
    before = server.cpu()
    done = subprocess.run(command(server.port, **options), capture_output=True, text=True)
    if done.returncode not in (0, 3):  # 3: there were wrong answers, and they are counted
        raise RuntimeError(f"the generator failed: {done.stderr}")
    spent = server.cpu() - before
    return seen(json.loads(done.stdout), spent, done.stderr)


def seen(given: dict[str, Any], spent: float, said: str = "") -> Seen:
    right = sum(given[name] for name in ("passed", "declined", "mailed", "unknown"))
    wrong = given["wrong"] + given["again"] + (0 if given["junk"] else given["foreign"])
    if wrong and said:
        print(said)
    return Seen(
        rate=min(right, given["answered"]) / given["seconds"],
        sent=given["sent"],
        answered=given["answered"],
        lost=given["lost"],
        wrong=wrong,
        p50=given["p50"],
        p99=given["p99"],
        largest=given["max"],
        cost=spent / max(given["all"], 1) * 1e6,
    )
