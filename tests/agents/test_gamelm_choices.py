"""Exercises in choosing are the ends of searches: the same in sight, and the highest value to be written."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.gamelm.choices import choice_lesson, opening_lesson
from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.layout import layout_of
from stratarena.agents.gamelm.traces import Node, Report, write_trace
from stratarena.agents.gamelm.values import mirror

WORDS = FORM.words
BOARD = (1 << 7, 1 << 14)
AFTER = (1 << 14, 1 << 7 | 1)
BUCKET = st.integers(1, 64)


def reported(values):
    """A report of a game that goes on."""
    return Report(FORM, "<going>", next(move for move, value in enumerate(values) if value is not None), tuple(values))


@st.composite
def roots(draw):
    """A root's report, and its two to five children: move, value carried back, reply."""
    report = reported(draw(st.lists(BUCKET, min_size=7, max_size=7)))
    moves = report.ranked()[: draw(st.integers(2, 5))]
    return report, [(move, draw(BUCKET), draw(st.integers(0, 6))) for move in moves]


def seen_at(tokens, laid, row):
    """What a token looks at: tokens with their places."""
    return {(int(tokens[at]), int(laid.slots[at]), int(laid.levels[at])) for at in np.flatnonzero(laid.visible[row])}


def choosing(tokens, laid):
    """Where the root's own choices begin."""
    return [at for at in np.flatnonzero(tokens == WORDS["<select>"]) if laid.levels[at] == 1]


def search_of(report, children):
    """The same search as a whole text; a child has one reply, worth the mirror of what is carried back."""
    root = Node(*BOARD, report)
    for move, back, reply in children:
        values = [None] * 7
        values[reply] = mirror(back)
        root.children.append((move, Node(*AFTER, reported(values), told=mirror(back))))
    text = write_trace(root, depth=1, breadth=len(children))
    return np.array(text.tokens), layout_of(WORDS, text.tokens)


@given(roots())
def test_the_last_choice_sees_what_the_end_of_the_search_sees(root):
    """Token by token, at the same slots and levels, for all three tokens of the choice."""
    report, children = root
    tokens, laid = search_of(report, children)
    lesson = choice_lesson(BOARD, report, children)
    (whole,), ends = choosing(tokens, laid), choosing(lesson.tokens, lesson.laid)
    for step in range(3):
        there, here = seen_at(tokens, laid, whole + step), seen_at(lesson.tokens, lesson.laid, ends[-1] + step)
        assert there == here


@given(roots(), st.integers(1, 2))
def test_what_to_open_is_asked_as_a_search_begins(root, depth):
    """The tokens and the places of a whole search up to its first child, of which only the list counts."""
    report, children = root
    tokens, laid = search_of(report, children)
    lesson = opening_lesson(BOARD, report, [move for move, *_ in children], depth=depth)
    n = len(lesson.tokens)
    assert tokens[n] == WORDS["<child>"]
    changed = np.flatnonzero(lesson.tokens != tokens[:n])
    assert changed.tolist() == ([] if depth == 1 else [2])
    assert (lesson.laid.slots == laid.slots[:n]).all()
    assert (lesson.laid.visible == laid.visible[:n, :n]).all()
    assert np.flatnonzero(lesson.weights).tolist() == list(range(n - 1 - len(children), n))


@given(roots())
def test_every_choice_asks_for_the_highest_of_the_children_in_sight(root):
    """Of equals for the first; only the choices count in training."""
    report, children = root
    lesson = choice_lesson(BOARD, report, children)
    ends = choosing(lesson.tokens, lesson.laid)
    assert len(ends) == len(children) - 1
    asked = np.flatnonzero(lesson.weights)
    assert asked.tolist() == [at for end in ends for at in (end + 1, end + 2)]
    for n, end in enumerate(ends, start=2):
        values = [value for _, value, _ in children[:n]]
        move = children[values.index(max(values))][0]
        assert lesson.tokens[end + 1] == WORDS.first_move + move
        assert lesson.tokens[end + 2] == WORDS.first_value + max(values) - 1
        told = {slot for token, slot, _ in seen_at(lesson.tokens, lesson.laid, end) if token == WORDS["<back>"]}
        assert len(told) == n


@given(roots())
def test_no_choice_sees_another(root):
    """Each is asked for as if it were the only one."""
    report, children = root
    lesson = choice_lesson(BOARD, report, children)
    ends = choosing(lesson.tokens, lesson.laid)
    for end in ends:
        for step in range(3):
            looked_at = np.flatnonzero(lesson.laid.visible[end + step])
            assert looked_at.max() == end + step
            assert not {other + offset for other in ends if other != end for offset in range(3)} & set(
                looked_at.tolist()
            )
