"""Who plays: the model without search, with searches around it, with its own, and opponents that are not models.

A player takes boards, many at once, each seen by its side to move, and gives a column for each.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random
from typing import Any

import numpy as np

from stratarena.agents.evaluators import PriorShape
from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.connect_four_positions import label
from stratarena.agents.gamelm.model import write_states
from stratarena.agents.gamelm.reading import CONNECT_FOUR, HEAD, STATUSES, read
from stratarena.agents.gamelm.speech import Question
from stratarena.agents.gamelm.values import centres
from stratarena.agents.search import Search, most_visits
from stratarena.agents.search_minimax import minimax, widen
from stratarena.agents.search_tree import Evaluation, Leaf, Node, Opened, Settings
from stratarena.games.base import Move

from .boards import Board, ByBoards, arrays, is_first, moves_to, name, over_by_rules, played, room_in, tactics
from .own_searches import Tally, written

Chooser = Callable[[list[Board]], list[int]]
SHAPE = PriorShape(tau=0.1, eps=0.05)
SETTINGS = Settings(first_play=None)
"""An untried move counts as the model's own estimate of it: these are good. Of four settings tried in 100 pairs of matches
with 64 simulations against no search, with the weights before their last training, this one scored most, +179 Elo
[+139, +222]; untried as a draw +129 [+92, +168]."""
_BLOCK = CONNECT_FOUR.places + HEAD


class Reader:
    """The model, with a count of the tokens it has read and written.

    Attributes:
        tokens: of all boards read (9 each) and all texts written, prompts included.
    """

    def __init__(self, model: Any) -> None:
        self.model = model
        self.tokens = 0

    def values(self, boards: list[Board], *, scoring: str = "mean") -> list[dict[int, float]]:
        """Action values of the moves that the rules allow, 0 to 1 for the mover."""
        self.tokens += _BLOCK * len(boards)
        readings = read(self.model, *arrays(boards))
        scores = readings.mean if scoring == "mean" else centres()[readings.mode - 1]
        return [{move: float(row[move]) for move in room_in(board)} for board, row in zip(boards, scores, strict=True)]

    def evaluate(self, boards: list[Board]) -> list[Evaluation]:
        """For a search in the world of the rules."""
        return [evaluation(values) for values in self.values(boards)]

    def states(self, wanted: list[tuple[Board, int]]) -> list[Board]:
        """The boards that the model says these moves lead to."""
        self.tokens += (2 * CONNECT_FOUR.places + 7) * len(wanted)
        return write_states(self.model, [Question(board, move) for board, move in wanted])

    def imagine(self, wanted: list[tuple[Board, int]]) -> list[Evaluation | None]:
        """What the model says that moves lead to, and what it says of that."""
        boards = self.states(wanted)
        self.tokens += _BLOCK * len(boards)
        readings = read(self.model, *arrays(boards))
        found: list[Evaluation | None] = []
        for index, board in enumerate(boards):
            result = {"<won>": 1.0, "<drawn>": 0.5, "<lost>": 0.0}.get(STATUSES[readings.status[index]])
            legal = [int(move) for move in np.flatnonzero(readings.legal[index])]
            first = is_first(board)
            if result is not None:
                found.append(Evaluation(result, opened=Opened(board, first, result if first else 1 - result)))
            elif legal:
                values = {move: float(readings.mean[index, move]) for move in legal}
                opened = Opened(board, first, None)
                found.append(evaluation(values)._replace(opened=opened, moves=tuple(map(name, legal))))
            else:
                found.append(None)
        return found


def evaluation(values: dict[int, float]) -> Evaluation:
    every = tuple(values.values())
    return Evaluation(max(every), SHAPE.priors(every), every)


class Unknown:
    """The model's own world: everything comes with the evaluation."""

    def enter(self, state: Any, move: Move) -> None:
        return None

    def moves(self, state: Any) -> tuple[Move, ...]:
        return ()


def no_search(reader: Reader, scoring: str = "mean") -> Chooser:
    """The best action value; the first in the order of columns among equals."""

    def choose(boards: list[Board]) -> list[int]:
        return [max(values, key=values.__getitem__) for values in reader.values(boards, scoring=scoring)]

    return choose


def rules_aware(reader: Reader) -> Chooser:
    """Takes a win, else parries a threat, else the best value."""
    plain = no_search(reader)

    def choose(boards: list[Board]) -> list[int]:
        forced = [tactics(board) for board in boards]
        return [move if must is None else must for must, move in zip(forced, plain(boards), strict=True)]

    return choose


class Dreams:
    """What imagined searches said of positions, against the rules, counted by depth.

    Attributes:
        counts: of imagined positions: `nodes`; `states`, with the true board; `real`, reached by legal moves; among these
            `ends`, with the right word on whether the game is over and how; `going`, not over; among these `sets`, with
            exactly the legal moves.
    """

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, int]] = Counter()

    def add(self, root: Board, leaf: Leaf, found: Evaluation | None) -> None:
        """Count what was imagined for a leaf."""
        path, node = [], leaf.node
        while node.parent is not None:
            assert node.move is not None
            path.append(int(node.move) - 1)
            node = node.parent
        truth: Board | None = root
        for move in reversed(path):
            truth = None if truth is None or over_by_rules(truth) is not None else played(truth, move)
        opened = None if found is None else found.opened
        told = ["nodes"]
        if truth is not None:
            told.append("real")
            told += ["states"] * (opened is not None and opened.state == truth)
            result, said = over_by_rules(truth), None if opened is None else opened.result
            if said is not None and not is_first(truth):
                said = 1 - said
            told += ["ends"] * (opened is not None and said == result)
            if result is None:
                told.append("going")
                told += ["sets"] * (found is not None and found.moves == tuple(map(name, room_in(truth))))
        self.counts.update((kind, len(path)) for kind in told)


def mcts(reader: Reader, simulations: int, *, imagined: bool = False, dreams: Dreams | None = None) -> Chooser:
    """The arena's own tree search around the model, leaf by leaf, all boards at once; see `SETTINGS`.

    (Four leaves of one tree at a time cost a search of 16 simulations most of what it gains: it descends four times without
    having learned anything.)
    """
    rules = ByBoards()

    def choose(boards: list[Board]) -> list[int]:
        searches = []
        for board, root in zip(boards, reader.evaluate(boards), strict=True):
            search = Search(rules.open(board), Unknown() if imagined else rules, settings=SETTINGS, rng=Random(0))
            (leaf,) = search.gather(1)
            search.supply(leaf, root._replace(moves=rules.moves(board)))
            searches.append((board, search))
        while True:
            going = [one for one in searches if one[1].simulations < simulations and not one[1].is_over]
            asked = [(board, search, leaf) for board, search in going for leaf in search.gather(1)]
            if not going:
                break
            answers = evaluated(reader, [leaf for *_, leaf in asked], imagined)
            for (board, search, leaf), found in zip(asked, answers, strict=True):
                if dreams is not None:
                    dreams.add(board, leaf, found)
                search.supply(leaf, found)
        return [best_of(search) for _, search in searches]

    return choose


def evaluated(reader: Reader, leaves: list[Leaf], imagined: bool) -> list[Evaluation | None]:
    if not leaves:
        return []
    if not imagined:
        return list(reader.evaluate([leaf.node.state for leaf in leaves]))
    wanted = []
    for leaf in leaves:
        assert leaf.node.parent is not None
        assert leaf.node.move is not None
        wanted.append((leaf.node.parent.state, int(leaf.node.move) - 1))
    return reader.imagine(wanted)


def best_of(search: Search) -> int:
    search.list_moves(search.root)
    assert search.root.moves is not None
    return int(search.root.moves[most_visits(search.root)]) - 1


def external_minimax(reader: Reader, depth: int, breadth: int, *, both: bool) -> Chooser:
    """Minimax around the model, of the shape that its own searches have; all boards at once.

    With `both` leaves are judged as its own searches judge them, in the middle of their report and their parent's.
    """
    rules = ByBoards()

    def choose(boards: list[Board]) -> list[int]:
        searches = [Search(rules.open(board), rules, settings=Settings(), rng=Random(0)) for board in boards]
        for search, root in zip(searches, reader.evaluate(boards), strict=True):
            search.supply(search.gather(1)[0], root)
        frontiers: list[list[Node]] = [[search.root] for search in searches]
        for _ in range(depth):
            asked: list[tuple[int, Leaf]] = []
            for index, search in enumerate(searches):
                leaves = [leaf for node in frontiers[index] for leaf in widen(search, node, breadth)]
                asked += [(index, leaf) for leaf in leaves]
                frontiers[index] = []
            for (index, leaf), found in zip(asked, evaluated(reader, [leaf for _, leaf in asked], False), strict=True):
                searches[index].supply(leaf, found)
                frontiers[index].append(leaf.node)
        for search in searches:
            minimax(search.root, both=both)
        return [best_of(search) for search in searches]

    return choose


def internal(reader: Reader, depth: int, breadth: int, tally: Tally | None = None) -> Chooser:
    """The model's own search; where it is broken or chooses no legal move, the best value."""
    fallback = no_search(reader)
    tally = Tally() if tally is None else tally

    def choose(boards: list[Board]) -> list[int]:
        chosen: list[int] = []
        for board, one in written(reader.model, FORM, boards, depth, breadth):
            # A board that is read while a text is written costs its block, as it does everywhere.
            reader.tokens += len(one.tokens) + _BLOCK * one.n_read
            move = tally.add(FORM, one.tokens, board)
            chosen.append(move if move in room_in(board) else fallback([board])[0])
        return chosen

    return choose


def open_spiel_mcts(simulations: int) -> Chooser:
    """OpenSpiel's tree search with random rollouts, without solving."""
    import pyspiel

    game = pyspiel.load_game("connect_four")
    evaluator = pyspiel.RandomRolloutEvaluator(1, 7)
    bot = pyspiel.MCTSBot(game, evaluator, 2.0, simulations, 100, False, 7, False)

    def choose(boards: list[Board]) -> list[int]:
        chosen = []
        for board in boards:
            state = game.new_initial_state()
            for column in moves_to(board):
                state.apply_action(column)
            chosen.append(int(bot.step(state)))
        return chosen

    return choose


def solver(errors: float, seed: int = 11) -> Chooser:
    """Perfect play by bitbully, but for this share of moves, which are any: the rungs of a ladder."""
    from bitbully import BitBully

    rng, engine = Random(seed), BitBully()

    def choose(boards: list[Board]) -> list[int]:
        scores = label(*arrays(boards), engine).scores
        return [
            rng.choice(room_in(board) if rng.random() < errors else np.flatnonzero(row == row.max()).tolist())
            for board, row in zip(boards, scores, strict=True)
        ]

    return choose
