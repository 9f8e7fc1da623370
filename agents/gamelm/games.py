"""The games that game models know, by their ids in the arena. Needs nothing that is heavy."""

from __future__ import annotations

__all__ = ["CONNECT_FOUR", "FOLDERS", "HEX_5X5", "refusal"]

CONNECT_FOUR = "connect_four"
HEX_5X5 = "hex(size=5)"
FOLDERS = {CONNECT_FOUR: "connect_four", HEX_5X5: "hex_5x5"}
"""Under which name a game's weights and positions are kept."""


def refusal(game: str) -> str | None:
    """None for a game that is known, else one sentence that names those that are."""
    return None if game in FOLDERS else f"the game model plays {' and '.join(FOLDERS)}, not {game}"
