"""Connect Four: counts of positions, properties of random play, and boards that must be refused."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.games.base import IllegalMove, MalformedMove, Move, Outcome, PositionError, Seat
from stratarena.games.connect_four import ConnectFour, Position

GAME = ConnectFour()
EMPTY = "......./......./......./......./......./......."


def played(text: str) -> Position:
    """The position after these columns from the empty board."""
    state = GAME.initial(Random(0))
    for column in text:
        state = GAME.play(state, Move(column))
    return state


def count(state: Position, depth: int) -> int:
    """How many lines of `depth` moves there are."""
    if depth == 0:
        return 1
    moves = GAME.legal_moves(state)
    return len(moves) if depth == 1 else sum(count(GAME.play(state, move), depth - 1) for move in moves)


@pytest.mark.parametrize(
    ("depth", "lines"), [(1, 7), (2, 49), (3, 343), (4, 2401), (5, 16807), (6, 117649), (7, 823536)]
)
def test_the_count_of_lines_is_the_published_one(depth: int, lines: int) -> None:
    """Seven to the power of the depth, until at depth 7 the seven lines that fill one column fall away."""
    assert count(played(""), depth) == lines


@pytest.mark.parametrize(
    ("moves", "winner"),
    [
        ("1212121", Seat.FIRST),
        ("1122334", Seat.FIRST),
        ("51526364", Seat.SECOND),
        ("12233434474", Seat.FIRST),
        ("76655454414", Seat.FIRST),
        ("121212", None),
        ("112233", None),
    ],
)
def test_four_in_a_line_wins_whichever_way_it_runs(moves: str, winner: Seat | None) -> None:
    """Columns, rows of either seat and both diagonals; three are not enough."""
    outcome = GAME.outcome(played(moves))
    assert outcome == (None if winner is None else Outcome(winner, "four_in_a_row"))


def test_a_full_board_without_a_line_is_a_draw() -> None:
    """All 42 cells, stacked so that no four meet."""
    state = played("121212212121343434434343565656656565777777")
    assert GAME.outcome(state) == Outcome(None, "board_full")
    assert GAME.legal_moves(state) == ()


def test_a_full_column_is_refused() -> None:
    """Six discs fill a column; the seventh names it and the open ones."""
    state = played("111111")
    with pytest.raises(IllegalMove, match="column 1 is full; open columns: 2 3 4 5 6 7"):
        GAME.parse(state, "1")
    with pytest.raises(IllegalMove, match="column 1 is full"):
        GAME.play(state, Move("1"))


@pytest.mark.parametrize("text", ["0", "8", "-1", "44"])
def test_a_column_that_does_not_exist_is_illegal(text: str) -> None:
    """A number is the notation; only the board lacks the column."""
    with pytest.raises(IllegalMove, match="1 to 7"):
        GAME.parse(played(""), text)


@pytest.mark.parametrize("text", ["", "four", "column 4", "d1", "4.", "１", "²"])
def test_text_that_is_no_number_is_malformed(text: str) -> None:
    """No guessing: not even `column 4`."""
    with pytest.raises(MalformedMove, match="one digit"):
        GAME.parse(played(""), text)


@given(st.integers(0, 2**32))
def test_the_mirror_image_of_a_game_has_the_mirrored_legal_moves_and_the_same_outcome(seed: int) -> None:
    """The board has no left and right."""
    rng = Random(seed)
    state = mirrored = played("")
    while True:
        assert GAME.outcome(state) == GAME.outcome(mirrored)
        assert {str(8 - int(move)) for move in GAME.legal_moves(state)} == set(GAME.legal_moves(mirrored))
        if GAME.outcome(state) is not None:
            return
        move = rng.choice(GAME.legal_moves(state))
        state, mirrored = GAME.play(state, move), GAME.play(mirrored, Move(str(8 - int(move))))


@given(st.text(alphabet="1234567", max_size=30))
def test_a_position_written_and_read_again_is_the_same(moves: str) -> None:
    """The board holds all there is: whose turn it is follows from the discs."""
    state = played("")
    for column in moves:
        if column in GAME.legal_moves(state):
            state = GAME.play(state, Move(column))
    assert GAME.decode(GAME.encode(state)) == state


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected 6 rows"),
        (f"{EMPTY} O", "the other side is to move"),
        (f"{EMPTY}", "the other side is to move"),
        ("......./......./......./......./X....../....... O", "floats"),
        ("......./......./......./......./......./XX..... O", "as many discs"),
        ("......./......./......./......./O....../XXXX... O", "as many discs"),
        ("......./......./......./......./OOOO.../XXXX... X", "already has four"),
        ("......./......./......./......./......./???.... X", "expected 6 rows"),
    ],
)
def test_a_board_that_cannot_occur_is_refused_with_the_reason(text: str, why: str) -> None:
    """Floating discs, wrong counts, a line of the side to move, another alphabet."""
    with pytest.raises(PositionError, match=why):
        GAME.decode(text)
