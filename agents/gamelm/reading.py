"""Boards that are read: what goes in, what each place is to answer, and what a model's answers say.

A read board is the block `<read> <best> S1 … Sn`, and in some games places for moves behind it. The first place answers
with what the rules say of the position, the second with the best move, and each place of the board, or of a move, with
the value of the move there, or that there is none.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.columns import COLUMNS, CONTENTS, Boards, lines
from stratarena.agents.gamelm.forms import Form, form_of
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.values import centres, smoothed
from stratarena.agents.gamelm.vocabulary import BUCKETS, Vocabulary

if TYPE_CHECKING:
    import torch

    from stratarena.agents.gamelm.network import GameLm
    from stratarena.agents.gamelm.positions import Positions

__all__ = [
    "CONNECT_FOUR",
    "HEAD",
    "STATUSES",
    "Readings",
    "block_of",
    "read",
    "read_blocks",
    "reading_loss",
    "statuses",
    "tokens_read",
]

CONNECT_FOUR = Vocabulary(moves=COLUMNS, contents=CONTENTS, places=COLUMNS)
HEAD = 2
"""Places before the board's first."""
STATUSES = ("<going>", "<won>", "<drawn>", "<lost>")
_SIGMA = 0.75
_BEST_WEIGHT = 0.2
_STATUS_WEIGHT = 0.3
_LEGAL_WEIGHT = 0.3
_SURE = 30.0
"""A logit that leaves no doubt, nor a gradient."""


@dataclass(frozen=True, slots=True)
class Readings:
    """What a model says of positions, all for the side to move."""

    status: NDArray[np.int64]
    """`[n]`: indices into `STATUSES`."""
    best: NDArray[np.int64]
    """`[n]`: the move it would make."""
    legal: NDArray[np.bool_]
    """`[n, moves]`: whether it takes the move for possible."""
    mean: NDArray[np.float64]
    """`[n, moves]`: expected chance of winning after the move."""
    mode: NDArray[np.int64]
    """`[n, moves]`: the likeliest bucket, 1 to 64."""


def block_of(form: Form, own: Boards, opponent: Boards) -> NDArray[np.int64]:
    """`[n, 2 + places + asked]`: the tokens of boards to be read."""
    words = form.words
    head = np.tile([words["<read>"], words["<best>"]], (len(own), 1))
    held = np.concatenate([form.contents(own, opponent), form.asked(own, opponent)], axis=1)
    return np.concatenate([head, held + words.first_content], axis=1)


def tokens_read(form: Form, own: Boards, opponent: Boards) -> NDArray[np.int64]:
    """`[n]`: how many tokens of each board the network reads; see `Vocabulary.lengths`."""
    words = form.words
    asked = form.asked(own, opponent)
    if not words.asked:
        return np.full(len(own), HEAD + words.places)
    needed = np.where(asked != words.nothing, np.arange(1, words.asked + 1), 0).max(axis=1)
    lengths = np.array(words.lengths)
    return np.asarray(HEAD + words.places + lengths[np.searchsorted(lengths, needed)])


def statuses(own: Boards, opponent: Boards) -> NDArray[np.int64]:
    """`[n]`: what the rules say of Connect Four boards, as indices into `STATUSES`."""
    lost, full = lines(opponent), ((own | opponent) == _FULL)
    return np.where(lost, STATUSES.index("<lost>"), np.where(full, STATUSES.index("<drawn>"), 0)).astype(np.int64)


_FULL = np.uint64(sum(((1 << 6) - 1) << (7 * column) for column in range(COLUMNS)))


def read(model: GameLm, own: Boards, opponent: Boards, *, both_ways: bool = False, batch: int = 512) -> Readings:
    """What the model says of these boards, one pass for a batch.

    Args:
        both_ways: also read the images under the game's symmetries and take the mean of all distributions.
    """
    form = form_of(model.config.game)
    blocks = block_of(form, own, opponent)
    if not both_ways:
        return read_blocks(model, blocks, batch=batch)
    status, best, chances = _distributions(model, blocks, batch)
    for image in range(1, form.images):
        told = _distributions(model, block_of(form, *form.image(own, opponent, image)), batch)
        home = form.image_moves(own, opponent, image).argsort(axis=1)
        status = status + told[0]
        best = best + np.take_along_axis(told[1], home, axis=1)
        chances = chances + np.take_along_axis(told[2], home[..., None], axis=1)
    return _readings(status / form.images, best / form.images, chances / form.images)


def read_blocks(model: GameLm, blocks: NDArray[np.int64], *, batch: int = 512) -> Readings:
    """What the model says of boards given as blocks, whatever stands in them."""
    return _readings(*_distributions(model, blocks, batch))


def _readings(status: NDArray[np.float64], best: NDArray[np.float64], chances: NDArray[np.float64]) -> Readings:
    buckets = chances[..., 1:]
    mass = buckets.sum(-1, keepdims=True)
    return Readings(
        status=status.argmax(-1),
        best=best.argmax(-1),
        legal=mass[..., 0] > chances[..., 0],
        mean=(buckets / np.maximum(mass, 1e-30)) @ centres(),
        mode=buckets.argmax(-1) + 1,
    )


def _distributions(
    model: GameLm, blocks: NDArray[np.int64], batch: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Chances of each status, each best move, and each move's (no such move, bucket 1, …, bucket 64)."""
    import torch

    words, parts = form_of(model.config.game).words, []
    device = model.lm_head.weight.device
    answers = torch.tensor([words["<illegal>"], *range(words.first_value, words.first_value + BUCKETS)], device=device)
    with torch.inference_mode():
        for start in range(0, max(len(blocks), 1), batch):
            logits = read_logits(model, torch.from_numpy(blocks[start : start + batch]).to(device))
            first = words.first_move
            parts.append(
                tuple(
                    torch.softmax(some.double(), -1).cpu().numpy()
                    for some in (
                        logits[:, 0, [words[status] for status in STATUSES]],
                        logits[:, 1, first : first + words.moves],
                        logits[:, -words.moves :][..., answers],
                    )
                )
            )
    status, best, chances = (np.concatenate([part[index] for part in parts]) for index in range(3))
    return status, best, chances


def read_logits(model: GameLm, block: torch.Tensor) -> torch.Tensor:
    """`[n, places, vocabulary]` for boards to be read, `[n, places]`."""

    words = form_of(model.config.game).words
    board = HEAD + words.places
    if block.shape[1] == board + words.asked and words.asked:
        return _trimmed_logits(model, block, [board + length for length in words.lengths])
    return _whole_logits(model, block)


def _trimmed_logits(model: GameLm, block: torch.Tensor, lengths: list[int]) -> torch.Tensor:
    """The same, where places of moves that cannot be are not read: there the answer is that there is no move."""
    import torch

    words = form_of(model.config.game).words
    told = torch.full((*block.shape, words.size), -_SURE, device=block.device)
    told[..., words["<illegal>"]] = _SURE
    held = block != words.first_content + words.nothing
    rows_left = torch.ones(len(block), dtype=torch.bool, device=block.device)
    for length in lengths:
        rows = rows_left & ~held[:, length:].any(dim=1)
        if rows.any():
            told[rows, :length] = _whole_logits(model, block[rows, :length])
        rows_left = rows_left & ~rows
    return told


def _whole_logits(model: GameLm, block: torch.Tensor) -> torch.Tensor:
    import torch

    slots = torch.arange(block.shape[1], device=block.device).expand_as(block)
    hidden = model.hidden(block, slots, torch.zeros_like(block), None)
    logits: torch.Tensor = model.lm_head(hidden)
    return logits


def reading_loss(model: GameLm, positions: Positions, others: tuple[Boards, Boards]) -> torch.Tensor:
    """The loss of reading: nats a place, weighted by what is asked there.

    Args:
        model: what is trained.
        positions: with a label for every move.
        others: boards without labels, finished ones among them, that teach what the rules say: whether the game is over
            and who has won, and, where it goes on, which moves are possible.
    """
    import torch

    form = form_of(model.config.game)
    words, n, device = form.words, len(positions), model.lm_head.weight.device
    scores = positions.scores

    def tensor(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(array).to(device)

    boards = block_of(form, np.concatenate([positions.own, others[0]]), np.concatenate([positions.opponent, others[1]]))
    logits = read_logits(model, tensor(boards))
    legal = scores != ILLEGAL
    chance = np.full(legal.shape, 0.5)
    chance[legal] = form.chances(scores[legal].astype(np.int64))
    values = tensor(smoothed(chance, _SIGMA) * legal[..., None])
    places = torch.log_softmax(logits[:, -words.moves :], -1)
    buckets = places[..., words.first_value : words.first_value + BUCKETS]
    value_loss = -(values * buckets[:n]).sum(-1) - tensor(~legal) * places[:n, :, words["<illegal>"]]
    top = np.where(legal, scores, -99)
    best = tensor((top == top.max(axis=1, keepdims=True)).astype(np.float32))
    best_loss = -(best / best.sum(1, keepdim=True) * torch.log_softmax(logits[:n, 1], -1)[:, _moves(words)]).sum(-1)
    truth = np.concatenate([np.zeros(n, np.int64), form.statuses(*others)])
    status = tensor(np.array([words[name] for name in STATUSES])[truth])
    loss = value_loss.mean() + _BEST_WEIGHT * best_loss.mean()
    loss = loss + _STATUS_WEIGHT * torch.nn.functional.cross_entropy(logits[:, 0], status)
    going = truth[n:] == 0
    if going.any():
        able = tensor(form.room(*others)[going])
        some = tensor(going)
        told = torch.where(able, buckets[n:][some].logsumexp(-1), places[n:][some][..., words["<illegal>"]])
        loss = loss - _LEGAL_WEIGHT * told.mean()
    return loss


def _moves(words: Vocabulary) -> slice:
    return slice(words.first_move, words.first_move + words.moves)
