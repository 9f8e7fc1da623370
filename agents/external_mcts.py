"""Agents that search a tree outside the model: one deliberation for all, an evaluator and a world for each.

After Schultz et al., *Mastering Board Games by External and Internal Planning with Language Models* (2412.12119), section on
external search. What a search holds best is declared as the turn's plan, first before any simulation, then after 1, 2, 4, 8, …
simulations and at the end: a proposal where it was kept, a revision with cause SEARCH where the root's best move changed.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from stratarena.agents.anytime import Allowance
from stratarena.agents.base import AgentSpec, Decision, Deliberation, Reply, Step, View, explored, propose, revise
from stratarena.agents.baselines import safe_moves, wins_at_once
from stratarena.agents.budget import Budget, BudgetExhausted
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.evaluators import (
    Answers,
    Buckets,
    Evaluator,
    Likelihoods,
    NoisyOracle,
    Percent,
    PriorShape,
    Rollouts,
    Spot,
)
from stratarena.agents.imagination import Imagination, Imagined
from stratarena.agents.lines import declare_line
from stratarena.agents.params import Params, checked_params
from stratarena.agents.plan import Cause, Plan
from stratarena.agents.planning import needs_plans
from stratarena.agents.search import RootChoice, Search, best_mean, most_visits, secure
from stratarena.agents.search_record import signed, tree_of
from stratarena.agents.search_tree import DRAW, ByRules, Evaluation, Leaf, Opened, Settings, World
from stratarena.agents.templates import Notation
from stratarena.agents.tree import TreeKind
from stratarena.games.base import Game, Move, Seat

__all__ = ["LlmMcts", "LlmParams", "OracleMcts", "RolloutMcts", "SearchParams", "Thought", "TreeSearcher"]

Count = Annotated[int, Field(ge=1)]
_CHOICES: dict[str, RootChoice] = {"visits": most_visits, "mean": best_mean, "secure": secure}
_FIRST_LOOK_WITHOUT_OPINION = 16


class SearchParams(Params):
    """What every tree searcher takes."""

    simulations: Annotated[int, Field(ge=0)] = Field(64, description="simulations a move; 0 plays the first opinion")
    selection: Literal["puct", "uct"] = Field("puct", description="how a simulation chooses its way")
    c: Annotated[float, Field(ge=0)] = Field(0.75, description="weight of exploration, on values from 0 to 1")
    first_play: Annotated[float, Field(ge=0, le=1)] | Literal["own"] = Field(
        0.5, description="what an untried move counts as, 0 to 1, or own: the evaluation's estimate of it"
    )
    choice: Literal["visits", "mean", "secure"] = Field("visits", description="how the move is chosen in the end")
    solve: bool = Field(True, description="whether proven wins and losses are backed up as such")
    transpositions: bool = Field(False, description="whether equal positions are one node")
    batch: Annotated[int, Field(ge=1, le=256)] = Field(1, description="leaves evaluated together")
    virtual_max: Annotated[int, Field(ge=0)] = Field(4, description="virtual tries at a waiting leaf, halved by ply")
    virtual_min: Annotated[int, Field(ge=0)] = Field(1, description="least virtual tries on the way to it")
    virtual_value: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="what a virtual try counts as")
    rules_aware: bool = Field(
        False, description="without search: win at once if that is possible, else leave no win at once to the other"
    )
    tree: Literal["summary", "full"] = Field("summary", description="whether the record keeps every node")
    max_calls: Count | None = Field(None, description="model calls a turn, after which the best move so far is played")
    max_prompt_tokens: Count | None = Field(None, description="tokens read a turn, likewise")
    max_completion_tokens: Count | None = Field(None, description="tokens written a turn, likewise")
    max_think_ms: Annotated[float, Field(gt=0)] | None = Field(None, description="milliseconds a turn, likewise")


@dataclass(slots=True)
class Thought:
    """One turn's search, and what was declared of it so far."""

    view: View[Any]
    search: Search
    allowance: Allowance
    declared: Move | None = None
    """The move of the plan that was declared last in this turn."""
    declared_at: int = -1
    """After how many simulations."""


class TreeSearcher:
    """One search a turn; subclasses say who evaluates."""

    models: tuple[str, ...] = ()
    engines: tuple[EngineSpec, ...] = ()

    def __init__(self, spec: AgentSpec, params: SearchParams, evaluator: Evaluator) -> None:
        self.spec = spec
        self._params = params
        self._evaluator = evaluator
        self._choose = _CHOICES[params.choice]
        self._settings = Settings(
            selection=params.selection,
            c=params.c,
            first_play=None if params.first_play == "own" else params.first_play,
            solve=params.solve,
            transpositions=params.transpositions,
            virtual_max=params.virtual_max,
            virtual_min=params.virtual_min,
            virtual_value=params.virtual_value,
        )

    def plays(self, game: str) -> str | None:
        """Games whose legal moves can be listed and that hide nothing."""
        return f"{game} has no list of legal moves to search among" if needs_plans(game) else None

    def deliberate(self, view: View[Any]) -> Deliberation:
        """Search, declare what was found, play the root's choice.

        The confidence is the value of the move that is played. Where a budget ended before the root was evaluated, a
        legal move drawn by the turn's seed is played, as a declared substitute.
        """
        rules = ByRules(view.game)
        search = Search(
            self._root(view, rules),
            self._world(rules),
            settings=self._settings,
            rng=view.rng,
            key=view.game.digest,
        )
        thought = Thought(view, search, Allowance(self._budget(view), calls=self._evaluator.cost.calls))
        first_move: Move | None = None
        try:
            yield from thought.allowance.begin()
            if (yield from thought.allowance.room(1)):
                yield from self._supply(thought, search.gather(1))
                if self._has_opinion(search):
                    yield from self._declare(thought)
                    first_move = thought.declared
                ended = yield from self._simulate(thought)
            else:
                ended = thought.allowance.short_of or "budget"
        except BudgetExhausted as exhausted:
            ended = exhausted.overrun.resource
        if search.root.value is None:
            moves = view.game.legal_moves(view.state)
            return Decision(moves[view.seed % len(moves)], fallback="a budget ended before any thought")
        if thought.declared_at != search.simulations:
            yield from self._declare(thought)
        kind = self._kind
        yield from explored(
            tree_of(
                search,
                seat=view.seat,
                kind=kind,
                whole=self._params.tree == "full" or kind is not TreeKind.EXTERNAL,
                ended=ended,
                first_move=first_move,
                choose=self._choose,
                method=self._method,
            )
        )
        assert thought.declared is not None
        assert search.root.moves is not None
        return Decision(thought.declared, confidence=_value(search, search.root.moves.index(thought.declared)))

    @property
    def _kind(self) -> TreeKind:
        return TreeKind.EXTERNAL

    @property
    def _method(self) -> str:
        return self._params.selection

    def _world(self, rules: ByRules) -> World:
        return rules

    def _root(self, view: View[Any], rules: ByRules) -> Opened:
        return rules.open(view.state)

    def _budget(self, view: View[Any]) -> Budget:
        """What is left of the tournament's budgets, or the agent's own bounds where those are tighter."""
        params = self._params
        return view.remaining.tightest(
            Budget(
                model_calls=params.max_calls,
                prompt_tokens=params.max_prompt_tokens,
                completion_tokens=params.max_completion_tokens,
                think_ms=params.max_think_ms,
            )
        )

    def _simulate(self, thought: Thought) -> Generator[Step, Reply, str]:
        """Simulate until the end; what ended it."""
        params, search = self._params, thought.search
        look = _FIRST_LOOK_WITHOUT_OPINION if thought.declared is None else 1
        while search.simulations < params.simulations:
            if search.is_over:
                return "proven" if search.root.result is not None else "dead"
            room = yield from thought.allowance.room(min(params.batch, params.simulations - search.simulations))
            if not room:
                return thought.allowance.short_of or "budget"
            yield from self._supply(thought, search.gather(room))
            if search.simulations >= look:
                yield from self._declare(thought)
                while look <= search.simulations:
                    look *= 2
        return "simulations"

    def _supply(self, thought: Thought, leaves: Sequence[Leaf]) -> Generator[Step, Reply, None]:
        """Have leaves evaluated, all together."""
        search = thought.search
        if not leaves:
            return
        spots = [self._spot(thought, leaf) for leaf in leaves]
        found = yield from self._evaluator.evaluate(thought.view, spots)
        for leaf, spot, evaluation in zip(leaves, spots, found, strict=True):
            # The root cannot be given up: what cannot be read of it is no opinion.
            no_opinion = Evaluation(DRAW, moves=spot.moves) if leaf.node is search.root else None
            search.supply(leaf, evaluation or no_opinion)

    def _spot(self, thought: Thought, leaf: Leaf) -> Spot:
        """A leaf as evaluators take it."""
        node = leaf.node
        seat = Seat.FIRST if node.first else Seat.SECOND
        return Spot(node.state, seat, thought.search.moves_at(node), leaf.line)

    def _has_opinion(self, search: Search) -> bool:
        evaluation = search.root.evaluation
        return evaluation is not None and (evaluation.priors is not None or evaluation.estimates is not None)

    def _declare(self, thought: Thought) -> Generator[Step, Reply, None]:
        """The plan as the search stands: within a turn a revision where the best move is another than at the last look."""
        search = thought.search
        i = self._best(thought)
        line = search.line(lambda node: i)
        plan = Plan(moves=line, value=signed(_value(search, i)), why=f"after {search.simulations} simulations")
        if thought.declared is None:
            yield from declare_line(thought.view, plan, changed_by=Cause.SEARCH)
        elif thought.declared == line[0]:
            yield from propose(plan)
        else:
            yield from revise(plan, Cause.SEARCH)
        thought.declared, thought.declared_at = line[0], search.simulations

    def _best(self, thought: Thought) -> int:
        """The root's choice. An agent that knows the rules chooses, without search, among the moves that these leave."""
        view, search = thought.view, thought.search
        search.list_moves(search.root)
        moves = search.root.moves
        assert moves is not None
        if not self._params.rules_aware or search.simulations:
            return self._choose(search.root)
        left = [move for move in moves if wins_at_once(view, view.state, move)] or safe_moves(view, moves) or moves
        estimates = search.root.estimates
        return max(
            (moves.index(move) for move in left),
            key=lambda i: (0.0 if estimates is None else estimates[i], search.root.prior(i)),
        )


def _value(search: Search, i: int) -> float:
    """What a move of the root is held to be worth, 0 to 1 for the seat that searches."""
    root = search.root
    mean = root.mean(i)
    if mean is None and root.estimates is not None:
        mean = root.estimates[i]
    return min(max(mean if mean is not None else root.value or DRAW, 0.0), 1.0)


class RolloutParams(SearchParams):
    """Parameters of `mcts_rollouts`."""

    simulations: Annotated[int, Field(ge=1)] = Field(100, description="simulations a move")
    selection: Literal["puct", "uct"] = Field("uct", description="how a simulation chooses its way")
    c: Annotated[float, Field(ge=0)] = Field(1.0, description="weight of exploration, on values from 0 to 1")
    policy: Literal["random", "greedy"] = Field("random", description="how rollouts are played")
    rollouts: Count = Field(1, description="rollouts a leaf")


class RolloutMcts(TreeSearcher):
    """Plain Monte Carlo tree search with rollouts, in Python: the kernel without a model. `mcts` is the faster one."""

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(RolloutParams, spec.params, where=f"agent {spec.name!r}")
        super().__init__(spec, params, Rollouts(policy=params.policy, n=params.rollouts))


class OracleParams(SearchParams):
    """Parameters of `mcts_oracle`."""

    engine: Literal["bitbully", "hex_search", "stockfish"] = Field(
        description="whose values: bitbully, hex_search or stockfish"
    )
    noise: Annotated[float, Field(ge=0)] = Field(
        1.0, description="standard deviation of the error of a value, in logits"
    )
    noise_seed: int = Field(0, description="another seed is another oracle of the same quality")
    engine_simulations: Count = Field(200, description="of hex_search: playouts a position")
    engine_nodes: Count = Field(500, description="of stockfish: nodes a position")
    tau: Annotated[float, Field(gt=0)] = Field(
        0.1, description="temperature of priors from values, on values from 0 to 1"
    )
    eps: Annotated[float, Field(ge=0, le=1)] = Field(0.05, description="share of priors that all moves get alike")


class OracleMcts(TreeSearcher):
    """Searches on an engine's true values with stated, seeded noise: stands for models of graded quality."""

    def __init__(self, spec: AgentSpec) -> None:
        params = checked_params(OracleParams, spec.params, where=f"agent {spec.name!r}")
        engine, self._game = _oracle(params)
        self.engines = (engine,)
        nodes = params.engine_nodes if params.engine == "stockfish" else None
        oracle = NoisyOracle(
            engine,
            noise=params.noise,
            seed=params.noise_seed,
            shape=PriorShape(tau=params.tau, eps=params.eps),
            nodes=nodes,
        )
        super().__init__(spec, params, oracle)

    def plays(self, game: str) -> str | None:
        """The engine's game."""
        return (
            None
            if game.partition("(")[0] in self._game
            else f"this oracle knows {' and '.join(self._game)}, not {game}"
        )


def _oracle(params: OracleParams) -> tuple[EngineSpec, tuple[str, ...]]:
    options: tuple[tuple[str, str | int | float | bool], ...]
    match params.engine:
        case "bitbully":
            return EngineSpec(kind="bitbully"), ("connect_four",)
        case "hex_search":
            options = (("connections", False), ("proof_nodes", 0), ("simulations", params.engine_simulations))
            return EngineSpec(kind="hex_search", options=options), ("hex",)
        case "stockfish":
            options = (("Hash", 16), ("Threads", 1), ("command", "stockfish"), ("timeout_s", 30.0))
            return EngineSpec(kind="uci", options=options), ("chess", "chess960")


class LlmParams(SearchParams):
    """Parameters of `mcts_llm`."""

    model: str = Field(description="a model of the tournament file")
    evaluator: Literal["likelihood", "answers", "percent", "buckets", "game_lm"] = Field(
        "answers",
        description="likelihood: legal moves scored; answers: candidates with chances as JSON; percent: one number; "
        "buckets: a distribution over the chance to win for each move, scored; game_lm: the form of the game model",
    )
    world: Literal["rules", "model"] = Field(
        "rules", description="who says what a move leads to and which moves there are"
    )
    on_error: Literal["measure", "repair"] = Field(
        "measure",
        description="in the model's world: search on from what it says, or give up moves that the rules find wrong",
    )
    batch: Annotated[int, Field(ge=1, le=256)] = Field(8, description="leaves evaluated together")
    value: Literal["rollout", "words", "even"] = Field("rollout", description="of likelihood: where values come from")
    candidates: Count = Field(5, description="of answers: moves that are asked for")
    tau: Annotated[float, Field(gt=0)] = Field(
        0.2, description="temperature of priors from values, on values from 0 to 1"
    )
    eps: Annotated[float, Field(ge=0, le=1)] = Field(0.1, description="share of priors that all moves get alike")
    prior_temperature: Annotated[float, Field(gt=0)] = Field(1.0, description="of likelihood: flattens priors above 1")
    notation: Annotated[list[Notation], Field(min_length=1)] = Field(
        ["grid", "position"],
        description="of likelihood: how a position is told: grid, position (one line), moves; the shorter, the cheaper",
    )
    temperature: Annotated[float, Field(ge=0, le=5)] = Field(
        0.0, description="of written answers; 0 takes the likeliest token"
    )
    samples: Count = Field(1, description="of percent: numbers asked for, whose mean counts")
    max_tokens: Count = Field(200, description="bound on one answer")
    scoring: Literal["mean", "max"] = Field("mean", description="of buckets: mean of the distribution, or its mode")
    labels: Literal["digits", "mav"] = Field(
        "digits", description="of buckets: ten digits, or 64 tokens of a game model"
    )

    @model_validator(mode="after")
    def _one_world(self) -> LlmParams:
        if self.world == "model" and self.evaluator not in ("answers", "game_lm"):
            raise ValueError('in the model\'s world its answers are the evaluation: leave evaluator = "answers"')
        if self.world == "model" and self.evaluator == "game_lm" and self.on_error == "repair":
            raise ValueError('the game model\'s world is measured, not repaired: leave on_error = "measure"')
        if self.world == "model" and self.transpositions:
            raise ValueError("positions of the model's world are its own words: transpositions need the rules' world")
        return self


class LlmMcts(TreeSearcher):
    """Monte Carlo tree search with a language model for priors and values, in the rules' world or in the model's own."""

    def __init__(self, spec: AgentSpec, params: LlmParams | None = None) -> None:
        """`params` of a subclass, already checked."""
        params = params or checked_params(LlmParams, spec.params, where=f"agent {spec.name!r}")
        self._llm = params
        self.models = (params.model,)
        super().__init__(spec, params, evaluator_of(params))

    def plays(self, game: str) -> str | None:
        """As every searcher; a game model plays the games that there are weights of."""
        if self._llm.evaluator == "game_lm":
            from stratarena.agents.gamelm.games import refusal

            return refusal(game) or super().plays(game)
        return super().plays(game)

    def plays_from(self, game: Game[Any], state: Any) -> str | None:
        """Everywhere, unless a game model evaluates: it knows chess endings only."""
        if self._llm.evaluator == "game_lm":
            from stratarena.agents.gamelm.evaluator import plays_from

            return plays_from(game, state)
        return None

    @property
    def _kind(self) -> TreeKind:
        return TreeKind.EXTERNAL if self._llm.world == "rules" else TreeKind.IMAGINED

    def _world(self, rules: ByRules) -> World:
        return rules if self._llm.world == "rules" else Imagined()

    def _root(self, view: View[Any], rules: ByRules) -> Opened:
        opened = rules.open(view.state)
        return opened if self._llm.world == "rules" else opened._replace(state=view.game.encode(view.state))

    def _spot(self, thought: Thought, leaf: Leaf) -> Spot:
        """In the model's world the root's moves are the legal ones, and of every other position nothing is known yet."""
        if self._llm.world == "rules":
            return super()._spot(thought, leaf)
        view, parent = thought.view, leaf.node.parent
        if parent is None:
            return Spot(leaf.node.state, view.seat, tuple(view.game.legal_moves(view.state)), ())
        # Turns alternate in a model's world: it is not asked who is to move.
        return Spot(None, Seat.SECOND if parent.first else Seat.FIRST, (), leaf.line, before=parent.state)


def evaluator_of(params: LlmParams) -> Evaluator:
    """The evaluator that the parameters describe."""
    shape = PriorShape(tau=params.tau, eps=params.eps)
    if params.evaluator == "game_lm":
        # It stands on numpy, which nobody else here needs.
        from stratarena.agents.gamelm.evaluator import GameModelValues

        return GameModelValues(params.model, scoring=params.scoring, shape=shape)
    if params.world == "model":
        return Imagination(
            params.model,
            shape=shape,
            on_error=params.on_error,
            max_tokens=params.max_tokens,
            temperature=params.temperature,
        )
    match params.evaluator:
        case "likelihood":
            return Likelihoods(
                params.model,
                temperature=params.prior_temperature,
                value=params.value,
                rollouts=Rollouts(),
                notation=params.notation,
            )
        case "answers":
            return Answers(
                params.model,
                shape=shape,
                k=params.candidates,
                max_tokens=params.max_tokens,
                temperature=params.temperature,
            )
        case "percent":
            return Percent(
                params.model, samples=params.samples, max_tokens=params.max_tokens, temperature=params.temperature
            )
        case "buckets":
            return Buckets(params.model, scoring=params.scoring, labels=params.labels, shape=shape)
