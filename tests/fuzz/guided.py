"""Fuzzes what is written in Python: `python -m tests.fuzz.guided MODULE [ARGUMENT...]`.

The arguments are libFuzzer's. atheris counts what of the identity library was reached; whatever the
module's `attempt` raises ends the run, and its input is written down.
"""

import importlib
import sys

import atheris

INSTRUMENTED = ["callscreen.identity"]


def main() -> None:
    with atheris.instrument_imports(include=INSTRUMENTED):
        module = importlib.import_module(f"tests.fuzz.{sys.argv[1]}")
    attempt = module.attempt
    again = f"{sys.executable} -m tests.fuzz.guided {sys.argv[1]}"  # as a merge starts itself
    atheris.Setup([again, *sys.argv[2:]], lambda octets: attempt(octets) and None)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
