"""Golden playthroughs: one readable game of every registered game, every observable move by move.

`UPDATE_GOLDEN=1 pytest tests/games/test_playthroughs.py` writes them again; read the difference before you keep it.
"""

from __future__ import annotations

import os
from pathlib import Path
from random import Random
from textwrap import fill

import pytest

from stratarena.games.base import Seat
from stratarena.games.plugins import load_game, names

FOLDER = Path(__file__).parents[1] / "golden" / "playthroughs"
OURS = [plugin.name for plugin in names("stratarena.games") if plugin.distribution == "stratarena"]

CHOSEN = {
    # Morphy against the Duke of Brunswick and Count Isouard, Paris 1858: captures, castling, checks and a mate.
    "chess": (
        "chess",
        (
            "e4 e5 Nf3 d6 d4 Bg4 dxe5 Bxf3 Qxf3 dxe5 Bc4 Nf6 Qb3 Qe7 Nc3 c6 Bg5 b5 Nxb5 cxb5 Bxb5+ Nbd7 O-O-O Rd8 "
            "Rxd7 Rxd7 Rd1 Qe6 Bxd7+ Nxd7 Qb8+ Nxb8 Rd8#"
        ),
    ),
    # Both castle, White by f1h1, Black by e8b8, and the mate comes on the c file.
    "chess960": (
        "chess960(start=109)",
        "h4 d5 Bh2 e6 O-O Na6 c4 g5 cxd5 exd5 b4 Bf6 d4 Nb8 Nc3 Nd6 Nxd5 O-O-O Rxc7#",
    ),
    "connect_four": ("connect_four", "4 3 3 2 2 1 2 1 1 5 1"),
    # O swaps the opening stone and is passed on its right.
    "hex": ("hex(size=5, swap=true)", "d2 swap d3 c3 d4 d5 c5 c4 d2 d1 e1"),
}
"""Name of the game: the spec played, and moves as a person writes them. Other games are played at random."""

LONGEST = 40


def playthrough(name: str) -> str:
    """The file's text: a heading, the rules, then every state of the game."""
    spec, line = CHOSEN.get(name, (name, ""))
    game = load_game(spec)
    rng = Random(0)
    texts = line.split()
    state = game.initial(rng)
    parts = [f"# {game.id}", f"# {game.traits}", *(fill(row, 118) for row in game.rules.splitlines()), ""]
    for ply in range(LONGEST):
        outcome, legal = game.outcome(state), game.legal_moves(state)
        parts += [
            f"== ply {ply} ==",
            game.render(state, Seat.FIRST),
            f"position  {game.encode(state)}",
            f"digest    {game.digest(state)}",
            f"to move   {'nobody' if outcome else game.to_move(state).value}",
            fill(f"legal     {len(legal)}: {' '.join(legal)}", 118, subsequent_indent=" " * 10),
            f"outcome   {outcome}",
        ]
        if outcome is not None or (texts and ply == len(texts)):
            break
        text = texts[ply] if texts else rng.choice(legal)
        move = game.parse(state, text)
        parts += [f"move      {move}" + (f" (written {text})" if text != move else ""), ""]
        state = game.play(state, move)
    return "\n".join(parts) + "\n"


@pytest.mark.parametrize("name", OURS)
def test_every_registered_game_has_a_playthrough_that_is_current(name: str) -> None:
    """Whatever changes in what a game shows changes a file that a person reads."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get("UPDATE_GOLDEN") == "1":
        FOLDER.mkdir(parents=True, exist_ok=True)
        file.write_text(playthrough(name), encoding="utf-8")
    assert file.exists(), f"{name} has no playthrough: run with UPDATE_GOLDEN=1 and read what it writes"
    assert file.read_text(encoding="utf-8") == playthrough(name)


@pytest.mark.parametrize("name", sorted(CHOSEN))
def test_a_chosen_playthrough_reaches_the_end_of_its_game(name: str) -> None:
    """The last state is shown too: it has an outcome and no legal moves."""
    assert "outcome   Outcome(" in playthrough(name)


def test_no_playthrough_is_left_over() -> None:
    """A game taken out takes its file along."""
    assert sorted(file.stem for file in FOLDER.glob("*.txt")) == sorted(OURS)
