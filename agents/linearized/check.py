"""A trace against the rules: what of it is true, node by node, and whether its choice follows from it.

Local questions ask about one step: is the move legal in the position that the parent claims, is the claimed position the
one that it leads to from there. Global ones ask about the whole way: is every move from the root legal, is the claimed
position the one that really arises. A slip that is carried on correctly is wrong globally all the way down, but locally
only where it was made; faults are local, so that each is counted once, where it is.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from stratarena.agents.linearized.notation import read_state, result_name
from stratarena.agents.linearized.searcher import BEST, EVEN, WORST
from stratarena.agents.linearized.trace import DRAW, MoveValue, Trace, TraceNode
from stratarena.games.base import Game, Move, MoveError, PositionError

__all__ = ["Asked", "Fault", "NodeCheck", "TraceCheck", "check_trace"]


class Fault(Enum):
    """What can be wrong with a node, or with the whole trace."""

    UNLISTED_MOVE = "unlisted_move"
    """It is expanded by a move that its parent did not list."""
    ILLEGAL_MOVE = "illegal_move"
    """Its move is not legal in the position that its parent claims."""
    UNREADABLE_STATE = "unreadable_state"
    """Its position is none of this game."""
    WRONG_STATE = "wrong_state"
    """Its position is not the one that its move leads to from the parent's; at the root, not the one that was given."""
    WRONG_END = "wrong_end"
    """It says that the game is over, or how, or that it goes on, against the rules."""
    ILLEGAL_LISTING = "illegal_listing"
    """It lists a move that is not legal in its own position, or one twice."""
    CARRIED_WRONG = "carried_wrong"
    """A value carried up is not 100 less the child's, or the carried moves are not the children's."""
    WRONG_VALUE = "wrong_value"
    """Its value is not the best of those it has to choose from, or not the result where the game is over."""
    WRONG_PICK = "wrong_pick"
    """Its pick is not a move of the best value; or it picks one where the game is over, or none where it is not."""
    TOO_FEW_CHILDREN = "too_few_children"
    """Fewer moves are expanded than were asked for and are legal."""
    TOO_MANY_CHILDREN = "too_many_children"
    """More moves are expanded than were asked for, or any at the depth that was asked for or past the end of the game."""
    NOT_LEFT = "not_left"
    """The text ends or goes on elsewhere before the node is left."""
    WRONG_HEADER = "wrong_header"
    """Of the trace: it names another game, depth or breadth than were asked for."""
    NO_CHOICE = "no_choice"
    """Of the trace: it ends without a final choice."""
    ILLEGAL_CHOICE = "illegal_choice"
    """Of the trace: its final choice is not legal."""
    UNFAITHFUL_CHOICE = "unfaithful_choice"
    """Of the trace: its final choice is not the root's pick."""


class Asked(NamedTuple):
    """What the search was to look like."""

    game: str
    depth: int
    breadth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCheck:
    """What the rules say of one node. None stands for a question that does not arise."""

    depth: int
    faults: tuple[Fault, ...]
    legal_local: bool | None
    """None at the root, and where the parent's position is unreadable."""
    legal_global: bool | None
    """None at the root."""
    state_local: bool | None
    """At the root whether it is the position given; None where the move is not legal in the parent's position."""
    state_global: bool | None
    """At the root the same; None where the way from the root is not legal."""
    end_right: bool | None
    """By its own position; None where that is unreadable."""
    listed: int
    """Moves that it lists."""
    listed_legal: int | None
    """Those of them that are legal in its true position, each once; None where there is no such position."""
    legal: int | None
    """Moves that are legal in its true position."""
    backup_right: bool | None
    """Value, pick and carried values all follow from what is written below; None where it was not left."""
    value_off: int | None
    """Points between its value and the one that follows; None where none was written or none follows."""

    @property
    def valid(self) -> bool:
        """Whether the node is there in truth: the way to it is legal and its position right."""
        return self.legal_global is not False and self.state_global is True


@dataclass(frozen=True, slots=True, kw_only=True)
class TraceCheck:
    """What the rules say of a trace."""

    nodes: tuple[NodeCheck, ...]
    faults: tuple[Fault, ...]
    """Of the trace as a whole."""
    size_right: bool
    """It has the depth and breadth that were asked for, as far as there are legal moves."""
    choice_legal: bool | None
    """None without a final choice."""
    choice_faithful: bool | None
    """Whether the final choice is the root's pick; None where there is no choice, or no pick."""

    @property
    def n_valid(self) -> int:
        """Nodes that are there in truth."""
        return sum(node.valid for node in self.nodes)

    @property
    def faultless(self) -> bool:
        """Nothing is wrong with it."""
        return not self.faults and not any(node.faults for node in self.nodes)


class _Seen(NamedTuple):
    """The positions that a node stands for."""

    claimed: Any
    """What it says; None where that is unreadable."""
    true: Any
    """What really arises; None where the way is not legal."""
    first_to_move: bool


def check_trace(game: Game[Any], state: Any, trace: Trace, *, asked: Asked) -> TraceCheck:
    """Replay a trace from the position that it was asked about. Uses `game` as it is given: hand over plain rules."""
    checker = _Checker(game, trace, asked)
    for number in range(len(trace.nodes)):
        checker.look_at(number, state)
    faults = []
    if (trace.game, trace.depth, trace.breadth) != asked:
        faults.append(Fault.WRONG_HEADER)
    legal = faithful = None
    if trace.play is None:
        faults.append(Fault.NO_CHOICE)
    else:
        legal = _names_a_move(game, state, trace.play)
        if not legal:
            faults.append(Fault.ILLEGAL_CHOICE)
        root = trace.nodes[0].backup if trace.nodes else None
        if root is not None and root.pick is not None:
            faithful = trace.play == root.pick
            if not faithful:
                faults.append(Fault.UNFAITHFUL_CHOICE)
    shape = {Fault.TOO_FEW_CHILDREN, Fault.TOO_MANY_CHILDREN, Fault.NOT_LEFT}
    return TraceCheck(
        nodes=tuple(checker.checks),
        faults=tuple(faults),
        size_right=bool(trace.nodes) and not any(shape.intersection(node.faults) for node in checker.checks),
        choice_legal=legal,
        choice_faithful=faithful,
    )


class _Checker:
    """Nodes looked at one after another, parents first."""

    def __init__(self, game: Game[Any], trace: Trace, asked: Asked) -> None:
        self.checks: list[NodeCheck] = []
        self._game = game
        self._trace = trace
        self._asked = asked
        self._seen: list[_Seen] = []

    def look_at(self, number: int, root_state: Any) -> None:
        """Check a node; its parent has been."""
        game, trace = self._game, self._trace
        node = trace.nodes[number]
        faults: list[Fault] = []
        depth = len(trace.paths[number])
        legal_local = legal_global = state_local = None
        claimed = self._read(node.state)
        if claimed is None:
            faults.append(Fault.UNREADABLE_STATE)
        if node.parent is None or node.move is None:
            true = root_state
            first = game.to_move(root_state).value == "first"
            state_local = self._same(claimed, true)
            if claimed is not None and not state_local:
                faults.append(Fault.WRONG_STATE)
        else:
            above = self._seen[node.parent]
            first = not above.first_to_move
            if node.move not in {move for move, _ in trace.nodes[node.parent].moves}:
                faults.append(Fault.UNLISTED_MOVE)
            after = self._play(above.claimed, node.move)
            if above.claimed is not None:
                legal_local = after is not None
                if not legal_local:
                    faults.append(Fault.ILLEGAL_MOVE)
                else:
                    state_local = self._same(claimed, after)
                    if claimed is not None and not state_local:
                        faults.append(Fault.WRONG_STATE)
            true = self._play(above.true, node.move)
            legal_global = true is not None
        self._seen.append(_Seen(claimed, true, first))
        end_right = None
        state_global = None if true is None else self._same(claimed, true)
        if claimed is not None:
            # Repetition is in the history, which only the true position has.
            end_right = node.end == result_name(game, true if state_global else claimed)
            if not end_right:
                faults.append(Fault.WRONG_END)
            moves = [move for move, _ in node.moves]
            # What is listed where the game is over is the fault of not having said so.
            if end_right and (len(set(moves)) < len(moves) or not set(moves) <= set(game.legal_moves(claimed))):
                faults.append(Fault.ILLEGAL_LISTING)
        legal_moves = None if true is None else set(game.legal_moves(true))
        faults += self._shape(number, depth, claimed if claimed is not None else true)
        backup_right, value_off, wrong = self._backed_up(number, first)
        faults += wrong
        self.checks.append(
            NodeCheck(
                depth=depth,
                faults=tuple(faults),
                legal_local=legal_local,
                legal_global=legal_global,
                state_local=state_local,
                state_global=state_global,
                end_right=end_right,
                listed=len(node.moves),
                listed_legal=None if legal_moves is None else len({move for move, _ in node.moves} & legal_moves),
                legal=None if legal_moves is None else len(legal_moves),
                backup_right=backup_right,
                value_off=value_off,
            )
        )

    def _shape(self, number: int, depth: int, state: Any) -> list[Fault]:
        """Whether as many moves are expanded as were asked for."""
        node, n = self._trace.nodes[number], len(self._trace.children[number])
        faults = [] if node.backup is not None else [Fault.NOT_LEFT]
        wanted = self._asked.breadth
        if depth >= self._asked.depth or node.end is not None:
            wanted = 0
        elif state is not None:
            wanted = min(wanted, len(self._game.legal_moves(state)))
        if n > wanted:
            faults.append(Fault.TOO_MANY_CHILDREN)
        elif n < wanted:
            faults.append(Fault.TOO_FEW_CHILDREN)
        return faults

    def _backed_up(self, number: int, first_to_move: bool) -> tuple[bool | None, int | None, list[Fault]]:
        """Whether what is said on leaving follows from what was written before; how far the value is off; the faults."""
        trace, node = self._trace, self._trace.nodes[number]
        if node.backup is None:
            return None, None, []
        backup, faults = node.backup, []
        children = [trace.nodes[child] for child in trace.children[number]]
        if not _carried_right(backup.moves, children):
            faults.append(Fault.CARRIED_WRONG)
        off: int | None
        if node.end is not None:
            off = abs(backup.value - self._result(node.end, first_to_move))
            if backup.pick is not None:
                faults.append(Fault.WRONG_PICK)
        else:
            # What is carried is what there is to choose from; where nothing was expanded, what was listed.
            choice = backup.moves or node.moves
            best = max(value for _, value in choice)
            off = abs(backup.value - best)
            if backup.pick not in {move for move, value in choice if value == best}:
                faults.append(Fault.WRONG_PICK)
        if off:
            faults.append(Fault.WRONG_VALUE)
        return not faults, off, faults

    def _result(self, end: str, first_to_move: bool) -> int:
        """What a finished game is worth to the side whose turn it would be."""
        if end == DRAW:
            return EVEN
        return BEST if (end == self._game.traits.seat_names[0]) == first_to_move else WORST

    def _read(self, text: str) -> Any:
        try:
            return read_state(self._game, text)
        except PositionError:
            return None

    def _play(self, state: Any, move: str) -> Any:
        if state is None:
            return None
        try:
            return self._game.play(state, Move(move))
        except MoveError:
            return None

    def _same(self, claimed: Any, state: Any) -> bool:
        return claimed is not None and self._game.encode(claimed) == self._game.encode(state)


def _names_a_move(game: Game[Any], state: Any, text: str) -> bool:
    """Whether the text is a legal move, in any spelling that the game takes."""
    try:
        game.parse(state, text)
    except MoveError:
        return False
    return True


def _carried_right(carried: tuple[MoveValue, ...], children: list[TraceNode]) -> bool:
    """Whether exactly the children's moves are carried, each with 100 less its value."""
    if any(child.backup is None for child in children):
        return False
    expected = {child.move: BEST - child.backup.value for child in children if child.backup is not None}
    return len(carried) == len(expected) and dict(carried) == expected
