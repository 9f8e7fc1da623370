"""Exercises in choosing: what a search opens at its root, and what it selects in the end.

Where it opens moves, a text tells a root and its report and asks for the moves of the highest values. Where it ends: a search is some hundred tokens long and chooses among children once. Here a text tells a root, its report and the values
carried back for its children, and asks for the choice several times: among the first two children, the first three,
and so on. What a search would hide by then, the children's boards and reports, is left out, so that most of what is
asked for is the choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from stratarena.agents.gamelm.forms import Board, Boards, form_of
from stratarena.agents.gamelm.layout import Laid, Layout
from stratarena.agents.gamelm.reading import HEAD, read
from stratarena.agents.gamelm.texts import Lesson, lesson_of
from stratarena.agents.gamelm.traces import Report, Text, prompt, report_of
from stratarena.agents.gamelm.values import mirror
from stratarena.agents.gamelm.vocabulary import BUCKETS

if TYPE_CHECKING:
    from stratarena.agents.gamelm.network import GameLm

__all__ = ["choice_lesson", "draw_choices", "opening_lesson"]

_SPREADS = (1.0, 3.0, 12.0)
"""By how many buckets what is carried back differs from the root's own report, as a standard deviation."""
_MOST = 5
_DEEPEST = 2
_TOKENS = 7
"""About so many tokens of an exercise are paid for by a position of the batch."""


def draw_choices(model: GameLm, own: Boards, opponent: Boards, rng: np.random.Generator) -> list[Lesson]:
    """Exercises over the first of these positions, with the model's own readings and values drawn near them.

    Half ask what to open, half what to select.
    """
    form = form_of(model.config.game)
    n = max(2, len(own) // _TOKENS)
    readings = read(model, own[:n], opponent[:n])
    lessons = []
    for index in range(n):
        report = report_of(form, readings, index, status="<going>")
        moves = report.ranked()[: int(rng.integers(2, _MOST + 1))]
        if len(moves) < 2:
            continue
        board = int(own[index]), int(opponent[index])
        if rng.random() < 0.5:
            lessons.append(opening_lesson(board, report, moves, depth=int(rng.integers(1, _DEEPEST + 1))))
            continue
        told = np.array([report.values[move] or 1 for move in moves])
        spread = _SPREADS[int(rng.integers(len(_SPREADS)))]
        backed = np.clip(np.rint(told + spread * rng.standard_normal(len(moves))), 1, BUCKETS).astype(int).tolist()
        replies = rng.integers(form.words.moves, size=len(moves)).tolist()
        lessons.append(choice_lesson(board, report, list(zip(moves, backed, replies, strict=True))))
    return lessons


def opening_lesson(board: Board, report: Report, moves: list[int], *, depth: int) -> Lesson:
    """The exercise for a root whose best moves, in this order, are to be opened by a search of that depth."""
    form, text = report.form, Text()
    words = form.words
    text.give(*prompt(form, *board, depth=depth, breadth=len(moves)), *report.tokens())
    text.write(words["<expand>"], *(words.first_move + move for move in moves))
    return lesson_of(words, text)


def choice_lesson(board: Board, report: Report, children: list[tuple[int, int, int]]) -> Lesson:
    """The exercise for a root with these children: move, value carried back for the root's mover, and the child's reply."""
    form, text = report.form, Text()
    words = form.words
    text.give(*prompt(form, *board, depth=1, breadth=len(children)), *report.tokens(), words["<expand>"])
    opened = len(text.tokens)
    text.give(*(words.first_move + move for move, *_ in children))
    hidden: set[int] = set()
    ends = []
    for move, value, reply in children:
        text.give(words["<child>"], words.first_move + move)
        begin = len(text.tokens)
        text.give(*[words.first_content] * words.places, *[words["<illegal>"]] * (words.places + HEAD))
        hidden.update(range(begin, len(text.tokens)))
        text.give(words["<select>"], words.first_move + reply, words.first_value + mirror(value) - 1)
        text.give(words["<back>"], words.first_move + move, words.first_value + value - 1)
        ends.append(len(text.tokens))
    layout = Layout(words)
    for token in text.tokens:
        layout.push(token)
    known = layout.seen[-1]
    for n in range(2, len(children) + 1):
        # Only the first n children are there: neither the others nor that they were to be opened is in sight.
        in_sight = [at for at in known if at < ends[n - 1] and not opened + n <= at < opened + len(children)]
        best = max(children[:n], key=lambda child: child[1])
        begin = len(text.tokens)
        text.give(words["<select>"])
        text.write(words.first_move + best[0], words.first_value + best[1] - 1)
        for at in range(begin, begin + 3):
            layout.push(text.tokens[at])
            layout.seen[at] = [*in_sight, *range(begin, at + 1)]
    kept = [at for at in range(len(text.tokens)) if at not in hidden]
    place = {at: new for new, at in enumerate(kept)}
    visible = np.zeros((len(kept), len(kept)), np.bool_)
    for new, at in enumerate(kept):
        visible[new, [place[other] for other in layout.seen[at] if other in place]] = True
    laid = Laid(np.array(layout.slots, np.int64)[kept], np.array(layout.levels, np.int64)[kept], visible)
    return Lesson(np.array(text.tokens, np.int64)[kept], np.array(text.weights, np.float32)[kept], laid)
