"""The objects as tables for people: `python -m callscreen.schema.markdown > docs/objects.md`."""

from collections.abc import Iterator

from ..v1 import rules_pb2
from .fields import Field, Kind, Shape
from .objects import TYPES

__all__ = ["render"]

HEAD = """# Objects

Every object of the two APIs and every limit on its fields, made from the `.proto` files by
`make docs`. `also` names other JSON forms that are read besides the field's own.
"""


def render() -> str:
    """The whole page."""
    lines = [HEAD]
    for kind in TYPES.values():
        products = ", ".join(kind.products)
        key = ", ".join(f"`{name}`" for name in kind.key)
        lines += [f"## {kind.type}", "", f"{kind.help} Products: {products}. Key: {key}.", ""]
        lines += ["| field | value | rules | |", "|---|---|---|---|"]
        lines += [*_rows(kind.shape, ""), ""]
    return "\n".join(lines)


def _rows(shape: Shape, prefix: str) -> Iterator[str]:
    for field in shape.fields:
        name = f"{prefix}{field.json_name}"
        yield f"| `{name}` | {_value(field)} | {_rules(field)} | {field.rules.help} |".replace(
            "\\|", "&#124;"
        )
        if field.shape is not None and not field.shape.rules.pair:
            below = {Kind.MAP: f"{name}.<name>."}.get(
                field.kind, f"{name}[]." if field.repeated else f"{name}."
            )
            yield from _rows(field.shape, below)


def _value(field: Field) -> str:
    held = (
        rules_pb2.Format.Name(field.rules.format).lower()
        if field.rules.format
        else field.kind.value
    )
    return f"list of {held}" if field.repeated else str(held)


def _rules(field: Field) -> str:
    rules = field.rules
    parts = [
        word for word in ("required", "unique", "secret", "overridable") if getattr(rules, word)
    ]
    if field.product:
        parts.append(f"{field.product} only")
    if rules.accepted:
        parts.append(" ".join(f"`{value}`" for value in rules.accepted))
    if rules.pattern:
        parts.append(f"pattern `{rules.pattern}`".replace("|", "\\|"))
    bounds = [("minimum", "≥"), ("maximum", "≤")]
    given = {option.name for option, _ in rules.ListFields()}
    parts += [f"{sign} {getattr(rules, name)}" for name, sign in bounds if name in given]
    limits = [("min_len", "≥ {} characters"), ("max_len", "≤ {} characters")]
    limits += [("min_items", "≥ {} entries"), ("max_items", "≤ {} entries")]
    parts += [
        text.format(f"{getattr(rules, name):,}") for name, text in limits if getattr(rules, name)
    ]
    if rules.references:
        parts.append(f"names a {rules.references}")
    if rules.default:
        other = f" (cin `{rules.default_cin}`)" if rules.default_cin else ""
        parts.append(f"default `{rules.default}`{other}".replace("|", "\\|"))
    if rules.also:
        parts.append("also " + " ".join(rules_pb2.Also.Name(form).lower() for form in rules.also))
    if rules.aliases:
        parts.append("also named " + " ".join(f"`{name}`" for name in rules.aliases))
    if rules.ours:
        parts.append("not in the references")
    return "; ".join(parts)


if __name__ == "__main__":
    print(render(), end="")
