"""The columns of every object as a table for people: `python -m callscreen.schema.column_table`.

`docs/queries.md` holds it; a test compares them.
"""

from .objects import TYPES

__all__ = ["render"]

HEAD = ["| object | key | unique | indexed | scanned |", "|---|---|---|---|---|"]


def render() -> str:
    """By object, the columns that keys and indexes serve, and the rest.

    A column of text stands alone; of another kind it says so.
    """
    lines = list(HEAD)
    for kind in TYPES.values():
        known = {each.name: each for product in kind.products for each in kind.columns(product)}
        served = (kind.key, kind.unique_columns, kind.indexed)
        rest = tuple(name for name in known if not any(name in names for names in served))
        cells = (
            ", ".join(
                f"`{name}`" + ("" if known[name].kind == "string" else f" ({known[name].kind})")
                for name in names
            )
            for names in (*served, rest)
        )
        lines.append(
            "|".join(
                ["", f" `{kind.type}` ", *(f" {cell} " if cell else " " for cell in cells), ""]
            )
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(render())
