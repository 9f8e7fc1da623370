"""The grammar of linearized searches: what is printed is read back, and whatever else comes is refused with its place."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.linearized.parser import (
    LONGEST_LINE,
    TraceError,
    TraceOrderError,
    TraceParser,
    TraceSyntaxError,
    TraceUnfinished,
    parse_trace,
)
from stratarena.agents.linearized.trace import Backup, MoveValue, Trace, TraceNode, print_trace

TEXT = """\
SEARCH hex(size=3) | depth=1 | breadth=2
NODE - | state=X../.O./... X | moves=b1:70,a3:40
NODE b1 | state=XX./.O./... O | moves=c1:90
BACK b1 | value=90 | pick=c1
NODE a3 | state=X../.O./X.. O | end=draw
BACK a3 | value=50
BACK - | moves=b1:10,a3:50 | value=50 | pick=a3
PLAY a3
"""
TREE = Trace(
    "hex(size=3)",
    1,
    2,
    (
        TraceNode(
            state="X../.O./... X",
            moves=(MoveValue("b1", 70), MoveValue("a3", 40)),
            backup=Backup(moves=(MoveValue("b1", 10), MoveValue("a3", 50)), value=50, pick="a3"),
        ),
        TraceNode(
            parent=0,
            move="b1",
            state="XX./.O./... O",
            moves=(MoveValue("c1", 90),),
            backup=Backup(value=90, pick="c1"),
        ),
        TraceNode(parent=0, move="a3", state="X../.O./X.. O", end="draw", backup=Backup(value=50)),
    ),
    "a3",
)

moves = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9+#=-]{0,6}", fullmatch=True)
percents = st.integers(0, 100)
words = st.text(
    st.characters(exclude_characters="|\n\r\v\f\x1c\x1d\x1e\x85\u2028\u2029", exclude_categories=["Cs"]),
    min_size=1,
    max_size=12,
)
lines = words.map(str.strip).filter(bool)
values = st.lists(st.builds(MoveValue, moves, percents), min_size=1, max_size=4).map(tuple)
backups = st.builds(Backup, moves=st.just(()) | values, value=percents, pick=st.none() | moves)


@st.composite
def nodes(draw, parent=None, move=None, room=3):
    """A node and all below it, in order, with parents by number from 0."""
    end = draw(st.none() | st.sampled_from(["X", "White", "draw"]))
    node = TraceNode(
        parent=parent,
        move=move,
        state=draw(lines),
        moves=() if end else draw(values),
        end=end,
        backup=draw(backups),
    )
    found = [node]
    for child in draw(st.lists(moves, max_size=room, unique=True)):
        below = draw(nodes(parent=0, move=child, room=room - 1))
        found += [replace(each, parent=len(found) + each.parent) if place else each for place, each in enumerate(below)]
    return found


traces = st.builds(Trace, lines, st.integers(0, 99), st.integers(1, 999), nodes().map(tuple), moves)


@settings(max_examples=80)
@given(traces)
def test_what_is_printed_is_read_back(trace):
    """parse(print(tree)) is the tree, by the strict reading."""
    assert parse_trace(print_trace(trace)) == trace


@settings(max_examples=40)
@given(traces, st.data())
def test_pieces_are_read_like_the_whole(trace, data):
    """Wherever the text is cut into pieces, the same trace comes, and not before the line of the choice has ended."""
    text = print_trace(trace)
    places = sorted(data.draw(st.lists(st.integers(0, len(text) - 1), max_size=5)))
    parser = TraceParser()
    for start, end in zip([0, *places], [*places, len(text)], strict=True):
        assert parser.complete is False
        parser.feed(text[start:end])
        if end < len(text):
            assert not parser.complete
    assert parser.complete
    assert parser.close() == trace


def test_a_tree_written_by_hand_is_the_text_written_by_hand():
    """Print and parse against a pair made without them."""
    assert print_trace(TREE) == TEXT
    assert parse_trace(TEXT) == TREE
    assert TREE.paths == ((), ("b1",), ("a3",))
    assert TREE.children == ((1, 2), (), ())


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_arbitrary_text_is_refused_with_its_place(text):
    """No text crashes the strict reading or is half taken: it is a trace or an error that names a line and column."""
    with pytest.raises(TraceError) as caught:
        parse_trace(text)
    assert caught.value.line >= 1
    assert caught.value.column >= 1
    assert f"line {caught.value.line}, column {caught.value.column}" in str(caught.value)


damaged = st.tuples(st.integers(0, len(TEXT) - 1), st.integers(0, 12), st.text(max_size=8))


@settings(max_examples=500)
@given(st.lists(damaged, min_size=1, max_size=3), st.sampled_from(["strict", "tolerant"]))
def test_a_damaged_trace_is_refused_or_another_trace(damages, reading):
    """Near misses: never a crash; by the strict reading what is taken prints as it stood; an error lies within the text."""
    text = TEXT
    for at, length, instead in damages:
        text = text[:at] + instead + text[at + length :]
    try:
        trace = parse_trace(text, reading=reading)
    except TraceError as error:
        rows = text.split("\n")
        assert 1 <= error.line <= len(rows) + 1
        assert 1 <= error.column <= (len(rows[error.line - 1]) if error.line <= len(rows) else 0) + 1
    else:
        if reading == "strict":
            assert print_trace(trace).rstrip("\n") == text.rstrip("\n")


def test_every_single_change_of_a_letter_is_seen():
    """A letter left out anywhere gives an error or another trace, never the same one."""
    for at in range(len(TEXT) - 1):
        with suppress(TraceError):
            assert parse_trace(TEXT[:at] + TEXT[at + 1 :]) != TREE


def row(number, text):
    rows = TEXT.splitlines()
    rows[number - 1] = text
    return "\n".join(rows)


@pytest.mark.parametrize(
    ("text", "kind", "line", "column", "words"),
    [
        ("", TraceUnfinished, 1, 1, "expected SEARCH"),
        ("Sure! Here is the search.", TraceSyntaxError, 1, 1, "expected SEARCH game"),
        (row(1, "NODE - | state=x | end=X"), TraceOrderError, 1, 1, "begins with SEARCH, not NODE"),
        (row(1, "SEARCH hex(size=3) | depth=1"), TraceSyntaxError, 1, 29, "' | breadth='.*found the end of the line"),
        (row(1, "SEARCH hex(size=3) | depth=01 | breadth=2"), TraceSyntaxError, 1, 29, "' | breadth='"),
        (
            row(2, "NODE - | state=X../.O./... X | moves=b1:70,a3:101"),
            TraceSyntaxError,
            2,
            49,
            "whole number from 0 to 100",
        ),
        (row(2, "NODE - | state=X../.O./... X | moves=b1:070"), TraceSyntaxError, 2, 42, "without leading zeros"),
        (row(2, "NODE - | state=X../.O./... X"), TraceSyntaxError, 2, 29, "' . moves=' or ' . end='"),
        (row(2, "NODE b1 | state=X../.O./... X | end=X"), TraceOrderError, 2, 1, "expected NODE - "),
        (row(4, "NODE c3 | state=x | end=X"), TraceOrderError, 4, 1, "expected NODE b1>… . … or BACK b1"),
        (row(5, "NODE b1 | state=x | end=X"), TraceOrderError, 5, 1, "b1 was entered before"),
        (row(5, "NODE - | state=x | end=X"), TraceOrderError, 5, 1, "the root was entered before"),
        (row(6, "BACK b1 | value=50"), TraceOrderError, 6, 1, "or BACK a3"),
        (row(7, "PLAY a3"), TraceOrderError, 7, 1, "or BACK -"),
        (row(8, "PLAY a 3"), TraceSyntaxError, 8, 7, "the end of the line, found ' 3'"),
        (TEXT + "I hope this helps!", TraceOrderError, 9, 1, "nothing may follow"),
        (TEXT.removesuffix("PLAY a3\n"), TraceUnfinished, 8, 1, "expected PLAY"),
        (TEXT.replace("\n", "\r\n"), TraceSyntaxError, 1, 41, "the end of the line"),
        ("SEARCH " + "x" * LONGEST_LINE, TraceSyntaxError, 1, LONGEST_LINE + 1, "longer than"),
    ],
)
def test_each_kind_of_error_has_its_type_and_place(text, kind, line, column, words):
    """The narrowest type, the place counted from 1, and what would have been accepted."""
    with pytest.raises(kind, match=words) as caught:
        parse_trace(text)
    assert (type(caught.value), caught.value.line, caught.value.column) == (kind, line, column)


def test_a_line_without_an_end_is_stopped():
    """A model that never breaks the line is refused as soon as the line is too long, in however small pieces."""
    parser = TraceParser()
    for _ in range(LONGEST_LINE // len("SEARCH ")):
        assert not parser.feed("SEARCH ")
    with pytest.raises(TraceSyntaxError, match="longer than"):
        parser.feed("SEARCH ")


def test_what_was_read_before_an_error_stays_known():
    """The trace up to the faulty line; and the parser refuses whatever comes after."""
    parser = TraceParser()
    with pytest.raises(TraceSyntaxError):
        parser.feed(row(5, "so I think that"))
    assert len(parser.trace.nodes) == 2
    assert parser.trace.nodes[1] == TREE.nodes[1]
    assert parser.lines == 4
    with pytest.raises(TraceSyntaxError):
        parser.feed("BACK b1 | value=90\n")
    with pytest.raises(TraceSyntaxError):
        parser.close()


def test_half_a_line_is_not_read_where_the_text_was_cut_off():
    """`value=9` may have been to become 90: nothing of the line counts."""
    parser = TraceParser()
    parser.feed(TEXT[: TEXT.index("90 | pick")] + "9")
    with pytest.raises(TraceUnfinished, match="line 4, column 18: the text is cut off here"):
        parser.close(cut_off=True)
    assert parser.trace.nodes[1].backup is None


def test_the_tolerant_reading_takes_other_dress_and_says_so():
    """Prose, fences, bullets, case and spaces are let pass, each with a note; the strict reading takes none of them."""
    dressed = (
        "Here is my search:\n\n```\n"
        + TEXT.replace("NODE a3", "- node  a3")
        .replace("value=90", "value = 90 %")
        .replace("b1:70,a3", "b1: 70, a3")
        .replace("BACK a3 | value=50\n", "")
        + "```\nGood luck!"
    )
    with pytest.raises(TraceSyntaxError):
        parse_trace(dressed)
    parser = TraceParser(reading="tolerant")
    parser.feed(dressed)
    trace = parser.close()
    assert trace == replace(TREE, nodes=(*TREE.nodes[:2], replace(TREE.nodes[2], backup=None)))
    told = {note.line: note.what for note in parser.notes}
    assert "overlooked" in told[1]
    assert "without words" in told[2]
    assert "put right" in told[5]
    assert any("a3 is left without a line BACK" in note.what for note in parser.notes)
    assert "behind the final choice" in parser.notes[-1].what


def test_the_tolerant_reading_of_a_good_trace_has_nothing_to_note():
    """It is the strict reading there."""
    parser = TraceParser(reading="tolerant")
    parser.feed(TEXT)
    assert parser.close() == TREE
    assert parser.notes == []


def test_the_tolerant_reading_supposes_what_was_asked_where_no_header_says_it():
    """Only with a note, and only if it was told what was asked."""
    headless = TEXT.split("\n", 1)[1]
    parser = TraceParser(reading="tolerant", asked=("hex(size=3)", 1, 2))
    parser.feed(headless)
    assert parser.close() == TREE
    assert "SEARCH is missing" in parser.notes[0].what
    with pytest.raises(TraceUnfinished):
        parse_trace(headless, reading="tolerant")


@pytest.mark.parametrize(
    "wrong",
    [
        replace(TREE, game="hex|3"),
        replace(TREE, breadth=0),
        replace(TREE, play="a 3"),
        replace(TREE, nodes=(replace(TREE.nodes[0], state="X\nO"), *TREE.nodes[1:])),
        replace(TREE, nodes=(replace(TREE.nodes[0], moves=()), *TREE.nodes[1:])),
        replace(TREE, nodes=(TREE.nodes[0], TREE.nodes[1], replace(TREE.nodes[2], move="b1"))),
        replace(TREE, nodes=(TREE.nodes[0], replace(TREE.nodes[1], backup=Backup(value=101)))),
    ],
)
def test_what_cannot_be_read_back_is_not_printed(wrong):
    """A bar in a name, a line break in a position, a value out of range, two siblings of one move: `ValueError`."""
    with pytest.raises(ValueError, match=r"node|written"):
        print_trace(wrong)
