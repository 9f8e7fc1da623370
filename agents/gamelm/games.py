"""The games that game models know, by their ids in the arena. Needs nothing that is heavy."""

from __future__ import annotations

__all__ = ["CHESS", "CONNECT_FOUR", "FOLDERS", "HEX_5X5", "WRITING", "known_games", "refusal"]

CONNECT_FOUR = "connect_four"
HEX_5X5 = "hex(size=5)"
CHESS = "chess"
"""Endings only: see `chess_form`."""
FOLDERS = {CONNECT_FOUR: "connect_four", HEX_5X5: "hex_5x5", CHESS: "chess_endings"}
"""Under which name a game's weights and positions are kept."""
WRITING = (CONNECT_FOUR, HEX_5X5)
"""The games of which a model writes searches of its own."""


def known_games(joined_by: str = "and") -> str:
    """The games that are known, in words."""
    *others, last = FOLDERS
    return f"{', '.join(others)} {joined_by} {last} (endings)"


def refusal(game: str) -> str | None:
    """None for a game that is known, else one sentence that names those that are."""
    return None if game in FOLDERS else f"the game model plays {known_games()}, not {game}"
