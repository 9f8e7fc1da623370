"""A frame of a replay as lines of plain text, safe to print: board, thought, refusals, plans and spend."""

from __future__ import annotations

import re
import textwrap
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Any, assert_never

from stratarena.agents.budget import Spend
from stratarena.agents.models.base import Completion, Scores, Scoring
from stratarena.agents.plan import Plan
from stratarena.agents.tree import SearchTree, TreeKind
from stratarena.analysis.evaluation import Standing
from stratarena.analysis.plan_text import change_lines, changes_counted, plan_changes
from stratarena.arena.events import (
    Appraised,
    Body,
    Called,
    Consulted,
    Faulted,
    MatchClosed,
    MatchOpened,
    Overran,
    Proposed,
    Refused,
    Revised,
    RoundPlayed,
    Searched,
    Submitted,
    Transcribed,
    TurnClosed,
)
from stratarena.arena.replay import Frame
from stratarena.arena.specs import Verdict
from stratarena.games.base import Game, Seat
from stratarena.games.notation.record import NotedMove
from stratarena.games.resource.series import KEEP, Series

__all__ = ["frame_text", "printable", "shortened", "spend_text", "standing_text", "verdict_text"]

_ESCAPES = re.compile(
    r"\x1b\][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # operating system commands: titles, links, clipboard
    r"|\x1b[PX^_][^\x1b\x9c]*(?:\x1b\\|\x9c)?"  # device control and other strings
    r"|(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?"  # cursor, colours
    r"|\x1b[ -/]*[0-~]?"
)
_LABEL = 9
_EVEN = 0.005
"""Less than this is shown as nothing."""
_GLYPHS = {1: "!", 2: "?", 3: "!!", 4: "??", 5: "!?", 6: "?!"}


def printable(text: str) -> str:
    """The text without anything that could act on a terminal or disguise itself; newlines stay.

    Terminal escape sequences, control characters and format characters (direction overrides, zero-width marks) are
    dropped, tabs become four spaces, every kind of line end a newline, lone surrogates `�`.
    """
    if text.isascii() and text.isprintable():
        return text
    plain = _ESCAPES.sub("", text.replace("\r\n", "\n"))
    return "".join(_shown(character) for character in plain)


def _shown(character: str) -> str:
    if character in "\n\r\v\f\x85\u2028\u2029":
        return "\n"
    if character == "\t":
        return "    "
    category = unicodedata.category(character)
    if category in ("Cc", "Cf"):
        return ""
    return "\ufffd" if category == "Cs" else character


def shortened(text: str, limit: int) -> str:
    """The text printable and on one line, line ends shown as `⏎`, cut after `limit` characters (says how many more)."""
    line = "⏎".join(part.strip() for part in printable(text).strip().split("\n"))
    line = re.sub("⏎{2,}", "⏎⏎", line)
    return line if len(line) <= limit else f"{line[:limit].rstrip()} … ({len(line) - limit} more characters)"


def frame_text(
    frame: Frame,
    game: Game[Any],
    *,
    key: str,
    names: Mapping[Seat, str],
    plies: int | None = None,
    width: int = 100,
    limit: int = 400,
) -> tuple[str, ...]:
    """The lines that show one frame of a replay: header, board, then what happened in the turn.

    Pure, and safe to print whatever strangers wrote into the record.

    Args:
        key: the match's key.
        names: the agent in each seat.
        plies: of the whole match, if it should be said.
        width: columns to wrap prose at; the board is never wrapped.
        limit: characters shown of a model's answer, a refused text or a reason.
    """
    of = "" if plies is None else f" of {plies}"
    of_plans = game if isinstance(game, Series) else None
    lines = [f"{shortened(key, limit)}  ply {frame.ply}{of}", _headline(frame, names, limit, of_plans), ""]
    lines += printable(game.render(frame.state, Seat.FIRST)).split("\n")
    details: list[str] = []
    for step in frame.steps:
        told = None if of_plans is None else _plan_lines(of_plans, frame, step, limit, width)
        details += _lines(step, limit, width) if told is None else told
    details += _closing(frame, names, limit, width)
    if details:
        lines += ["", *details]
    return tuple(lines)


def spend_text(spend: Spend, *, wait_ms: float | None = None) -> str:
    """A spend in words: only what was spent, an unknown cost as such."""
    parts = []
    if spend.model_calls:
        parts.append(f"{spend.model_calls} model call{'s' if spend.model_calls != 1 else ''}")
        parts.append(f"{spend.prompt_tokens} + {spend.completion_tokens} tokens")
    if spend.nodes:
        parts.append(f"{spend.nodes:,} nodes")
    parts.append(f"{_time(spend.think_ms)} thinking")
    if wait_ms:
        parts.append(f"{_time(wait_ms)} waiting")
    if spend.cost_usd is None:
        parts.append("cost unknown")
    elif spend.cost_usd:
        parts.append(f"${spend.cost_usd:.4f}")
    return ", ".join(parts)


def standing_text(standing: Standing, change: float | None, names: Mapping[Seat, str], judge: str | None) -> str:
    """How the match stands after a frame, from FIRST's side, by whom, and by how much the frame changed it."""
    value = standing.value
    ahead = "even" if abs(value) < _EVEN else f"{_name(names, Seat.FIRST if value > 0 else Seat.SECOND)} ahead"
    by = {"judge": judge or "a judge", "rules": "the rules", "file": "the file", "round": "the margin of the round"}
    facts = [*([printable(standing.words)] if standing.words else [])]
    facts += [f"best {shortened(standing.best, 40)}"] if standing.best is not None else []
    facts += ["proven"] if standing.exact and standing.source == "judge" else []
    told = f"stands    {value:+.2f}: {ahead}, by {printable(by[standing.source])}"
    told += f" ({', '.join(facts)})" if facts else ""
    return told + (f"; {change:+.2f} by this ply" if change is not None and abs(change) >= _EVEN else "")


def verdict_text(verdict: Verdict, names: Mapping[Seat, str]) -> str:
    """How a match ended, in words, with the agents' names."""
    reason = printable(verdict.reason).replace("_", " ")
    if verdict.ending.value == "void":
        return f"void: {reason}; counts for nobody"
    if verdict.at_fault is not None:
        seat = verdict.at_fault
        if verdict.reason == "resigned":
            return f"{_name(names, seat.other)} wins by resignation"
        return f"{_name(names, seat.other)} wins: {_name(names, seat)} forfeits ({reason})"
    if verdict.winner is None:
        return f"draw: {reason}"
    return f"{_name(names, verdict.winner)} wins: {reason}"


def _headline(frame: Frame, names: Mapping[Seat, str], limit: int, of_plans: Series | None) -> str:
    if frame.seat is None:
        if frame.move is not None:
            return f"opening: {shortened(frame.move, limit)}"
        return f"{_name(names, Seat.FIRST)} (first) against {_name(names, Seat.SECOND)} (second)"
    who = f"{_name(names, frame.seat)} ({frame.seat.value})"
    if frame.move is None:
        return f"{who} makes no move"
    if of_plans is not None:
        return f"{who} {'keeps its plan' if frame.move == KEEP else 'answers with a plan'}"
    return f"{who} plays {shortened(frame.move, limit)}"


def _plan_lines(series: Series, frame: Frame, body: Body, limit: int, width: int) -> list[str] | None:
    """A declared plan by its entries, a revision as the difference of the two; None for any other fact."""
    if frame.seat is None or not isinstance(body, Proposed | Revised):
        return None
    before, plan, why = (
        ((), body.plan, "") if isinstance(body, Proposed) else (body.before.moves, body.after, body.cause.value)
    )
    changes = plan_changes(series, frame.state, frame.seat, before, plan.moves)
    facts = [changes_counted(changes) if why else _count(len(changes), "entry").replace("entrys", "entries")]
    facts += [f"value {plan.value:+.2f}"] if plan.value is not None else []
    facts += [f"costs {plan.cost}"] if plan.cost is not None else []
    facts += [shortened(plan.why, limit)] if plan.why else []
    facts += [f"because: {why}"] if why else []
    indent = " " * (_LABEL + 1)
    # Items are named by the rules, but a plan that breaks them may name anything.
    entries = [indent + shortened(line, limit) for line in change_lines(changes)]
    return [*_labelled("revised" if why else "plan", "; ".join(facts), width), *entries]


def _lines(body: Body, limit: int, width: int) -> Iterator[str]:
    """What one fact looks like; nothing for facts that the headline tells."""
    match body:
        case MatchOpened() | TurnClosed() | MatchClosed():
            # The headline and the closing lines tell these.
            return
        case Transcribed(noted):
            yield from _notes(noted, limit, width)
        case Called():
            yield from _labelled("asked", _call(body), width)
            if isinstance(body.answer, Completion):
                cut = " [cut off]" if body.answer.finish.value == "length" else ""
                yield from _labelled("answer", f"“{shortened(body.answer.text, limit)}”{cut}", width)
            elif isinstance(body.answer, Scores) and isinstance(body.request, Scoring):
                yield from _labelled("likeliest", _likeliest(body.request, body.answer), width)
            else:
                yield from _labelled("failed", shortened(body.error or "no answer", limit), width)
        case Consulted(engine=engine, line=line, error=error):
            if line is None:
                yield from _labelled("failed", f"{engine.kind}: {shortened(error or 'no answer', limit)}", width)
                return
            facts = [f"{engine.kind}: {line.move}", *([printable(line.score)] if line.score else [])]
            facts += [f"{name} {value:,}" for name, value in (("nodes", line.nodes), ("depth", line.depth)) if value]
            facts += [f"line {shortened(' '.join(line.pv), limit)}"] if line.pv else []
            yield from _labelled("engine", ", ".join(facts), width)
        case Appraised(engine=engine, n_positions=n_positions, error=error):
            asked = f"{engine.kind}, {_count(n_positions, 'position')}, {_time(body.think_ms)}"
            yield from _labelled("appraised", asked, width)
            if error is not None:
                yield from _labelled("failed", f"{engine.kind}: {shortened(error, limit)}", width)
        case Proposed(plan):
            yield from _labelled("plan", _plan(plan, limit), width)
        case Revised(before, after, cause):
            revision = f"{' '.join(before.moves) or 'nothing'} → {_plan(after, limit)} (because: {cause.value})"
            yield from _labelled("revised", printable(revision), width)
        case Searched(tree=tree, spend=spend):
            yield from _labelled("searched", f"{_searched(tree, limit)}; {spend_text(spend)}", width)
            if tree.line:
                yield from _labelled("line", shortened(" ".join(tree.line), limit), width)
            candidates = _candidates(tree)
            if candidates:
                yield from _labelled("tried", shortened(candidates, limit), width)
            claims = _claims(tree)
            if claims:
                yield from _labelled("claims", claims, width)
        case Submitted():
            yield from _labelled("plan is", _submitted(body, limit), width)
        case RoundPlayed():
            yield from _labelled("round", _round(body), width)
        case Refused(refusal):
            said = f"{refusal.kind}: “{shortened(refusal.text, limit)}”: {shortened(refusal.why, limit)}"
            yield from _labelled("refused", said, width)
        case Overran(scope, overrun):
            limits = f"{overrun.used:g} {overrun.resource} of {overrun.limit:g} allowed for the {scope}"
            yield from _labelled("overran", limits, width)
        case Faulted(where, error):
            yield from _labelled("fault", f"{where}: {shortened(error, limit)}", width)
        case _:
            assert_never(body)


def _searched(tree: SearchTree, limit: int) -> str:
    """How much was searched, and what the search made of the root."""
    before, after = ("unknown" if value is None else f"{value:+.2f}" for value in (tree.value_before, tree.value_after))
    changed = ""
    if tree.first_move is not None and tree.line:
        same = tree.first_move == tree.line[0]
        changed = f", still {tree.first_move}" if same else f", {tree.first_move} → {tree.line[0]}"
    ended = "" if tree.ended == "simulations" else f", ended by {tree.ended}"
    return shortened(
        f"{tree.method} ({tree.kind.value}), {_count(tree.simulations, 'simulation')}, {_count(tree.n_nodes, 'position')}, "
        f"depth {tree.depth}, value {before} → {after}{changed}{ended}",
        limit,
    )


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def _candidates(tree: SearchTree) -> str:
    """The moves that were tried at the root, the most visited first."""
    tried = sorted((node for node in tree.nodes if node.depth == 1 and node.visits), key=lambda node: -node.visits)
    return ", ".join(
        f"{node.move} {node.visits}×" + ("" if node.value is None else f" {node.value:+.2f}") + "!" * node.proven
        for node in tried
    )


def _claims(tree: SearchTree) -> str:
    """How much of what a model said of the tree is right by the rules; empty for a tree by the rules."""
    if tree.kind is TreeKind.EXTERNAL:
        return ""
    checks = [node.check for node in tree.nodes if node.check is not None]
    legal = [check.legal for check in checks if check.legal is not None]
    states = [check.state_right for check in checks if check.state_right is not None]
    said = [f"{sum(legal)} of {len(legal)} moves legal", f"{sum(states)} of {len(states)} positions right"]
    problems = sum(node.problem is not None for node in tree.nodes)
    return ", ".join([*said, *([_count(problems, "problem")] if problems else [])])


def _submitted(body: Submitted, limit: int) -> str:
    """What an answer was by the rules."""
    cost = "no cost" if body.cost is None else f"cost {body.cost} of {body.purse}"
    how = "kept" if body.kept else "changed" if body.changed else "the same as before"
    problems = f": {shortened(body.problems, limit)}" if body.problems else ""
    return printable(f"{body.verdict.replace('_', ' ')}, {cost}, {how}{problems}")


def _round(body: RoundPlayed) -> str:
    """Who won a round, and how."""
    name = "opening" if body.label == 0 else str(body.label)
    won = "nobody wins" if body.winner is None else f"the {body.winner.value} seat wins"
    how = f" (decided by {body.decided_by.replace('_', ' ')})" if body.decided_by != "simulation" else ""
    simulated = ""
    if body.reason is not None and body.length is not None and body.margin is not None:
        left = ", ".join(f"{unit} {health:g}" for _, unit, health, _ in body.survivors) or "nobody"
        simulated = f"; {body.reason.replace('_', ' ')} after {body.length}, margin {body.margin:+.2f}, left: {left}"
    return printable(f"{name}: {won}{how}{simulated}")


def _notes(noted: NotedMove, limit: int, width: int) -> Iterator[str]:
    """What a file says about a move."""
    if noted.nags:
        yield from _labelled("glyphs", " ".join(_GLYPHS.get(nag, f"${nag}") for nag in noted.nags), width)
    if noted.evaluation is not None:
        value = noted.evaluation
        depth = "" if value.depth is None else f", depth {value.depth}"
        words = f"mate {value.mate}" if value.centipawns is None else f"{value.centipawns / 100:+.2f}"
        yield from _labelled("eval", f"{words} for the first seat{depth}", width)
    if noted.elapsed_ms is not None:
        yield from _labelled("took", _time(noted.elapsed_ms), width)
    if noted.clock_ms is not None:
        yield from _labelled("clock", f"{_time(noted.clock_ms)} left", width)
    if noted.comment:
        yield from _labelled("comment", f"“{shortened(noted.comment, limit)}”", width)


def _closing(frame: Frame, names: Mapping[Seat, str], limit: int, width: int) -> Iterator[str]:
    """What the turn came to, and how the match ended if it did."""
    turn = frame.turn
    if turn is not None:
        if turn.confidence is not None:
            yield from _labelled("believes", f"{turn.confidence:.0%} to win", width)
        if turn.fallback is not None:
            yield from _labelled("fallback", shortened(turn.fallback, limit), width)
        yield from _labelled("spent", spend_text(turn.spend, wait_ms=turn.wait_ms), width)
    digest = frame.digest if turn is None else turn.digest
    if frame.checked and digest is not None:
        yield from _labelled("state", f"{printable(digest)}, as recorded", width)
    if frame.verdict is not None:
        yield from _labelled("result", f"{verdict_text(frame.verdict, names)} (ply {frame.ply})", width)


def _labelled(label: str, text: str, width: int) -> list[str]:
    """The text wrapped beside its label."""
    return textwrap.wrap(
        text,
        width=max(width, 3 * _LABEL),
        initial_indent=f"{label:<{_LABEL}} ",
        subsequent_indent=" " * (_LABEL + 1),
        break_on_hyphens=False,
    ) or [label]


def _call(call: Called) -> str:
    what = "to score" if isinstance(call.request, Scoring) else "to write"
    name = shortened(call.model, 80)
    if call.answer is None:
        return f"{name} {what}"
    return f"{name} {what}: {spend_text(call.answer.spend, wait_ms=call.wait_ms)}"


def _likeliest(request: Scoring, scores: Scores) -> str:
    """The five best-scored continuations by log-probability per token."""
    rows = sorted(
        (-logprob / max(n, 1), index, logprob)
        for index, (logprob, n) in enumerate(zip(scores.logprobs, scores.n_tokens, strict=True))
    )
    shown = [f"{shortened(request.continuations[index], 20)} {-per:.2f}" for per, index, _ in rows[:5]]
    more = f" and {len(rows) - 5} more" if len(rows) > 5 else ""
    return f"{', '.join(shown)}{more} (ln p per token)"


def _plan(plan: Plan, limit: int) -> str:
    parts = [shortened(" ".join(plan.moves), limit) or "no moves"]
    if plan.value is not None:
        parts.append(f"value {plan.value:+.2f}")
    if plan.cost is not None:
        parts.append(f"cost {plan.cost}")
    if plan.why:
        parts.append(shortened(plan.why, limit))
    return "; ".join(parts)


def _time(ms: float) -> str:
    return f"{ms / 1000:.1f} s" if ms >= 1000 else f"{ms:.1f} ms" if ms < 10 else f"{ms:.0f} ms"


def _name(names: Mapping[Seat, str], seat: Seat) -> str:
    return shortened(names[seat], 60)
