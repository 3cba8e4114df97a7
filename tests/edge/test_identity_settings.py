"""A change of a setting of caller identity is in force with the next call that is verified."""

from typing import Any

import pytest

from callscreen.edge.verifying import Rules, Wanted
from callscreen.edge.view import ScreeningView
from callscreen.identity.model import Question
from callscreen.schema.settings_page import leaves

from .identity_double import provisioned, settings

GROUP = "stir_shaken."
QUESTION = Question((), "", "")
# What is set, and where it is found in what a call waits for.
CASES: dict[str, tuple[Any, Any, Any]] = {
    "freshness": (30, 60, lambda wanted: wanted.policy.freshness),
    "fetch_budget": (0.03, 0.3, lambda wanted: wanted.budget),
    "require_date": (True, False, lambda wanted: wanted.policy.require_date),
    "require_identity": (True, False, lambda wanted: wanted.policy.require_identity),
    "replayed_invalid": (False, True, lambda wanted: wanted.policy.replayed_invalid),
    "malformed_failed": (True, False, lambda wanted: wanted.policy.malformed_failed),
}


def test_there_is_a_case_for_each() -> None:
    said = {each.path for each in leaves() if "dges" in each.field.rules.effect}
    assert {GROUP + name for name in CASES} == {path for path in said if path.startswith(GROUP)} | {
        GROUP + "replayed_invalid",
        GROUP + "malformed_failed",
    }


@pytest.mark.parametrize("name", CASES)
def test_the_next_call_heeds_a_change(name: str) -> None:
    value, default, of = CASES[name]
    view = ScreeningView()
    view.load(provisioned())
    assert of(asked(view)) == default
    stored = 30 if name == "fetch_budget" else value  # milliseconds
    view.load([settings("pcs", stir_shaken={name: stored})])
    assert of(asked(view)) == value


def asked(view: ScreeningView) -> Wanted:
    return Rules(view.index).wanted(QUESTION, "acme")
