"""Every test of the index runs on the compiled one and on its plain twin."""

import pytest

from callscreen.fastpath import index as compiled
from callscreen.fastpath import reference

Index = compiled.Index | reference.Index


@pytest.fixture(params=[compiled.Index, reference.Index], ids=["compiled", "plain"])
def index(request: pytest.FixtureRequest) -> Index:
    made: Index = request.param()
    return made
