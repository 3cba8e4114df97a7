"""One table: whole Identity values built and verified, beside bare signatures, in one run.

python -m bench.identity [--quick] [--rounds N] [--seconds S] [--core N]
python -m bench.identity sip     the same of whole calls, see sip.py
python -m bench.identity verify  of calls that are verified, see verify.py
python -m bench.identity rolling roots and certificates change meanwhile, see rolling.py

All run on one core, in turns, so that a moment in which the machine is slower falls on all; each
figure is the median of the rounds, by processor time. The result is 1 where a target is missed.
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable

import cryptography
from cryptography.hazmat.primitives.asymmetric import ec

from . import rolling, sip
from . import verify as verifying
from .floor import Rates, bare, openssl, openssl_version
from .ours import ours, pyjwts, signed_octets

__all__ = ["main"]

TARGETS = Rates(build=0.75, verify=0.8)  # of OpenSSL's bare rates
FLOOR, OURS = "openssl speed ecdsap256", "ours, whole Identity value"
STEP = 200  # calls between two looks at the clock


def rate(call: Callable[[], object], seconds: float) -> float:
    """Calls a second of processor time, over so many seconds of it."""
    start, calls, spent = time.process_time(), 0, 0.0
    while spent < seconds:
        for _ in range(STEP):
            call()
        calls += STEP
        spent = time.process_time() - start
    return calls / spent


def measured(rounds: int, seconds: float) -> dict[str, Rates]:
    """The median rates of each, by name."""
    key = ec.generate_private_key(ec.SECP256R1())
    pairs = {
        f"cryptography {cryptography.__version__}, bare": bare(key, signed_octets(key)),
        OURS: ours(key),
        "pyjwt, bare token": pyjwts(key),
    }
    seen: dict[str, list[Rates]] = {FLOOR: [], **{name: [] for name in pairs}}
    for _ in range(rounds):
        seen[FLOOR].append(openssl(max(1, round(seconds))))
        for name, (build, verify) in pairs.items():
            seen[name].append(Rates(rate(build, seconds), rate(verify, seconds)))
    return {
        name: Rates(*map(statistics.median, zip(*each, strict=True))) for name, each in seen.items()
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.identity")
    parser.add_argument("--quick", action="store_true", help="a look of some seconds")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each figure of a round")
    parser.add_argument("--core", type=int, default=max(os.sched_getaffinity(0)))
    options = parser.parse_args()
    rounds, seconds = (3, 0.3) if options.quick else (options.rounds, options.seconds)
    os.sched_setaffinity(0, {options.core})
    rates = measured(rounds, seconds)
    print(f"{openssl_version()}; core {options.core}, median of {rounds}")
    print(f"  {'':32} {'build/s':>10} {'of bare':>8} {'verify/s':>10} {'of bare':>8}")
    floor = rates[FLOOR]
    for name, each in rates.items():
        build, verify = each.build / floor.build, each.verify / floor.verify
        print(
            f"  {name:32} {each.build:>10,.0f} {build:>8.2f} {each.verify:>10,.0f} {verify:>8.2f}"
        )
    print(f"  {'target':32} {'':>10} {TARGETS.build:>8.2f} {'':>10} {TARGETS.verify:>8.2f}")
    reached = Rates(rates[OURS].build / floor.build, rates[OURS].verify / floor.verify)
    missed = [what for what in Rates._fields if getattr(reached, what) < getattr(TARGETS, what)]
    if missed:
        print(f"  missed: {', '.join(missed)}")
        sys.exit(1)


if __name__ == "__main__":
    if sys.argv[1:2] == ["sip"]:
        sip.main(sys.argv[2:])
    elif sys.argv[1:2] == ["verify"]:
        verifying.main(sys.argv[2:])
    elif sys.argv[1:2] == ["rolling"]:
        rolling.main(sys.argv[2:])
    else:
        main()
