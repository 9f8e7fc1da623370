"""How the best move changed while a trace was written: the first favourite, and what every look at a move made of it."""

from __future__ import annotations

from dataclasses import dataclass

from stratarena.agents.linearized.searcher import BEST
from stratarena.agents.linearized.trace import Trace

__all__ = ["Favourite", "favourites", "line_of_picks"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Favourite:
    """What the trace held to be best at one point of its writing."""

    line: tuple[str, ...]
    """The move, the reply expected to it, and so on, as far as the trace says; never empty."""
    value: int | None
    """Per cent, for the side that is to move at the root; None where the trace says none."""
    why: str
    """The evidence, in a sentence."""
    searched: bool
    """Whether what was searched speaks for it; a final choice that does not follow from the tree is no one's finding."""


def favourites(trace: Trace) -> tuple[Favourite, ...]:
    """One after another in the order of the text; empty where the root lists no move.

    The first is the best of the root's first values, with the line of first values below it. Then there is one for every
    move of the root that has been searched, changed or not: the best of the moves, each by its value carried up where it
    has been, else by its first value; of equals the favourite before stays. Last the root's own pick and the final choice,
    where they say something else.
    """
    if not trace.nodes or not trace.nodes[0].moves:
        return ()
    root = trace.nodes[0]
    worth: dict[str, int] = {}
    for move, value in root.moves:
        worth.setdefault(move, value)
    best = max(worth, key=lambda move: worth[move])
    found = [
        Favourite(
            line=_line_of_first_values(trace, best),
            value=worth[best],
            why=f"first values: {_told(worth)}",
            searched=True,
        )
    ]
    for child in trace.children[0]:
        node = trace.nodes[child]
        if node.backup is None or node.move is None:
            continue
        move, before = node.move, worth.get(node.move)
        worth[move] = BEST - node.backup.value
        highest = max(worth.values())
        if worth[best] < highest:
            best = next(each for each, value in worth.items() if value == highest)
        found.append(
            Favourite(
                line=line_of_picks(trace, best),
                value=worth[best],
                why=f"{move} searched: {worth[move]}" + ("" if before is None else f", first {before}"),
                searched=True,
            )
        )
    backup = root.backup
    if backup is not None and backup.pick is not None and backup.pick != best:
        best = backup.pick
        why = f"the root picks {best} at {backup.value}; values carried up: {_told(worth)}"
        found.append(Favourite(line=line_of_picks(trace, best), value=backup.value, why=why, searched=True))
    if trace.play is not None and trace.play != best:
        why = f"plays {trace.play}, which does not follow from the tree"
        found.append(
            Favourite(line=line_of_picks(trace, trace.play), value=worth.get(trace.play), why=why, searched=False)
        )
    return tuple(found)


def line_of_picks(trace: Trace, move: str) -> tuple[str, ...]:
    """A move of the root and what the nodes behind it picked, one after another."""
    line, at = [move], _child(trace, 0, move)
    while at is not None:
        backup = trace.nodes[at].backup
        if backup is None or backup.pick is None:
            break
        line.append(backup.pick)
        at = _child(trace, at, backup.pick)
    return tuple(line)


def _line_of_first_values(trace: Trace, move: str) -> tuple[str, ...]:
    line, at = [move], _child(trace, 0, move)
    while at is not None and trace.nodes[at].moves:
        reply = max(trace.nodes[at].moves, key=lambda each: each.value).move
        line.append(reply)
        at = _child(trace, at, reply)
    return tuple(line)


def _child(trace: Trace, number: int, move: str) -> int | None:
    return next((child for child in trace.children[number] if trace.nodes[child].move == move), None)


def _told(worth: dict[str, int]) -> str:
    return ", ".join(f"{move} {value}" for move, value in worth.items())
