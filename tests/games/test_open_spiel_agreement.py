"""Our rules against OpenSpiel's over random games: legal moves, end and result at every ply.

`pytest -m slow -rP tests/games/test_open_spiel_agreement.py` prints how many positions were compared.
"""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from stratarena.games.base import Game, Move, Seat
from stratarena.games.hex import SWAP, Hex
from stratarena.games.plugins import load_game

pyspiel = pytest.importorskip("pyspiel", reason="OpenSpiel is an optional extra")

SIZES = (3, 5, 7, 11)


def our_names(game: Game[Any], state: Any, theirs: Any, *, by_san: bool) -> dict[Move, int]:
    """OpenSpiel's legal actions by our names."""
    actions = theirs.legal_actions()
    if game.id == "connect_four":
        return {Move(str(action + 1)): action for action in actions}
    if isinstance(game, Hex):
        size = game.size
        return {
            SWAP if action == size * size else Move(f"{'abcdefghijk'[action % size]}{action // size + 1}"): action
            for action in actions
        }
    if game.id == "chess" and not by_san:
        board = theirs.board()
        return {Move(pyspiel.chess.action_to_move(action, board).to_lan()): action for action in actions}
    # OpenSpiel writes SAN, so this tries our reader of SAN too.
    return {game.parse(state, theirs.action_to_string(action)): action for action in actions}


def returns(game: Game[Any], state: Any) -> list[float]:
    """The results of FIRST and SECOND in OpenSpiel's numbers: 1, -1 or 0. Zeros while the game goes on."""
    outcome = game.outcome(state)
    if outcome is None or outcome.winner is None:
        return [0.0, 0.0]
    return [1.0, -1.0] if outcome.winner is Seat.FIRST else [-1.0, 1.0]


def compare(ours: str, theirs: str, *, n_games: int, by_san: bool) -> int:
    """Play random games in both at once; the number of positions found equal in every respect."""
    game = load_game(ours)
    spiel = pyspiel.load_game(theirs)
    chess = ours.startswith("chess")
    # OpenSpiel numbers the chess players by colour, Black 0; those of the other games by who begins.
    first = 1 if chess else 0
    positions = 0
    for seed in range(n_games):
        rng = Random(seed)
        state = game.initial(rng)
        other = spiel.new_initial_state(game.encode(state)) if chess else spiel.new_initial_state()
        while True:
            positions += 1
            over = game.outcome(state) is not None
            assert other.is_terminal() is over, game.encode(state)
            assert [other.returns()[first], other.returns()[1 - first]] == returns(game, state), game.encode(state)
            if over:
                break
            assert (other.current_player() == first) is (game.to_move(state) is Seat.FIRST)
            named = our_names(game, state, other, by_san=by_san)
            legal = game.legal_moves(state)
            assert set(named) == set(legal), game.encode(state)
            # Half of the games with the swap rule swap.
            move = SWAP if SWAP in legal and seed % 2 else rng.choice(legal)
            state = game.play(state, move)
            other.apply_action(named[move])
    return positions


PAIRS = [
    ("connect_four", "connect_four", 200, 5000),
    *((f"hex(size={size})", f"hex(board_size={size})", 40, 2000) for size in SIZES),
    *((f"hex(size={size}, swap=true)", f"hex(board_size={size},swap=True)", 40, 2000) for size in SIZES),
    ("chess", "chess", 6, 1000),
    ("chess960", "chess(chess960=true)", 6, 1000),
]


@pytest.mark.parametrize(("ours", "theirs", "n_games"), [pair[:3] for pair in PAIRS])
def test_random_games_go_the_same_way_in_open_spiel(ours: str, theirs: str, n_games: int) -> None:
    """Same side to move, same legal moves, same end, same result, ply by ply."""
    assert compare(ours, theirs, n_games=n_games, by_san=True) > n_games


@pytest.mark.slow
@pytest.mark.parametrize(("ours", "theirs", "n_games"), [(*pair[:2], pair[3]) for pair in PAIRS])
def test_thousands_of_random_games_go_the_same_way_in_open_spiel(ours: str, theirs: str, n_games: int) -> None:
    """The same over a thousand games and more of each."""
    positions = compare(ours, theirs, n_games=n_games, by_san=False)
    print(f"{ours}: {n_games:,} games, {positions:,} positions, 0 differences")
