"""Runs the benchmarks named, or all, in turn: each prints its figures beside its peer's."""

import importlib
import sys

ALL = {
    "decision": "matcher and list decision, at 1 million numbers and 5 million list entries",
    "store": "group commit, beside one fsync a write",
    "screen": "gRPC Screen, beside an echo",
    "rest": "REST GET and PUT, beside the same route with no core behind it",
    "sip_udp": "INVITEs answered over loopback, beside a bare UDP echo",
    "records": "call records appended beside PUTs, and looked for among 10 million",
    "pages": "pages and searches among 1,000,000 subscribers, beside the same among 1,000",
    "propagation": "a PUT until the SIP answer has changed",
    "restart": "an edge of 10 million numbers that starts again with the core gone",
    "bulk": "import and export of 1 million numbers, beside bare puts and a bare scan",
}


def main() -> None:
    # a number is for the benchmark, not the name of one
    names = [word for word in sys.argv[1:] if not word.isdecimal()] or list(ALL)
    for name in names:
        if name not in ALL:
            raise SystemExit(f"no benchmark {name}; there are: {', '.join(ALL)}")
    for name in names:
        print(f"\n{name}: {ALL[name]}", flush=True)
        importlib.import_module(f"bench.{name}").main()


if __name__ == "__main__":
    main()
