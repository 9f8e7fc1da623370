"""What `db.reader` gives to analysis and replay: plain frozen values, one for each kind of row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from stratarena.agents.budget import Spend
from stratarena.agents.tree import SearchTree, TreeKind
from stratarena.arena.grading import Evaluation
from stratarena.arena.reconsider import Declared
from stratarena.arena.specs import Verdict
from stratarena.games.base import Move, Seat

__all__ = [
    "AgentRecord",
    "AnswerRecord",
    "BoardRecord",
    "FaultRecord",
    "ForecastRecord",
    "GradeRecord",
    "Judgement",
    "MatchRecord",
    "Origin",
    "PlyRecord",
    "SearchRecord",
    "SearchSum",
    "SeriesRecord",
    "SideRecord",
    "TournamentRecord",
    "TurnRecord",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AgentRecord:
    """An agent of a tournament."""

    name: str
    kind: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRecord:
    """One match, as far as it has come."""

    match_id: int
    key: str
    game: str
    first: str
    second: str
    round: int
    pair: str
    opening: str
    start: str
    opening_moves: tuple[Move, ...]
    seed: int
    attempt: int
    opened_ms: int | None
    closed_ms: int | None
    verdict: Verdict | None
    """None while it is pending or in play."""
    plies: int
    """Moves made, the opening's included."""
    stated: str | None = None
    """The result that the file of an imported game states; None for a match played here."""

    def agent_at(self, seat: Seat) -> str:
        """The name of the agent in that seat."""
        return self.first if seat is Seat.FIRST else self.second


@dataclass(frozen=True, slots=True, kw_only=True)
class TurnRecord:
    """One turn with what it spent, in short."""

    match_id: int
    ply: int
    seat: Seat
    move: Move | None
    digest: str | None
    confidence: float | None
    fallback: str | None
    opened_ms: int
    closed_ms: int
    model_calls: int
    prompt_tokens: int
    completion_tokens: int
    nodes: int
    think_ms: float
    wait_ms: float
    cost_usd: float | None
    n_refused: int
    """Answers the referee turned down in this turn."""
    n_overruns: int
    verdict: str | None = None
    """Where a move is a plan, what the rules said of it; else None."""


class GradeRecord(NamedTuple):
    """How good a move was."""

    value: float | None
    """-1 (lost) to 1 (won) for the mover; None for one that the rules do not allow."""
    best_value: float


class SideRecord(NamedTuple):
    """What one seat did in one third of one attempt at a match. A tuple: there are six of them to a match."""

    match_id: int
    seat: Seat
    third: int | None
    """0, 1 or 2 of the match's plies; None where it is not over."""
    turns: int
    legal_at_once: int
    """Turns whose first answer was a legal move, or a legal plan whatever it costs."""
    asked: int
    """Turns that asked a model."""
    model_calls: int
    tokens: int
    """Prompt and completion tokens of the turns that asked a model."""
    searched: int
    """Turns that visited positions."""
    nodes: int
    think_ms: float
    wait_ms: float
    cost_usd: float | None
    """None where the price of any turn is unknown."""
    overrun: int
    """Turns that passed a thinking budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlyRecord:
    """Legality of one agent in one game in ten plies of it."""

    agent: str
    game: str
    ten: int
    """0 for plies 0 to 9, and so on."""
    turns: int
    legal_at_once: int


class ForecastRecord(NamedTuple):
    """Chances of winning that one seat stated in one match, in one tenth of the scale."""

    match_id: int
    seat: Seat
    tenth: int
    """0 for 0 to just below 0.1, 9 for 0.9 to 1."""
    n: int
    stated: float
    """Their sum."""
    squared: float
    """The sum of their squares."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecord:
    """One answer where a move is a plan, and the round that followed it."""

    ply: int
    seat: Seat
    verdict: str
    """What the rules said of it; of a kept plan what they said of that."""
    cost: int | None
    purse: int
    kept: bool
    changed: bool
    """The plan in play is another one than before."""
    label: int | None
    """The round's: 0 for the opening plans; None for FIRST's opening, which no round follows."""
    winner: Seat | None
    """The round's; None for nobody, or without a round."""
    n_overruns: int
    """Thinking budgets passed in its turn."""
    declared: tuple[Move, ...] = ()
    """Every plan declared in its turn, in order and in one spelling for all that plays alike."""
    grade: GradeRecord | None = None
    """Of the plan in play after it, against the plan that it met; None where nobody graded it."""
    grades: Mapping[Move, GradeRecord] = field(default_factory=dict)
    """Of each plan declared in its turn, against the same plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeriesRecord:
    """One match whose moves are plans, that is over and counts."""

    match_id: int
    key: str
    game: str
    first: str
    """The agent in seat FIRST, the defending side."""
    second: str
    answers: tuple[AnswerRecord, ...]
    """In the order in which they were given, the two opening plans first."""
    judge: str | None = None
    """Who graded its game; None where nobody did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What one judge said of the positions of a match."""

    judge: str
    positions: Mapping[str, Evaluation]
    """By digest; values are for the side to move. Positions in which the game is over are not asked about."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardRecord:
    """One match on a board that is over and counts: what was meant, what was played, and how good it was."""

    match_id: int
    game: str
    first: str
    second: str
    winner: Seat | None
    declared: tuple[Declared, ...]
    """Every plan, in order."""
    played: Mapping[int, tuple[Seat, Move]]
    """By ply; the opening's moves are left out."""
    judge: str | None
    """Who graded its game; None where nobody did."""
    grades: Mapping[tuple[int, Move], GradeRecord]
    """By ply and move, of that judge."""
    n_turns: Mapping[Seat, int]
    n_overspent: Mapping[Seat, int]
    """Turns that passed a thinking budget."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultRecord:
    """A failure of an agent's code or of our infrastructure."""

    key: str
    """The match."""
    attempt: int
    ply: int
    seat: Seat | None
    place: str
    """`"agent"`, `"model"` or `"engine"`."""
    error: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The file that a tournament of imported games was read from."""

    file: str
    """Its name, without its folder."""
    sha256: str
    format: str
    encoding: str
    n_refused: int
    """Games of the file that could not be read and were left out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TournamentRecord:
    """A tournament: who, what, how and with which versions."""

    tournament_id: int
    name: str
    spec: Mapping[str, Any]
    """The resolved spec as JSON."""
    source: str
    """The tournament file, verbatim."""
    seed: int
    created_ms: int
    program_version: str
    source_revision: str | None
    python_version: str
    packages: Mapping[str, str]
    agents: tuple[AgentRecord, ...]
    identities: Mapping[str, Mapping[str, str]]
    """By `"model:NAME"` or `"engine:NAME"`."""
    origin: Origin | None = None
    """Where its games were read from; None when they were played here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchSum:
    """One search that an agent told of, without its nodes."""

    match_id: int
    game: str
    agent: str
    kind: TreeKind
    method: str
    simulations: int
    n_nodes: int
    depth: int
    first_move: Move | None
    """The move held best before the search."""
    last_move: Move | None
    """The first of its principal variation."""
    ended: str
    spend: Spend
    """What the turn spent on it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRecord:
    """One search that an agent told of."""

    match_id: int
    game: str
    agent: str
    seat: Seat
    ply: int
    """Plies made before its turn."""
    start: str
    moves: tuple[Move, ...]
    """From `start` to the position that was searched."""
    tree: SearchTree
    spend: Spend
    """What the turn spent on it."""
    played: Move | None
    """What the turn played after it; None if another search came after it, or no move."""
    fallback: str | None
    """Set when that move is a declared substitute for a finished thought."""
    judge: str | None
    """Who said what `evaluations` hold; None where nobody did."""
    evaluations: Mapping[str, float]
    """By the digest of a position of this game, what it is worth to the side to move there, -1 (lost) to 1 (won)."""
