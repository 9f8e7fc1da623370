"""Writing: texts continued token by token, many side by side, each board read the moment it is complete.

A model that reads out what moves lead to (`turning`) does so for the boards of children; another writes them.

Values in reports are put down by mean scoring: the bucket of the expected value, not the likeliest bucket; the best move of
a report is the one of the highest value.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from stratarena.agents.gamelm.forms import Board, form_of
from stratarena.agents.gamelm.layout import Layout
from stratarena.agents.gamelm.reading import HEAD, Readings, read_blocks
from stratarena.agents.gamelm.traces import board_tokens, report_of
from stratarena.agents.gamelm.turning import turned_boards
from stratarena.agents.gamelm.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from stratarena.agents.gamelm.network import GameLm

__all__ = ["Written", "write"]


@dataclass(frozen=True, slots=True)
class Written:
    """One text."""

    tokens: list[int]
    """The prompt's, too."""
    n_prompt: int
    n_read: int
    """Boards that were read on the way."""
    ended: bool
    """Whether the model ended it; else it was cut off."""


@dataclass(slots=True)
class _Desk:
    """A text in work."""

    tokens: list[int]
    n_prompt: int
    layout: Layout
    fed: int = 0
    """Tokens that the memory holds."""
    n_read: int = 0
    done: bool = False
    ended: bool = False

    def add(self, *tokens: int) -> None:
        """Write on."""
        for token in tokens:
            self.tokens.append(token)
            self.layout.push(token)


@dataclass
class _Pages:
    """Keys and values of all texts, at places of their own: a memory with room for the longest text."""

    keys: list[Tensor] = field(default_factory=list)
    values: list[Tensor] = field(default_factory=list)
    rows: Tensor | None = None
    places: Tensor | None = None
    """`[batch, tokens]`: where the tokens now fed belong."""
    reach: int = 0
    """Places in use."""
    room: int = 0

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Keep the new tokens; give all places in use."""
        assert self.rows is not None
        assert self.places is not None
        if layer == len(self.keys):
            shape = (key.shape[0], key.shape[1], self.room, key.shape[3])
            self.keys.append(key.new_zeros(shape))
            self.values.append(value.new_zeros(shape))
        for kept, new in ((self.keys[layer], key), (self.values[layer], value)):
            kept[self.rows, :, self.places] = new.transpose(1, 2)
        return self.keys[layer][:, :, : self.reach], self.values[layer][:, :, : self.reach]


def write(model: GameLm, prompts: list[list[int]], *, max_tokens: int) -> list[Written]:
    """The prompts continued, greedily, until each is ended by the model or has that many tokens in all.

    A prompt ends where the model is to go on; boards that are complete in it must have their reports, except the last
    one if the prompt ends with it.
    """
    import torch

    words, device = form_of(model.config.game).words, model.lm_head.weight.device
    desks = []
    for prompt in prompts:
        desk = _Desk([], len(prompt), Layout(words))
        desk.add(*prompt)
        desks.append(desk)
    # A text just short of its end may still be given a board and its report.
    pages = _Pages(room=max_tokens + 2 * words.places + HEAD + 2)
    with torch.inference_mode():
        while not all(desk.done for desk in desks):
            if model.config.turns:
                _turn_due(model, desks)
            _read_due(model, desks)
            pending = [0 if desk.done else len(desk.tokens) - desk.fed for desk in desks]
            width = max(pending)
            if not width:
                break
            ids = np.zeros((len(desks), width), np.int64)
            slots, levels, places = np.zeros_like(ids), np.ones_like(ids), np.full_like(ids, pages.room - 1)
            reach = max(len(desk.tokens) for desk in desks)
            visible = np.zeros((len(desks), width, reach), np.bool_)
            visible[:, :, 0] = True
            for row, (desk, n) in enumerate(zip(desks, pending, strict=True)):
                fed, laid = desk.fed, desk.layout
                ids[row, :n] = desk.tokens[fed : fed + n]
                slots[row, :n], levels[row, :n] = laid.slots[fed : fed + n], laid.levels[fed : fed + n]
                places[row, :n] = range(fed, fed + n)
                for step in range(n):
                    visible[row, step, 0] = False
                    visible[row, step, laid.seen[fed + step]] = True
            pages.rows = torch.arange(len(desks), device=device)[:, None].expand(ids.shape)
            pages.places, pages.reach = torch.from_numpy(places).to(device), reach
            tokens, at, level, seen = (torch.from_numpy(array).to(device) for array in (ids, slots, levels, visible))
            hidden = model.hidden(tokens, at, level, seen, pages)
            last = torch.tensor([max(n - 1, 0) for n in pending], device=device)
            logits = model.lm_head(hidden[torch.arange(len(desks), device=device), last])
            for row, (desk, n) in enumerate(zip(desks, pending, strict=True)):
                if n:
                    desk.fed += n
                    _go_on(desk, int(_allowed(logits[row], desk.layout, words).argmax()), words, max_tokens)
    return [Written(desk.tokens, desk.n_prompt, desk.n_read, desk.ended) for desk in desks]


def _allowed(logits: torch.Tensor, layout: Layout, words: Vocabulary) -> torch.Tensor:
    """Inside a board the grammar knows only contents of places; everywhere else the model is free."""
    return logits if not layout.in_board else _only(logits, words.first_content, words.size)


def _only(logits: torch.Tensor, first: int, end: int) -> torch.Tensor:
    import torch

    kept = torch.full_like(logits, -torch.inf)
    kept[first:end] = logits[first:end]
    return kept


def _go_on(desk: _Desk, token: int, words: Vocabulary, max_tokens: int) -> None:
    desk.add(token)
    if token == words["<end>"]:
        desk.done = desk.ended = True
    elif len(desk.tokens) >= max_tokens:
        desk.done = True


def _turn_due(model: GameLm, desks: list[_Desk]) -> None:
    """Read out all boards of children that were just opened, in one batch."""
    form = form_of(model.config.game)
    words, due = form.words, []
    parents: list[Board] = []
    moves = []
    for desk in desks:
        where = None if desk.done else desk.layout.child_due
        if where is None:
            continue
        begin, at = where
        parent = tuple(token - words.first_content for token in desk.tokens[begin : begin + words.places])
        move = desk.tokens[at] - words.first_move
        if 0 <= move < words.moves:
            due.append(desk)
            parents.append(form.board_of(parent))
            moves.append(move)
        else:
            desk.done = True
    if not due:
        return
    own, opponent = (np.array([board[side] for board in parents], np.uint64) for side in (0, 1))
    after = zip(*(side.tolist() for side in turned_boards(model, own, opponent, np.array(moves))), strict=True)
    for desk, board in zip(due, after, strict=True):
        desk.add(*board_tokens(form, *board))


def _read_due(model: GameLm, desks: list[_Desk]) -> None:
    """Read all boards that were just completed, in one batch, and write their reports."""
    form = form_of(model.config.game)
    words = form.words
    due = [desk for desk in desks if not desk.done and desk.layout.report_due]
    if not due:
        return
    head = [words["<read>"], words["<best>"]]
    blocks = np.array([[*head, *desk.tokens[-words.places :]] for desk in due], np.int64)
    readings: Readings = read_blocks(model, blocks)
    for index, desk in enumerate(due):
        desk.n_read += 1
        desk.add(*report_of(form, readings, index).tokens())
