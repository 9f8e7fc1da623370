"""Chess960: published counts, the 960 starts, castling in every spelling, and Shredder-FEN."""

from __future__ import annotations

from random import Random

import chess
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.games.base import IllegalMove, Move, PositionError, SpecError
from stratarena.games.fide_chess import N_STARTS, Chess, Chess960, Position
from stratarena.games.openings import kinds, lines
from stratarena.games.plugins import load_game

GAME = Chess960()

PUBLISHED = [
    ("bqnb1rkr/pp3ppp/3ppn2/2p5/5P2/P2P4/NPP1P1PP/BQ1BNRKR w HFhf - 2 9", [21, 528, 12189, 326672]),
    ("2nnrbkr/p1qppppp/8/1ppb4/6PP/3PP3/PPP2P2/BQNNRBKR w HEhe - 1 9", [21, 807, 18002, 667366]),
    ("b1q1rrkb/pppppppp/3nn3/8/P7/1PPP4/4PPPP/BQNNRKRB w GE - 1 9", [20, 479, 10471, 273318]),
    ("qbbnnrkr/2pp2pp/p7/1p2pp2/8/P3PP2/1PPP1KPP/QBBNNR1R w hf - 0 9", [22, 593, 13440, 382958]),
    ("qnbnr1kr/ppp1b1pp/4p3/3p1p2/8/2NPP3/PPP1BPPP/QNB1R1KR w HEhe - 1 9", [29, 899, 26578, 824055]),
    ("bnqnrbkr/1pp2pp1/p7/3pP2p/4P1P1/8/PPPP3P/BNQNRBKR w HEhe d6 0 9", [31, 984, 28677, 962591]),
    ("n1bb1rkr/qpnppppp/2p5/p7/P1P5/5P2/1P1PPRPP/NQBBN1KR w Hhf - 1 9", [27, 697, 18724, 505089]),
    ("1nqr1rbb/pppkp1pp/1n3p2/3p4/1P6/5P1P/P1PPPKP1/NNQR1RBB w - - 1 9", [24, 623, 15921, 429446]),
    ("nb1n1kbr/ppp1rppp/3pq3/P3p3/8/4P3/1PPPRPPP/NBQN1KBR w Hh - 1 9", [19, 566, 11786, 358337]),
    ("nnrkrbbq/pppp2pp/8/4pp2/4P3/P7/1PPPBPPP/NNKRR1BQ w c - 0 9", [25, 792, 19883, 636041]),
]
"""Positions and counts of lines as the Chess Programming Wiki publishes them."""


def count(state: Position, depth: int) -> int:
    """How many lines of `depth` moves there are."""
    moves = GAME.legal_moves(state)
    return len(moves) if depth == 1 else sum(count(GAME.play(state, move), depth - 1) for move in moves)


@pytest.mark.parametrize(("fen", "counts"), PUBLISHED)
def test_the_count_of_lines_is_the_published_one(fen: str, counts: list[int]) -> None:
    """Perft to depth 3; each of the positions can castle or has lost a right to."""
    state = GAME.decode(fen)
    assert [count(state, depth + 1) for depth in range(3)] == counts[:3]


@pytest.mark.slow
@pytest.mark.parametrize(("fen", "counts"), PUBLISHED)
def test_the_count_of_longer_lines_is_the_published_one(fen: str, counts: list[int]) -> None:
    """Perft to depth 4."""
    assert count(GAME.decode(fen), 4) == counts[3]


def test_there_are_960_starts_and_number_518_is_the_array_of_chess() -> None:
    """Bishops on opposite colours, the king between the rooks, Black's men opposite White's."""
    starts = lines("chess960", "start")
    assert len({line.start for line in starts}) == len(starts) == N_STARTS
    for line in starts:
        assert line.start is not None
        black, *_, white = line.start.split()[0].split("/")
        assert black == white.lower()
        assert sorted(black) == sorted("rnbqkbnr")
        assert (black.index("b") + black.rindex("b")) % 2 == 1
        assert black.index("r") < black.index("k") < black.rindex("r")
    array = starts[518].start
    assert array is not None
    assert array.split()[0] == Chess().encode(Chess().initial(Random(0))).split()[0]


def test_a_start_is_drawn_unless_it_is_chosen() -> None:
    """Drawn by the generator that is handed in; the id holds the choice."""
    drawn = {GAME.encode(GAME.initial(Random(seed))) for seed in range(50)}
    assert len(drawn) > 40
    chosen = load_game("chess960(start=0)")
    assert {chosen.encode(chosen.initial(Random(seed))) for seed in range(9)} == {
        "bbqnnrkr/pppppppp/8/8/8/8/PPPPPPPP/BBQNNRKR w HFhf - 0 1"
    }
    assert chosen.id == "chess960(start=0)"
    assert kinds(chosen.id) == ("start",)
    assert len(lines(chosen.id, "start")) == 1


@pytest.mark.parametrize("start", [-1, 960, 2.5, True, "518"])
def test_a_start_that_does_not_exist_is_refused(start: object) -> None:
    """Starts are numbered from 0."""
    with pytest.raises(SpecError, match="whole number from 0 to 959"):
        Chess960(start)  # type: ignore[arg-type]


CASTLES_ON_THE_SPOT = "4k3/8/8/8/8/8/8/5RKR w H - 0 1"
"""The king already stands where castling leaves it, but its own other rook is in the way."""
SWAPS_PLACES = "4k3/8/8/8/8/8/8/5KR1 w G - 0 1"
"""King and rook change places."""


def test_castling_is_the_king_taking_its_own_rook_or_the_letter_o() -> None:
    """Both spellings name one move, and the men end where chess puts them."""
    state = GAME.decode(SWAPS_PLACES)
    assert {GAME.parse(state, text) for text in ("f1g1", "O-O")} == {"f1g1"}
    assert GAME.encode(GAME.play(state, Move("f1g1"))) == "4k3/8/8/8/8/8/8/5RK1 b - - 1 1"


def test_castling_through_another_man_is_illegal_and_a_king_move_is_told_how_castling_is_written() -> None:
    """`g1g1` or a leap of two files is no castling here."""
    with pytest.raises(IllegalMove):
        GAME.parse(GAME.decode(CASTLES_ON_THE_SPOT), "O-O")
    with pytest.raises(IllegalMove, match="castling is the king's square and its own rook's"):
        GAME.parse(GAME.decode("4k3/8/8/8/8/8/8/4K2R w H - 0 1"), "e1g1")


def test_the_king_may_castle_out_of_no_check_and_through_none() -> None:
    """The rook may pass an attacked square, the king may not."""
    rook_passes = GAME.decode("1r2k3/8/8/8/8/8/8/R3K3 w A - 0 1")
    assert "e1a1" in GAME.legal_moves(rook_passes)
    for fen in (
        "3rk3/8/8/8/8/8/8/R3K3 w A - 0 1",
        "4r1k1/8/8/8/8/8/8/R3K3 w A - 0 1",
        "2r1k3/8/8/8/8/8/8/R3K3 w A - 0 1",
    ):
        assert "e1a1" not in GAME.legal_moves(GAME.decode(fen)), fen


@given(st.integers(0, N_STARTS - 1), st.integers(0, 2**32), st.integers(0, 60))
def test_a_position_written_and_read_again_has_the_same_moves(start: int, seed: int, plies: int) -> None:
    """Shredder-FEN holds which rook may castle."""
    game, rng = Chess960(start), Random(seed)
    state = game.initial(rng)
    for _ in range(plies):
        moves = game.legal_moves(state)
        if not moves:
            return
        # Castling, rare in random play, is taken when it is there.
        castling = [move for move in moves if move[:2] != move[2:4] and _castles(state, move)]
        state = game.play(state, rng.choice(castling or moves))
    again = game.decode(game.encode(state))
    assert game.encode(again) == game.encode(state)
    if game.outcome(state) is None:
        assert game.legal_moves(again) == game.legal_moves(state)


def _castles(state: Position, move: Move) -> bool:
    return state.board.is_castling(chess.Move.from_uci(move))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("4k3/8/8/8/8/8/8/4K3 w H - 0 1", "bad castling rights"),
        ("8/8/8/8/8/8/8/4K3 w - - 0 1", "no black king"),
        ("rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP w HAha - 0 1", "is no FEN"),
        ("", "is no FEN"),
    ],
)
def test_a_position_that_cannot_occur_is_refused_with_what_is_wrong(text: str, says: str) -> None:
    """As in chess."""
    with pytest.raises(PositionError, match=says):
        GAME.decode(text)


def test_a_plain_fen_is_read_too() -> None:
    """`K` is the outermost rook, as X-FEN has it."""
    assert GAME.encode(GAME.decode("4k3/8/8/8/8/8/8/R3K2R w KQ - 0 1")) == "4k3/8/8/8/8/8/8/R3K2R w HA - 0 1"


def test_the_two_games_differ_in_their_digests() -> None:
    """The same men on the same squares castle by other moves."""
    array = Chess960(518)
    assert array.digest(array.initial(Random(0))) != Chess().digest(Chess().initial(Random(0)))
