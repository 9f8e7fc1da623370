"""Model players that spend calls on more than one thought without a Monte Carlo search: a tree of thought, and a vote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Annotated, Any, Literal

from pydantic import Field

from stratarena.agents.anytime import Allowance
from stratarena.agents.base import AgentSpec, Decision, Deliberation, Reply, Step, View, ask, explored, propose, revise
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.external_mcts import LlmMcts, LlmParams, Thought
from stratarena.agents.lines import declare_line
from stratarena.agents.models.base import Request, Sampling
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.planning import needs_plans
from stratarena.agents.prompts import move_messages
from stratarena.agents.reading import Reader, read_move
from stratarena.agents.search_minimax import kept, minimax, widen
from stratarena.agents.tree import SearchTree, TreeKind, TreeNode
from stratarena.games.base import Move, MoveError

__all__ = ["BestOfN", "TreeOfThought"]


class TreeOfThoughtParams(LlmParams):
    """Parameters of `tree_of_thought`."""

    depth: Annotated[int, Field(ge=0, le=6)] = Field(2, description="plies looked ahead")
    breadth: Annotated[int, Field(ge=1, le=64)] = Field(3, description="moves followed from each position")
    beam: Annotated[int, Field(ge=1)] | None = Field(
        None, description="positions kept of each level; all where it is left out"
    )
    leaves: Literal["own", "both"] = Field(
        "own",
        description="what a leaf is worth: its own evaluation, or the mean of it and its parent's of the move there",
    )


class TreeOfThought(LlmMcts):
    """The evaluator's best moves, their positions evaluated in one batch a level, values brought up by minimax."""

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(TreeOfThoughtParams, spec.params, where=f"agent {spec.name!r}")
        super().__init__(spec, params)
        self._shape = params

    @property
    def _method(self) -> str:
        return "minimax" if self._shape.beam is None else "beam"

    def _simulate(self, thought: Thought) -> Generator[Step, Reply, str]:
        """Widen level by level; what ended it."""
        search, both = thought.search, self._shape.leaves == "both"
        frontier = [search.root]
        for _ in range(self._shape.depth):
            leaves = [leaf for node in frontier for leaf in widen(search, node, self._shape.breadth)]
            minimax(search.root, both=both)
            if leaves:
                room = yield from thought.allowance.room(len(leaves))
                if room < len(leaves):
                    return thought.allowance.short_of or "budget"
                yield from self._supply(thought, leaves)
                minimax(search.root, both=both)
            yield from self._declare(thought)
            frontier = kept([leaf.node for leaf in leaves], self._shape.beam)
            if not frontier:
                return "proven"
        return "simulations"


class BestOfNParams(Params):
    """Parameters of `best_of_n`."""

    model: str = Field(description="a model of the tournament file")
    n: Annotated[int, Field(ge=1, le=256)] = Field(5, description="answers that are drawn")
    temperature: Annotated[float, Field(gt=0, le=5)] = Field(0.7, description="of the draws")
    top_p: Annotated[float, Field(gt=0, le=1)] = Field(1.0, description="nucleus of the sampling")
    max_tokens: Annotated[int, Field(ge=1)] = Field(16, description="bound on one answer")
    list_legal_moves: bool = Field(True, description="whether the prompt lists them")
    history: Annotated[int, Field(ge=0)] = Field(10, description="plies of the past that the prompt shows")
    reasoning: bool = Field(False, description="whether the prompt invites thoughts before the move")
    reader: Reader = Field("strict", description="how an answer is read: strict or tolerant")


class BestOfN:
    """Draws several answers to one question and plays the move that most of them name (self-consistency, 2203.11171).

    Of equally named moves the one that came up first. Answers that cannot be read are no votes; if none can, the last of
    them is refused. The vote is recorded as a search of depth 1 whose visits are votes, the first answer as its first move.
    """

    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec) -> None:
        self.spec = spec
        self._params = checked_params(BestOfNParams, spec.params, where=f"agent {spec.name!r}")
        self.models = (self._params.model,)

    def plays(self, game: str) -> str | None:
        """Games in which a move is not a whole plan."""
        return f"votes are counted by move, and a move of {game} is a whole plan" if needs_plans(game) else None

    def deliberate(self, view: View[Any]) -> Deliberation:
        """All answers are drawn in one batch, as many as the budget has calls for; without any, as the searches do."""
        params = self._params
        allowance = Allowance(view.remaining, calls=1)
        yield from allowance.begin()
        n = yield from allowance.room(params.n)
        if not n:
            moves = view.game.legal_moves(view.state)
            return Decision(moves[view.seed % len(moves)], fallback="a budget ended before any thought")
        messages = move_messages(
            view, list_legal_moves=params.list_legal_moves, history=params.history, reasoning=params.reasoning
        )
        requests = [
            Request(
                messages=messages,
                sampling=Sampling(
                    max_tokens=params.max_tokens,
                    temperature=params.temperature,
                    top_p=params.top_p,
                    seed=(view.seed + number) % 2**63,
                ),
            )
            for number in range(n)
        ]
        answers = yield from ask(params.model, *requests)
        named: list[Move] = []
        unread: MoveError | None = None
        for answer in answers:
            try:
                named.append(
                    read_move(
                        view.game,
                        view.state,
                        answer.text,
                        reader=params.reader,
                        finish=answer.finish,
                    )
                )
            except MoveError as error:
                unread = error
        if not named:
            assert unread is not None
            raise unread
        votes = Counter(named)
        chosen = votes.most_common(1)[0][0]
        yield from declare_line(view, Plan(moves=(named[0],), why="first of the answers"), changed_by=Cause.SEARCH)
        plan = Plan(moves=(chosen,), why=f"{votes[chosen]} of {len(named)} readable answers, {len(answers)} in all")
        if chosen == named[0]:
            yield from propose(plan)
        else:
            yield from revise(plan, Cause.SEARCH)
        ended = allowance.short_of if n < params.n and allowance.short_of else "simulations"
        yield from explored(_vote(votes, named[0], chosen, ended))
        return Decision(chosen)


def _vote(votes: Counter[Move], first: Move, chosen: Move, ended: str) -> SearchTree:
    total = sum(votes.values())
    return SearchTree(
        kind=TreeKind.EXTERNAL,
        method="vote",
        simulations=total,
        n_nodes=1 + len(votes),
        depth=1,
        first_move=first,
        line=(chosen,),
        ended=ended,
        nodes=(
            TreeNode(parent=None, move=None, depth=0, visits=total),
            *(TreeNode(parent=0, move=move, depth=1, visits=n, prior=n / total) for move, n in votes.most_common()),
        ),
        whole=True,
    )
