"""The core is killed while it signs: whatever signature was given out has its row, once."""

import csv
import http.client
import json
import os
import signal
import threading
import time
import uuid
from pathlib import Path

from callscreen.core.audit.rows import COLUMNS

from .conftest import Platform, eventually, running
from .signer import provision, stir_options, token

ROUNDS = 4
SIGNERS = 4
EACH = 25  # signatures given out between two kills


class Signer(threading.Thread):
    """Has calls signed until told to stop, and remembers the origid of each that was."""

    def __init__(self, platform: Platform, shown: str) -> None:
        super().__init__(daemon=True)
        self.address = platform.http
        self.headers = {"Authorization": f"Bearer {shown}", "Content-Type": "application/json"}
        self.signed: list[str] = []
        self.statuses: set[int] = set()
        self.stopped = threading.Event()

    def run(self) -> None:
        while not self.stopped.is_set():
            connection = http.client.HTTPConnection(self.address, timeout=20)
            try:
                self.sign_on(connection)
            finally:
                connection.close()

    def sign_on(self, connection: http.client.HTTPConnection) -> None:
        """Signs until something is refused."""
        while not self.stopped.is_set():
            origid = str(uuid.uuid4())
            call = {"orig": {"tn": "12155550121"}, "dest": {"tn": ["12155550131"]}}
            call |= {"attest": "A", "iat": int(time.time()), "origid": origid}
            body = json.dumps({"signingRequest": call})
            connection.request("POST", "/stir/v1/signing", body, self.headers)
            answer = connection.getresponse()
            answer.read()
            self.statuses.add(answer.status)
            if answer.status != 200:
                return
            self.signed.append(origid)


def test_a_signature_that_was_given_out_has_its_row(tmp_path: Path) -> None:
    with running(tmp_path / "data", *stir_options(tmp_path, "acme")) as platform:
        provision(platform, "acme", "acme")
        shown = token(platform, "acme")
        signers = [Signer(platform, shown) for _ in range(SIGNERS)]
        for signer in signers:
            signer.start()
        for _ in range(ROUNDS):
            before = sum(len(each.signed) for each in signers)
            eventually(lambda b=before: sum(len(each.signed) for each in signers) > b + EACH, 20)
            os.kill(platform.child("core"), signal.SIGKILL)
        before = sum(len(each.signed) for each in signers)
        eventually(lambda: sum(len(each.signed) for each in signers) > before, 20)
        for signer in signers:
            signer.stopped.set()
            signer.join(20)
        assert platform.stop() == 0
    assert not any(signer.is_alive() for signer in signers)
    assert set().union(*(each.statuses for each in signers)) <= {200, 503, 504}
    rows = audited(tmp_path / "data")
    assert len(set(rows)) == len(rows), "a signature has two rows"
    assert {each for signer in signers for each in signer.signed} <= set(rows)


def audited(data: Path) -> list[str]:
    """The origid of each signature of the audit log."""
    text = "".join(path.read_text() for path in sorted((data / "audit" / "pcs").iterdir()))
    rows = [dict(zip(COLUMNS, row, strict=True)) for row in csv.reader(text.splitlines())]
    signed = [row for row in rows if (row["action"], row["code"]) == ("sign", "200")]
    return [json.loads(row["changed_fields"])["origid"][1] for row in signed]
