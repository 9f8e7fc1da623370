"""Boards turned over to the other side: what a move leads to, read out in one pass.

The block is `<next> move S1 … Sn`, seen like a board that is read; each place of the board answers with what stands there
after the move, as the other side, who is then to move, sees the board. One pass gives the whole board, where text
is written place by place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.forms import Boards, Form, form_of
from stratarena.agents.gamelm.reading import HEAD, read_logits

if TYPE_CHECKING:
    import torch

    from stratarena.agents.gamelm.network import GameLm

__all__ = ["turned_boards", "turning_loss"]


def _blocks(form: Form, own: Boards, opponent: Boards, moves: NDArray[np.int64]) -> NDArray[np.int64]:
    words = form.words
    head = np.stack([np.full(len(own), words["<next>"]), moves + words.first_move], axis=1)
    return np.concatenate([head, form.contents(own, opponent) + words.first_content], axis=1)


def turned_boards(
    model: GameLm, own: Boards, opponent: Boards, moves: NDArray[np.int64], *, batch: int = 512
) -> tuple[Boards, Boards]:
    """The boards that the model says these moves lead to, seen by the side then to move."""
    import torch

    form = form_of(model.config.game)
    blocks, words = _blocks(form, own, opponent, moves), form.words
    contents = []
    with torch.inference_mode():
        for start in range(0, len(blocks), batch):
            block = torch.from_numpy(blocks[start : start + batch]).to(model.lm_head.weight.device)
            logits = read_logits(model, block)[:, HEAD:, words.first_content : words.size]
            contents.append(logits.argmax(-1).cpu().numpy())
    boards = [form.board_of(tuple(row)) for part in contents for row in part.tolist()]
    return np.array([mine for mine, _ in boards], np.uint64), np.array([theirs for _, theirs in boards], np.uint64)


def turning_loss(model: GameLm, own: Boards, opponent: Boards, rng: np.random.Generator) -> torch.Tensor:
    """Nats a place for a random possible move on each of these boards, none of which is over."""
    import torch

    form = form_of(model.config.game)
    moves = np.where(form.room(own, opponent), rng.random((len(own), form.words.moves)), -1.0).argmax(axis=1)
    after = form.contents(*form.play(own, opponent, moves)) + form.words.first_content
    device = model.lm_head.weight.device
    logits = read_logits(model, torch.from_numpy(_blocks(form, own, opponent, moves)).to(device))[:, HEAD:]
    truth = torch.from_numpy(after).to(device)
    return torch.nn.functional.cross_entropy(logits.flatten(0, 1), truth.flatten())
