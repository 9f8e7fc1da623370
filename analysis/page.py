"""A report as data, and its two faces: Markdown and one self-contained HTML file.

Names of agents and texts of models are strangers' data: everything is escaped here, and nothing elsewhere needs to be.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

from stratarena.analysis.boards import printable

__all__ = [
    "Block",
    "Cell",
    "Code",
    "Columns",
    "Figure",
    "Heading",
    "Link",
    "Page",
    "Paragraph",
    "Picture",
    "Section",
    "Table",
    "anchor_of",
    "to_html",
    "to_markdown",
]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Plain words."""

    text: str


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading inside a section."""

    text: str
    anchor: str
    """What a `Link` names."""


@dataclass(frozen=True, slots=True)
class Link:
    """Words that lead to another place of the page."""

    text: str
    anchor: str


Cell = str | Link


@dataclass(frozen=True, slots=True)
class Code:
    """Text kept as it is, such as a tournament file."""

    text: str


@dataclass(frozen=True, slots=True)
class Columns:
    """A table's column: its heading, and whether it holds numbers."""

    title: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under named columns."""

    columns: tuple[Columns, ...]
    rows: Sequence[Sequence[Cell]]
    source: str
    """Where the numbers come from: a named query, a view or table of the database, and the formula's name."""
    anchors: tuple[str, ...] = ()
    """What a `Link` names, a row each; none by default."""


@dataclass(frozen=True, slots=True)
class Picture:
    """Something drawn, as a vector and, when it is asked for, as dots."""

    svg: str
    png: Callable[[], bytes]


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture with its caption."""

    caption: str
    picture: Picture

    @property
    def name(self) -> str:
        """For its file: the caption's first words."""
        words = [word for word in anchor_of(self.caption.split(".")[0].split(":")[0].split(";")[0]).split("-") if word]
        return "-".join(words[:_WORDS])


Block = Paragraph | Heading | Code | Table | Figure


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report."""

    title: str
    summary: tuple[str, ...]
    """Sentences that stand first."""
    headlines: tuple[tuple[str, str, str], ...]
    """What is measured, the figure, and what it means."""
    sections: tuple[Section, ...]


_WORDS = 6
"""Of a caption in the name of its file."""
_STYLE = """
:root { --ink: #1c2430; --soft: #5a6675; --line: #d9dfe6; --paper: #ffffff; --band: #f5f7fa; --accent: #0b62a4; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6eaf0; --soft: #9aa7b6; --line: #37424f; --paper: #161b22;
  --band: #1e252e; --accent: #6cb6ff; } figure { background: #fff; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 2rem 1.25rem 4rem; color: var(--ink); background: var(--paper);
  font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Liberation Sans", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .5rem; }
h3 { font-size: 1.05rem; margin: 1.75rem 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.25rem; margin: 2.5rem 0 .75rem; padding-bottom: .3rem; border-bottom: 1px solid var(--line); }
p { margin: .5rem 0; max-width: 50rem; } .soft, .source, figcaption { color: var(--soft); }
.source, figcaption { font-size: .85rem; margin: .35rem 0 0; } .source code { font-size: .85em; }
nav { margin: 1rem 0; font-size: .9rem; } nav a { margin-right: 1rem; white-space: nowrap; } a { color: var(--accent); }
.headlines { display: grid; grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); gap: 1rem; margin: 1.5rem 0; }
.headline { border: 1px solid var(--line); border-radius: .5rem; padding: 1rem; background: var(--band); }
.headline b { display: block; font-size: 1.5rem; line-height: 1.2; margin: .25rem 0; overflow-wrap: anywhere; }
.headline span { font-size: .85rem; color: var(--soft); }
.scroll { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .3rem .7rem; text-align: left; border-bottom: 1px solid var(--line); white-space: nowrap; }
th { font-weight: 600; background: var(--band); } .n { text-align: right; } tbody tr:hover { background: var(--band); }
figure { margin: 1rem 0; padding: .5rem; border: 1px solid var(--line); border-radius: .5rem; overflow-x: auto; }
figure img { display: block; max-width: 100%; height: auto; margin: 0 auto; }
figcaption { padding: 0 .25rem; } @media (prefers-color-scheme: dark) { figcaption { color: #444; } }
pre { background: var(--band); border: 1px solid var(--line); border-radius: .5rem; padding: .75rem; overflow-x: auto;
  font-size: .82rem; line-height: 1.4; }
details summary { cursor: pointer; color: var(--accent); }
@media print { nav { display: none; } h2 { break-after: avoid; } figure, tr { break-inside: avoid; } }
"""


def to_html(page: Page) -> str:
    """One HTML file that needs nothing else: no script, no request."""
    links = " ".join(f'<a href="#{anchor_of(section.title)}">{_safe(section.title)}</a>' for section in page.sections)
    headlines = "".join(
        f'<div class="headline">{_safe(what)}<b>{_safe(figure)}</b><span>{_safe(meaning)}</span></div>'
        for what, figure, meaning in page.headlines
    )
    body = "\n".join(
        f'<section id="{anchor_of(section.title)}"><h2>{_safe(section.title)}</h2>\n'
        + "\n".join(_html_block(block) for block in section.blocks)
        + "</section>"
        for section in page.sections
    )
    summary = "".join(f"<p>{_safe(sentence)}</p>" for sentence in page.summary)
    # The policy is a second lock: even if something unescaped slipped in, nothing may run or be fetched.
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{_safe(page.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{_safe(page.title)}</h1>\n{summary}\n"
        f'<div class="headlines">{headlines}</div>\n<nav>{links}</nav>\n{body}\n</body>\n</html>\n'
    )


def to_markdown(page: Page) -> str:
    """The same without pictures, for a terminal or a repository."""
    parts = [f"# {_plain(page.title)}", *(_plain(sentence) for sentence in page.summary)]
    parts += [f"- {_plain(what)}: **{_plain(figure)}** ({_plain(meaning)})" for what, figure, meaning in page.headlines]
    for section in page.sections:
        parts.append(f"## {_plain(section.title)}")
        parts += [_markdown_block(block) for block in section.blocks]
    return "\n\n".join(parts) + "\n"


def _safe(text: str) -> str:
    """A stranger's text for HTML, in attributes too: nothing in it acts, hides or turns the writing round."""
    return escape(printable(text), quote=True)


def anchor_of(text: str) -> str:
    """A place's name made of words: ASCII letters, digits and dashes."""
    return "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in text.lower())


def _html_cell(cell: Cell) -> str:
    return f'<a href="#{anchor_of(cell.anchor)}">{_safe(cell.text)}</a>' if isinstance(cell, Link) else _safe(cell)


def _html_block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return f"<p>{_safe(text)}</p>"
        case Code(text):
            return f"<pre>{escape(text)}</pre>"
        case Heading(text, anchor):
            return f'<h3 id="{anchor_of(anchor)}">{_safe(text)}</h3>'
        case Figure(caption, picture):
            # As an image a picture cannot run anything, and its ids do not meet those of other pictures.
            data = b64encode(picture.svg.encode()).decode()
            alt = _safe(caption)
            return (
                f'<figure><img alt="{alt}" src="data:image/svg+xml;base64,{data}">'
                f"<figcaption>{_safe(caption)}</figcaption></figure>"
            )
        case Table(columns, rows, source, anchors):
            head = "".join(f"<th{_class(column)}>{_safe(column.title)}</th>" for column in columns)
            ids = [f' id="{anchor_of(anchor)}"' for anchor in anchors] or [""] * len(rows)
            body = "".join(
                f"<tr{place}>"
                + "".join(
                    f"<td{_class(column)}>{_html_cell(cell)}</td>" for column, cell in zip(columns, row, strict=True)
                )
                + "</tr>\n"
                for place, row in zip(ids, rows, strict=True)
            )
            return (
                f'<div class="scroll"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
                f'<p class="source">Source: {_html_source(source)}</p>'
            )


def _html_source(source: str) -> str:
    """With words in backticks as code, and a query's name as a link to it."""
    parts = source.split("`")
    shown = [_safe(parts[0])]
    for before, code, after in zip(parts[::2], parts[1::2], parts[2::2], strict=False):
        marked = f"<code>{_safe(code)}</code>"
        shown.append(f'<a href="#{anchor_of("query " + code)}">{marked}</a>' if before.endswith("query ") else marked)
        shown.append(_safe(after))
    return "".join(shown)


def _class(column: Columns) -> str:
    return ' class="n"' if column.number else ""


def _markdown_block(block: Block) -> str:
    match block:
        case Paragraph(text):
            return _plain(text)
        case Code(text):
            fence = "```"
            while fence in text:
                fence += "`"
            return f"{fence}\n{text.rstrip()}\n{fence}"
        case Figure(caption, _):
            return f"*Figure, in the HTML report: {_plain(caption)}*"
        case Heading(text, _):
            return f"### {_plain(text)}"
        case Table(columns, rows, source):
            return "\n".join(
                [
                    _row([column.title for column in columns]),
                    "|" + "|".join(" ---: " if column.number else " --- " for column in columns) + "|",
                    *(_row(row) for row in rows),
                    "",
                    f"Source: {_markdown_source(source)}",
                ]
            )


def _markdown_source(source: str) -> str:
    """With words in backticks as code."""
    parts = source.split("`")
    return "".join(
        f"`{part}`" if place % 2 and part.isidentifier() else _plain(part) if part.strip() else part
        for place, part in enumerate(parts)
    )


def _row(cells: Sequence[Cell]) -> str:
    return "| " + " | ".join(_plain(cell.text if isinstance(cell, Link) else cell) for cell in cells) + " |"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is: on one line, marks of its own escaped."""
    folded = " ".join(printable(text).split())
    for mark in ("\\", "|", "<", "*", "`", "[", "_"):
        folded = folded.replace(mark, "\\" + mark)
    return folded
