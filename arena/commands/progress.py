"""What `run` shows while it plays: matches done, standings, spend against budget, what each match waits for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from stratarena.arena.clock import Clock
from stratarena.arena.commands.console import make_table
from stratarena.arena.driver import MatchInPlay
from stratarena.arena.meter import Tally
from stratarena.arena.specs import Budgets, Ending, MatchSpec, Verdict
from stratarena.arena.store import MatchProgress
from stratarena.games.base import Seat

__all__ = ["Progress"]

_ROWS = 8
_LINE_EVERY_S = 10.0


class Progress:
    """Live on a terminal; elsewhere a line every ten seconds, and none at all when `quiet`."""

    def __init__(self, console: Console, clock: Clock, *, name: str, budgets: Budgets, quiet: bool = False) -> None:
        self._console = console
        self._clock = clock
        self._name = name
        self._budgets = budgets
        self._quiet = quiet
        self._began = self._last = clock.seconds()
        self._points: dict[str, list[float]] = {}
        self._spent: Mapping[str, Tally] = {}
        self._total = self._over = self._void = 0
        self._over_at_start: int | None = None
        self._live = (
            Live(console=console, refresh_per_second=4, transient=True, auto_refresh=False)
            if console.is_terminal and not quiet
            else None
        )

    @property
    def played(self) -> int:
        """Matches that came to their end since `start`."""
        return self._over - (self._over_at_start or 0)

    def start(self, matches: Sequence[MatchProgress], spent: Mapping[str, Tally]) -> None:
        """Take the matches as they stand; again when there are more of them."""
        first_time = self._over_at_start is None
        self._total = len(matches)
        self._over = self._void = 0
        self._spent = spent
        self._points = {name: [] for name in spent}
        for match in matches:
            if match.verdict is not None:
                self._count(match.spec, match.verdict)
        if not first_time:
            return
        self._over_at_start = self._over
        if self._over and not self._quiet and self._over < self._total:
            self._console.print(f"{self._name}: going on after {self._over} of {self._total} matches")
        if self._live is not None:
            self._live.start()

    def end_match(self, match: MatchSpec, verdict: Verdict) -> None:
        """A match has ended."""
        self._count(match, verdict)

    def tick(self, in_play: Mapping[int, MatchInPlay]) -> None:
        """Show how it stands, if the last time is long enough ago."""
        now = self._clock.seconds()
        if self._live is not None:
            if now - self._last >= 0.25:
                self._last = now
                self._live.update(self._picture(in_play, now), refresh=True)
        elif not self._quiet and now - self._last >= _LINE_EVERY_S:
            self._last = now
            self._console.print(f"{self._headline(now)}; {_waiting(in_play)}")

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()

    def _count(self, match: MatchSpec, verdict: Verdict) -> None:
        if verdict.ending is Ending.VOID:
            self._void += 1
            return
        self._over += 1
        for seat in Seat:
            score = 0.5 if verdict.winner is None else float(verdict.winner is seat)
            self._points.setdefault(match.agent_at(seat), []).append(score)

    def _headline(self, now: float) -> str:
        elapsed = now - self._began
        rest = self._total - self._over
        left = f", about {_span(elapsed / self.played * rest)} left" if self.played >= 3 else ""
        void = f", {self._void} void" if self._void else ""
        calls = sum(tally.model_calls for tally in self._spent.values())
        tokens = sum(tally.prompt_tokens + tally.completion_tokens for tally in self._spent.values())
        return (
            f"{self._name}: {self._over} of {self._total} matches{void}, {_span(elapsed)}{left}; "
            f"{calls:,} model calls, {tokens:,} tokens"
        )

    def _picture(self, in_play: Mapping[int, MatchInPlay], now: float) -> Group:
        standings = make_table(
            "",
            ["agent", "score", "games", "calls", "tokens", "budget used"],
            [
                (name, f"{sum(points):g}", str(len(points)), *_spending(self._spent.get(name), self._budgets))
                for name, points in sorted(
                    self._points.items(), key=lambda item: (-sum(item[1]) / max(len(item[1]), 1), item[0])
                )
            ],
            right="score|games|calls|tokens|budget used",
        )
        playing: Table = make_table(
            "",
            ["in play", "ply", "waits for"],
            [(match.spec.key, str(match.ply), match.waits_for) for match in list(in_play.values())[:_ROWS]],
            right="ply",
        )
        parts: list[Text | Table] = [Text(self._headline(now), style="bold"), Text(), standings, Text(), playing]
        if len(in_play) > _ROWS:
            parts.append(Text(f"and {len(in_play) - _ROWS} more"))
        parts.append(Text("Ctrl-C saves and stops", style="dim"))
        return Group(*parts)


def _spending(tally: Tally | None, budgets: Budgets) -> tuple[str, str, str]:
    """An agent's calls, tokens, and the largest used share of its own budget."""
    if tally is None:
        return "0", "0", "-"
    spend = tally.total()
    shares = [
        (getattr(spend, resource) or 0) / limit if limit else 1.0
        for resource, limit in budgets.agent.limits()
        if limit is not None
    ]
    used = f"{max(shares):.0%}" if shares else "no limit"
    return f"{spend.model_calls:,}", f"{spend.prompt_tokens + spend.completion_tokens:,}", used


def _waiting(in_play: Mapping[int, MatchInPlay]) -> str:
    """How many matches wait for what, the most awaited first."""
    counts: dict[str, int] = {}
    for match in in_play.values():
        counts[match.waits_for] = counts.get(match.waits_for, 0) + 1
    ranked = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return "in play: " + (", ".join(f"{n} waiting for {what}" for what, n in ranked) or "none")


def _span(seconds: float) -> str:
    """A duration in its two largest units."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02} s"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"
