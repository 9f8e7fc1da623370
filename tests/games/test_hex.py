"""Hex: hand-made counts, the theorem that someone always wins, the swap rule, and an independent judge of chains."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.games.base import IllegalMove, MalformedMove, Move, Outcome, PositionError, Seat, SpecError
from stratarena.games.hex import Hex, Position

NEIGHBOURS = ((0, 1), (0, -1), (1, 0), (-1, 0), (-1, 1), (1, -1))


def played(game: Hex, moves: str) -> Position:
    """The position after these moves, written with blanks between them."""
    state = game.initial(Random(0))
    for move in moves.split():
        state = game.play(state, Move(move))
    return state


def count(game: Hex, state: Position, depth: int) -> int:
    """How many lines of `depth` moves there are."""
    if depth == 0:
        return 1
    return sum(count(game, game.play(state, move), depth - 1) for move in game.legal_moves(state))


def joins(rows: list[str], mark: str) -> bool:
    """Whether these rows hold a chain of X from top to bottom, or of O from left to right, found cell by cell."""
    size = len(rows)
    own = {(row, column) for row in range(size) for column in range(size) if rows[row][column] == mark}
    along = 0 if mark == "X" else 1
    chain = [cell for cell in own if cell[along] == 0]
    seen = set(chain)
    while chain:
        row, column = chain.pop()
        if (row, column)[along] == size - 1:
            return True
        near = {(row + down, column + right) for down, right in NEIGHBOURS} & own - seen
        seen |= near
        chain += near
    return False


@pytest.mark.parametrize(
    ("game", "counts"),
    [
        # Two of X's stones join in 3 of the 6 pairs of cells, so 12 of the 24 lines end at the third move; in the other
        # 12 the last cell gives O the win.
        (Hex(2), [4, 12, 24, 12, 0]),
        # After a swap X has 3 cells, then O 2; half of those 24 pairs of O's join, the rest leave X the last cell.
        (Hex(2, True), [4, 16, 36, 36, 12, 0]),
        # Nobody wins before X's third stone; 8 chains of three cells join top and bottom, each laid in 3! orders with
        # 6 * 5 answers between: 1,440 of the 15,120 lines are over then, and 4 cells are free in the others.
        (Hex(3), [9, 72, 504, 3024, 15120, 54720]),
    ],
    ids=lambda value: value.id if isinstance(value, Hex) else None,
)
def test_the_count_of_lines_is_the_one_worked_out_by_hand(game: Hex, counts: list[int]) -> None:
    """Small boards, counted on paper."""
    state = game.initial(Random(0))
    assert [count(game, state, depth + 1) for depth in range(len(counts))] == counts


@given(st.integers(2, 19), st.booleans(), st.integers(0, 2**32))
def test_every_game_ends_with_a_winner_whom_an_independent_search_confirms(size: int, swap: bool, seed: int) -> None:
    """Nash's theorem: no draws; and until the last stone neither side was joined."""
    game, rng = Hex(size, swap), Random(seed)
    before = state = game.initial(rng)
    while game.outcome(state) is None:
        before, state = state, game.play(state, rng.choice(game.legal_moves(state)))
    rows = game.encode(state).partition(" ")[0].split("/")
    earlier = game.encode(before).partition(" ")[0].split("/")
    won = game.outcome(state)
    assert won is not None
    assert won.reason == "connected"
    assert joins(rows, "X") is (won.winner is Seat.FIRST)
    assert joins(rows, "O") is (won.winner is Seat.SECOND)
    assert not joins(earlier, "X")
    assert not joins(earlier, "O")


@given(st.integers(2, 9), st.booleans(), st.integers(0, 2**32), st.integers(0, 40))
def test_a_position_written_and_read_again_is_the_same(size: int, swap: bool, seed: int, plies: int) -> None:
    """Also after a swap: the counts of stones tell that one was made."""
    game, rng = Hex(size, swap), Random(seed)
    state = game.initial(rng)
    for _ in range(plies):
        if moves := game.legal_moves(state):
            # Swap is one of many moves; prefer it, or large boards would hardly ever see one.
            state = game.play(state, moves[-1] if rng.random() < 0.5 else rng.choice(moves))
    assert game.decode(game.encode(state)) == state
    assert game.digest(game.decode(game.encode(state))) == game.digest(state)


def test_swap_takes_the_opening_stone_over_to_its_mirror_cell() -> None:
    """X opens at c1 (third column, first row); after swap O owns a3 (first column, third row) and X is to move."""
    game = Hex(4, True)
    state = played(game, "c1 swap")
    assert game.encode(state) == "..../..../O.../.... X"
    assert game.to_move(state) is Seat.FIRST
    assert "c1" in game.legal_moves(state)
    assert "a3" not in game.legal_moves(state)


@pytest.mark.parametrize("moves", ["", "b2 c3", "b2 swap"])
def test_swap_is_open_only_in_answer_to_the_first_stone(moves: str) -> None:
    """Not before it, not later, not twice."""
    game = Hex(4, True)
    state = played(game, moves)
    assert "swap" not in game.legal_moves(state)
    for refused in (game.parse, game.play):
        with pytest.raises(IllegalMove, match="only in answer to the first stone"):
            refused(state, Move("swap"))


def test_swap_is_refused_where_it_is_not_in_the_rules() -> None:
    """The word is in the notation; the game is played without it."""
    game = Hex(4)
    assert "swap" not in game.legal_moves(played(game, "b2"))
    with pytest.raises(IllegalMove, match="without the swap rule"):
        game.parse(played(game, "b2"), "swap")


@pytest.mark.parametrize(("text", "move"), [("a1", "a1"), (" C3\n", "c3"), ("SWAP", "swap"), ("B1", "b1")])
def test_letter_case_and_surrounding_space_do_not_matter(text: str, move: str) -> None:
    """The field writes both `a1` and `A1`."""
    game = Hex(3, True)
    assert game.parse(played(game, "a2"), text) == move


@pytest.mark.parametrize("text", ["", "1a", "a", "a01", "a0", "a1 b2", "aa1", "t1", "b٢", "a1\x00"])
def test_text_that_is_no_cell_is_malformed(text: str) -> None:
    """Letters a to s, then a number without leading zero."""
    with pytest.raises(MalformedMove, match="empty cell from a1 to c3"):
        Hex(3).parse(played(Hex(3), ""), text)


def test_a_cell_off_the_board_or_taken_is_illegal() -> None:
    """Well-formed, but not here."""
    game = Hex(3)
    with pytest.raises(IllegalMove, match="no such cell"):
        game.parse(played(game, ""), "d1")
    with pytest.raises(IllegalMove, match="b2 is taken"):
        game.parse(played(game, "b2"), "b2")
    with pytest.raises(IllegalMove, match="the game is over"):
        game.parse(played(game, "b1 a1 b2 a2 b3"), "c1")


def test_first_joins_top_and_bottom_and_second_left_and_right() -> None:
    """The seats' edges, as the rules tell them."""
    game = Hex(3)
    assert game.outcome(played(game, "b1 a1 b2 a2 b3")) == Outcome(Seat.FIRST, "connected")
    assert game.outcome(played(game, "a1 a2 a3 b2 c1 c2")) == Outcome(Seat.SECOND, "connected")
    assert game.outcome(played(game, "a1 b1 b2 c1 c3 a3")) is None


@pytest.mark.parametrize(
    ("game", "printed"),
    [
        (Hex(), "hex"),
        (Hex(7), "hex(size=7)"),
        (Hex(7, True), "hex(size=7, swap=true)"),
        (Hex(swap=True), "hex(swap=true)"),
    ],
)
def test_the_id_leaves_defaults_out(game: Hex, printed: str) -> None:
    """What prints here is what tournament files say."""
    assert game.id == printed


@pytest.mark.parametrize("size", [1, 0, -3, 20, 5.0, "7", True])
def test_a_size_out_of_range_is_refused(size: object) -> None:
    """Two to nineteen, a whole number."""
    with pytest.raises(SpecError, match="whole number from 2 to 19"):
        Hex(size)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "expected 3 rows"),
        (".../.../...", "expected 3 rows"),
        (".../.../... Z", "expected 3 rows"),
        (".../.../... O", "cannot be to move"),
        ("XX./.../... O", "cannot be to move"),
        ("O../.../... X", "cannot be to move"),
        ("XO./XO./X.O X", "already joined"),
    ],
)
def test_a_board_that_cannot_occur_is_refused_with_the_reason(text: str, why: str) -> None:
    """Counts, alphabet, and a side to move that had already won. Without the swap rule O cannot be ahead."""
    with pytest.raises(PositionError, match=why):
        Hex(3).decode(text)


def test_the_board_is_drawn_as_a_slanted_rhombus_with_labels() -> None:
    """Each row stands half a cell further right than the one above."""
    game = Hex(3)
    assert game.render(played(game, "b1 a3"), Seat.FIRST) == "   a b c\n 1 . X .\n  2 . . .\n   3 O . ."
