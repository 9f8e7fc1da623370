"""`metrics`: process metrics, from the record or from logs of the published programs."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from stratarena.analysis.board_process import plays_of_boards
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.process import (
    DEFINITIONS,
    TITLES,
    Scope,
    macro_mean,
    measure,
    plays_of,
    published_of,
    risk_against_success,
    scopes_of,
)
from stratarena.analysis.published_log import LogError, metrics_of_log
from stratarena.arena.commands.console import make_table, out, print_json
from stratarena.arena.commands.reading import opened
from stratarena.db.errors import RecordError
from stratarena.games.resource.reading import NoJson, parse_json

__all__ = ["metrics", "metrics_from_log"]

_SHOWN = (
    "win_rate",
    "over_correction_risk",
    "correction_success",
    "improvement_slope",
    "regret",
    "over_purse_ratio",
    "over_budget_ratio",
    "unreadable_rate",
)


def metrics_from_log(path: Path) -> None:
    """Print the published metrics of each log in a JSON list, one object a line, in order.

    Raises:
        LogError: the file is no JSON, or a log has another shape.
    """
    try:
        logs = parse_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise LogError(f"{path}: not UTF-8 at byte {error.start}") from None
    except NoJson as error:
        raise LogError(f"{path}: {error}") from None
    if not isinstance(logs, list):
        raise LogError(f"{path}: expected a list of logs")
    for index, log in enumerate(logs):
        print_json(metrics_of_log(log, where=f"{path}[{index}]"))


def metrics(name: str | None, *, db: str, definition: str, as_json: bool, as_csv: bool) -> None:
    """Print the process metrics of a tournament, by our definitions or the published ones.

    Raises:
        RecordError: there is no such tournament, or none of its matches is one of plans.
    """
    with opened(db) as reader:
        tournament = reader.tournament(name)
        plays = (*plays_of(reader.series(tournament)), *plays_of_boards(reader.boards(tournament)))
    if not plays:
        raise RecordError(
            f"tournament {tournament.name!r} has no finished match in which a plan was declared; moves can be graded "
            "with `stratarena annotate`"
        )
    scopes = scopes_of(plays, [agent.name for agent in tournament.agents])
    tell = _tell_published if definition == "published" else _tell_ours
    tell(tournament.name, scopes, as_json, as_csv)


def _tell_ours(name: str, scopes: Sequence[Scope], as_json: bool, as_csv: bool) -> None:
    measured = [(scope, measure(scope.plays)) for scope in scopes]
    whole = [found for scope, found in measured if not scope.game]
    together = risk_against_success(
        [(found["over_correction_risk"].value, found["correction_success"].value) for found in whole]
    )
    if as_json:
        print_json(
            {
                "tournament": name,
                "definition": "ours",
                "metrics": [
                    {**_place(scope), "matches": len(scope.plays), **_values(found), **_macro(scope, measured)}
                    for scope, found in measured
                ],
                "over_correction_risk_against_correction_success": asdict(together),
                "definitions": DEFINITIONS,
            }
        )
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["agent", "game", "side", "matches", "metric", "value", "low", "high", "n", "method"])
        for scope, found in measured:
            for key, one in found.items():
                numbers = ["" if value is None else repr(value) for value in (one.value, one.low, one.high)]
                writer.writerow([*_place(scope).values(), len(scope.plays), key, *numbers, one.n, one.method])
    else:
        rows = [
            (*_place(scope).values(), str(len(scope.plays)), *(_shown(found[key], key) for key in _SHOWN))
            for scope, found in measured
        ]
        columns = ["agent", "game", "side", "matches", *(TITLES[key] for key in _SHOWN)]
        out().print(make_table(f"{name}: process metrics [95 %]", columns, rows, right="|".join(columns[3:])))
        _say_correlation(together.n, together.r, together.p, together.low, together.high, together.rho)


def _tell_published(name: str, scopes: Sequence[Scope], as_json: bool, as_csv: bool) -> None:
    wanted = [scope for scope in scopes if scope.game and not scope.side]
    measured = [(scope, found) for scope in wanted if (found := published_of(scope.plays)) is not None]
    if as_json:
        print_json(
            {
                "tournament": name,
                "definition": "published",
                "metrics": [
                    {"agent": scope.agent, "game": scope.game, "matches": len(scope.plays), **asdict(found)}
                    for scope, found in measured
                ],
            }
        )
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(["agent", "game", "matches", "metric", "value"])
        for scope, found in measured:
            for key, value in asdict(found).items():
                writer.writerow([scope.agent, scope.game, len(scope.plays), key, repr(value)])
    else:
        columns = [
            "agent",
            "game",
            "matches",
            "win rate",
            "over-correction risk",
            "correction success",
            "slope",
            "over",
        ]
        rows = [
            (scope.agent, scope.game, str(len(scope.plays)), *(f"{value:.4f}" for value in asdict(found).values()))
            for scope, found in measured
        ]
        out().print(
            make_table(f"{name}: by the public evaluator's formulas", columns, rows, right="|".join(columns[2:]))
        )


def _place(scope: Scope) -> dict[str, str]:
    return {"agent": scope.agent, "game": scope.game or "all", "side": scope.side or "both"}


def _values(found: dict[str, Estimate]) -> dict[str, Any]:
    return {key: asdict(one) for key, one in found.items()}


def _macro(scope: Scope, measured: Sequence[tuple[Scope, dict[str, Estimate]]]) -> dict[str, Any]:
    """For all games together also the unweighted mean over games, with the number of games that have a value."""
    if scope.game:
        return {}
    cells = [found for other, found in measured if other.agent == scope.agent and other.game and not other.side]
    means = {key: macro_mean([cell[key] for cell in cells]) for key in DEFINITIONS}
    return {"mean_over_games": {key: {"value": value, "games": games} for key, (value, games) in means.items()}}


def _shown(one: Estimate, key: str) -> str:
    if one.value is None:
        return "-"
    scale, digits = (1, 3) if key == "improvement_slope" else (100, 0)
    shown = f"{one.value * scale:+.{digits}f}" if scale == 1 else f"{one.value * scale:.{digits}f}"
    if one.low is None or one.high is None:
        return shown
    return f"{shown} [{one.low * scale:.{digits}f}, {one.high * scale:.{digits}f}]" + (" %" if scale == 100 else "")


def _say_correlation(
    n: int, r: float | None, p: float | None, low: float | None, high: float | None, rho: float | None
) -> None:
    if r is None or p is None:
        why = "fewer than three agents have both" if n < 3 else "one of them does not vary"
        out().print(f"over-correction risk against correction success: no correlation over {n} agents ({why})")
        return
    interval = "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
    ranks = "" if rho is None else f", rho {rho:.2f}"
    out().print(
        f"over-correction risk against correction success, n = {n} agents: r {r:.2f}{interval}, p {p:.3f}{ranks}"
    )
