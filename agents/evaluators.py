"""What a search may ask about its leaves: models in several forms, rollouts, and an engine with noise on its values.

Each evaluator takes the leaves of one batch and gives an `Evaluation` for each, yielding what it asks on the way, so that
budgets, dispatch and record stay where they are. None says that nothing could be made of an answer.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from math import exp, log
from random import Random
from statistics import NormalDist
from typing import Any, Literal, NamedTuple, Protocol

from stratarena.agents.base import Ask, Reply, Step, View, appraise, ask
from stratarena.agents.buckets import Scoring as BucketScoring
from stratarena.agents.buckets import labels_of, move_scores
from stratarena.agents.engines.base import Appraisal, EngineSpec, Query
from stratarena.agents.evaluation_prompts import (
    answer_messages,
    bucket_messages,
    outcome_messages,
    percent_messages,
    read_move_values,
    read_percent,
    what_is_wrong,
)
from stratarena.agents.models.base import Finish, Message, Request, Sampling, Scores, Scoring
from stratarena.agents.prompts import move_messages
from stratarena.agents.search_tree import DRAW, Evaluation
from stratarena.agents.templates import Notation
from stratarena.games.base import Game, Move, Seat

__all__ = [
    "Answers",
    "Buckets",
    "Cost",
    "Evaluator",
    "Even",
    "Likelihoods",
    "NoisyOracle",
    "Percent",
    "PriorShape",
    "Rollouts",
    "Spot",
    "softmax",
]

Thinking = Generator[Step, Reply, list[Evaluation | None]]


class Spot(NamedTuple):
    """A position to be evaluated; it is not over."""

    state: Any
    seat: Seat
    """To move."""
    moves: tuple[Move, ...]
    """Legal, in the game's order."""
    line: tuple[Move, ...]
    """What was played to it from the position of the turn."""
    before: Any = None
    """The state before the last of these moves, where what it leads to is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What one position costs."""

    calls: int
    """Model calls, at most."""
    words: str
    """Calls and tokens, in words."""


class Evaluator(Protocol):
    """Says what positions are worth."""

    @property
    def cost(self) -> Cost:
        """What one position costs."""

    @property
    def has_opinion(self) -> bool:
        """Whether it prefers some moves to others before any search."""

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """One evaluation a spot, in order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorShape:
    """How values of moves become priors (mav 3.2): (1 - eps) softmax(value / tau) over the k best, and eps over all."""

    k: int | None = None
    tau: float = 0.1
    """On values from 0 to 1."""
    eps: float = 0.05

    def priors(self, values: Sequence[float]) -> tuple[float, ...]:
        """Weights that add up to 1."""
        kept = range(len(values))
        if self.k is not None and self.k < len(values):
            kept = sorted(kept, key=lambda i: -values[i])[: self.k]  # type: ignore[assignment]
        top = max(values)
        weights = dict.fromkeys(range(len(values)), 0.0) | {i: exp((values[i] - top) / self.tau) for i in kept}
        total = sum(weights.values())
        return tuple((1 - self.eps) * weight / total + self.eps / len(values) for weight in weights.values())


def softmax(values: Sequence[float]) -> tuple[float, ...]:
    """Weights that add up to 1."""
    top = max(values)
    weights = [exp(value - top) for value in values]
    total = sum(weights)
    return tuple(weight / total for weight in weights)


class Even:
    """No opinion of anything: every position is worth a draw."""

    cost = Cost(calls=0, words="nothing")
    has_opinion = False

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """A draw each."""
        return [Evaluation(DRAW) for _ in spots]
        yield


class Rollouts:
    """Plays positions to their end and takes the mean result; moves weigh the same.

    `random` plays uniformly at random; `greedy` takes a win where there is one, else plays at random.
    """

    has_opinion = False

    def __init__(self, *, policy: Literal["random", "greedy"] = "random", n: int = 1) -> None:
        self._greedy = policy == "greedy"
        self._n = n
        self.cost = Cost(calls=0, words=f"{n} {policy} rollout{'s' if n != 1 else ''}, a node for each ply")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """The root is not played out: no simulation is spent on it."""
        return [Evaluation(self.value(view.game, spot, view.rng) if spot.line else DRAW) for spot in spots]
        yield

    def value(self, game: Game[Any], spot: Spot, rng: Random) -> float:
        """The mean result for the side to move."""
        total = sum(self._one(game, spot.state, rng) for _ in range(self._n)) / self._n
        return total if spot.seat is Seat.FIRST else 1 - total

    def _one(self, game: Game[Any], state: Any, rng: Random) -> float:
        draw, play, legal_moves, outcome_of = rng.random, game.play, game.legal_moves, game.outcome
        while (outcome := outcome_of(state)) is None:
            moves = legal_moves(state)
            if self._greedy:
                mover = game.to_move(state)
                after = None
                for move in moves:
                    after = play(state, move)
                    ended = outcome_of(after)
                    if ended is not None and ended.winner is mover:
                        return 1.0 if mover is Seat.FIRST else 0.0
            state = play(state, moves[int(draw() * len(moves))])
        return DRAW if outcome.winner is None else 1.0 if outcome.winner is Seat.FIRST else 0.0


class Likelihoods:
    """Priors by how likely a model finds each legal move as its answer; one forward pass over all of them.

    A prior is the softmax of the log-likelihoods per token, divided by `temperature`. Values come from elsewhere: a
    rollout, or the likelihoods of the words win, draw and loss as an answer (one pass more), or nothing (a draw).
    """

    has_opinion = True

    def __init__(
        self,
        model: str,
        *,
        temperature: float,
        value: Literal["rollout", "words", "even"],
        rollouts: Rollouts,
        notation: Sequence[Notation] = ("grid", "position"),
    ) -> None:
        self._model = model
        self._notation = notation
        self._temperature = temperature
        self._value = value
        self._rollouts = rollouts
        calls = 2 if value == "words" else 1
        self.cost = Cost(calls=calls, words=f"{calls} scoring calls: reads prompt and moves, writes nothing")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """All passes of a batch go out together."""
        requests = [
            Scoring(messages=self._messages(view, spot), continuations=tuple(map(str, spot.moves))) for spot in spots
        ]
        if self._value == "words":
            requests += [Scoring(messages=outcome_messages(view, *spot[:3]), continuations=_WORDS) for spot in spots]
        scores = yield from _scores(self._model, requests)
        found: list[Evaluation | None] = []
        for number, spot in enumerate(spots):
            value = DRAW
            if self._value == "words":
                win, draw, _ = softmax(scores[len(spots) + number].logprobs)
                value = win + draw / 2
            elif self._value == "rollout":
                value = self._rollouts.value(view.game, spot, view.rng)
            said = scores[number]
            rates = [logprob / n / self._temperature for logprob, n in zip(said.logprobs, said.n_tokens, strict=True)]
            found.append(Evaluation(value, softmax(rates)))
        return found

    def _messages(self, view: View[Any], spot: Spot) -> tuple[Message, ...]:
        at = replace(view, state=spot.state, seat=spot.seat, moves=view.moves + spot.line, refused=())
        return move_messages(at, list_legal_moves=False, history=0, notation=self._notation)


class Answers:
    """Candidates with chances of winning that a model writes as JSON, read strictly (mav 7.2).

    An answer that cannot be read is asked for once more, with what was wrong. A position is worth its best candidate;
    moves that were not listed keep a share eps of the priors and count as the worst that was listed.
    """

    has_opinion = True

    def __init__(self, model: str, *, shape: PriorShape, k: int, max_tokens: int, temperature: float) -> None:
        self._model = model
        self._shape = shape
        self._k = k
        self._max_tokens = max_tokens
        self._temperature = temperature
        self.cost = Cost(calls=2, words=f"1 call, 2 where the first cannot be read: writes up to {max_tokens} tokens")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """All positions of a batch are asked about together, then those that must be asked about again."""
        found: list[Evaluation | None] = [None] * len(spots)
        talks = {i: answer_messages(view, *spot[:3], k=self._k) for i, spot in enumerate(spots)}
        for attempt in range(2):
            sampling = _sampling(view, self._max_tokens, self._temperature, attempt)
            requests = [Request(messages=messages, sampling=sampling) for messages in talks.values()]
            answers = yield from ask(self._model, *requests)
            again = {}
            for (i, messages), answer in zip(talks.items(), answers, strict=True):
                try:
                    values = read_move_values(answer.text, spots[i].moves, cut_off=answer.finish is Finish.LENGTH)
                except ValueError as error:
                    again[i] = (*messages, Message("assistant", answer.text), Message("user", what_is_wrong(error)))
                else:
                    found[i] = self._evaluation(spots[i].moves, values)
            talks = again
            if not talks:
                break
        return found

    def _evaluation(self, moves: tuple[Move, ...], values: dict[Move, float]) -> Evaluation:
        least = min(values.values())
        every = [values.get(move, least) for move in moves]
        shape = replace(self._shape, k=min(self._shape.k or len(values), len(values)))
        # An unlisted move may be worth as much as the worst listed one, so that one must come first.
        ranked = [value if move in values else value - 1e-9 for move, value in zip(moves, every, strict=True)]
        return Evaluation(max(values.values()), shape.priors(ranked), tuple(every))


class Percent:
    """A model's estimate of the chance to win, as a whole number of percent; moves weigh the same."""

    has_opinion = False

    def __init__(self, model: str, *, samples: int, max_tokens: int, temperature: float) -> None:
        self._model = model
        self._samples = samples
        self._max_tokens = max_tokens
        self._temperature = temperature
        self.cost = Cost(calls=samples, words=f"{samples} calls: each writes up to {max_tokens} tokens")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """The mean of the samples that can be read."""
        requests = [
            Request(
                messages=percent_messages(view, *spot[:3]),
                sampling=_sampling(view, self._max_tokens, self._temperature, sample),
            )
            for spot in spots
            for sample in range(self._samples)
        ]
        answers = yield from ask(self._model, *requests)
        found: list[Evaluation | None] = []
        for i in range(len(spots)):
            said = [read_percent(answer.text) for answer in answers[i * self._samples : (i + 1) * self._samples]]
            read = [value for value in said if value is not None]
            found.append(Evaluation(sum(read) / len(read)) if read else None)
        return found


class Buckets:
    """Values of all moves as distributions over equal buckets of the chance to win (mav 1.4, 1.5), in one scoring call.

    The texts `move:label` of every move and bucket are scored; a move's distribution is what its labels weigh among
    themselves. `mean` scoring takes its mean, `max` its mode. A game language model has 64 labels of its own; a chat model
    is asked for a digit. `messages` may be replaced by another model's own form of prompt.
    """

    has_opinion = True

    def __init__(
        self,
        model: str,
        *,
        scoring: BucketScoring,
        labels: Literal["digits", "mav"],
        shape: PriorShape,
        messages: Callable[[View[Any], Any, Seat, tuple[Move, ...]], tuple[Message, ...]] = bucket_messages,
    ) -> None:
        self._model = model
        self._scoring: BucketScoring = scoring
        self._labels = labels_of(labels)
        self._shape = shape
        self._messages = messages
        self.cost = Cost(calls=1, words=f"1 scoring call of {len(self._labels)} texts a move; writes nothing")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """A position is worth its best move."""
        requests = [
            Scoring(
                messages=self._messages(view, *spot[:3]),
                continuations=tuple(f"{move}:{label}" for move in spot.moves for label in self._labels),
            )
            for spot in spots
        ]
        scores = yield from _scores(self._model, requests)
        found: list[Evaluation | None] = []
        for said in scores:
            values = move_scores(said.logprobs, n_buckets=len(self._labels), scoring=self._scoring)
            found.append(Evaluation(max(values), self._shape.priors(values), values))
        return found


class NoisyOracle:
    """An engine's values with noise that is stated and seeded: it stands for a model of a known quality.

    `noise` is the standard deviation, in logits, of a normal error on every value (0.02 to 0.98 before it). The error is a
    fixed function of the seed, the position and the move, as a model's is: asked again, it errs the same way.
    Where the engine values every move, a position is worth its best move, errors included, as with a model of action
    values. Where it only says how it searched (Hex), the position's value and the moves' log-weights carry the errors.
    """

    has_opinion = True

    def __init__(
        self, engine: EngineSpec, *, noise: float, seed: int, shape: PriorShape, nodes: int | None = None
    ) -> None:
        """`nodes` bound the engine's look at each position, where it takes bounds."""
        self._nodes = nodes
        self._engine = engine
        self._noise = noise
        self._seed = seed
        self._shape = shape
        self.cost = Cost(calls=0, words="an engine's look at the position, no model")

    def evaluate(self, view: View[Any], spots: Sequence[Spot]) -> Thinking:
        """The engine is asked about the whole batch at once."""
        query = Query(game=view.game.id, start=view.start, moves=view.moves, seed=self._seed, nodes=self._nodes)
        appraisals = yield from appraise(self._engine, query, tuple(spot.line for spot in spots))
        return [self.judged(view.game, spot, found) for spot, found in zip(spots, appraisals, strict=True)]

    def judged(self, game: Game[Any], spot: Spot, found: Appraisal) -> Evaluation:
        """What the engine says of a position, errors included."""
        digest = game.digest(spot.state)
        known = dict(found.moves)
        if all(move in known for move in spot.moves):
            values = tuple(self._erring((known[move] + 1) / 2, digest, move) for move in spot.moves)
            return Evaluation(max(values), self._shape.priors(values), values)
        value = self._erring((found.value + 1) / 2, digest, "")
        weights = dict(found.weights) or {move: 1.0 for move, _ in found.moves[:1]}
        least = 0.25 / len(spot.moves)
        logs = [log(max(weights.get(move, 0.0), least)) + self._error(digest, move) for move in spot.moves]
        return Evaluation(value, softmax(logs))

    def _erring(self, value: float, digest: str, about: str) -> float:
        value = min(max(value, 0.02), 0.98)
        return 1 / (1 + exp(-(log(value / (1 - value)) + self._error(digest, about))))

    def _error(self, digest: str, about: str) -> float:
        """Normal, of mean 0 and the stated deviation."""
        if not self._noise:
            return 0.0
        raw = int.from_bytes(blake2b(f"{self._seed} {digest} {about}".encode(), digest_size=8).digest())
        return self._noise * _NORMAL.inv_cdf((raw + 0.5) / 2**64)


_WORDS = ("win", "draw", "loss")
_NORMAL = NormalDist()


def _scores(model: str, requests: Sequence[Scoring]) -> Generator[Step, Reply, list[Scores]]:
    reply = yield Ask(model, tuple(requests))
    assert isinstance(reply, tuple)
    return [answer for answer in reply if isinstance(answer, Scores)]


def _sampling(view: View[Any], max_tokens: int, temperature: float, number: int) -> Sampling:
    seed = (view.seed + number) % 2**63 if temperature > 0 else None
    return Sampling(max_tokens=max_tokens, temperature=temperature, seed=seed)
