"""The bundled openings: legal, distinct, balanced by their judge, and refused by name where there are none."""

from __future__ import annotations

import re
from random import Random
from typing import Any

import pytest

from stratarena.agents.base import AgentSpec
from stratarena.agents.engine_player import Uci
from stratarena.agents.engines.base import Query
from stratarena.agents.engines.open import open_engine
from stratarena.games.base import Game, Move, SpecError
from stratarena.games.openings import Line, chosen, kinds, lines
from stratarena.games.plugins import load_game

BUNDLED = [
    ("chess", "book", 40, range(4, 11)),
    ("connect_four", "balanced", 150, range(4, 9)),
    *((f"hex(size={size})", "balanced", 40, range(2, 5)) for size in (5, 7, 9)),
    ("hex", "balanced", 40, range(2, 5)),
]


def after(game: Game[Any], moves: tuple[Move, ...]) -> Any:
    """The state after the moves."""
    state = game.initial(Random(0))
    for move in moves:
        state = game.play(state, move)
    return state


@pytest.mark.parametrize(("game_id", "kind", "at_least", "plies"), BUNDLED)
def test_every_line_is_legal_named_once_and_leads_to_a_position_of_its_own(
    game_id: str, kind: str, at_least: int, plies: range
) -> None:
    """As many lines, and as long, as promised; the game goes on after each."""
    game = load_game(game_id)
    found = lines(game_id, kind)
    assert len(found) >= at_least
    assert len({line.name for line in found}) == len(found)
    assert all(len(line.moves) in plies for line in found)
    states = [after(game, line.moves) for line in found]
    assert all(game.outcome(state) is None for state in states)
    assert len({game.digest(state) for state in states}) == len(states)


def test_chess_endings_are_legal_positions_of_three_men_with_either_colour_to_move() -> None:
    """Each with a start of its own and no moves; that they are won in the moves they say is tested where they are solved."""
    game = load_game("chess")
    found = lines("chess", "endings")
    assert len({line.name for line in found}) == len({line.start for line in found}) == len(found) == 80
    for line in found:
        state = game.decode(line.start)
        assert game.encode(state) == line.start
        assert line.moves == ()
        assert game.outcome(state) is None
        assert state.board.occupied.bit_count() == 3


def test_chess_lines_carry_their_eco_code() -> None:
    """A letter from a to e and two digits, before the name."""
    assert all(re.match(r"[a-e][0-9]{2}-[a-z]", line.name) for line in lines("chess", "book"))


def test_no_two_connect_four_openings_are_mirror_images_and_nobody_wins_at_once() -> None:
    """Else a pairing would meet one opening twice, or none at all."""
    game = load_game("connect_four")
    seen = set()
    for line in lines("connect_four", "balanced"):
        state = after(game, line.moves)
        mirrored = after(game, tuple(Move(str(8 - int(move))) for move in line.moves))
        seen.add(frozenset({game.digest(state), game.digest(mirrored)}))
        assert not any(game.outcome(game.play(state, move)) for move in game.legal_moves(state)), line
    assert len(seen) == len(lines("connect_four", "balanced"))


def test_every_connect_four_opening_is_a_draw_by_the_perfect_solver() -> None:
    """The list is not older than its claim."""
    bitbully = pytest.importorskip("bitbully", reason="the perfect solver is an optional extra")
    solver = bitbully.BitBully()
    for line in lines("connect_four", "balanced"):
        board = bitbully.Board()
        for move in line.moves:
            assert board.play(int(move) - 1)
        assert max(solver.score_all_moves(board).values()) == 0, line


@pytest.mark.parametrize(
    "game_id", ["chess", "connect_four", "hex", "hex(size=4)", "chess960(start=5)", "somebody_elses(size=3)"]
)
def test_every_game_has_its_own_beginning(game_id: str) -> None:
    """Also a game that we know nothing of."""
    assert kinds(game_id)[0] == "start"
    assert lines(game_id, "start") == (Line("start", ()),)


@pytest.mark.parametrize(
    ("game_id", "kind", "says"),
    [
        ("hex(size=8)", "balanced", r"for sizes 5, 7, 9, 11 only\); there are: start"),
        ("hex", "book", "has no openings 'book'; there are: start, balanced"),
        ("chess", "balanced", "there are: start, book, endings"),
        ("connect_four", "boook", "there are: start, balanced"),
        ("chess", "../../secret", "there are: start, book"),
    ],
)
def test_a_kind_that_does_not_exist_is_refused_with_those_that_do(game_id: str, kind: str, says: str) -> None:
    """And Hex says for which sizes it was judged."""
    with pytest.raises(SpecError, match=says):
        lines(game_id, kind)


def test_openings_are_chosen_by_kind_or_by_name_each_once() -> None:
    """In the order they are asked for."""
    book = lines("chess", "book")
    named = chosen("chess", ["b90-sicilian-najdorf", "book", "c65-ruy-lopez-berlin"])
    assert named[0].name == "b90-sicilian-najdorf"
    assert sorted(line.name for line in named) == sorted(line.name for line in book)
    assert chosen("chess960", ["start 518"])[0].start == "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w HAha - 0 1"


def test_an_opening_that_is_misspelled_is_refused_with_the_nearest_name() -> None:
    """Of the lines of that game only."""
    with pytest.raises(SpecError, match="did you mean 'c65-ruy-lopez-berlin'"):
        chosen("chess", ["c65-ruy-lopes-berlin"])
    with pytest.raises(SpecError, match="there are: start, balanced"):
        chosen("connect_four", ["c65-ruy-lopez-berlin"])


@pytest.mark.slow
@pytest.mark.stockfish
def test_stockfish_sees_neither_side_much_worse_after_any_chess_line() -> None:
    """Within 0.9 pawns of even at 200,000 nodes; it says 0.3 for the start."""
    stockfish = open_engine(Uci(AgentSpec("s", "uci", {"nodes": 200_000})).engines[0])
    for line in lines("chess", "book"):
        start = load_game("chess").initial(Random(0)).board.fen()
        said = stockfish.consult(Query(game="chess", start=start, moves=line.moves, seed=1, nodes=200_000)).score
        assert said is not None
        assert said.startswith("cp")
        assert abs(int(said.split()[1])) <= 90, line.name
    stockfish.close()


def test_hex_openings_do_not_depend_on_the_swap_rule() -> None:
    """They are longer than one ply, so swap is no longer open."""
    assert lines("hex(size=7, swap=true)", "balanced") == lines("hex(size=7)", "balanced")
    game = load_game("hex(size=7, swap=true)")
    assert all("swap" not in game.legal_moves(after(game, line.moves)) for line in lines(game.id, "balanced"))
