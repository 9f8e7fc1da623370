"""The report: a golden copy, the same bytes every time, and strangers' text kept harmless."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from stratarena.analysis import figures
from stratarena.analysis.page import Table, to_html, to_markdown
from stratarena.analysis.report import build_report

GOLDEN = Path(__file__).parent.parent / "golden"
HOSTILE = (
    "<script>alert(1)</script>",
    '" onmouseover="alert(2)',
    "| **pipe** | `tick` [link](javascript:alert(3))",
    "\x1b[2J\u202egnp.exe $x^2$ &amp; {0} %s",
)


def without_pictures(html: str) -> str:
    """The page with every picture's bytes left out: those change with the version of the plotting library."""
    return re.sub(r"(data:image/svg\+xml;base64,)[A-Za-z0-9+/=]+", r"\1…", html)


class Outline(HTMLParser):
    """What a browser would make of a page: its elements, their attributes and whether they nest."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        """Note the element; void ones have no end."""
        self.tags.add(tag)
        self.attributes += attrs
        if tag not in ("meta", "img", "br", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag):
        """The element that ends is the last that began."""
        assert self.open.pop() == tag


@pytest.mark.parametrize(("name", "render"), [("report.md", to_markdown), ("report.html", to_html)])
def test_the_report_of_the_small_league_is_the_golden_one(league, name, render):
    """Reviewed by eye; set UPDATE_GOLDEN=1 to write it anew after a change that was meant."""
    pytest.importorskip("matplotlib", reason="the golden report has figures")
    text = without_pictures(render(build_report(league, None)))
    path = GOLDEN / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")


def test_the_same_record_gives_the_same_bytes_under_any_hash_seed():
    """Pictures included, in fresh interpreters whose sets and dicts hash differently."""
    pytest.importorskip("matplotlib", reason="pictures are part of what must not change")
    script = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from conftest import small_league\n"
        "from stratarena.analysis.page import to_html, to_markdown\n"
        "from stratarena.analysis.report import build_report\n"
        "page = build_report(small_league(), None)\n"
        "sys.stdout.buffer.write((to_html(page) + to_markdown(page)).encode())\n"
    )
    first, second = (
        subprocess.run(
            [sys.executable, "-c", script], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "4242")
    )
    assert first == second
    assert len(first) > 20_000


def test_hostile_names_stay_text(make_league):
    """Names, errors and files that carry markup, attributes and escape sequences add no element and no attribute."""
    reader = make_league(HOSTILE)
    reader.fault_list = [
        replace(fault, error="ModelError: </td><img src=x onerror=y>\x1b[31m") for fault in reader.fault_list
    ]
    reader.record = replace(reader.record, source="</pre><script>alert(4)</script>\n```\n# heading")
    page = build_report(reader, None)
    hostile, harmless = Outline(to_html(page)), Outline(to_html(build_report(make_league(), None)))
    assert hostile.open == []
    assert hostile.tags == harmless.tags
    assert {name for name, _ in hostile.attributes} == {name for name, _ in harmless.attributes}
    assert not [letter for letter in to_html(page) + to_markdown(page) if letter in "\x1b\u202e"]


def test_hostile_names_break_no_markdown_table(make_league):
    """Every row of a table has as many cells as its head, whatever the names are, and a file's fence holds."""
    reader = make_league(HOSTILE)
    reader.record = replace(reader.record, source="```\n# not a heading\n```")
    text = to_markdown(build_report(reader, None))
    tables = re.findall(r"(?:^\|.*\n)+", text, flags=re.MULTILINE)
    assert len(tables) >= 8
    for table in tables:
        cells = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(cells) == 1
    assert text.rstrip().endswith("````\n```\n# not a heading\n```\n````")


def test_the_page_asks_for_nothing_from_outside(league):
    """No script, no link to another host, and a policy that forbids both."""
    html = to_html(build_report(league, None))
    outline = Outline(html)
    assert outline.tags.isdisjoint({"script", "link", "iframe", "object", "form"})
    for name, value in outline.attributes:
        if name in ("src", "href"):
            assert value.startswith(("data:image/svg+xml;base64,", "#"))
    assert "default-src 'none'" in html
    assert "url(" not in html


def test_every_table_says_where_its_numbers_come_from(league):
    """A named query, a view or a table of the database stands under each."""
    tables = [
        block for section in build_report(league, None).sections for block in section.blocks if isinstance(block, Table)
    ]
    assert len(tables) >= 8
    assert all(re.search(r"query `\w+`|\b(view v_\w+|tables? \w+)", table.source) for table in tables)


def test_an_agent_that_cannot_be_refused_is_named_as_such(league):
    """Wherever its legality is shown, the report says that it chooses among legal moves."""
    text = to_markdown(build_report(league, None))
    legality = text[text.index("## Legality") : text.index("## Thinking")]
    rows = [row for row in legality.splitlines() if row.startswith("| picker")]
    assert rows
    assert all("likeliest legal move" in row for row in rows)


def test_what_was_never_measured_is_a_dash(league):
    """The dice ask no model: their tokens are a dash, not 0."""
    text = to_markdown(build_report(league, None))
    thinking = text[text.index("## Thinking") : text.index("## Anomalies")]
    dice = next(row for row in thinking.splitlines() if row.startswith("| dice"))
    assert dice.split(" | ")[3] == "–"


def test_anomalies_are_told(league):
    """The void match, the fault, the unfinished match, the forfeits and the missing price."""
    text = to_markdown(build_report(league, None))
    anomalies = text[text.index("## Anomalies") : text.index("## Matches")]
    for told in ("Void:", "out of memory", "not over", "talker forfeited 1 of its 4", "price"):
        assert told in anomalies


def test_a_report_without_the_plotting_library_says_what_to_install(league, monkeypatch):
    """Everything but the pictures is there."""
    monkeypatch.setattr(figures, "available", lambda: False)
    html = to_html(build_report(league, None))
    assert "stratarena[plots]" in html
    assert "<img" not in html
    assert "Standings" in html


def test_a_tournament_of_which_nothing_is_over_has_a_report(league):
    """No match played yet: dashes and sentences, no number made up."""
    league.attempts = [replace(match, verdict=None, closed_ms=None) for match in league.attempts]
    league.turn_list, league.refusal_list, league.fault_list = (), (), ()
    text = to_markdown(build_report(league, None))
    assert "0 of 10 matches" in text
    assert "Without a match that counts: dice, grabber, talker, picker" in text
