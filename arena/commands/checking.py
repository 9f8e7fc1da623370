"""`check` and `run --dry-run`: what can be known before a game is played and money is spent."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import wait
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from statistics import mean
from typing import Any

from stratarena.agents.base import Agent, Ask, View
from stratarena.agents.engines.base import EngineSpec
from stratarena.agents.engines.open import open_engine
from stratarena.agents.models.base import Message, Request, Sampling
from stratarena.arena.commands.console import err, make_table, out, print_json
from stratarena.arena.commands.pairing import foreseen
from stratarena.arena.commands.running import asked_models, make_models, read_tournament
from stratarena.arena.config import LoadedTournament
from stratarena.arena.prices import most_completion_tokens
from stratarena.arena.seeds import derive_seed
from stratarena.arena.specs import MatchSpec
from stratarena.arena.tournament import describe_engine
from stratarena.games.base import ArenaError, Game, Move, Seat
from stratarena.games.conformance import check_game
from stratarena.games.openings import chosen

__all__ = ["check", "dry_run"]

_SAMPLE_GAMES = 5
_MODEL_PATIENCE_S = 300.0
_CHARACTERS_A_TOKEN = 3.0
"""A cautious guess for the terse text of boards; only ever shown as an estimate."""


@dataclass(frozen=True, slots=True)
class _Finding:
    what: str
    ok: bool
    detail: str


def check(file: Path, *, seed: int | None, as_json: bool) -> None:
    """Print a table of ok and failed; exit code 1 when anything failed."""
    loaded = read_tournament(file, seed=seed)
    schedule = foreseen(loaded)
    findings = [
        _Finding(f"file {file}", True, f"{len(schedule)} matches{_first_of(loaded)}, {len(loaded.agents)} agents")
    ]
    findings += [
        _attempt(f"game {game.id}", lambda game=game: _self_test(game))  # type: ignore[misc]
        for game in loaded.games.values()
    ]
    engines: dict[EngineSpec, list[str]] = {}
    for name, agent in loaded.agents.items():
        for engine in agent.engines:
            engines.setdefault(engine, []).append(name)
    findings += [
        _attempt(f"engine of {', '.join(names)}", lambda engine=engine: _handshake(engine))  # type: ignore[misc]
        for engine, names in engines.items()
    ]
    findings += _try_models(loaded)
    findings += _warnings(loaded, schedule)
    if as_json:
        print_json([{"what": finding.what, "ok": finding.ok, "detail": finding.detail} for finding in findings])
    else:
        rows = [(finding.what, "ok" if finding.ok else "FAILED", finding.detail) for finding in findings]
        out().print(make_table("", ["what", "state", "detail"], rows))
    failed = sum(not finding.ok for finding in findings)
    if failed:
        err().print(f"error: {failed} of {len(findings)} checks failed")
        raise SystemExit(1)


def dry_run(file: Path, *, seed: int | None, as_json: bool) -> None:
    """Print the matches to be played with expected and worst-case calls and tokens; play nothing."""
    loaded = read_tournament(file, seed=seed)
    schedule = foreseen(loaded)
    estimates = _estimate(loaded, schedule)
    if as_json:
        print_json(
            {
                "tournament": loaded.spec.name,
                "matches": [
                    {
                        "key": match.key,
                        "game": match.game,
                        "first": match.first,
                        "second": match.second,
                        "opening": match.opening.name,
                    }
                    for match in schedule
                ],
                "agents": estimates,
            }
        )
        return
    console = out()
    console.print(
        make_table(
            f"{loaded.spec.name}: {len(schedule)} matches{_first_of(loaded)}, nothing played",
            ["match", "first", "second", "opening"],
            [(match.key, match.first, match.second, match.opening.name) for match in schedule],
        )
    )
    rows = [
        (
            name,
            str(row["matches"]),
            f"{row['calls']:,} to {row['most_calls']:,}",
            f"{row['prompt_tokens']:,} to {row['most_prompt_tokens']:,}",
            f"at most {row['most_completion_tokens']:,}",
            "unknown" if row["most_cost_usd"] is None else f"at most ${row['most_cost_usd']:.2f}",
        )
        for name, row in estimates.items()
        if row["calls"]
    ]
    console.print()
    if not rows:
        console.print("no agent asks a model")
        return
    console.print(
        make_table(
            "what the models are expected to be asked",
            ["agent", "matches", "calls", "prompt tokens", "completion tokens", "price"],
            rows,
            right="matches|calls|prompt tokens|completion tokens|price",
        )
    )
    console.print(
        "expected: one answer a turn, games as long as random ones from the same openings; most: every turn asked "
        "again as often as allowed.\ntokens are guessed from the length of real prompts."
    )
    cap = loaded.spec.budgets.run.cost_usd
    if cap is not None:
        console.print(f"the run stops before more than ${cap:g} are spent ([budgets.run]).")


def _first_of(loaded: LoadedTournament) -> str:
    spec = loaded.spec
    return f" in round 1 of {spec.rounds}" if spec.format.grows else ""


def _attempt(what: str, trial: Callable[[], str]) -> _Finding:
    try:
        return _Finding(what, True, trial())
    except ArenaError as error:
        return _Finding(what, False, str(error))


def _self_test(game: Game[Any]) -> str:
    check_game(game, n_games=3)
    return "plays by its own rules"


def _handshake(spec: EngineSpec) -> str:
    engine = open_engine(spec)
    try:
        name = engine.identity.get("name", spec.kind)
    finally:
        engine.close()
    return f"{name}: {describe_engine(spec)}"


def _try_models(loaded: LoadedTournament) -> list[_Finding]:
    """One tiny call to each model."""
    findings = []
    words = Request(messages=(Message("user", "Say OK."),), sampling=Sampling(max_tokens=3))
    specs = {model.name: model for model in loaded.spec.models}
    for name in sorted(asked_models(loaded)):
        try:
            # Alone, so that one without its key keeps nobody else from being tried.
            params = {key: value for key, value in specs[name].params.items() if key != "shares_limits_of"}
            (model,) = make_models(replace(loaded.spec, models=(replace(specs[name], params=params),)), {name}).values()
        except ArenaError as error:
            findings.append(_Finding(f"model {name}", False, str(error)))
            continue
        # With the settings of its table: a provider refuses what its model does not take.
        trial = getattr(model, "trial", None)
        request = specs[name].settings.applied_to(words if trial is None else trial())
        try:
            (future,) = model.submit([request])
            wait([future], timeout=_MODEL_PATIENCE_S)
            if not future.done():
                findings.append(_Finding(f"model {name}", False, f"no answer within {_MODEL_PATIENCE_S:.0f} s"))
                continue
            spend = future.result().spend
            findings.append(
                _Finding(f"model {name}", True, f"answered {spend.completion_tokens} tokens in {spend.think_ms:.0f} ms")
            )
        except ArenaError as error:
            findings.append(_Finding(f"model {name}", False, str(error)))
        finally:
            model.close()
    return findings


def _warnings(loaded: LoadedTournament, schedule: tuple[MatchSpec, ...]) -> list[_Finding]:
    """What is allowed but seldom meant."""
    findings = []
    rounds = loaded.spec.rounds if loaded.spec.format.grows else max((match.round for match in schedule), default=0)
    for game in loaded.spec.games:
        different = len(chosen(game, loaded.spec.openings.get(game, ("start",))))
        if rounds > different and not loaded.games[game].traits.chance:
            where = "the start" if different == 1 else f"{different} openings in turn"
            findings.append(
                _Finding(
                    f"openings of {game}",
                    True,
                    f"the {rounds} rounds begin at {where}: deterministic agents will repeat their games",
                )
            )
    idle = [name for name, games in loaded.spec.agent_games.items() if not games]
    findings += [_Finding(f"agent {name}", False, "enters no game") for name in idle]
    return findings


def _estimate(loaded: LoadedTournament, schedule: tuple[MatchSpec, ...]) -> dict[str, dict[str, Any]]:
    """For each agent: matches, and expected and largest numbers of calls and tokens.

    Where the format grows, every round is taken to be like the first.
    """
    n_rounds = loaded.spec.rounds if loaded.spec.format.grows else 1
    samples = {game_id: _sample_games(loaded, game_id, schedule) for game_id in loaded.games}
    specs = {model.name: model for model in loaded.spec.models}
    most_asks = 1 + loaded.spec.policies.re_asks
    estimates: dict[str, dict[str, Any]] = {}
    for name, agent in loaded.agents.items():
        row: dict[str, Any] = {
            "matches": 0,
            "calls": 0,
            "most_calls": 0,
            "prompt_tokens": 0,
            "most_prompt_tokens": 0,
            "most_completion_tokens": 0,
            "most_cost_usd": None,
        }
        for game_id, game in loaded.games.items():
            here = sum(match.game == game_id and name in (match.first, match.second) for match in schedule)
            played = here * n_rounds
            row["matches"] += played
            if not played or not agent.models:
                continue
            asks = [ask for moves, start in samples[game_id] for ask in _asks(agent, game, start, moves)]
            if not asks:
                continue
            turns = mean(len(moves) for moves, _ in samples[game_id]) / 2
            calls = played * turns * mean(len(ask.requests) for ask in asks)
            prompt = mean(
                sum(len(message.content) for message in request.messages) / _CHARACTERS_A_TOKEN
                for ask in asks
                for request in ask.requests
            )
            settings = specs[agent.models[0]].settings
            answer = max(most_completion_tokens(settings.applied_to(one)) for ask in asks for one in ask.requests)
            row["calls"] += round(calls)
            row["most_calls"] += round(calls * most_asks)
            row["prompt_tokens"] += round(calls * prompt)
            # A re-ask carries the refused answers along, so later prompts of a turn are longer.
            row["most_prompt_tokens"] += round(calls * sum(prompt + n * (answer + 60) for n in range(most_asks)))
            row["most_completion_tokens"] += round(calls * most_asks * answer)
        price = specs[agent.models[0]].price if agent.models else None
        if price is not None:
            row["most_cost_usd"] = (
                row["most_prompt_tokens"] * price.prompt + row["most_completion_tokens"] * price.completion
            ) / 1e6
        estimates[name] = row
    return estimates


def _sample_games(
    loaded: LoadedTournament, game_id: str, schedule: tuple[MatchSpec, ...]
) -> list[tuple[tuple[Move, ...], str]]:
    """Moves and starts of a few random games from the tournament's own openings, cut at its cap."""
    game = loaded.games[game_id]
    cap = loaded.spec.policies.max_plies.get(game_id, game.traits.max_plies)
    games = []
    openings = [match.opening for match in schedule if match.game == game_id]
    for number in range(_SAMPLE_GAMES if openings else 0):
        opening = openings[number % len(openings)]
        rng = Random(derive_seed(loaded.spec.seed, "dry-run", game_id, number))
        state = game.decode(opening.start)
        moves: tuple[Move, ...] = ()
        for move in opening.moves:
            state, moves = game.play(state, move), (*moves, move)
        while game.outcome(state) is None and len(moves) < cap:
            move = rng.choice(game.legal_moves(state))
            state, moves = game.play(state, move), (*moves, move)
        games.append((moves, opening.start))
    return games


def _asks(agent: Agent, game: Game[Any], start: str, moves: tuple[Move, ...]) -> list[Ask]:
    """The first thing the agent would ask in the middle of this game, if it asks."""
    state = game.decode(start)
    middle = moves[: len(moves) // 2]
    for move in middle:
        state = game.play(state, move)
    seat: Seat = game.to_move(state)
    view: View[Any] = View(game=game, state=state, seat=seat, ply=len(middle), start=start, moves=middle, seed=0)
    step = next(agent.deliberate(view), None)
    return [step] if isinstance(step, Ask) else []
