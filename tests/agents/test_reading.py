"""The reader of models' answers: strict, typed, and not to be fooled."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.reading import read_move
from stratarena.games.base import AmbiguousMove, IllegalMove, MalformedMove, MoveError
from stratarena.games.plugins import load_game

FOUR = load_game("connect_four")
CHESS = load_game("chess")
HEX = load_game("hex(size=5)")


@pytest.mark.parametrize(
    ("game", "text", "move"),
    [
        (FOUR, "4", "4"),
        (FOUR, "  4\n", "4"),
        (FOUR, "MOVE: 4", "4"),
        (FOUR, "I want the middle.\nMOVE: 4\n", "4"),
        (FOUR, "move: `4`.", "4"),
        (FOUR, "**MOVE:** 4", "4"),
        (FOUR, "MOVE: 4\nMOVE: 4", "4"),
        (CHESS, "e2e4", "e2e4"),
        (CHESS, "MOVE: Nf3", "g1f3"),
        (CHESS, "MOVE: e4", "e2e4"),
        (HEX, "MOVE: C3", "c3"),
    ],
)
def test_a_move_or_one_labelled_line_is_read(game, text, move):
    """Canonical notation comes out, whichever the field uses went in."""
    assert read_move(game, game.initial(None), text) == move


@pytest.mark.parametrize(
    ("game", "text", "error", "words"),
    [
        (FOUR, "", MalformedMove, "MOVE:"),
        (FOUR, "I would play column 4", MalformedMove, "MOVE:"),
        (FOUR, "1 2 3 4 5 6 7", MalformedMove, "MOVE:"),
        (FOUR, "MOVE: 9", IllegalMove, "1 to 7"),
        (FOUR, "MOVE: 3\nMOVE: 4", AmbiguousMove, "several moves"),
        (FOUR, "The board:\n1 2 3\nso 4", MalformedMove, "MOVE:"),
        (CHESS, "MOVE: e2e5", IllegalMove, "e2e3 e2e4"),
        (CHESS, "MOVE: --", MalformedMove, "passing"),
        (HEX, "MOVE: swap", IllegalMove, "without the swap rule"),
    ],
)
def test_everything_else_is_an_error_of_its_kind(game, text, error, words):
    """Malformed, ambiguous and illegal are told apart, each with what would be accepted."""
    with pytest.raises(error) as caught:
        read_move(game, game.initial(None), text)
    assert words in caught.value.why


def test_several_names_of_one_move_are_one_move():
    """`e4` and `e2e4` are the same answer twice."""
    assert read_move(CHESS, CHESS.initial(None), "MOVE: e4\nMOVE: e2e4") == "e2e4"


@pytest.mark.parametrize(
    ("game", "text", "move"),
    [
        (CHESS, "The answer is: d2d4.", "d2d4"),
        (CHESS, "I play Nf3 since it develops", "g1f3"),
        (FOUR, "column 4 looks good, yes, 4", "4"),
    ],
)
def test_the_tolerant_reader_takes_the_only_legal_move_that_is_mentioned(game, text, move):
    """It is a mode with a name of its own; the strict one refuses the same text."""
    assert read_move(game, game.initial(None), text, reader="tolerant") == move
    with pytest.raises(MoveError):
        read_move(game, game.initial(None), text)


def test_the_tolerant_reader_does_not_choose_between_moves():
    """Two legal moves in one answer are ambiguous."""
    with pytest.raises(AmbiguousMove, match="several legal moves"):
        read_move(CHESS, CHESS.initial(None), "either e2e4 or d2d4", reader="tolerant")


@given(
    st.text(st.characters(), max_size=200), st.sampled_from([FOUR, CHESS, HEX]), st.sampled_from(["strict", "tolerant"])
)
def test_any_text_gives_a_legal_move_or_a_typed_error(text, game, reader):
    """Nothing else ever comes out, and the error's text is short."""
    state = game.initial(None)
    try:
        assert read_move(game, state, text, reader=reader) in game.legal_moves(state)
    except MoveError as error:
        assert len(error.text) <= 400


@given(st.lists(st.sampled_from(["MOVE:", "move", ":", "4", "e2e4", "**", "`", "\n", " ", "9", "."]), max_size=25))
def test_texts_that_look_like_answers_never_break_the_reader(parts):
    """The same for texts made of the reader's own words."""
    for game in (FOUR, CHESS):
        state = game.initial(None)
        try:
            assert read_move(game, state, "".join(parts)) in game.legal_moves(state)
        except MoveError as error:
            assert error.why


@pytest.mark.parametrize(
    "text", ["MOVE: x\n" * 1_250_000, "MOVE: x" + " " * 19_000 + "y", " " * 20_000 + "y", 'MOVE: "' + 'a"' * 9_000]
)
@pytest.mark.parametrize("reader", ["strict", "tolerant"])
def test_a_very_long_answer_is_read_in_no_time(text, reader):
    """Ten megabytes of labels, and texts made to lead a pattern astray: cut, not chewed."""
    began = time.process_time()
    with pytest.raises(MoveError):
        read_move(FOUR, FOUR.initial(None), text, reader=reader)
    assert time.process_time() - began < 0.5
