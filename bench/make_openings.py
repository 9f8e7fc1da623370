"""Make the lists of balanced openings again: `python bench/make_openings.py connect_four|connect_four_late|hex|chess_endings > games/data/NAME.txt`."""

from __future__ import annotations

import argparse
from random import Random
from typing import Any

from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour
from stratarena.games.hex import Hex

WANTED_CONNECT_FOUR = 200
WANTED_LATE, LATE_PLIES = 100, 16
WANTED_HEX = 40
WANTED_ENDINGS = 40
"""Of each ending."""
HEX_SIZES = (5, 7, 9, 11)
SIMULATIONS = 10_000
LEAST_PERCENT, MOST_PERCENT = 42, 58


def connect_four() -> None:
    """Print positions after 4 to 8 plies that are draws under perfect play, no two of them mirror images."""
    from bitbully import BitBully, Board

    game, solver, rng = ConnectFour(), BitBully(), Random(4)
    print(
        f"# {WANTED_CONNECT_FOUR} Connect Four openings of 4 to 8 plies, drawn under perfect play (solver: bitbully);"
    )
    print("# the side to move cannot win at once, no two are mirror images. Made by bench/make_openings.py, seed 4.")
    seen: set[str] = set()
    while len(seen) < WANTED_CONNECT_FOUR:
        state, mirrored, board = game.initial(rng), game.initial(rng), Board()
        moves: list[Move] = []
        for _ in range(rng.randint(4, 8)):
            if not game.legal_moves(state):
                break
            move = rng.choice(game.legal_moves(state))
            moves.append(move)
            state = game.play(state, move)
            mirrored = game.play(mirrored, Move(str(8 - int(move))))
            board.play(int(move) - 1)
        wins_at_once = any(game.outcome(game.play(state, move)) for move in game.legal_moves(state))
        name = min(game.digest(state), game.digest(mirrored))
        if game.outcome(state) or wins_at_once or name in seen or max(solver.score_all_moves(board).values()) != 0:
            continue
        seen.add(name)
        print(f"drawn-{len(seen):03}: {' '.join(moves)}")


def connect_four_late() -> None:
    """Print positions after 16 plies that are draws under perfect play, no two of them mirror images."""
    from bitbully import BitBully, Board

    game, solver, rng = ConnectFour(), BitBully(), Random(16)
    print(
        f"# {WANTED_LATE} Connect Four openings of {LATE_PLIES} plies, drawn under perfect play (solver: bitbully), where"
    )
    print("# a solver answers in milliseconds; the side to move cannot win at once, nor could the other if it were to")
    print("# move; no two are mirror images. Made by bench/make_openings.py, seed 16.")
    seen: set[str] = set()
    while len(seen) < WANTED_LATE:
        state, mirrored, board = game.initial(rng), game.initial(rng), Board()
        moves: list[Move] = []
        while len(moves) < LATE_PLIES and game.legal_moves(state):
            move = rng.choice(game.legal_moves(state))
            moves.append(move)
            state = game.play(state, move)
            mirrored = game.play(mirrored, Move(str(8 - int(move))))
            board.play(int(move) - 1)
        name = min(game.digest(state), game.digest(mirrored))
        if game.outcome(state) or name in seen or _threatens(game, state):
            continue
        if max(solver.score_all_moves(board).values()) == 0:
            seen.add(name)
            print(f"late-{len(seen):03}: {' '.join(moves)}")


def _threatens(game: ConnectFour, state: Any) -> bool:
    """Whether either side could win with one disc, were it to move."""
    for move in game.legal_moves(state):
        after = game.play(state, move)
        if game.outcome(after) or any(game.outcome(game.play(after, reply)) for reply in game.legal_moves(after)):
            return True
    return False


def hex_boards() -> None:
    """Print starts of 2 to 4 plies in which a long search sees both sides win about equally often."""
    import pyspiel

    rng = Random(7)
    print(f"# {WANTED_HEX} Hex openings of 2 to 4 plies a size. Even by OpenSpiel's MCTS: {SIMULATIONS:,} simulations")
    print(
        "# from the position, 1 random playout each, uct_c 2: the mover wins 42 to 58 % of the simulations (a draw-free"
    )
    print("# game, so FIRST does too). Made by bench/make_openings.py, seed 7.")
    for size in HEX_SIZES:
        game, theirs = Hex(size), pyspiel.load_game(f"hex(board_size={size})")
        found: set[str] = set()
        while len(found) < WANTED_HEX:
            state, spiel = game.initial(rng), theirs.new_initial_state()
            moves: list[Move] = []
            for _ in range(rng.randint(2, 4)):
                move = rng.choice(game.legal_moves(state))
                moves.append(move)
                spiel.apply_action((int(move[1:]) - 1) * size + ord(move[0]) - ord("a"))
                state = game.play(state, move)
            if game.digest(state) in found:
                continue
            if not LEAST_PERCENT <= mover_wins_percent(spiel, seed=rng.randrange(2**31)) <= MOST_PERCENT:
                continue
            found.add(game.digest(state))
            print(f"{size}x{size}-even-{len(found):02}: {' '.join(moves)}")


def mover_wins_percent(state: Any, *, seed: int) -> float:
    """How many of the simulations of a search from an OpenSpiel state the side to move wins, in percent."""
    import pyspiel

    evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
    # Without the solver: a proven win would end the search early and hide how often each side wins.
    bot = pyspiel.MCTSBot(state.get_game(), evaluator, 2.0, SIMULATIONS, 1000, False, seed, False)
    children = bot.mcts_search(state).children
    visits = sum(child.explore_count for child in children)
    return float(50 * (1 + sum(child.total_reward for child in children) / visits))


def chess_endings() -> None:
    """Print endings that the side to move wins, near and far from the mate, of the test split of the game model's data."""
    import numpy as np

    from stratarena.agents.gamelm.chess_form import FORM, moves_to_mate
    from stratarena.agents.gamelm.splits import SPLITS, split_of

    rng = np.random.default_rng(8)
    print(
        f"# {WANTED_ENDINGS} positions each of king and queen (kqk) and king and rook (krk) against king, won for the side to"
    )
    print(
        "# move in the number of moves that the name ends with: as many near the mate as far from it. White and Black are the"
    )
    print(
        "# stronger side in turn. No two are images of each other, and the game model was trained on no image of any."
    )
    print("# Made by bench/make_openings.py, seed 8.")
    for kind, name in enumerate(("kqk", "krk")):
        made = FORM.generate(1, kind)
        best = made.scores.max(axis=1)
        held_out = (split_of(made.own, made.opponent) == SPLITS.index("test")) & (best > 0)
        moves = np.where(held_out, moves_to_mate(np.maximum(best, 1)), 0)
        far = [number for number in np.unique(moves).tolist() if number >= 3]
        numbers = sorted(far[index % len(far)] for index in range(WANTED_ENDINGS))
        chosen: set[int] = set()
        for index, number in enumerate(numbers):
            found = int(rng.choice([one for one in np.flatnonzero(moves == number) if one not in chosen]))
            chosen.add(found)
            own, opponent = FORM.image(
                made.own[found : found + 1], made.opponent[found : found + 1], int(rng.integers(8))
            )
            position = FORM.encode((int(own[0]), int(opponent[0])), (Seat.FIRST, Seat.SECOND)[index % 2])
            print(f"{name}-{index + 1:02}-mate-in-{number}: [{position}]")


if __name__ == "__main__":
    lists = {
        "connect_four": connect_four,
        "connect_four_late": connect_four_late,
        "hex": hex_boards,
        "chess_endings": chess_endings,
    }
    parser = argparse.ArgumentParser(description=__doc__.partition(":")[0])
    parser.add_argument("list", choices=list(lists), help="which one to print")
    lists[parser.parse_args().list]()
