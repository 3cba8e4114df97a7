"""The objects as tables for people: `python -m callscreen.schema.markdown > docs/objects.md`."""

from collections.abc import Iterator

from ..v1 import rules_pb2
from .fields import Field, Kind, Shape
from .objects import TYPES

__all__ = ["below", "render", "rules_of", "value_of"]

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
        rules = "; ".join(rules_of(field))
        row = f"| `{name}` | {value_of(field)} | {rules} | {field.rules.help} |"
        yield row.replace("\\|", "&#124;")
        if field.shape is not None and not field.shape.rules.pair:
            yield from _rows(field.shape, below(field, name))


def below(field: Field, name: str) -> str:
    """What stands before the names of the fields that a field holds."""
    if field.kind is Kind.MAP:
        return f"{name}.<name>."
    return f"{name}[]." if field.repeated else f"{name}."


def value_of(field: Field) -> str:
    """What a field holds, in a word or three."""
    held = (
        rules_pb2.Format.Name(field.rules.format).lower()
        if field.rules.format
        else field.kind.value
    )
    return f"list of {held}" if field.repeated else str(held)


def rules_of(field: Field, default: bool = True) -> list[str]:
    """The limits on it, each in a few words; with or without its default."""
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
    if rules.default and default:
        other = f" (cin `{rules.default_cin}`)" if rules.default_cin else ""
        parts.append(f"default `{rules.default}`{other}".replace("|", "\\|"))
    if rules.also:
        parts.append("also " + " ".join(rules_pb2.Also.Name(form).lower() for form in rules.also))
    if rules.aliases:
        parts.append("also named " + " ".join(f"`{name}`" for name in rules.aliases))
    if rules.managed:
        parts.append("set by the core")
    if rules.ours:
        parts.append("not in the references")
    return parts


if __name__ == "__main__":
    print(render(), end="")
