"""Make the positions on which the search kernel's tactics are tested: chess mates in 2, Connect Four wins in 3 moves.

    python bench/make_tactics.py [chess|connect_four ...]

Writes `tests/agents/tactics/mates_in_2.txt` and `wins_in_3.txt`. Mates come from games of a weak Stockfish against a player who moves
at random, one a game; every one is verified here by trying all moves and replies with python-chess. Wins come from random games
in which no win in one is missed, and are verified by the perfect solver bitbully. Everything is drawn from one seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from random import Random

import chess
import chess.engine
from bitbully import BitBully, Board

from stratarena.agents.engines.uci import find_command
from stratarena.games.base import Move
from stratarena.games.connect_four import ConnectFour

FOLDER = Path(__file__).parents[1] / "tests" / "agents" / "tactics"
SEED = 6
N_MATES, N_WINS = 60, 120
LOOK, PLAY = chess.engine.Limit(nodes=3000), chess.engine.Limit(nodes=300)
LONGEST = 160
DISCS = 16
"""On the board at least: with fewer the solver takes long."""
FIRST_OF_22 = 22
"""A score of bitbully is 22 less the discs that the winner needs in all."""


def mates_at_once(board: chess.Board) -> list[chess.Move]:
    """The moves that mate."""
    found = []
    for move in board.legal_moves:
        if board.gives_check(move):
            board.push(move)
            if board.is_checkmate():
                found.append(move)
            board.pop()
    return found


def mates_in_two(board: chess.Board) -> list[chess.Move]:
    """The moves after which every reply can be answered by a mate; none where there is a mate at once."""
    if mates_at_once(board):
        return []
    return [move for move in board.legal_moves if _forces_mate(board, move)]


def _forces_mate(board: chess.Board, move: chess.Move) -> bool:
    board.push(move)
    replies = list(board.legal_moves)
    forced = bool(replies)
    for reply in replies:
        board.push(reply)
        forced = not board.is_game_over() and bool(mates_at_once(board))
        board.pop()
        if not forced:
            break
    board.pop()
    return forced


def mates(rng: Random) -> Iterator[str]:
    """Lines of the file, without end."""
    with chess.engine.SimpleEngine.popen_uci(find_command("stockfish")) as engine:
        engine.configure({"Threads": 1, "Hash": 16})
        while True:
            board, strong = chess.Board(), rng.random() < 0.5
            while not board.is_game_over() and board.ply() < LONGEST:
                if board.turn is strong and board.ply() > 8:
                    score = engine.analyse(board, LOOK)["score"].relative
                    if score.is_mate() and score.mate() == 2:
                        moves = mates_in_two(board)
                        if moves:
                            yield f"{board.fen()}; {' '.join(sorted(move.uci() for move in moves))}"
                            break
                engines_turn = board.turn is strong and rng.random() < 0.8
                result = engine.play(board, PLAY).move if engines_turn else None
                board.push(result or rng.choice(list(board.legal_moves)))


def wins(rng: Random) -> Iterator[str]:
    """Lines of the file, without end: five plies before the end of a won game, where that end could be forced."""
    game, solver = ConnectFour(), BitBully()
    while True:
        state, moves = game.initial(rng), ""
        while (outcome := game.outcome(state)) is None:
            legal = game.legal_moves(state)
            now = [move for move in legal if game.outcome(game.play(state, move)) is not None]
            chosen = Move(now[0] if now else rng.choice(legal))
            state, moves = game.play(state, chosen), moves + chosen
        discs = len(moves) - 5
        if outcome.winner is None or discs < DISCS:
            continue
        board = Board()
        for move in moves[:discs]:
            board.play(int(move) - 1)
        scores = solver.score_all_moves(board)
        wanted = FIRST_OF_22 - (discs // 2 + 3)
        # Where a slower win stands beside it, a search that proves the other one first is not wrong.
        if {score for score in scores.values() if score > 0} == {wanted}:
            winning = sorted(column + 1 for column, score in scores.items() if score == wanted)
            yield f"{moves[:discs]}; {' '.join(map(str, winning))}"


def write(name: str, head: str, found: Iterator[str], n: int) -> None:
    """The first `n` different lines."""
    seen: dict[str, None] = {}
    for line in found:
        seen[line] = None
        if len(seen) == n:
            break
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / name).write_text(f"{head}\n" + "\n".join(seen) + "\n", encoding="utf-8")
    print(f"{name}: {n}")


def main() -> None:
    """Write one file or both."""
    parser = argparse.ArgumentParser()
    parser.add_argument("which", nargs="*", default=["chess", "connect_four"])
    wanted = parser.parse_args()
    if "chess" in wanted.which:
        head = (
            "# Chess: mate in 2, not in 1. Position (FEN); every first move that forces it (UCI).\n"
            "# Made by bench/make_tactics.py, verified exhaustively with python-chess."
        )
        write("mates_in_2.txt", head, mates(Random(SEED)), N_MATES)
    if "connect_four" in wanted.which:
        head = (
            "# Connect Four: a win with the third move of the side to move, not sooner against the best defence, and no other win.\n"
            "# Columns played from the empty board; every first move that wins. Made by bench/make_tactics.py, verified by bitbully."
        )
        write("wins_in_3.txt", head, wins(Random(SEED)), N_WINS)


if __name__ == "__main__":
    main()
