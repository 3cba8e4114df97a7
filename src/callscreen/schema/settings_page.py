"""Every setting, for people: `python -m callscreen.schema.settings_page > docs/settings.md`."""

from collections.abc import Iterator
from json import dumps
from typing import Any, NamedTuple

from .fields import Field, Kind, Shape
from .markdown import below, rules_of, value_of
from .names import PRODUCTS
from .objects import TYPES

__all__ = ["Setting", "leaves", "render"]

SETTINGS = TYPES["settings"]
OWN = "overridable"  # told in a column of its own
SHORT = 60  # characters of a default that stands in the table

HEAD = """# Settings

Every setting of both products, made from the `.proto` files by `make docs`: its limits, its
default, whether a service provider may have a value of its own, and what in this release heeds it.

A setting is in force as soon as its change is answered: the core heeds it from the next request
on, and an edge that is connected from the next call on, without a restart. A provider's own value
is in force where the platform's `__override__` has `true` at its place; for every other setting,
and where the provider has none, the platform's is. `GET /<product>/api/settings/?effective=true`
answers each value in force and where it comes from: `default` (it is the documented one),
`platform` or `service_provider`. Secrets read as `********`, and writing that back keeps them.

An empty text means none. A change is refused whole where one value is; unknown names are refused.
"""


class Setting(NamedTuple):
    """One setting: a value, or a list or map as a whole."""

    path: str
    field: Field
    products: tuple[str, ...]


def leaves(
    shape: Shape = SETTINGS.shape, prefix: str = "", products: tuple[str, ...] = PRODUCTS
) -> Iterator[Setting]:
    """All of them, by dotted path, in the order of the .proto."""
    for field in shape.fields:
        if field.name in SETTINGS.key:
            continue
        path = prefix + field.json_name
        having = tuple(name for name in products if field.product in (None, name))
        if field.kind is Kind.MESSAGE and field.shape and not field.repeated:
            yield from leaves(field.shape, f"{path}.", having)
        else:
            yield Setting(path, field, having)


def render() -> str:
    """The whole page."""
    documents = {product: _document(product) for product in PRODUCTS}
    sections: dict[str, list[str]] = {"Of the product": []}
    long: list[str] = []
    for setting in leaves():
        top, dot, _ = setting.path.partition(".")
        rows = sections.setdefault(top if dot else "Of the product", [])
        rows.append(_row(setting, documents, long))
        if setting.field.shape:
            rows += _held(setting.field.shape, below(setting.field, setting.path))
    lines = [HEAD]
    for title, rows in sections.items():
        lines += [f"## {title}", "", "| setting | value | rules | default | own | |"]
        lines += ["|---|---|---|---|---|---|", *rows, ""]
    return "\n".join([*lines, "## Long defaults", "", *long]).rstrip() + "\n"


def _document(product: str) -> dict[str, Any]:
    message = SETTINGS.message()
    SETTINGS.complete(message, product)
    return SETTINGS.to_json(message, product)


def _row(setting: Setting, documents: dict[str, dict[str, Any]], long: list[str]) -> str:
    field = setting.field
    only = [] if field.product or len(setting.products) > 1 else [f"{setting.products[0]} only"]
    return _cells(
        f"`{setting.path}`",
        value_of(field),
        "; ".join(only + [rule for rule in rules_of(field, default=False) if rule != OWN]),
        _defaults(setting, documents, long),
        "yes" if field.rules.overridable else "no",
        f"{field.rules.help} {field.rules.effect}",
    )


def _held(shape: Shape, prefix: str) -> Iterator[str]:
    """The fields of what a list or a map holds: they are in force as it is."""
    for field in shape.fields:
        path = prefix + field.json_name
        rules = "; ".join(rules_of(field))
        yield _cells(f"`{path}`", value_of(field), rules, "", "", field.rules.help)
        if field.shape:
            yield from _held(field.shape, below(field, path))


def _cells(*cells: str) -> str:
    return ("| " + " | ".join(cells) + " |").replace("\\|", "&#124;")


def _defaults(setting: Setting, documents: dict[str, dict[str, Any]], long: list[str]) -> str:
    found = {product: _at(documents[product], setting.path) for product in setting.products}
    alike = len(set(found.values())) == 1
    shown = {"": next(iter(found.values()))} if alike else found
    if max(map(len, shown.values())) > SHORT:
        for product, text in shown.items():
            of = f" of {product}" if product else ""
            long.extend([f"`{setting.path}`{of}:", "", "```json", text, "```", ""])
        return "[below](#long-defaults)"
    return ", ".join(f"{product} `{text}`".lstrip() for product, text in shown.items())


def _at(document: Any, path: str) -> str:
    for name in path.split("."):
        document = document[name]
    return dumps(document, ensure_ascii=False)


if __name__ == "__main__":
    print(render(), end="")
