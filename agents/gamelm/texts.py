"""Texts as training wants them: MAV examples and search traces drawn from positions, padded, with what is asked where."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from stratarena.agents.gamelm.columns import play
from stratarena.agents.gamelm.forms import Boards, form_of
from stratarena.agents.gamelm.games import CONNECT_FOUR as GAME
from stratarena.agents.gamelm.layout import Laid, layout_of
from stratarena.agents.gamelm.reading import CONNECT_FOUR, STATUSES, Readings, read, statuses
from stratarena.agents.gamelm.traces import Node, Text, board_tokens, grow, report_of, write_trace
from stratarena.agents.gamelm.vocabulary import Vocabulary

if TYPE_CHECKING:
    import torch

    from stratarena.agents.gamelm.network import GameLm

__all__ = ["NOISES", "SHAPES", "Lesson", "draw_examples", "draw_traces", "lesson_of", "mav_text", "text_loss"]

SHAPES = {(0, 1): 0.05, (1, 2): 0.05, (1, 3): 0.2, (1, 4): 0.05, (1, 5): 0.05, (2, 2): 0.15, (2, 3): 0.35, (2, 4): 0.1}
"""Depth and breadth of traces, and how often they are drawn."""
NOISES = (0.0, 0.0, 0.05, 0.4)
"""What is added to the values in traces, as a standard deviation: with noise, only what is written tells what to select."""
_TOKENS = 10
"""About so many tokens of a trace, boards of three times their places, are paid for by a position of the batch."""


def draw_traces(model: GameLm, own: Boards, opponent: Boards, rng: np.random.Generator) -> list[Text]:
    """Traces of one drawn shape over the first of these positions, as many as these pay for.

    Their values are the model's, with noise of a drawn strength.
    """
    shapes = list(SHAPES)
    depth, breadth = shapes[int(rng.choice(len(shapes), p=list(SHAPES.values())))]
    nodes = sum(breadth**level for level in range(depth + 1))
    form = form_of(model.config.game)
    n = max(2, len(own) * _TOKENS // (nodes * 3 * form.words.places))
    noise = NOISES[int(rng.integers(len(NOISES)))]

    def noisy(mine: Boards, theirs: Boards) -> Readings:
        readings = read(model, mine, theirs)
        mean = readings.mean + noise * rng.standard_normal(readings.mean.shape)
        return replace(readings, mean=np.clip(mean, 0.0, 1.0))

    roots = grow(form, own[:n], opponent[:n], depth=depth, breadth=breadth, read=noisy)
    return [write_trace(root, depth=depth, breadth=breadth, turned=model.config.turns) for root in roots]


def draw_examples(model: GameLm, own: Boards, opponent: Boards, rng: np.random.Generator) -> list[Text]:
    """MAV examples of Connect Four: half begin with a state, half with the state and move before; every output is asked for at random."""
    form = form_of(GAME)
    n = max(2, len(own) // 5)
    own, opponent = own[:n], opponent[:n]
    columns = np.array([_some_column(int(mine | theirs), rng) for mine, theirs in zip(own, opponent, strict=True)])
    after = play(own, opponent, columns)
    before = read(model, own, opponent), statuses(own, opponent)
    later = read(model, *after), statuses(*after)
    texts = []
    for index in range(n):
        boards, (readings, truth) = ((own, opponent), before) if rng.random() < 0.5 else (after, later)
        report = report_of(form, readings, index, status=STATUSES[truth[index]])
        node = Node(int(boards[0][index]), int(boards[1][index]), report)
        previous = None if boards[0] is own else (int(own[index]), int(opponent[index]), int(columns[index]))
        texts.append(mav_text(node, previous, rng))
    return texts


def _some_column(taken: int, rng: np.random.Generator) -> int:
    return int(rng.choice([column for column in range(7) if not taken >> (7 * column + 5) & 1]))


def mav_text(node: Node, previous: tuple[int, int, int] | None, rng: np.random.Generator) -> Text:
    """One example: inputs, what is wanted, and the outputs; the moves of a list come in random order."""
    form, text = node.report.form, Text()
    words = form.words
    over = node.report.status != "<going>"
    wants = [word for word in ("top", "best", "next") if rng.random() < 0.7 or (over and word == "top")] or ["top"]
    if "next" in wants and "best" not in wants:
        wants.insert(-1, "best")
    if previous is not None:
        wants.insert(0, "state")
    most = CONNECT_FOUR.moves if rng.random() < 0.5 else int(rng.integers(1, CONNECT_FOUR.moves))
    text.give(words["<bos>"])
    for word in wants:
        text.give(words[f"<want-{word}>"])
        if word == "top" and most < CONNECT_FOUR.moves:
            text.give(words[f"<breadth{most}>"])
    state = [words["<state>"], *board_tokens(form, node.own, node.opponent)]
    if previous is None:
        text.give(*state, *node.report.tokens())
    else:
        mine, theirs, move = previous
        text.give(words["<prev>"], *board_tokens(form, mine, theirs), words["<act>"], words.first_move + move)
        text.write(*state)
        text.give(*node.report.tokens())
    ranked = node.report.ranked()
    if over or not ranked:
        text.write(words["<select>"], words[node.report.status], words["<end>"])
        return text
    best = ranked[0]
    if "top" in wants:
        text.write(words["<top>"])
        for move in rng.permutation(ranked[:most]):
            value = node.report.values[move] or 1
            text.write(words.first_move + int(move), words.first_value + value - 1)
    if "best" in wants:
        text.write(words["<play>"], words.first_move + best)
    if "next" in wants:
        arrays = np.array([node.own], np.uint64), np.array([node.opponent], np.uint64)
        after = play(*arrays, np.array([best]))
        text.write(words["<next>"], *board_tokens(form, int(after[0][0]), int(after[1][0])))
    text.write(words["<end>"])
    return text


@dataclass(frozen=True, slots=True)
class Lesson:
    """A text as training takes it."""

    tokens: NDArray[np.int64]
    """`[tokens]`."""
    weights: NDArray[np.float32]
    """`[tokens]`: what each weighs as something to be written; 0 for what is given."""
    laid: Laid


def lesson_of(words: Vocabulary, text: Text) -> Lesson:
    """A text laid out."""
    return Lesson(np.array(text.tokens), np.array(text.weights, np.float32), layout_of(words, text.tokens))


def text_loss(model: GameLm, lessons: list[Lesson]) -> torch.Tensor:
    """Mean cross-entropy, in nats, of the tokens that the model has to write, by their weights."""
    import torch

    longest = max(len(lesson.tokens) for lesson in lessons)
    ids = np.zeros((len(lessons), longest), np.int64)
    slots, levels = np.zeros_like(ids), np.ones_like(ids)
    labels = np.full_like(ids, -100)
    weights = np.zeros(ids.shape, np.float32)
    visible = np.zeros((len(lessons), longest, longest), np.bool_)
    visible[:] = np.eye(longest, dtype=np.bool_)
    for row, lesson in enumerate(lessons):
        n, laid = len(lesson.tokens), lesson.laid
        ids[row, :n], slots[row, :n], levels[row, :n] = lesson.tokens, laid.slots, laid.levels
        visible[row, :n, :n] = laid.visible
        labels[row, : n - 1] = np.where(lesson.weights > 0, lesson.tokens, -100)[1:]
        weights[row, : n - 1] = lesson.weights[1:]
    device = model.lm_head.weight.device
    asked = torch.from_numpy(labels).to(device)
    places = (torch.from_numpy(array).to(device) for array in (ids, slots, levels, visible))
    hidden = model.hidden(*places)
    wanted = asked != -100
    nats = torch.nn.functional.cross_entropy(model.lm_head(hidden[wanted]), asked[wanted], reduction="none")
    weighed = torch.from_numpy(weights).to(device)[wanted]
    return (nats * weighed).sum() / weighed.sum()
