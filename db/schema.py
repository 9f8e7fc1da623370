"""The tables. Facts only; every row of a match is keyed by the match and its place in it, so that two runs of one seed
give equal rows but for their times.

Column comments are the documentation: `docs/schema.md` is made from them.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

__all__ = ["metadata"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_HASH = 32


def _one_of(column: str, *values: str) -> CheckConstraint:
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=column)


def _at_least_0(*columns: str) -> list[CheckConstraint]:
    return [CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns]


def _needed(name: str, kind: Any, comment: str, *more: Any) -> Column[Any]:
    return Column(name, kind, *more, nullable=False, comment=comment)


def _maybe(name: str, kind: Any, comment: str, *more: Any) -> Column[Any]:
    return Column(name, kind, *more, nullable=True, comment=comment)


def _text(name: str, comment: str, *, needed: bool = True) -> Column[Any]:
    """A reference to a stored text."""
    make = _needed if needed else _maybe
    return make(name, String(_HASH), comment, ForeignKey("texts.hash"))


def _table(name: str, comment: str, *parts: Any) -> Table:
    return Table(name, metadata, *parts, comment=comment)


def _of_match(name: str, comment: str, *parts: Any, key: str = "seq") -> Table:
    """A table whose rows belong to a place in a match; kept in the order of that place."""
    head: list[Any] = [
        Column("match_id", Integer, ForeignKey("matches.id"), primary_key=True, comment="The match."),
        Column(
            key,
            Integer,
            primary_key=True,
            comment="The event's number in the match, from 0."
            if key == "seq"
            else "Plies made before it, the opening's included.",
        ),
    ]
    if key == "seq":
        head.append(_needed("ply", Integer, "Plies made before the turn it belongs to."))
        head.append(_needed("at_ms", BigInteger, "When, in milliseconds since 1970."))
    return Table(
        name,
        metadata,
        *head,
        *parts,
        *_at_least_0(key),
        comment=comment,
        sqlite_with_rowid=False,
    )


def _seat(needed: bool = True) -> list[Any]:
    column = (_needed if needed else _maybe)("seat", String(6), "`first` or `second`: whose turn it was.")
    return [column, _one_of("seat", "first", "second")]


def _think_ms() -> Column[Any]:
    return _needed("think_ms", Float, "Milliseconds of work by the agent, its models and engines; waiting left out.")


def _spending() -> list[Any]:
    return [
        _needed("prompt_tokens", Integer, "Tokens the model read."),
        _needed("completion_tokens", Integer, "Tokens the model wrote."),
        _maybe("cost_usd", Float, "US dollars by the price table; null is unknown."),
        *_at_least_0("prompt_tokens", "completion_tokens"),
    ]


_table(
    "texts",
    "Every long text once, by its content.",
    Column("hash", String(_HASH), primary_key=True, comment="BLAKE2b-128 of the UTF-8 text, in hexadecimal."),
    _needed("codec", String(4), "`zlib` or `utf8`: how `body` holds the text."),
    _needed("n_chars", Integer, "Length of the text in characters."),
    _needed("body", LargeBinary, "The text."),
    _one_of("codec", "zlib", "utf8"),
    *_at_least_0("n_chars"),
)
_table(
    "tournaments",
    "A tournament file, and what played it.",
    Column("id", Integer, primary_key=True, comment="Number of the tournament."),
    _needed("name", String(40), "Its name: the same name goes on with it."),
    _needed("spec", Text, "The resolved tournament as JSON; of several runs the latest."),
    _needed("source", Text, "The tournament file, verbatim."),
    _needed("seed", BigInteger, "The root seed."),
    _needed("created_ms", BigInteger, "When it was first run."),
    _needed("program_version", String(40), "Version of stratarena that first ran it."),
    _maybe("source_revision", String(60), "Commit it ran from, `+changes` behind it if files differed."),
    _needed("python_version", String(40), "Version of Python."),
    _needed("packages", Text, "Versions of libraries, as JSON."),
    UniqueConstraint("name"),
)
_table(
    "agents",
    "Who takes part.",
    Column("id", Integer, primary_key=True, comment="Number of the agent."),
    _needed("tournament_id", Integer, "Its tournament.", ForeignKey("tournaments.id")),
    _needed("name", String(40), "Its identity in the tournament."),
    _needed("kind", String(80), "The plug-in that makes it. `llm_likelihood` chooses among legal moves only."),
    _needed("params", Text, "Its parameters, as JSON."),
    UniqueConstraint("tournament_id", "name"),
)
_table(
    "models",
    "Named models of the tournament file.",
    Column("id", Integer, primary_key=True, comment="Number of the model."),
    _needed("tournament_id", Integer, "Its tournament.", ForeignKey("tournaments.id")),
    _needed("name", String(40), "Its name in the file."),
    _needed("kind", String(80), "The plug-in that makes it."),
    _needed("params", Text, "Its parameters, as JSON; never a key."),
    _maybe("prompt_usd_per_million", Float, "Price of a million prompt tokens; null is unknown."),
    _maybe("completion_usd_per_million", Float, "Price of a million completion tokens; null is unknown."),
    UniqueConstraint("tournament_id", "name"),
)
_table(
    "identities",
    "What exactly a model or engine was when it played: hashes, versions, options.",
    Column("tournament_id", Integer, ForeignKey("tournaments.id"), primary_key=True, comment="The tournament."),
    Column("kind", String(6), primary_key=True, comment="`model` or `engine`."),
    Column("name", String(400), primary_key=True, comment="The model's name, or the engine's spec."),
    Column("facts", Text, nullable=False, comment="Facts by name, as JSON; of several runs the latest."),
    _one_of("kind", "model", "engine"),
)
_table(
    "matches",
    "One match each, entered when the tournament is; a void match is played again as a further attempt.",
    Column("id", Integer, primary_key=True, comment="Number of the match, in the order of the schedule."),
    _needed("tournament_id", Integer, "Its tournament.", ForeignKey("tournaments.id")),
    _needed("key", String(200), "Stable name: game, agents, round and seating."),
    _needed("attempt", Integer, "Counted from 1."),
    _needed("game", String(80), "The game's id."),
    _needed("first_agent_id", Integer, "Who sits in seat FIRST.", ForeignKey("agents.id")),
    _needed("second_agent_id", Integer, "Who sits in seat SECOND.", ForeignKey("agents.id")),
    _needed("round", Integer, "Counted from 1."),
    _needed("pair", String(200), "Shared by the two matches with one opening and seats swapped."),
    _needed("opening", String(80), "Name of the opening."),
    _needed("start", Text, "The position before the opening's moves."),
    _needed("opening_moves", Text, "The opening's moves, separated by spaces."),
    _needed("seed", BigInteger, "The match's seed."),
    _needed("spec_digest", String(_HASH), "Hash of all that decides how the match goes."),
    _needed("status", String(8), "`pending`, `playing`, `over` or `void`."),
    _maybe("ending", String(8), "`rules`, `forfeit`, `cap`, `stated` (by an imported file) or `void`."),
    _maybe("winner", String(6), "`first` or `second`; null for a draw, a void match, or one not over."),
    _maybe("reason", String(80), "The rule or policy that ended it."),
    _maybe("at_fault", String(6), "The seat that forfeited."),
    _maybe("plies", Integer, "Moves made, the opening's included."),
    _maybe("opened_ms", BigInteger, "When it began."),
    _maybe("closed_ms", BigInteger, "When it ended."),
    UniqueConstraint("tournament_id", "key", "attempt"),
    _one_of("status", "pending", "playing", "over", "void"),
    _one_of("ending", "rules", "forfeit", "cap", "stated", "void"),
    _one_of("winner", "first", "second"),
    _one_of("at_fault", "first", "second"),
    CheckConstraint("attempt >= 1 AND round >= 1", name="counted_from_1"),
    CheckConstraint("first_agent_id <> second_agent_id", name="two_agents"),
    CheckConstraint("(status IN ('over', 'void')) = (ending IS NOT NULL)", name="ended_or_not"),
)
_of_match(
    "turns",
    "An agent's turns: seed, times, and the state it left.",
    *_seat(),
    _needed("seq", Integer, "The event that closed it."),
    _needed("seed", BigInteger, "The seed of its last deliberation."),
    _needed("opened_ms", BigInteger, "When it began."),
    _needed("closed_ms", BigInteger, "When it ended."),
    _think_ms(),
    _needed("wait_ms", Float, "Waiting for models and engines beyond their work."),
    _maybe("digest", String(16), "Digest of the state it left; null when it made no move."),
    *_at_least_0("think_ms", "wait_ms"),
    key="ply",
)
_of_match(
    "moves",
    "Every ply, the opening's included.",
    *_seat(),
    _needed("move", Text, "In the game's notation; where a move is a plan, the plan as JSON."),
    _needed("source", String(7), "`opening`, `agent`, or `import` for a game read from a file."),
    _maybe("confidence", Float, "The agent's stated chance of winning, 0 to 1."),
    _maybe("fallback", String(80), "Set when the move is a declared substitute for a finished thought."),
    _one_of("source", "opening", "agent", "import"),
    CheckConstraint("confidence BETWEEN 0 AND 1", name="confidence"),
    key="ply",
)
_of_match(
    "spends",
    "What each turn spent on thinking besides time; a turn without a row spent nothing.",
    *_seat(),
    _needed("model_calls", Integer, "Calls, failed ones included."),
    _needed("nodes", Integer, "Positions a search visited."),
    *_spending(),
    *_at_least_0("model_calls", "nodes"),
    key="ply",
)
_of_match(
    "model_calls",
    "Every request to a model, and what came of it.",
    *_seat(),
    _needed("model", String(40), "The model's name."),
    _needed("kind", String(8), "`complete` (write an answer) or `score` (rate given answers)."),
    _maybe("max_tokens", Integer, "Bound on the answer."),
    _maybe("temperature", Float, "0 is greedy."),
    _maybe("top_p", Float, "Nucleus of the sampling."),
    _maybe("seed", BigInteger, "Seed of the sampling; null when greedy."),
    _text("continuations", "The texts to be scored, as JSON.", needed=False),
    _text("answer", "The text written; for scores, their numbers as JSON; null when the call failed.", needed=False),
    _maybe("finish", String(6), "`stop` or `length`: why the answer ended."),
    *_spending(),
    _think_ms(),
    _needed("wait_ms", Float, "From asking to answering, less the work."),
    _maybe("error", Text, "Why the call failed."),
    _one_of("kind", "complete", "score"),
    _one_of("finish", "stop", "length"),
)
Table(
    "call_messages",
    metadata,
    Column("match_id", Integer, primary_key=True, comment="The match."),
    Column("seq", Integer, primary_key=True, comment="The call."),
    Column("position", Integer, primary_key=True, comment="Place in the conversation, from 0."),
    _needed("role", String(9), "`system`, `user` or `assistant`."),
    _text("text", "What was said."),
    _one_of("role", "system", "user", "assistant"),
    ForeignKeyConstraint(["match_id", "seq"], ["model_calls.match_id", "model_calls.seq"]),
    comment="The messages of each request, in order.",
    sqlite_with_rowid=False,
)
_of_match(
    "consultations",
    "Every question to an engine, and its answer.",
    *_seat(),
    _needed("engine", Text, "The engine's spec, as JSON."),
    _needed("query", Text, "Bounds and seed of the question, as JSON; its position is the match's own."),
    _maybe("move", String(40), "The engine's move; null when it failed."),
    _maybe("pv", Text, "Its principal variation, separated by spaces."),
    _maybe("value", Float, "-1 (lost) to 1 (won) for the mover."),
    _maybe("score", String(80), "The engine's own words for the value."),
    _maybe("nodes", Integer, "Positions it visited."),
    _maybe("depth", Integer, "Plies it looked ahead."),
    _maybe("think_ms", Float, "Milliseconds of work."),
    _needed("wait_ms", Float, "From asking to answering, less the work."),
    _maybe("error", Text, "Why it failed."),
)
_of_match(
    "plans",
    "Plans that agents declared; a revision's new plan stands under the revision's number.",
    *_seat(),
    _needed("moves", Text, "The intended line, separated by spaces; the first is meant for now."),
    _maybe("cost", Integer, "In the game's own resource."),
    _maybe("value", Float, "The agent's estimate, -1 to 1, for itself."),
    _text("why", "Its reasons."),
    CheckConstraint("value BETWEEN -1 AND 1", name="value"),
)
_of_match(
    "revisions",
    "Declared replacements of a plan. Never inferred: an agent said so.",
    *_seat(),
    _needed("before_seq", Integer, "The plan that was replaced."),
    _needed("cause", String(10), "Why."),
    _one_of("cause", "opponent", "refused", "self_check", "search", "over_purse", "series"),
    ForeignKeyConstraint(["match_id", "before_seq"], ["plans.match_id", "plans.seq"]),
    ForeignKeyConstraint(["match_id", "seq"], ["plans.match_id", "plans.seq"], name="fk_revisions_after"),
)
_of_match(
    "submissions",
    "What each answer was where a move is a plan: by the rules, whatever came of it.",
    *_seat(),
    _needed(
        "verdict", String(12), "What the rules say of it; `over_budget` is over the purse. Of a kept plan its own."
    ),
    _maybe("cost", Integer, "By the price list; null where there is no plan, or an item has no price."),
    _needed("purse", Integer, "What it may cost."),
    _needed("kept", Boolean, "Whether the answer was to keep the plan."),
    _needed("changed", Boolean, "Whether the plan in play is another one than before."),
    _text("problems", "Everything wrong with it, a line each."),
    _one_of("verdict", "ok", "over_budget", "illegal", "schema_error", "unparseable"),
    *_at_least_0("purse"),
)
_of_match(
    "rounds",
    "Every round where a move is a plan: both plans in play, simulated after an answer. Only the plan of the seat that "
    "answered can differ from the round before.",
    *_seat(),
    _needed("label", Integer, "0 for the opening plans, then the scored rounds."),
    _maybe("winner", String(6), "`first` or `second`; null for nobody."),
    _needed(
        "decided_by", String(11), "`bad_plan`, `over_budget` (of the purse) or `simulation`: the first that applies."
    ),
    _maybe("simulated", String(6), "Who won the simulation, whatever else was decided."),
    _maybe("reason", String(80), "The rule that ended the simulation; null without one."),
    _maybe("length", Integer, "Its length: actions, attacks, or the game's clock."),
    _maybe("margin", Float, "How clearly FIRST won it, -1 to 1."),
    _text("survivors", "What was left: seat, name, health and place of each, as JSON."),
    _one_of("winner", "first", "second"),
    _one_of("simulated", "first", "second"),
    _one_of("decided_by", "bad_plan", "over_budget", "simulation"),
    CheckConstraint("margin BETWEEN -1 AND 1", name="margin"),
    *_at_least_0("label"),
)
_of_match(
    "refusals",
    "Answers that the referee turned down.",
    *_seat(),
    _needed("kind", String(9), "`malformed`, `ambiguous` or `illegal`."),
    _text("text", "What the agent said."),
    _needed("why", Text, "What was wrong, and what would be accepted."),
)
_of_match(
    "overruns",
    "Budgets that a turn passed.",
    *_seat(),
    _needed("scope", String(5), "`move`, `match` or `agent`."),
    _needed("resource", String(20), "Which resource."),
    _needed("bound", Float, "The bound."),
    _needed("used", Float, "What was used by then."),
    _one_of("scope", "move", "match", "agent"),
)
_of_match(
    "faults",
    "Failures of an agent's code or of our infrastructure.",
    *_seat(needed=False),
    _needed("place", String(6), "`agent` (its seat forfeits), `model` or `engine` (the match is void)."),
    _needed("error", Text, "Type and message."),
    _text("detail", "The traceback."),
    _one_of("place", "agent", "model", "engine"),
)
_table(
    "imports",
    "Tournaments whose games were read from a file. They were played elsewhere: no turns, no spends.",
    Column("tournament_id", Integer, ForeignKey("tournaments.id"), primary_key=True, comment="The tournament."),
    _needed("file", Text, "The file's name, without its folder."),
    _needed("sha256", String(64), "Hash of the file's bytes, in hexadecimal: a file is imported once."),
    _needed("format", String(8), "`pgn`, `sgf`, `moves` or `jsonl`."),
    _needed("encoding", String(16), "How the file's bytes were read as text."),
    _needed("n_refused", Integer, "Games of the file that could not be read and were left out."),
    UniqueConstraint("sha256"),
    *_at_least_0("n_refused"),
)
Table(
    "imported_games",
    metadata,
    Column("match_id", Integer, ForeignKey("matches.id"), primary_key=True, comment="The match."),
    _needed("number", Integer, "The game's place in the file, from 1."),
    _maybe("first", Text, "Who played FIRST, as the file writes it; null where it does not say."),
    _maybe("second", Text, "Who played SECOND."),
    _needed("stated", String(7), "The result as the file states it: `1-0`, `0-1`, `1/2-1/2` or `*`."),
    _text("headers", "What else the file says of the game: names and values, as JSON."),
    _text("comment", "What it says before the first move.", needed=False),
    _needed("n_variations", Integer, "Variations of the file that were left out."),
    _needed("n_marks", Integer, "Board marks and other properties that were left out."),
    _one_of("stated", "1-0", "0-1", "1/2-1/2", "*"),
    CheckConstraint("number >= 1", name="counted_from_1"),
    *_at_least_0("n_variations", "n_marks"),
    comment="What a file says of a game, verdicts aside: `matches` holds what the rules make of it.",
    sqlite_with_rowid=False,
)
_of_match(
    "imported_moves",
    "What a file says about each move of a game, and the state the move left by our rules.",
    *_seat(),
    _needed("digest", String(16), "Digest of the state it left."),
    _text("comment", "The comment on it.", needed=False),
    _needed("nags", Text, "Numeric annotation glyphs, separated by spaces."),
    _maybe("clock_ms", BigInteger, "Milliseconds left on the mover's clock after it."),
    _maybe("elapsed_ms", BigInteger, "Milliseconds taken for it."),
    _maybe("centipawns", Integer, "Stated evaluation after it in hundredths of a pawn, from FIRST's side."),
    _maybe("mate", Integer, "Stated moves to mate: positive when FIRST mates."),
    _maybe("depth", Integer, "Plies that the evaluation looked ahead."),
    *_at_least_0("clock_ms", "elapsed_ms"),
    CheckConstraint("centipawns IS NULL OR mate IS NULL", name="one_evaluation"),
    key="ply",
)
_table(
    "judges",
    "Engines and solvers that say afterwards how good a move was.",
    Column("id", Integer, primary_key=True, comment="Number of the judge."),
    _needed("name", String(200), "As it was asked for: kind and parameters."),
    _needed("identity", Text, "What exactly it is: versions and options, as JSON. Another version is another judge."),
    UniqueConstraint("name", "identity"),
)
Table(
    "evaluations",
    metadata,
    Column("judge_id", Integer, ForeignKey("judges.id"), primary_key=True, comment="The judge."),
    Column("game", String(80), primary_key=True, comment="The game's id."),
    Column("digest", String(16), primary_key=True, comment="Digest of the position."),
    _needed("value", Float, "-1 (lost) to 1 (won) for the side to move."),
    _needed("best", Text, "The move it would play; where a move is a plan, the plan as JSON."),
    _maybe("score", String(80), "Its own words for the value."),
    _needed("exact", Boolean, "Whether the value is proven."),
    CheckConstraint("value BETWEEN -1 AND 1", name="value"),
    comment="What judges say of positions: each is asked once.",
    sqlite_with_rowid=False,
)
Table(
    "gradings",
    metadata,
    Column("match_id", Integer, ForeignKey("matches.id"), primary_key=True, comment="The match."),
    Column("ply", Integer, primary_key=True, comment="Plies made before it, the opening's included."),
    Column("judge_id", Integer, ForeignKey("judges.id"), primary_key=True, comment="The judge."),
    Column("place", Integer, primary_key=True, comment="0 for the move that was played, then what else was meant."),
    *_seat(),
    _needed("move", Text, "In the game's notation; where a move is a plan, the plan as JSON."),
    _needed("legal", Boolean, "Whether the rules allow it there."),
    _maybe("value", Float, "-1 (lost) to 1 (won) for the mover, after it; null when it is not legal."),
    _needed("best", Text, "The judge's move."),
    _needed("best_value", Float, "-1 to 1 for the mover, after the judge's move."),
    _needed("exact", Boolean, "Whether both values are proven."),
    CheckConstraint("value BETWEEN -1 AND 1", name="value"),
    CheckConstraint("best_value BETWEEN -1 AND 1", name="best_value"),
    CheckConstraint("legal = (value IS NOT NULL)", name="legal_has_value"),
    *_at_least_0("ply", "place"),
    comment="How good the moves of a match were, played or only meant, in the position where they were considered.",
    sqlite_with_rowid=False,
)
