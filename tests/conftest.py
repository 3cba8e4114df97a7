"""What several parts' tests need."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import settings

# Nothing is measured by the clock in a test: a busy machine makes no example too slow.
settings.register_profile("callscreen", deadline=None)
settings.load_profile("callscreen")


@pytest.fixture
def sipp() -> str:
    """The path of sipp; where CI is true its absence is a failure."""
    path = shutil.which("sipp")
    if path is None and os.environ.get("CI") == "true":
        pytest.fail("sipp is missing: install Debian's sip-tester")
    if path is None:
        pytest.skip("sipp is missing: install Debian's sip-tester to run this")
    return path


@pytest.fixture
def torture() -> Path:
    """The folder of the RFC 4475 messages, which are read where they lie and never copied here."""
    beside = Path(__file__).parents[2] / "shared" / "vectors"
    folder = Path(os.environ.get("CALLSCREEN_VECTORS") or beside) / "rfc4475"
    if not (folder / "expected.json").is_file():
        pytest.skip("the RFC 4475 messages are not here: CALLSCREEN_VECTORS names their folder")
    return folder
