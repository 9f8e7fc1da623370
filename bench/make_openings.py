"""Make the lists of balanced openings again: `python bench/make_openings.py connect_four|hex > games/data/NAME.txt`."""

from __future__ import annotations

import sys
from random import Random

from stratarena.games.connect_four import ConnectFour
from stratarena.games.hex import Hex

WANTED_CONNECT_FOUR = 200
WANTED_HEX = 40
HEX_SIZES = (5, 7, 9, 11)
SIMULATIONS = 10_000


def connect_four() -> None:
    """Positions after 4 to 8 plies that are draws under perfect play, no two of them mirror images."""
    from bitbully import BitBully, Board

    game, solver, rng = ConnectFour(), BitBully(), Random(4)
    print(
        f"# {WANTED_CONNECT_FOUR} Connect Four openings of 4 to 8 plies, drawn under perfect play by the solver bitbully;"
    )
    print(
        "# no immediate win for either side, no two mirror images of each other. Made by bench/make_openings.py, seed 4."
    )
    seen: set[str] = set()
    while len(seen) < WANTED_CONNECT_FOUR:
        state, moves = game.initial(rng), []
        for _ in range(rng.randint(4, 8)):
            move = rng.choice(game.legal_moves(state))
            moves.append(move)
            state = game.play(state, move)
            if game.outcome(state) is not None:
                break
        if game.outcome(state) is not None:
            continue
        mirrored = game.initial(rng)
        for move in moves:
            mirrored = game.play(mirrored, str(8 - int(move)))
        name = min(game.digest(state), game.digest(mirrored))
        board = Board()
        for move in moves:
            board.play(int(move) - 1)
        wins_at_once = any(game.outcome(game.play(state, move)) for move in game.legal_moves(state))
        if name in seen or wins_at_once or max(solver.score_all_moves(board).values()) != 0:
            continue
        seen.add(name)
        print(f"drawn-{len(seen):03}: {' '.join(moves)}")


def hex_boards() -> None:
    """Starts of 2 to 4 plies in which a long search sees both sides win about equally often."""
    import pyspiel

    rng = Random(7)
    print(
        f"# {WANTED_HEX} Hex openings of 2 to 4 plies for each size. Even by OpenSpiel's MCTS, {SIMULATIONS:,} simulations from"
    )
    print("# the position: the mover's expected score is 42 to 58 %. Made by bench/make_openings.py, seed 7.")
    for size in HEX_SIZES:
        game, theirs, found = Hex(size), pyspiel.load_game(f"hex(board_size={size})"), set()
        while len(found) < WANTED_HEX:
            state, spiel, moves = game.initial(rng), theirs.new_initial_state(), []
            for _ in range(rng.randint(2, 4)):
                move = rng.choice(game.legal_moves(state))
                moves.append(move)
                spiel.apply_action((int(move[1:]) - 1) * size + ord(move[0]) - ord("a"))
                state = game.play(state, move)
            if game.digest(state) in found:
                continue
            seed = rng.randrange(2**31)
            evaluator = pyspiel.RandomRolloutEvaluator(1, seed)
            bot = pyspiel.MCTSBot(theirs, evaluator, 2.0, SIMULATIONS, 1000, False, seed, False)
            root = bot.mcts_search(spiel)
            mover = sum(child.total_reward for child in root.children) / sum(
                child.explore_count for child in root.children
            )
            share = 50 * (1 + mover)
            if 42 <= share <= 58:
                found.add(game.digest(state))
                print(f"{size}x{size}-even-{len(found):02}: {' '.join(moves)}")


if __name__ == "__main__":
    {"connect_four": connect_four, "hex": hex_boards}[sys.argv[1]]()
