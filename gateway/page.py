"""The page on which an administrator sets a new password, with the token that a mail brought.

1. It needs nothing from elsewhere, and its policy allows nothing else: its one script and its one
   style are named by their hashes.
2. The token stands in the URL's fragment, which browsers keep to themselves; it is taken out of
   the address at once, and no address is told to another site.
"""

from base64 import b64encode
from collections.abc import Awaitable, Callable
from hashlib import sha256
from html import escape
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from .envelope import NAMES

__all__ = ["password_page"]

STYLE: Final = (
    "body{font:16px/1.5 sans-serif;margin:3rem auto;max-width:24rem;padding:0 1rem}"
    "label{display:block;margin-top:1rem}input{box-sizing:border-box;font:inherit;width:100%}"
    "button{font:inherit;margin-top:1rem}output{display:block;margin-top:1rem}"
)
SCRIPT: Final = """
"use strict";
const form = document.forms[0];
const says = form.querySelector("output");
let token = "";
function take() {
  if (location.hash.length > 1) {
    token = decodeURIComponent(location.hash.slice(1)).replace(/^token=/, "");
    history.replaceState(null, "", location.pathname);
  }
  says.textContent = token ? "" : "The link holds no token: open it again from the mail.";
}
window.addEventListener("hashchange", take);
take();
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const password = form.elements.password.value;
  if (password !== form.elements.again.value) {
    says.textContent = "The two passwords differ.";
    return;
  }
  form.elements.send.disabled = true;
  says.textContent = "";
  try {
    const answer = await fetch("api/password", {
      method: "POST",
      credentials: "omit",
      headers: {"Content-Type": "application/json"},
      body: JSON.stringify({token: token, password: password}),
    });
    const meta = (await answer.json()).meta;
    if (meta.code === 200) {
      form.reset();
      token = "";
    }
    says.textContent = meta.code === 200 ? "The password is set. You can log in." : meta.message;
  } catch (error) {
    says.textContent = "The server cannot be reached: try again later.";
  }
  form.elements.send.disabled = false;
});
"""
PAGE: Final = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>New password - {name}</title><style>{style}</style></head><body>
<h1>{name}</h1>
<form method="post">
<label>New password <input name="password" type="password" autocomplete="new-password" required>
</label>
<label>Again <input name="again" type="password" autocomplete="new-password" required></label>
<button name="send">Set the password</button>
<output role="status"></output>
<noscript>This page needs JavaScript.</noscript>
</form>
<script>{script}</script></body></html>
"""


def password_page(product: str) -> Callable[[Request], Awaitable[Response]]:
    """The page of a product, as a handler."""
    page = PAGE.format(name=escape(NAMES[product]), style=STYLE, script=SCRIPT)
    policy = (
        f"default-src 'none'; script-src {_hash(SCRIPT)}; style-src {_hash(STYLE)};"
        " connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "referrer-policy": "no-referrer",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
    }

    async def answer(_: Request) -> Response:
        return Response(page, media_type="text/html", headers=headers)

    return answer


def _hash(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
