"""The table of URLs, against the references' list of endpoints."""

import pytest

from callscreen.gateway.errors import ApiError
from callscreen.gateway.routes import ROUTES, find

ITEM = "GET, POST, PUT, DELETE"
# Every endpoint of the references, with the methods that they name.
DOCUMENTED = {
    "pcs": {
        "authenticate": "POST",
        "pcs_cdr": "GET",
        "pcs_cdr/sp": "GET",
        "pcs_cdr/sp/sub": "GET",
        "administrator/role": "GET POST",
        "administrator/role/name": "GET PUT DELETE",
        "service_provider": "GET POST",
        "service_provider/sp": "GET PUT DELETE",
        "service_selection_criteria/sp": "GET POST",
        "screening_rule/sp": "GET PUT",
        "audio/sp": "GET POST",
        "audio/sp/file.wav": "GET PUT DELETE",
        "subscriber/sp": "GET POST",
        "subscriber/sp/sub": "GET PUT DELETE",
        "number/sp": "GET POST",
        "number/sp/sub": "GET POST",
        "number/sp/sub/1": "GET PUT DELETE",
        "origination_source/sp": "GET POST",
        "origination_source/sp/name": "GET PUT DELETE",
        "settings": "GET PUT",
        "cdr": "GET",
    },
    "cin": {
        "authenticate": "POST",
        "cin_cdr": "GET",
        "cin_cdr/sp": "GET",
        "cin_cdr/sp/sub": "GET",
        "administrator/role": "GET POST",
        "administrator/role/name": "GET PUT DELETE",
        "service_provider": "GET POST",
        "service_provider/sp": "GET PUT DELETE",
        "subscriber/sp": "GET POST",
        "subscriber/sp/sub": "GET PUT DELETE",
        "number": "GET",
        "number/sp": "GET POST",
        "number/sp/sub": "GET POST",
        "number/sp/sub/1": "GET PUT DELETE",
        "settings": "GET PUT",
        "cdr": "GET",
    },
}


@pytest.mark.parametrize(
    ("product", "path", "methods"),
    [(product, *line) for product, lines in DOCUMENTED.items() for line in lines.items()],
)
def test_every_documented_endpoint_is_there(product: str, path: str, methods: str) -> None:
    assert set(methods.split()) <= set(find(product, path.split("/")).methods)


@pytest.mark.parametrize(
    ("product", "path", "shown"),
    [
        ("pcs", "servi", "servi"),
        ("pcs", "servi/x", "servi/x"),
        ("pcs", "service_provider/a/b", "service_provider/a/b"),
        ("pcs", "number//alice", "number//alice"),
        ("pcs", "cin_cdr", "cin_cdr"),
        ("cin", "pcs_cdr", "pcs_cdr"),
        ("cin", "screening_rule/acme", "screening_rule/acme"),
        ("cin", "audio/acme", "audio/acme"),
        ("cin", "settings/acme", "settings/acme"),
        ("pcs", "x" * 10_000, "x" * 250),
    ],
)
def test_what_no_line_names_is_an_unknown_object(product: str, path: str, shown: str) -> None:
    with pytest.raises(ApiError) as refused:
        find(product, path.split("/"))
    assert (refused.value.code, refused.value.message) == ("404", f"No object '{shown}' exists.")


def test_the_documented_allow_of_an_item() -> None:
    assert find("pcs", ("service_provider", "service_test45")).allow == ITEM


def test_no_two_lines_answer_the_same_path() -> None:
    seen = [(p, r.object, len(r.keys), r.tail) for r in ROUTES for p in r.products]
    assert len(seen) == len(set(seen))
