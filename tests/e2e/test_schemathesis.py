"""The served OpenAPI documents, held against what is served: every check on every operation.

1. The data are made of the document by a seed, so that a run is as the one before. `make fuzz-rest`
   takes more of them, of another seed (CALLSCREEN_FUZZ_EXAMPLES, CALLSCREEN_FUZZ_SEED).
2. What no schema can say of valid data is supplied by rest_hooks.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .conftest import PASSWORD, Platform, running
from .signer import provision, stir_options, token

EXAMPLES = int(os.environ.get("CALLSCREEN_FUZZ_EXAMPLES", "2"))  # an operation
SEED = int(os.environ.get("CALLSCREEN_FUZZ_SEED", "7"))
LONG = EXAMPLES > 2
PHASES = "examples,coverage,fuzzing" if LONG else "examples,fuzzing"
MINUTES = 240 if LONG else 4
THERE = ("service_provider/acme", "subscriber/acme/alice", "number/acme/alice/5855551234")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("schemathesis")
    with (
        open(folder / "log", "wb") as log,
        running(folder / "data", *stir_options(folder, "signer"), log=log.fileno()) as platform,
    ):
        for product in ("pcs", "cin"):
            for path in THERE:
                platform.ok("PUT", path, {}, product)
        provision(platform, "signer", "signer")
        platform.tokens["stir"] = token(platform, "signer")
        yield platform


@pytest.mark.parametrize("product", ["pcs", "cin", "stir"])
def test_what_is_served_is_what_the_document_says(
    served: Platform, product: str, tmp_path: Path
) -> None:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"http://{served.http}/openapi.json",
            *("--checks", "all", "--phases", PHASES, "--continue-on-failure", "--no-color"),
            *("-n", str(EXAMPLES), "--seed", str(SEED), "--generation-database", "none"),
            *("-H", "X-Strict-Status: 1"),
            *("--include-path-regex", f"^/{product}/"),
        ],
        cwd=tmp_path,
        env={
            **os.environ,
            "SCHEMATHESIS_HOOKS": "rest_hooks",
            "PYTHONPATH": str(Path(__file__).parent),
            "CALLSCREEN_URL": f"http://{served.http}",
            "CALLSCREEN_ADMIN_PASSWORD": PASSWORD,
            f"CALLSCREEN_TOKEN_{product.upper()}": served.tokens[product],
        },
        capture_output=True,
        text=True,
        timeout=60 * MINUTES,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout[-20_000:] + ran.stderr[-2_000:]
    assert "Authentication failed" not in ran.stdout, "a token has ended on the way"
