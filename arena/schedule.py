"""Who meets whom, where from, and in which order: a pure function of the tournament's spec.

Every pairing is played as pairs of matches: same opening, seats swapped. Matches come in an order that lets every
pairing and every game be met early, so that a broken player shows after minutes and half a run is still balanced.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from itertools import combinations
from random import Random
from typing import Any

from stratarena.agents.base import AgentSpec
from stratarena.agents.budget import UNLIMITED
from stratarena.agents.models.base import SERVING_KEYS
from stratarena.arena.seeds import derive_seed
from stratarena.arena.specs import Format, MatchSpec, ModelSpec, Opening, TournamentSpec
from stratarena.games.base import Game, SpecError
from stratarena.games.openings import Line, chosen

__all__ = ["make_round", "make_schedule", "pairings", "slug"]


def slug(game_id: str) -> str:
    """A game's id as part of a match key: `hex(size=7)` gives `hex-size-7`."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", game_id).strip("-")


def pairings(agents: Sequence[str], challengers: Sequence[str], form: Format) -> tuple[tuple[str, str], ...]:
    """Every pair of agents that meets, each once, in an order that lets everybody play early.

    In a gauntlet a challenger comes first in its pairs. A round robin is ordered by the circle method.
    """
    if form is Format.GAUNTLET:
        field = [name for name in agents if name not in challengers]
        return tuple((challenger, name) for name in field for challenger in challengers)
    position = {name: index for index, name in enumerate(agents)}
    circle: list[str | None] = [*agents, None] if len(agents) % 2 else list(agents)
    half = len(circle) // 2
    pairs: list[tuple[str, str]] = []
    for _ in range(len(circle) - 1):
        for one, two in zip(circle[:half], reversed(circle[half:]), strict=True):
            if one is not None and two is not None:
                pairs.append((one, two) if position[one] < position[two] else (two, one))
        circle = [circle[0], circle[-1], *circle[1:-1]]
    assert len(pairs) == len(list(combinations(agents, 2)))
    return tuple(pairs)


def make_schedule(spec: TournamentSpec, games: Mapping[str, Game[Any]]) -> tuple[MatchSpec, ...]:
    """Every match of the tournament, in the order of play.

    Raises:
        SpecError: two games share one slug, or a game has no such openings.
    """
    draw = _Draw(spec, games)
    rounds = spec.rounds * (2 if spec.format is Format.DOUBLE_ROUND_ROBIN else 1)
    pairs = pairings(tuple(agent.name for agent in spec.agents), spec.challengers, spec.format)
    return tuple(
        match
        for number in range(1, rounds + 1)
        for first, second in pairs
        for game_id in spec.games
        if game_id in spec.agent_games[first] and game_id in spec.agent_games[second]
        for match in draw.pair(game_id, first, second, number)
    )


def make_round(
    spec: TournamentSpec, games: Mapping[str, Game[Any]], number: int, pairs: Mapping[str, Sequence[tuple[str, str]]]
) -> tuple[MatchSpec, ...]:
    """The matches of one round, counted from 1, between these pairs of agents by game.

    Raises:
        SpecError: two games share one slug, or a game has no such openings.
    """
    draw = _Draw(spec, games)
    return tuple(
        match
        for game_id, found in pairs.items()
        for first, second in found
        for match in draw.pair(game_id, first, second, number)
    )


class _Draw:
    """Makes the matches of a tournament.

    Raises:
        SpecError: two games share one slug, or a game has no such openings.
    """

    def __init__(self, spec: TournamentSpec, games: Mapping[str, Game[Any]]) -> None:
        slugs: dict[str, str] = {}
        for game_id in spec.games:
            if slugs.setdefault(slug(game_id), game_id) != game_id:
                raise SpecError(
                    f"games {slugs[slug(game_id)]!r} and {game_id!r} would share the name {slug(game_id)!r}"
                )
        self._spec = spec
        self._games = games
        self._terms = _Terms(spec)
        self._openings = {game_id: _openings(spec, games[game_id]) for game_id in spec.games}
        self._starts: dict[tuple[str, int], str] = {}

    def pair(self, game_id: str, one: str, two: str, number: int) -> tuple[MatchSpec, MatchSpec]:
        """The two matches of these agents in this round: same opening, seats swapped."""
        start = self._starts.get((game_id, number))
        if start is None:
            start = self._starts[game_id, number] = _start(self._spec, self._games[game_id], number)
        opening = _opening(self._openings[game_id], start, number)
        return (
            _match(self._terms, game_id, one, two, number, False, opening),
            _match(self._terms, game_id, one, two, number, True, opening),
        )


class _Terms:
    """What decides every match alike, as text: the policies, and each agent with its model."""

    def __init__(self, spec: TournamentSpec) -> None:
        models = {model.name: model for model in spec.models}
        self.seed = spec.seed
        self.agents = {agent.name: _as_text(_agent(agent, models)) for agent in spec.agents}
        self.policies = {
            game_id: _as_text(
                {
                    "re_asks": spec.policies.re_asks,
                    "cap": spec.policies.max_plies.get(game_id),
                    "budgets": [
                        spec.budgets.enforcement.value,
                        *([*scope.limits()] for scope in (spec.budgets.move, spec.budgets.match, spec.budgets.agent)),
                        *([[*spec.budgets.call.limits()]] if spec.budgets.call != UNLIMITED else []),
                    ],
                }
            )
            for game_id in spec.games
        }


def _as_text(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def _start(spec: TournamentSpec, game: Game[Any], round_number: int) -> str:
    """The position before any opening, in the game's one-line notation; with chance, each round is dealt anew."""
    path = ("start", game.id, round_number) if game.traits.chance else ("start", game.id)
    return game.encode(game.initial(Random(derive_seed(spec.seed, *path))))


def _openings(spec: TournamentSpec, game: Game[Any]) -> tuple[Line, ...]:
    """The game's openings in the order of this tournament's rounds."""
    wanted = spec.openings.get(game.id, ("start",))
    shuffled = list(chosen(game.id, wanted))
    Random(derive_seed(spec.seed, "openings", game.id, " ".join(wanted))).shuffle(shuffled)
    return tuple(shuffled)


def _opening(found: Sequence[Line], start: str, round_number: int) -> Opening:
    """The opening that every pairing plays in this round."""
    line = found[(round_number - 1) % len(found)]
    return Opening(name=line.name, start=line.start or start, moves=line.moves)


def _match(
    terms: _Terms, game_id: str, one: str, two: str, round_number: int, swapped: bool, opening: Opening
) -> MatchSpec:
    pair = f"{slug(game_id)}/{one}-vs-{two}/r{round_number}"
    key = pair + ("b" if swapped else "a")
    first, second = (two, one) if swapped else (one, two)
    seed = derive_seed(terms.seed, "match", key)
    position = f"{opening.name}|{opening.start}|{' '.join(opening.moves)}"
    decides = "\n".join(
        (game_id, terms.agents[first], terms.agents[second], position, str(seed), terms.policies[game_id])
    )
    return MatchSpec(
        key=key,
        game=game_id,
        first=first,
        second=second,
        round=round_number,
        pair=pair,
        opening=opening,
        seed=seed,
        digest=blake2b(decides.encode(), digest_size=16).hexdigest(),
    )


def _agent(agent: AgentSpec, models: Mapping[str, ModelSpec]) -> dict[str, Any]:
    """All that decides how an agent plays, as JSON: its own parameters and those of the model they name."""
    model = models.get(str(agent.params.get("model")))
    return {
        "name": agent.name,
        "kind": agent.kind,
        "params": dict(agent.params),
        "model": None if model is None else _model(model),
    }


def _model(model: ModelSpec) -> dict[str, Any]:
    """All that decides what a model answers and costs; how fast it may be asked is none of it."""
    price = model.price
    settings = {name: value for name, value in model.settings.given().items() if value is not None}
    return {
        "kind": model.kind,
        "params": {name: value for name, value in model.params.items() if name not in SERVING_KEYS},
        "price": None
        if price is None
        else [price.prompt, price.completion, *([] if price.cached is None else [price.cached])],
        **({"settings": settings} if settings else {}),
    }
