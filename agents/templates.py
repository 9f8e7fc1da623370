"""Versioned templates of prompts: the words around rules, position and question. A name never changes its words.

A template is stored with every tournament that uses it, with the hash of its words, so that two runs can be told to have
asked alike.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from hashlib import blake2b
from typing import Literal

__all__ = ["TEMPLATES", "Notation", "Template", "TemplateName"]

Notation = Literal["grid", "position", "moves"]
"""How the state is told: drawn as a board, in the game's one-line notation (a FEN in chess), or as all moves so far."""

TemplateName = Literal["board-v1", "terse-v1"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """The words of a prompt. Each field may use the names in braces that its description gives."""

    name: str
    system: str
    """`{rules}`: the game's own."""
    position: str
    """`{position}`: one line."""
    all_moves: str
    """`{start}`, `{moves}`: from the first to the last."""
    last_moves: str
    """`{moves}`."""
    turn: str
    """`{seat}`: what the game calls the side to move; `{question}`."""
    listed: str
    """`{moves}`: the legal ones, with commas."""
    question: str
    """`{answer}`: how to answer."""
    refused: str
    """`{kind}`, `{why}`, `{answer}`: after an answer was turned down."""
    budget: str
    """`{left}`: what remains to be spent on thinking."""

    @property
    def hash(self) -> str:
        """32 hexadecimal digits of all its words."""
        return blake2b(json.dumps(asdict(self), sort_keys=True).encode(), digest_size=16).hexdigest()


_BOARD = Template(
    name="board-v1",
    system="You play a board game to win.\n{rules}",
    position="Position: {position}",
    all_moves="From {start} these moves were made: {moves}",
    last_moves="Last moves: {moves}",
    turn="You are {seat}. {question}",
    listed="Your legal moves are: {moves}. ",
    question="Which move do you play? {answer}",
    refused="That was refused ({kind}): {why}.\n{answer}",
    budget="Left to you for thinking: {left}.",
)
_TERSE = Template(
    name="terse-v1",
    system="{rules}",
    position="{position}",
    all_moves="{start} {moves}",
    last_moves="Last: {moves}",
    turn="{seat} to move. {question}",
    listed="Legal: {moves}. ",
    question="Move? {answer}",
    refused="Refused ({kind}): {why}.\n{answer}",
    budget="Budget left: {left}.",
)
TEMPLATES = {template.name: template for template in (_BOARD, _TERSE)}
