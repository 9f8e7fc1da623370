"""How strong the Hex player is: against OpenSpiel's tree search at ten times its simulations, and against itself.

`python bench/hex_strength.py [--games 100] [--simulations 300] [--sizes 7 9 11]`, games a line and simulations a move.
Openings are the bundled balanced ones, each played from both sides. Every line says what was really played.
"""

from __future__ import annotations

import argparse
import time

from stratarena.agents.engines.base import Engine, EngineSpec, Query
from stratarena.agents.engines.open import open_engine
from stratarena.analysis.estimate import proportion
from stratarena.games.base import Move, Seat
from stratarena.games.hex import Hex
from stratarena.games.openings import Line, lines


def engine(kind: str, **options: int | bool) -> Engine:
    """An engine of this kind with these options."""
    return open_engine(EngineSpec(kind=kind, options=tuple(sorted(options.items()))))


def play(game: Hex, opening: Line, players: dict[Seat, Engine], seconds: dict[Seat, float], seed: int) -> Seat:
    """The winner of one game; each seat's CPU seconds are added to."""
    state = game.decode(START[game.size])
    moves: tuple[Move, ...] = opening.moves
    for move in moves:
        state = game.play(state, move)
    while (outcome := game.outcome(state)) is None:
        seat = game.to_move(state)
        query = Query(game=game.id, start=START[game.size], moves=moves, seed=seed * 1000 + len(moves))
        began = time.process_time()
        move = players[seat].consult(query).move
        seconds[seat] += time.process_time() - began
        state, moves = game.play(state, move), (*moves, move)
    assert outcome.winner is not None
    return outcome.winner


def match(name: str, game: Hex, ours: Engine, theirs: Engine, n_games: int) -> None:
    """Play and print one line."""
    openings = lines(game.id, "balanced")
    won = 0
    spent = [0.0, 0.0]
    for number in range(n_games):
        seat = list(Seat)[number % 2]
        seconds = dict.fromkeys(Seat, 0.0)
        opening = openings[number // 2 % len(openings)]
        won += play(game, opening, {seat: ours, seat.other: theirs}, seconds, number) is seat
        spent[0] += seconds[seat]
        spent[1] += seconds[seat.other]
    share = proportion(won, n_games)
    print(
        f"{name:44} {game.size:2}x{game.size:<2} {won:3} of {n_games:3}  {share.value or 0:4.0%} "
        f"[{share.low or 0:4.0%}, {share.high or 0:4.0%}]  {spent[0] / n_games:7.2f} {spent[1] / n_games:7.2f}",
        flush=True,
    )


START = {size: "/".join(["." * size] * size) + " X" for size in range(2, 20)}


def main(n_games: int, simulations: int, sizes: list[int]) -> None:
    """All lines."""
    print(f"{'hex_search against':44} board      won                       CPU s a game, ours and theirs")
    for size in sizes:
        game = Hex(size)
        ours = engine("hex_search", simulations=simulations)
        ours.consult(Query(game=game.id, start=START[size], moves=(), seed=0))
        plain = engine("hex_search", simulations=simulations, connections=False)
        mcts = engine("open_spiel_mcts", simulations=10 * simulations)
        match(f"OpenSpiel's MCTS: {simulations} to {10 * simulations:,} simulations", game, ours, mcts, n_games)
        match(f"itself without connections, {simulations} both", game, ours, plain, n_games)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--games", type=int, default=100, help="a line (100)")
    parser.add_argument("--simulations", type=int, default=300, help="a move (300)")
    parser.add_argument(
        "--sizes",
        type=int,
        nargs="+",
        choices=list(START),
        metavar="SIZE",
        default=[7, 9, 11],
        help="of boards (7 9 11)",
    )
    wanted = parser.parse_args()
    main(wanted.games, wanted.simulations, wanted.sizes)
