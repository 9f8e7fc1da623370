"""The tournament file: TOML text to a frozen `TournamentSpec`, every mistake reported at once, with its line."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from random import Random
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from stratarena.agents.base import Agent, AgentSpec, Choosy
from stratarena.agents.budget import Budget
from stratarena.agents.params import ParamsError
from stratarena.arena.prices import Price, read_price, read_price_table
from stratarena.arena.specs import (
    Anchor,
    Budgets,
    Enforcement,
    Format,
    ModelSettings,
    ModelSpec,
    Policies,
    Sprt,
    TournamentSpec,
)
from stratarena.games.base import Game, SpecError
from stratarena.games.openings import chosen
from stratarena.games.plugins import load, load_game

__all__ = ["LoadedTournament", "load_tournament", "make_agent"]

_NAME = r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,39}$"
Name = Annotated[str, Field(pattern=_NAME)]
Words = Annotated[
    list[str], Field(min_length=1), BeforeValidator(lambda given: [given] if isinstance(given, str) else given)
]
_RESERVED_AGENT_KEYS = ("kind", "games")
_RESERVED_MODEL_KEYS = ("kind", "price_per_million")
_SETTINGS = {"reasoning_effort": "effort"} | {
    name: name for name in ("temperature", "top_p", "max_tokens", "thinking_tokens")
}
"""Keys of a model's table that say how it samples, whatever its kind, with the names they go by inside."""


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class _Budget(_Table):
    model_calls: Annotated[int, Field(ge=0)] | None = None
    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    completion_tokens: Annotated[int, Field(ge=0)] | None = None
    nodes: Annotated[int, Field(ge=0)] | None = None
    think_ms: Annotated[float, Field(ge=0)] | None = None
    cost_usd: Annotated[float, Field(ge=0)] | None = None


class _CallBudget(_Table):
    """What can be said of one call, or of all calls of a run together."""

    model_calls: Annotated[int, Field(ge=0)] | None = None
    prompt_tokens: Annotated[int, Field(ge=0)] | None = None
    completion_tokens: Annotated[int, Field(ge=0)] | None = None
    cost_usd: Annotated[float, Field(ge=0)] | None = None


class _Budgets(_Table):
    enforcement: Literal["record", "strict", "forfeit"] = "record"
    move: _Budget = _Budget()
    match: _Budget = _Budget()
    agent: _Budget = _Budget()
    call: _Budget = _Budget()
    run: _CallBudget = _CallBudget()


class _Settings(_Table):
    temperature: Annotated[float, Field(ge=0, le=5)] | None = None
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(ge=1)] | None = None
    thinking_tokens: Annotated[int, Field(ge=0)] | None = None
    reasoning_effort: Annotated[str, Field(pattern=r"^[a-z]{1,10}$")] | None = None


class _Policies(_Table):
    re_asks: Annotated[int, Field(ge=0, le=20)] = 2
    void_retries: Annotated[int, Field(ge=0, le=20)] = 1
    failure_limit: Annotated[float, Field(ge=0, le=1)] = 0.5
    failure_minimum: Annotated[int, Field(ge=1)] = 10
    max_plies: Annotated[int, Field(ge=1)] | dict[str, Annotated[int, Field(ge=1)]] = Field(default_factory=dict)


class _Sprt(_Table):
    elo0: Annotated[float, Field(ge=-1000, le=1000)] = 0.0
    elo1: Annotated[float, Field(ge=-1000, le=1000)]
    alpha: Annotated[float, Field(gt=0, lt=0.5)] = 0.05
    beta: Annotated[float, Field(gt=0, lt=0.5)] = 0.05


class _Anchor(_Table):
    agent: str
    elo: Annotated[float, Field(ge=-10_000, le=10_000)]


class _File(_Table):
    name: Name
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    games: Annotated[list[str], Field(min_length=1)]
    format: Literal["round_robin", "double_round_robin", "gauntlet", "swiss", "adaptive"] = "round_robin"
    challengers: list[str] = []
    rounds: Annotated[int, Field(ge=1, le=100_000)] = 1
    openings: dict[str, Words] = {}
    budgets: _Budgets = _Budgets()
    policies: _Policies = _Policies()
    sprt: _Sprt | None = None
    anchor: _Anchor | None = None
    prices: str | None = None
    models: dict[Name, dict[str, Any]] = {}
    agents: Annotated[dict[Name, dict[str, Any]], Field(min_length=2)]


class LoadedTournament:
    """A checked tournament file, with its games and agents made."""

    def __init__(self, spec: TournamentSpec, games: Mapping[str, Game[Any]], agents: Mapping[str, Agent]) -> None:
        self.spec = spec
        self.games = games
        """By id."""
        self.agents = agents
        """By name."""


def make_agent(spec: AgentSpec) -> Agent:
    """The agent of this spec. Raises `SpecError` for an unknown kind or wrong parameters."""
    agent: Agent = load("stratarena.agents", spec.kind)(spec)
    return agent


def load_tournament(
    source: str, *, place: str, seed: int | None = None, folder: Path | None = None
) -> LoadedTournament:
    """The tournament that a file's text describes; `place` is the file's name for messages, `seed` overrides its own.

    A table of prices that it names is looked for in `folder`.

    Raises:
        SpecError: one line for every mistake, each with its place and what would be accepted.
    """
    try:
        raw = tomllib.loads(source)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{place}: not valid TOML: {error}") from None
    try:
        file = _File.model_validate(raw)
    except ValidationError as error:
        raise SpecError("\n".join(_explain(problem, source, place) for problem in error.errors())) from None
    return _Resolver(file, source, place, folder or Path()).resolve(file.seed if seed is None else seed)


class _Resolver:
    """Turns a well-shaped file into games, agents and a spec, gathering mistakes."""

    def __init__(self, file: _File, source: str, place: str, folder: Path) -> None:
        self.file = file
        self.folder = folder
        self.source = source
        self.place = place
        self.mistakes: list[str] = []

    def resolve(self, seed: int) -> LoadedTournament:
        file = self.file
        games = self._games()
        models = tuple(self._models())
        openings = self._openings(games)
        agents: dict[str, Agent] = {}
        entered: dict[str, frozenset[str]] = {}
        for name, table in file.agents.items():
            agent = self._agent(name, table, models={model.name for model in models})
            if agent is not None:
                agents[name] = agent
                entered[name] = self._entered(agent, table, games, openings)
        self._check_challengers()
        self._check_sprt()
        if file.anchor is not None and file.anchor.agent not in file.agents:
            name = file.anchor.agent
            self._mistake(("anchor", "agent"), f"{name!r} is no agent of the file{_nearest(name, file.agents)}")
        caps = file.policies.max_plies
        max_plies = (
            dict.fromkeys(games, caps) if isinstance(caps, int) else self._by_game(caps, games, "policies", "max_plies")
        )
        if self.mistakes:
            raise SpecError("\n".join(self.mistakes))
        spec = TournamentSpec(
            name=file.name,
            seed=seed,
            games=tuple(games),
            agents=tuple(agent.spec for agent in agents.values()),
            agent_games=entered,
            models=models,
            format=Format(file.format),
            challengers=tuple(file.challengers),
            rounds=file.rounds,
            openings=openings,
            budgets=Budgets(
                move=Budget(**file.budgets.move.model_dump()),
                match=Budget(**file.budgets.match.model_dump()),
                agent=Budget(**file.budgets.agent.model_dump()),
                call=Budget(**file.budgets.call.model_dump()),
                run=Budget(**file.budgets.run.model_dump()),
                enforcement=Enforcement(file.budgets.enforcement),
            ),
            policies=Policies(
                re_asks=file.policies.re_asks,
                void_retries=file.policies.void_retries,
                failure_limit=file.policies.failure_limit,
                failure_minimum=file.policies.failure_minimum,
                max_plies=max_plies,
            ),
            sprt=None if file.sprt is None else Sprt(**file.sprt.model_dump()),
            anchor=None if file.anchor is None else Anchor(**file.anchor.model_dump()),
            source=self.source,
        )
        return LoadedTournament(spec, games, agents)

    def _mistake(self, path: tuple[str, ...], what: str) -> None:
        self.mistakes.append(f"{_where(self.source, self.place, path)}: {what}")

    def _games(self) -> dict[str, Game[Any]]:
        games: dict[str, Game[Any]] = {}
        for text in self.file.games:
            try:
                game = load_game(text)
            except SpecError as error:
                self._mistake(("games",), str(error))
                continue
            if game.id in games:
                self._mistake(("games",), f"{game.id} is listed twice")
            games[game.id] = game
        return games

    def _openings(self, games: Mapping[str, Game[Any]]) -> dict[str, tuple[str, ...]]:
        """The words that choose each game's openings, those without mistakes."""
        found: dict[str, tuple[str, ...]] = {}
        for game_id, wanted in self._by_game(self.file.openings, games, "openings").items():
            try:
                chosen(game_id, wanted)
            except SpecError as error:
                self._mistake(("openings", game_id), str(error))
            else:
                found[game_id] = tuple(wanted)
        return found

    def _models(self) -> list[ModelSpec]:
        models = []
        table_of_prices = self._price_table()
        for name, table in self.file.models.items():
            kind = table.get("kind")
            if not isinstance(kind, str):
                self._mistake(("models", name), f'model {name!r} needs a kind, such as kind = "smollm2"')
                continue
            try:
                load("stratarena.models", kind)
            except SpecError as error:
                self._mistake(("models", name, "kind"), str(error))
                continue
            price = table_of_prices.get(str(table.get("model", name)))
            if "price_per_million" in table:
                try:
                    price = read_price(table["price_per_million"])
                except SpecError as error:
                    self._mistake(("models", name, "price_per_million"), f"price_per_million: {error}")
            settings = self._settings(name, {key: table[key] for key in _SETTINGS if key in table})
            kept_out = (*_RESERVED_MODEL_KEYS, *_SETTINGS)
            models.append(
                ModelSpec(
                    name=name,
                    kind=kind,
                    params={key: value for key, value in table.items() if key not in kept_out},
                    price=price,
                    settings=settings,
                )
            )
        return models

    def _settings(self, name: str, given: dict[str, Any]) -> ModelSettings:
        try:
            checked = _Settings.model_validate(given)
        except ValidationError as error:
            for problem in error.errors():
                key = str(problem["loc"][0])
                message = problem["msg"][0].lower() + problem["msg"][1:]
                self._mistake(("models", name, key), f"model {name!r}: {key} = {problem['input']!r}: {message}")
            return ModelSettings()
        return ModelSettings(**{inside: getattr(checked, key) for key, inside in _SETTINGS.items()})

    def _price_table(self) -> Mapping[str, Price]:
        """Prices from the file that the tournament names; none where it names none."""
        if self.file.prices is None:
            return {}
        path = self.folder / self.file.prices
        try:
            return read_price_table(path.read_text(encoding="utf-8"), place=str(path))
        except (OSError, UnicodeDecodeError) as error:
            self._mistake(("prices",), f"{path} cannot be read: {getattr(error, 'strerror', None) or error}")
        except SpecError as error:
            self._mistake(("prices",), str(error))
        return {}

    def _agent(self, name: str, table: dict[str, Any], *, models: set[str]) -> Agent | None:
        kind = table.get("kind")
        if not isinstance(kind, str):
            self._mistake(("agents", name), f'agent {name!r} needs a kind, such as kind = "random"')
            return None
        params = {key: value for key, value in table.items() if key not in _RESERVED_AGENT_KEYS}
        try:
            agent = make_agent(AgentSpec(name, kind, params))
        except ParamsError as error:
            for key, message in error.problems:
                self._mistake(("agents", name, key), f"{error.where}: {message}")
            return None
        except SpecError as error:
            self._mistake(("agents", name, "kind"), str(error))
            return None
        for model in agent.models:
            if model not in models:
                self._mistake(
                    ("agents", name, "model"),
                    f"agent {name!r} asks for model {model!r}, which the file does not have"
                    f"{_nearest(model, models)}; add a table [models.{model}]",
                )
        return agent

    def _entered(
        self, agent: Agent, table: dict[str, Any], games: Mapping[str, Game[Any]], openings: Mapping[str, Sequence[str]]
    ) -> frozenset[str]:
        """The games an agent enters: those it names, or else all it can play."""
        name = agent.spec.name
        wanted = table.get("games")
        if wanted is None:
            able = frozenset(name for name, game in games.items() if _unable(agent, game, openings) is None)
            if games and not able:
                why = _unable(agent, next(iter(games.values())), openings)
                self._mistake(("agents", name), f"agent {name!r} can play none of the games: {why}")
            return able
        if not isinstance(wanted, list) or not all(isinstance(game, str) for game in wanted):
            self._mistake(("agents", name, "games"), "games is a list of names of the file's games")
            return frozenset()
        chosen = set()
        for text in wanted:
            game_id = _match_game(text, games)
            if game_id is None:
                self._mistake(
                    ("agents", name, "games"),
                    f"{text!r} is none of the file's games{_nearest(text, games)}; there are: {', '.join(games)}",
                )
            elif (why := _unable(agent, games[game_id], openings)) is not None:
                self._mistake(("agents", name, "games"), f"agent {name!r} cannot play {game_id}: {why}")
            else:
                chosen.add(game_id)
        return frozenset(chosen)

    def _check_challengers(self) -> None:
        file = self.file
        for challenger in file.challengers:
            if challenger not in file.agents:
                self._mistake(
                    ("challengers",), f"{challenger!r} is no agent of the file{_nearest(challenger, file.agents)}"
                )
        if file.format == "gauntlet" and not file.challengers:
            self._mistake(("format",), 'a gauntlet needs challengers, such as challengers = ["smollm2"]')
        if file.format == "gauntlet" and set(file.challengers) >= set(file.agents):
            self._mistake(("challengers",), "every agent is a challenger, so there is nobody to meet")
        if file.format != "gauntlet" and file.challengers:
            self._mistake(("challengers",), 'challengers are for format = "gauntlet" only')

    def _check_sprt(self) -> None:
        sprt = self.file.sprt
        if sprt is None:
            return
        if sprt.elo0 >= sprt.elo1:
            self._mistake(("sprt", "elo1"), f"elo1 = {sprt.elo1:g} must be above elo0 = {sprt.elo0:g}")
        if Format(self.file.format).grows:
            self._mistake(("sprt",), f"format = {self.file.format!r} pairs by results, so there is no pairing to stop")

    def _by_game(self, table: Mapping[str, Any], games: Mapping[str, Game[Any]], *path: str) -> dict[str, Any]:
        """The table with its keys resolved to game ids; a bare name stands for every size of that game."""
        resolved = {}
        for text, value in table.items():
            exact = _match_game(text, games)
            matching = [exact] if exact is not None else [game for game in games if game.partition("(")[0] == text]
            if not matching:
                self._mistake(
                    (*path, text),
                    f"{text!r} is none of the file's games{_nearest(text, games)}; there are: {', '.join(games)}",
                )
            for game in matching:
                resolved[game] = value
        return resolved


def _unable(agent: Agent, game: Game[Any], openings: Mapping[str, Sequence[str]]) -> str | None:
    """Why an agent cannot play a game from these openings, by game; None if it can."""
    why = agent.plays(game.id)
    if why is None and isinstance(agent, Choosy):
        for line in chosen(game.id, openings.get(game.id, ("start",))):
            # Whatever is dealt: an agent that minds where it begins plays no game with chance.
            state = game.initial(Random(0)) if line.start is None else game.decode(line.start)
            for move in line.moves:
                state = game.play(state, move)
            why = agent.plays_from(game, state)
            if why is not None:
                return f"{why} (opening {line.name!r})"
    return why


def _match_game(text: str, games: Mapping[str, Game[Any]]) -> str | None:
    """The id of the game that `text` describes, however its parameters are spelled; None when it is not there."""
    if text in games:
        return text
    try:
        game_id = load_game(text).id
    except SpecError:
        return None
    return game_id if game_id in games else None


def _nearest(text: str, names: Mapping[str, Any] | set[str]) -> str:
    close = get_close_matches(text, list(names), n=1, cutoff=0.5)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _explain(problem: Any, source: str, place: str) -> str:
    """One mistake of shape in words: where, what, and what would be accepted."""
    path = tuple(str(part) for part in problem["loc"])
    where = _where(source, place, path)
    key = path[-1] if path else ""
    match problem["type"]:
        case "extra_forbidden":
            valid = _valid_keys(path[:-1])
            close = get_close_matches(key, valid, n=1, cutoff=0.5)
            hint = f"did you mean {close[0]!r}? " if close else ""
            return f"{where}: unknown key {key!r}; {hint}valid here: {', '.join(valid)}"
        case "missing":
            return f"{where}: the key {key!r} is missing"
        case "string_pattern_mismatch":
            return (
                f"{where}: {problem['input']!r} is no name; a name has 1 to 40 letters, digits, and . _ + - "
                "and begins with a letter or digit"
            )
        case "too_short":
            least = problem["ctx"]["min_length"]
            return f"{where}: {key} needs at least {least} entr{'y' if least == 1 else 'ies'}"
        case _:
            return f"{where}: {key} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _valid_keys(path: tuple[str, ...]) -> list[str]:
    model: type[BaseModel] = _File
    for part in path:
        annotation = model.model_fields[part].annotation if part in model.model_fields else None
        # `_Sprt | None`: the table, where it is there.
        annotation = next((kind for kind in get_args(annotation) if kind is not type(None)), annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            model = annotation
    return sorted(model.model_fields)


def _where(source: str, place: str, path: tuple[str, ...]) -> str:
    """`FILE:LINE` of the key, or of the nearest enclosing table that can be found."""
    line = _line_of(source, path)
    return f"{place}:{line}" if line else place


def _line_of(source: str, path: tuple[str, ...]) -> int | None:
    """The line of the deepest part of a key's path that the text names, counted from 1."""
    table: tuple[str, ...] = ()
    best: tuple[int, int] | None = None
    for number, line in enumerate(source.splitlines(), start=1):
        header = re.match(r"\s*\[([^\[\]]+)\]\s*(#.*)?$", line)
        if header:
            table = _split_key(header[1])
            here = table
        else:
            assignment = re.match(r"""\s*((?:[A-Za-z0-9_.\-]+|"[^"]*"|'[^']*')+)\s*=""", line)
            if not assignment:
                continue
            here = (*table, *_split_key(assignment[1]))
        depth = next((i for i, (a, b) in enumerate(zip(here, path, strict=False)) if a != b), min(len(here), len(path)))
        if depth == len(here) and depth > 0 and (best is None or depth > best[0]):
            best = (depth, number)
    return best[1] if best else None


def _split_key(key: str) -> tuple[str, ...]:
    """The parts of a dotted TOML key."""
    return tuple(part.strip("\"'") for part in re.findall(r""""[^"]*"|'[^']*'|[^.\s]+""", key))
