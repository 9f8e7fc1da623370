"""Chess: published counts, the ways a game ends, and move text in UCI and SAN."""

from __future__ import annotations

from random import Random

import chess
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.games.base import AmbiguousMove, IllegalMove, MalformedMove, Move, Outcome, PositionError, Seat
from stratarena.games.fide_chess import Chess, Position

GAME = Chess()
START = chess.STARTING_FEN
KIWIPETE = "r3k2r/p1ppqpb1/bn2pnp1/3PN3/1p2P3/2N2Q1p/PPPBBPPP/R3K2R w KQkq - 0 1"
PINS = "8/2p5/3p4/KP5r/1R3p1k/8/4P1P1/8 w - - 0 1"
PROMOTIONS = "r3k2r/Pppp1ppp/1b3nbN/nP6/BBP1P3/q4N2/Pp1P2PP/R2Q1RK1 w kq - 0 1"


def played(moves: str, start: str = START) -> Position:
    """The position after these UCI moves."""
    state = GAME.decode(start)
    for move in moves.split():
        state = GAME.play(state, Move(move))
    return state


def count(state: Position, depth: int) -> int:
    """How many lines of `depth` moves there are."""
    moves = GAME.legal_moves(state)
    return len(moves) if depth == 1 else sum(count(GAME.play(state, move), depth - 1) for move in moves)


@pytest.mark.parametrize(
    ("fen", "counts"),
    [
        (START, [20, 400, 8902]),
        (KIWIPETE, [48, 2039, 97862]),
        (PINS, [14, 191, 2812]),
        (PROMOTIONS, [6, 264, 9467]),
    ],
    ids=["start", "kiwipete", "pins", "promotions"],
)
def test_the_count_of_lines_is_the_published_one(fen: str, counts: list[int]) -> None:
    """Perft as chess programmers publish it, to depth 3."""
    state = GAME.decode(fen)
    assert [count(state, depth + 1) for depth in range(3)] == counts


@pytest.mark.slow
@pytest.mark.parametrize(
    ("fen", "lines"),
    [(START, 197_281), (KIWIPETE, 4_085_603), (PINS, 43_238), (PROMOTIONS, 422_333)],
    ids=["start", "kiwipete", "pins", "promotions"],
)
def test_the_count_of_longer_lines_is_the_published_one(fen: str, lines: int) -> None:
    """Perft to depth 4."""
    assert count(GAME.decode(fen), 4) == lines


@pytest.mark.parametrize(
    ("fen", "moves", "outcome"),
    [
        (START, "f2f3 e7e5 g2g4 d8h4", Outcome(Seat.SECOND, "checkmate")),
        (START, "e2e4 e7e5 d1h5 b8c6 f1c4 g8f6 h5f7", Outcome(Seat.FIRST, "checkmate")),
        ("7k/8/5KQ1/8/8/8/8/8 w - - 0 1", "g6f7", Outcome(None, "stalemate")),
        ("7k/8/8/8/8/8/6p1/6K1 w - - 0 1", "g1g2", Outcome(None, "insufficient_material")),
        (START, "g1f3 g8f6 f3g1 f6g8 g1f3 g8f6 f3g1 f6g8", Outcome(None, "threefold_repetition")),
        ("7k/8/8/8/8/8/8/R6K w - - 98 80", "a1a2 h8g8", Outcome(None, "fifty_moves")),
        ("7k/8/6K1/8/8/8/8/R7 w - - 99 80", "a1a8", Outcome(Seat.FIRST, "checkmate")),
    ],
)
def test_a_game_ends_by_itself_for_the_reason_named(fen: str, moves: str, outcome: Outcome) -> None:
    """Mate goes before the fifty-move count; nobody has to claim a draw."""
    *before, _ = moves.split()
    assert GAME.outcome(played(" ".join(before), fen)) is None
    state = played(moves, fen)
    assert GAME.outcome(state) == outcome
    assert GAME.legal_moves(state) == ()


def test_a_position_with_other_castling_rights_is_no_repetition() -> None:
    """The board looks alike three times with the same side to move, but the first time both could still castle."""
    to_and_fro = "h1g1 h8g8 g1h1 g8h8"
    third = f"g1f3 g8f6 {to_and_fro} {to_and_fro}"
    assert played(third).board.board_fen() == played("g1f3 g8f6").board.board_fen()
    assert GAME.outcome(played(third)) is None
    # From then on no rights are lost, so the position with both rooks moved is the first to come a third time.
    assert GAME.outcome(played(f"{third} h1g1")) is None
    assert GAME.outcome(played(f"{third} h1g1 h8g8")) == Outcome(None, "threefold_repetition")


def test_the_digest_depends_on_positions_that_could_come_back() -> None:
    """The same board reached at once and after a repetition is not the same state."""
    once = played("g1f3 g8f6")
    twice = played("g1f3 g8f6 f3g1 f6g8 g1f3 g8f6")
    assert once.board.board_fen() == twice.board.board_fen()
    assert GAME.digest(once) != GAME.digest(twice)


def test_the_digest_does_not_depend_on_the_way_to_a_position_that_cannot_come_back() -> None:
    """Two orders of the same pawn moves."""
    assert GAME.digest(played("e2e3 e7e6 d2d3")) == GAME.digest(played("d2d3 e7e6 e2e3"))


@pytest.mark.parametrize(
    ("text", "move"),
    [("e2e4", "e2e4"), (" e4\n", "e2e4"), ("Nf3", "g1f3"), ("Ng1f3", "g1f3"), ("Nc3", "b1c3")],
)
def test_uci_and_san_name_the_same_moves(text: str, move: str) -> None:
    """UCI is canonical; SAN is read too."""
    assert GAME.parse(played(""), text) == move


@pytest.mark.parametrize(("text", "move"), [("O-O", "e1g1"), ("O-O-O", "e1c1"), ("Qxf6", "f3f6"), ("e1g1", "e1g1")])
def test_castling_and_captures_are_read(text: str, move: str) -> None:
    """In Kiwipete, where both are possible."""
    assert GAME.parse(GAME.decode(KIWIPETE), text) == move


@pytest.mark.parametrize(("text", "move"), [("a8=Q", "a7a8q"), ("a8=N", "a7a8n"), ("a7a8r", "a7a8r"), ("a8Q", "a7a8q")])
def test_a_promotion_names_its_piece(text: str, move: str) -> None:
    """All four pieces, in both notations."""
    assert GAME.parse(GAME.decode("4k3/P7/8/8/8/8/8/4K3 w - - 0 1"), text) == move


def test_a_promotion_without_its_piece_is_refused_with_the_four_that_could_be_meant() -> None:
    """Never taken for a queen."""
    with pytest.raises(IllegalMove, match="legal from a7: a7a8b a7a8n a7a8q a7a8r"):
        GAME.parse(GAME.decode("4k3/P7/8/8/8/8/8/4K3 w - - 0 1"), "a7a8")


def test_san_that_fits_two_pieces_is_ambiguous_and_lists_them() -> None:
    """Rooks on a1 and d2 can both go to d1; the one on f2 cannot."""
    state = GAME.decode("4k3/8/8/8/8/8/3R1R2/R3K3 w Q - 0 1")
    with pytest.raises(AmbiguousMove, match="could be a1d1, d2d1; name one"):
        GAME.parse(state, "Rd1")


@pytest.mark.parametrize(
    "text", ["--", "Z0", "0000", "@@@@", "", "e2-e4-e5", "E2E4", "e2 e4", "1. e4", "pawn to e4", "e2e4e"]
)
def test_passing_and_foreign_text_are_malformed(text: str) -> None:
    """python-chess reads null moves; we do not. Nothing is repaired."""
    with pytest.raises(MalformedMove, match="a move is UCI"):
        GAME.parse(played(""), text)


@pytest.mark.parametrize("text", ["e2e5", "Qh5", "O-O", "e7e5", "a1a1", "Ke2"])
def test_a_move_that_the_rules_forbid_is_illegal(text: str) -> None:
    """Well-formed in UCI or SAN."""
    with pytest.raises(IllegalMove, match="not legal here"):
        GAME.parse(played(""), text)


def test_nothing_is_legal_after_a_draw_by_rule() -> None:
    """python-chess would still move; here the game is over."""
    state = played("g1f3 g8f6 f3g1 f6g8 g1f3 g8f6 f3g1 f6g8")
    for refused in (GAME.parse, GAME.play):
        with pytest.raises(IllegalMove, match="the game is over"):
            refused(state, Move("e2e4"))


@given(st.integers(0, 2**32))
@settings(max_examples=15)
def test_play_leaves_the_position_it_was_given_as_it_was(seed: int) -> None:
    """Every position of a game still says at the end what it said when it was new."""
    rng = Random(seed)
    state = GAME.initial(rng)
    seen: list[tuple[Position, str, str, tuple[Move, ...]]] = []
    while GAME.outcome(state) is None and len(seen) < 60:
        seen.append((state, GAME.encode(state), GAME.digest(state), tuple(GAME.legal_moves(state))))
        state = GAME.play(state, rng.choice(GAME.legal_moves(state)))
    for earlier, position, digest, moves in seen:
        assert (GAME.encode(earlier), GAME.digest(earlier), tuple(GAME.legal_moves(earlier))) == (
            position,
            digest,
            moves,
        )
        assert not earlier.board.move_stack


@given(st.integers(0, 2**32))
@settings(max_examples=15)
def test_the_san_of_every_legal_move_is_read_as_that_move(seed: int) -> None:
    """python-chess writes the SAN; twenty plies into a random game."""
    rng = Random(seed)
    state = GAME.initial(rng)
    for _ in range(20):
        if GAME.outcome(state) is None:
            state = GAME.play(state, rng.choice(GAME.legal_moves(state)))
    for move in GAME.legal_moves(state):
        assert GAME.parse(state, state.board.san(chess.Move.from_uci(move))) == move


@pytest.mark.parametrize(
    ("fen", "why"),
    [
        ("", "is no FEN"),
        ("e4", "is no FEN"),
        ("8/8/8/8/8/8/8/8 w - - 0 1", "no white king, no black king"),
        ("4k3/8/8/8/8/8/8/4K2P w - - 0 1", "pawns on backrank"),
        ("4k2R/8/8/8/8/8/8/4K3 w - - 0 1", "opposite check"),
        ("4k3/8/8/8/8/8/8/4K3 w KQ - 0 1", "bad castling rights"),
        (f"{START} extra", "is no FEN"),
    ],
)
def test_a_fen_that_cannot_occur_is_refused_with_what_is_wrong(fen: str, why: str) -> None:
    """The faults python-chess finds, in words."""
    with pytest.raises(PositionError, match=why):
        GAME.decode(fen)


def test_an_en_passant_square_is_written_only_where_the_capture_is_legal() -> None:
    """So two positions that differ in nothing have one FEN."""
    assert GAME.encode(played("e2e4")) == "rnbqkbnr/pppppppp/8/8/4P3/8/PPPP1PPP/RNBQKBNR b KQkq - 0 1"
    assert " e3 " in GAME.encode(played("e2e4", "4k3/8/8/8/3p4/8/4P3/4K3 w - - 0 1"))
