"""A root, a CA below it, and what is said of a path of theirs."""

from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from callscreen.identity.chains import judge_chain
from callscreen.identity.model import FAILED, Fault
from callscreen.identity.trust import Trust

from .authority import SECONDS, Authority, Issued

NOBODY_NAME = x509.Name([x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Nobody")])
NOBODY = x509.NameConstraints([x509.DirectoryName(NOBODY_NAME)], None), True
ROOT = Authority()
TRUST = Trust(ROOT.roots)
CA = ROOT.intermediate()
DAY = 86_400
CLAIMS: dict[str, Any] = {
    "attest": "A",
    "dest": {"tn": ["12155550131"]},
    "iat": int(SECONDS),
    "orig": {"tn": "12155550121"},
    "origid": "de305d54-75b4-431b-adb2-eb6b9e546014",
}


def judge(issued: Issued, trust: Trust = TRUST, now: float = SECONDS) -> Any:
    return judge_chain(issued.path, trust, now)


def refused(issued: Issued, trust: Trust = TRUST, now: float = SECONDS) -> str:
    with pytest.raises(Fault) as caught:
        judge(issued, trust, now)
    fault = caught.value
    assert (fault.code, fault.verstat, fault.unknown) == (437, FAILED, False)
    return fault.detail
