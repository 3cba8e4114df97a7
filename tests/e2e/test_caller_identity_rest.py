"""A call signed over REST by a provider, verified over REST and by hand, and its row of the log."""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from .conftest import Platform, callscreen, running
from .signer import ORIGID, provision, stir_options, token

NUMBERS = ("--orig", "+12155550121", "--dest", "+12155550131")


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Platform]:
    folder = tmp_path_factory.mktemp("stir")
    with running(folder / "data", *stir_options(folder, "acme")) as platform:
        provision(platform, "acme", "acme")
        provision(platform, "evil")
        yield platform


def post(served: Platform, name: str, path: str, body: Any) -> tuple[int, Any]:
    request = urllib.request.Request(
        f"http://{served.http}/stir/v1/{path}",
        data=json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {token(served, name)}",
            "Content-Type": "application/json",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def signing() -> dict[str, Any]:
    call = {"orig": {"tn": "12155550121"}, "dest": {"tn": ["12155550131"]}, "attest": "A"}
    now = int(datetime.now(UTC).timestamp())
    return {"signingRequest": {**call, "iat": now, "origid": ORIGID}}


def test_a_provider_signs_and_the_signature_is_valid(served: Platform) -> None:
    status, answer = post(served, "acme", "signing", signing())
    assert status == 200, answer
    value = answer["signingResponse"]["identity"]
    keys = served.data.parent / "keys"
    words = ("--stir-roots", str(served.data.parent / "root.pem"))
    path = ("--certificate", str(keys / "acme.pem"))
    found = callscreen("stir", "verify", value, *NUMBERS, *words, *path)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.startswith("valid")
    (row,) = [each for each in rows(served.data) if ",origination_source,acme/main,sign," in each]
    assert ",acme,service_provider:acme,127.0.0.1,pcs,POST," in row
    assert '""attest"":[null,""B""]' in row  # never stronger than the source's own


def test_another_provider_signs_nothing(served: Platform) -> None:
    status, answer = post(served, "evil", "signing", signing())
    assert status == 409
    assert answer["requestError"]["policyException"]["messageId"] == "POL0001"


def test_what_cannot_be_fetched_is_not_validated(served: Platform) -> None:
    value = post(served, "acme", "signing", signing())[1]["signingResponse"]["identity"]
    call = {"from": {"tn": "12155550121"}, "to": {"tn": ["12155550131"]}, "identity": value}
    now = int(datetime.now(UTC).timestamp())
    status, answer = post(
        served, "acme", "verification", {"verificationRequest": {**call, "time": now}}
    )
    assert status == 200, answer
    found = answer["verificationResponse"]
    assert (found["reasoncode"], found["verstat"]) == (436, "No-TN-Validation")


def rows(data: Path) -> list[str]:
    texts = [path.read_text() for path in sorted((data / "audit" / "pcs").iterdir())]
    return "".join(texts).splitlines()
