"""The plan–revise protocol as a game: opening plans, then scored rounds in which the sides rewrite their plans in turn.

Source: the battle stage of AdvGameBench (arXiv 2506.12012, public code), with one label a round and no round counted
twice. A move is a whole plan. Whatever a side answers is a move, since bad answers are part of what is measured: they
are classified, they stand in the record, and the rules say what they cost.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import blake2b
from random import Random
from typing import Any, Literal

from stratarena.games.base import IllegalMove, Move, Outcome, PositionError, Seat, SpecError, Traits
from stratarena.games.plugins import print_spec
from stratarena.games.resource.base import (
    ResourceGame,
    Round,
    RuleSet,
    Verdict,
    VerdictKind,
    canonical_text,
    play_round,
)
from stratarena.games.resource.reading import LONGEST_ANSWER, NoJson, find_object, find_published, parse_json, read_plan
from stratarena.games.resource.registry import resource_game
from stratarena.games.resource.wording import describe_state, draw_state

__all__ = [
    "HIDDEN",
    "KEEP",
    "RoundFacts",
    "Series",
    "SeriesState",
    "Submission",
    "battle_card",
    "tower_defense",
    "turn_based",
]

KEEP = Move("keep")
"""The answer of a side that leaves its plan as it is."""
HIDDEN = Move("?")
"""Stands for a plan that a seat may not see."""

Feedback = Literal["winner", "survivors", "trace"]
_FEEDBACK: tuple[Feedback, ...] = ("winner", "survivors", "trace")
_MOST_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """One answer of a side."""

    seat: Seat
    move: Move
    verdict: Verdict[Any] | None
    """None where it is hidden; for `KEEP` the verdict on the plan that is kept."""
    changed: bool
    """The plan in play after it is another one than before: canonical texts differ. True for an opening plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoundFacts:
    """One simulation of a series and what was decided by it; no plans, so that both sides may see it."""

    label: int
    """0 for the opening plans, then 1, 2, …: the scored rounds."""
    updated: Seat | None
    """Who had just answered; None for the opening plans."""
    winner: Seat | None
    decided_by: str
    """`bad_plan`, `over_budget` (of the purse) or `simulation`, in this order."""
    simulated: Seat | None
    """Who won the simulation, whatever the purses said; None without one."""
    reason: str | None
    length: int | None
    margin: float | None
    """Of the simulation, from FIRST's point of view, -1 to 1."""
    survivors: tuple[tuple[Seat, str, float, str], ...]
    """Seat, name, health and place of what was left."""


@dataclass(frozen=True, slots=True)
class SeriesState:
    """Where a series stands."""

    updates_first: Seat
    """Who rewrites its plan after the opening round."""
    submissions: tuple[Submission, ...]
    rounds: tuple[RoundFacts, ...]
    standing: tuple[Verdict[Any] | None, Verdict[Any] | None]
    """The plans in play, of FIRST and of SECOND; None before the opening, or where it is hidden."""

    def plan_of(self, seat: Seat) -> Verdict[Any] | None:
        """The verdict on the plan in play of that seat."""
        return self.standing[seat is Seat.SECOND]


class Series:
    """A series of rounds between two plans. The defending side sits in seat FIRST.

    The first answer of each side is its opening plan, made without a look at the other's. Round 0 shows how they fare.
    Then one side after the other may answer with a new plan or `keep`; after each answer a scored round is played, in
    which only that side's plan can have changed. Who wins more scored rounds wins the series.

    An answer that cannot be read as a plan leaves the plan before it in play; an illegal plan stands and loses every
    round until it is replaced.
    """

    def __init__(
        self,
        rules: ResourceGame[Any],
        *,
        rounds: int = 10,
        feedback: str = "winner",
        history: int = 1,
        private: bool = False,
        keep: bool = True,
        params: dict[str, Any] | None = None,
    ) -> None:
        """The series; `params` are those of the rules that stand in its id."""
        if not 1 <= rounds <= _MOST_ROUNDS:
            raise SpecError(f"rounds = {rounds}; expected 1 to {_MOST_ROUNDS}")
        if feedback not in _FEEDBACK:
            raise SpecError(f"feedback = {feedback!r}; expected {', '.join(_FEEDBACK)}")
        if not 0 <= history <= _MOST_ROUNDS:
            raise SpecError(f"history = {history}; expected 0 to {_MOST_ROUNDS}")
        self.plans = rules
        """The game that one round is."""
        self.n_rounds = rounds
        self.feedback = feedback
        self.history = history
        """How many of the last rounds a side is told of."""
        self.private = private
        """Whether plans stay hidden from the other side throughout."""
        self.keep = keep
        """Whether `keep` is told and taken as an answer."""
        given = {"rounds": rounds, "feedback": feedback, "history": history, "private": private, "keep": keep}
        defaults = {"rounds": 10, "feedback": "winner", "history": 1, "private": False, "keep": True}
        shown = {key: value for key, value in given.items() if value != defaults[key]}
        self.id = print_spec(rules.name, {**(params or {}), **shown})
        self.traits = Traits(
            open_information=False,
            purse=True,
            lists_moves=False,
            max_plies=rounds + 2,
            seat_names=(rules.sides[Seat.FIRST].label, rules.sides[Seat.SECOND].label),
        )

    @property
    def rules(self) -> str:
        """The rules of the game, then those of the series."""
        keep = f" It may also answer {KEEP}, which leaves its plan as it is." if self.keep else ""
        shown = "Neither side sees the other's plan." if self.private else "It then sees the other side's plan."
        return (
            f"{self.plans.rules_text()}\n"
            f"Both sides first submit an opening plan. Then, {self.n_rounds} times, one side after the other may replace "
            f"its plan, and a round is played with the plans as they stand. {shown}{keep} The side that wins more of "
            "these rounds wins. A plan that costs more than its purse loses the round; if both do, the smaller excess, "
            "measured by its own purse, wins. An illegal plan loses to any other. An answer that cannot be read leaves "
            "the plan before it in play."
        )

    def initial(self, rng: Random) -> SeriesState:
        """No plans yet; FIRST is the one to rewrite first. `rng` is not used."""
        return SeriesState(Seat.FIRST, (), (), (None, None))

    def to_move(self, state: SeriesState) -> Seat:
        """FIRST, SECOND, and from then on in turn from whoever updates first."""
        made = len(state.submissions)
        if made < 2:
            return Seat.SECOND if made else Seat.FIRST
        return state.updates_first if made % 2 == 0 else state.updates_first.other

    def legal_moves(self, state: SeriesState) -> Sequence[Move]:
        """A sample: `keep` where there is something to keep, and the example of a plan. Any answer is taken."""
        if self.outcome(state) is not None:
            return ()
        example = self._move(json.loads(self.plans.example(self.to_move(state))))
        return (KEEP, example) if self.keep and len(state.submissions) >= 2 else (example,)

    def play(self, state: SeriesState, move: Move) -> SeriesState:
        """The state after the answer; from the second answer on a round is simulated.

        Raises:
            IllegalMove: the series is over, or the move is not one that `parse` gives.
        """
        if self.outcome(state) is not None:
            raise self._illegal(state, move, "the series is over")
        seat = self.to_move(state)
        before = state.plan_of(seat)
        if move == KEEP and self.keep and len(state.submissions) >= 2:
            assert before is not None
            answer, stands = before, before
        else:
            answer = self.judge(state, seat, move)
            readable = answer.plan is not None
            stands = answer if readable or before is None else before
        standing = (stands, state.standing[1]) if seat is Seat.FIRST else (state.standing[0], stands)
        changed = before is None or self._text(seat, stands) != self._text(seat, before)
        submissions = (*state.submissions, Submission(seat, move, answer, changed))
        rounds = state.rounds
        first, second = standing
        if first is not None and second is not None:
            played = play_round(self.plans, first, second)
            rounds = (*rounds, _facts(len(rounds), seat if rounds else None, played))
        return SeriesState(state.updates_first, submissions, rounds, standing)

    def outcome(self, state: SeriesState) -> Outcome | None:
        """The side that won more of the scored rounds, once all are played."""
        if len(state.rounds) <= self.n_rounds:
            return None
        wins = [sum(played.winner is seat for played in state.rounds[1:]) for seat in Seat]
        winner = None if wins[0] == wins[1] else Seat.FIRST if wins[0] > wins[1] else Seat.SECOND
        return Outcome(winner, "rounds_won" if winner else "rounds_shared")

    def visible(self, state: SeriesState, seat: Seat) -> SeriesState:
        """Without the other side's plan before both have opened (throughout, where plans are private).

        What was left of a round is told only with `feedback` of more than the winner.
        """
        hides = self.private or len(state.submissions) < 2
        submissions, standing = state.submissions, state.standing
        if hides:
            submissions = tuple(
                one if one.seat is seat else Submission(one.seat, HIDDEN, None, one.changed) for one in submissions
            )
            standing = (standing[0], None) if seat is Seat.FIRST else (None, standing[1])
        rounds = state.rounds
        if self.feedback == "winner":
            rounds = tuple(replace(one, survivors=(), length=None, margin=None) for one in rounds)
        return SeriesState(state.updates_first, submissions, rounds, standing)

    def parse(self, state: SeriesState, text: str) -> Move:
        """The move that an answer is: `keep`, the JSON in it, or, where there is none, the answer itself as it came.

        Raises:
            IllegalMove: the series is over. No other text is refused: what is wrong with it is part of the record.
        """
        if self.outcome(state) is not None:
            raise IllegalMove(text, game=self.id, position=self.encode(state)[:200], why="the series is over")
        if self.keep and len(state.submissions) >= 2 and says_keep(text):
            return KEEP
        try:
            if self.plans.rule_set is RuleSet.PUBLISHED:
                return self._move(find_published(text, game=self.plans.name))
            return self._move(find_object(text))
        except NoJson:
            return self._move(text[: LONGEST_ANSWER + 1])

    def render(self, state: SeriesState, seat: Seat) -> str:
        """The plans that the seat may see, a priced line for each thing bought, and every round so far."""
        return draw_state(self, self.visible(state, seat))

    def brief(self, state: SeriesState, seat: Seat) -> str:
        """All that the seat is told before it answers: its side, purse and catalogue, the plans, and the last rounds."""
        return describe_state(self, state, seat)

    def encode(self, state: SeriesState) -> str:
        """Who updates first, then every answer, separated by spaces; a hidden one is `?`."""
        return " ".join((state.updates_first.value, *(one.move for one in state.submissions)))

    def decode(self, text: str) -> SeriesState:
        """The state that `encode` wrote, its rounds simulated anew."""
        first, *moves = text.split()[:] if text.strip() else [""]
        if first not in (Seat.FIRST.value, Seat.SECOND.value):
            raise PositionError(f"{text[:200]!r}: expected first or second (who updates first), then the answers")
        state = SeriesState(Seat(first), (), (), (None, None))
        for move in moves:
            if move == HIDDEN:
                raise PositionError(f"{text[:200]!r}: a hidden plan cannot be read back")
            try:
                state = self.play(state, Move(move))
            except IllegalMove as error:
                raise PositionError(f"{text[:200]!r}: {error.why}") from None
        return state

    def digest(self, state: SeriesState) -> str:
        """16 hexadecimal digits of all answers and of who won each round."""
        winners = "".join("-" if one.winner is None else one.winner.value[0] for one in state.rounds)
        return blake2b(f"{self.id}\n{self.encode(state)}\n{winners}".encode(), digest_size=8).hexdigest()

    def move_of(self, seat: Seat, plan: Any) -> Move:
        """The move that submits a plan."""
        return self._move(self.plans.dump(seat, plan))

    def canonical_move(self, seat: Seat, verdict: Verdict[Any]) -> Move:
        """The one move for all plans that play alike; the plan as it is where it cannot be played."""
        if verdict.plan is None:
            raise ValueError("there is no plan in this verdict")
        return Move(self._text(seat, verdict).replace(" ", "\\u0020"))

    def judge(self, state: SeriesState, seat: Seat, move: Move) -> Verdict[Any]:
        """The verdict on the plan that a move other than `keep` submits.

        Raises:
            IllegalMove: the move is not one that `parse` gives.
        """
        try:
            value = parse_json(move, strict=self.plans.rule_set is RuleSet.AS_WRITTEN)
        except NoJson:
            raise self._illegal(state, move, "expected JSON without white space, or keep") from None
        if isinstance(value, str):
            return read_plan(self.plans, seat, value)
        return self.plans.check(seat, value)

    def _text(self, seat: Seat, verdict: Verdict[Any]) -> str:
        """What plays alike has the same text; for what cannot be played, the reasons are taken along."""
        if verdict.plan is None:
            return verdict.kind.value
        if verdict.kind is VerdictKind.ILLEGAL:
            return json.dumps(self.plans.dump(seat, verdict.plan), separators=(",", ":"), sort_keys=True)
        return canonical_text(self.plans, seat, verdict.plan)

    def _illegal(self, state: SeriesState, move: str, why: str) -> IllegalMove:
        return IllegalMove(move[:200], game=self.id, position=self.encode(state)[:200], why=why)

    @staticmethod
    def _move(value: object) -> Move:
        """The value as JSON without white space, even inside strings: one word wherever moves are listed."""
        text = json.dumps(value, separators=(",", ":"), ensure_ascii=True)
        return Move(text.replace(" ", "\\u0020"))


def says_keep(text: str) -> bool:
    """Whether an answer is the word keep, in any letter case, quoted or with a full stop or not."""
    return text.strip().strip("\"'`.").lower() == KEEP


def _facts(label: int, updated: Seat | None, played: Round[Any]) -> RoundFacts:
    result = played.result
    return RoundFacts(
        label=label,
        updated=updated,
        winner=played.winner,
        decided_by=played.decided_by.value,
        simulated=None if result is None else result.winner,
        reason=None if result is None else result.reason,
        length=None if result is None else result.length,
        margin=None if result is None else result.margin,
        survivors=()
        if result is None
        else tuple((one.seat, one.name, one.health, one.place) for one in result.survivors),
    )


def _series(
    name: str, rules: str, rounds: int, feedback: str, history: int, private: bool, keep: bool, **more: Any
) -> Series:
    params = {key: value for key, value in {"rules": rules, **more}.items() if value not in ("as_written", None)}
    if rules != "published" and more.get("frame_ms") is not None:
        raise SpecError("frame_ms has a meaning under rules='published' only")
    made = resource_game(name, rules, **{key: value for key, value in more.items() if value is not None})
    return Series(made, rounds=rounds, feedback=feedback, history=history, private=private, keep=keep, params=params)


def turn_based(
    rules: str = "as_written",
    rounds: int = 10,
    feedback: str = "winner",
    history: int = 1,
    private: bool = False,
    keep: bool = True,
) -> Series:
    """Turn-based combat as a series of rounds."""
    return _series("turn_based", rules, rounds, feedback, history, private, keep)


def battle_card(
    rules: str = "as_written",
    rounds: int = 10,
    feedback: str = "winner",
    history: int = 1,
    private: bool = False,
    keep: bool = True,
) -> Series:
    """The battle card game as a series of rounds."""
    return _series("battle_card", rules, rounds, feedback, history, private, keep)


def tower_defense(
    rules: str = "as_written",
    rounds: int = 10,
    feedback: str = "winner",
    history: int = 1,
    private: bool = False,
    keep: bool = True,
    frame_ms: int | None = None,
) -> Series:
    """Tower defense as a series of rounds."""
    return _series("tower_defense", rules, rounds, feedback, history, private, keep, frame_ms=frame_ms)
