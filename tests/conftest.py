"""What several parts' tests need."""

import os
import shutil

import pytest


@pytest.fixture
def sipp() -> str:
    """The path of sipp; where CI is true its absence is a failure."""
    path = shutil.which("sipp")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("sipp is missing: install Debian's sip-tester")
    if path is None:
        pytest.skip("sipp is missing: install Debian's sip-tester to run this")
    return path
