"""The API's description as one page: no script, and nothing from another host."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

import orjson

__all__ = ["docs_page"]

STYLE: Final = (
    "body{font:16px/1.5 sans-serif;margin:2rem auto;max-width:60rem;padding:0 1rem}"
    "code,pre{font:14px/1.4 monospace}pre{background:#f4f4f4;padding:.7rem;overflow:auto}"
    "summary{cursor:pointer}h2{margin-top:2rem}b{display:inline-block;width:5rem}"
)


def docs_page(document: Mapping[str, Any]) -> str:
    """An OpenAPI document of this project as HTML, product by product."""
    info = document["info"]
    parts = [
        "<!DOCTYPE html>\n<html lang='en'><head><meta charset='utf-8'>",
        f"<title>{escape(info['title'])}</title><style>{STYLE}</style></head><body>",
        f"<h1>{escape(info['title'])} {escape(info['version'])}</h1>",
        f"<p>{escape(info['description'])} For machines: ",
        "<a href='/openapi.json'>/openapi.json</a>.</p>",
    ]
    for tag in document["tags"]:
        name = tag["name"]
        parts.append(f"<h2 id='{escape(name)}'>{escape(tag['description'])}</h2>")
        for path, item in document["paths"].items():
            for method, operation in item.items():
                if method != "parameters" and name in operation["tags"]:
                    parts.append(_operation(method, path, operation))
        parts.append("<h3>Objects</h3>")
        parts += [
            _details(f"<code>{escape(key)}</code>", schema)
            for key, schema in document["components"]["schemas"].items()
            if key.startswith(f"{name}.")
        ]
    parts.append("</body></html>\n")
    return "\n".join(parts)


def _operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    summary = f"<b>{method.upper()}</b><code>{escape(path)}</code> {escape(operation['summary'])}"
    shown = {key: operation[key] for key in ("parameters", "requestBody") if key in operation}
    return _details(summary, shown) if shown else f"<div>{summary}</div>"


def _details(summary: str, content: Mapping[str, Any]) -> str:
    text = orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()
    return f"<details><summary>{summary}</summary><pre>{escape(text)}</pre></details>"
