"""The page around replays: our modules joined into one script, one style sheet, and a policy that lets nothing else run.

There is nothing to build: the modules are plain files of the package, and are joined when a page is made.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from gzip import compress
from hashlib import sha256
from html import escape
from importlib.resources import files
from typing import Any

from stratarena.analysis.boards import printable

__all__ = ["script", "shell", "style", "write_page"]

_MODULES = ("dom", "boards", "theatre", "tree", "panels", "player", "lists", "main")
"""In the order in which they need each other."""
_IMPORT = re.compile(r"^import \{[^}]*\} from \"\./[a-z]+\.js\";\n", re.MULTILINE)
_EXPORT = re.compile(r"^export (?=function|const)", re.MULTILINE)
_ICON = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 32 32'><rect width='32' height='32' rx='7' fill='#0072b2'/>"
    "<path d='M8 22 L14 13 L19 18 L25 9' fill='none' stroke='#fff' stroke-width='3.4' stroke-linecap='round' "
    "stroke-linejoin='round'/></svg>"
)


@lru_cache(maxsize=1)
def script() -> str:
    """The modules as one script."""
    parts = []
    for name in _MODULES:
        text = _static(f"{name}.js")
        parts.append(f"// {name}.js\n" + _EXPORT.sub("", _IMPORT.sub("", text)))
    return '"use strict";\n' + "\n".join(parts)


@lru_cache(maxsize=1)
def style() -> str:
    """The style sheet."""
    return _static("replay.css")


def _static(name: str) -> str:
    return (files("stratarena.analysis.web") / "static" / name).read_text(encoding="utf-8")


def shell(title: str, boot: Mapping[str, Any], *, blocks: Iterable[str] = (), own: bool = True) -> str:
    """An HTML page with our script and style in it.

    Args:
        title: plain text.
        boot: what the script is told at its start.
        blocks: further elements, as HTML.
        own: whether the page holds script and style itself; else it asks the server that it came from for them.
    """
    if own:
        policy = (
            f"default-src 'none'; script-src '{_hash(script())}'; style-src '{_hash(style())}'; img-src data:; "
            "base-uri 'none'; form-action 'none'"
        )
        head = f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        looks, runs = f"<style>{style()}</style>", f'<script type="module">{script()}</script>'
    else:
        # The server sends the policy itself.
        head = ""
        looks, runs = '<link rel="stylesheet" href="/replay.css">', '<script type="module" src="/replay.js"></script>'
    icon = "data:image/svg+xml;base64," + b64encode(_ICON.encode()).decode()
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        + head
        + '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<meta name="referrer" content="no-referrer">\n'
        f"<title>{escape(printable(title))}</title>\n"
        f'<link rel="icon" href="{icon}">\n{looks}\n</head>\n<body>\n'
        '<div id="app"><noscript>This page shows recorded matches with a script of its own, which is switched off '
        "here.</noscript></div>\n"
        f'<script type="application/json" id="boot">{_json(boot)}</script>\n'
        + "".join(f"{block}\n" for block in blocks)
        + f"{runs}\n</body>\n</html>\n"
    )


def write_page(title: str, index: Sequence[Mapping[str, Any]], documents: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """A self-contained page of these matches, part by part; with several, it begins with a list of them.

    Every document is compressed and in base 64, so no text in it can end its element, whatever it says.
    """
    facts = {
        "games": sorted({match["game"] for match in index}),
        "agents": sorted({match[seat] for match in index for seat in ("first", "second")}),
    }
    boot = {"mode": "file", "title": printable(title), "matches": index, "facts": facts}
    page = shell(title, boot, blocks=("\0",))
    before, _, after = page.partition("\0\n")
    yield before
    for document in documents:
        packed = compress(json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode(), 9, mtime=0)
        number = int(document["match"]["id"])
        yield f'<script type="application/gzip" data-match="{number}">{b64encode(packed).decode()}</script>\n'
    yield after


def _hash(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _json(value: Mapping[str, Any]) -> str:
    """JSON that can stand in an element: no character in it begins a tag or a comment."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
