"""The report's section on what is out of the ordinary."""

from __future__ import annotations

from collections import Counter

from stratarena.analysis.facts import Facts
from stratarena.analysis.page import Block, Paragraph
from stratarena.analysis.wording import in_words
from stratarena.arena.specs import Ending
from stratarena.games.notation.record import Result

__all__ = ["anomaly_blocks"]

_MANY_FORFEITS = 0.05


def anomaly_blocks(facts: Facts) -> tuple[Block, ...]:
    """What a careful reader should know before believing the rest."""
    matches, attempts, faults = facts.matches, facts.attempts, facts.faults
    conduct, tournament, standings = facts.conduct, facts.tournament, facts.standings
    found: list[str] = []
    void = [match for match in attempts.values() if match.verdict is not None and match.verdict.ending is Ending.VOID]
    for match in void:
        assert match.verdict is not None
        found.append(
            f"Void: {match.key}, attempt {match.attempt} ({in_words(match.verdict.reason)}); it counts for nobody."
        )
    for match in matches:
        if match.verdict is not None and match.verdict.ending is Ending.RULES and match.stated is not None:
            fact = Result.of(match.verdict.winner).value
            if match.stated != fact:
                found.append(
                    f"{match.key}: the file states {match.stated}, but by the rules it is {fact}, which counts."
                )
    if tournament.origin is not None and tournament.origin.n_refused:
        found.append(
            f"{tournament.origin.n_refused} games of {tournament.origin.file} could not be read and are missing."
        )
    open_matches = sum(match.verdict is None and match.key not in standings.spared for match in matches)
    if open_matches:
        found.append(f"{open_matches} of {len(matches)} matches are not over: these standings are not final.")
    for fault in faults:
        found.append(f"Fault of {fault.place} in {fault.key}, ply {fault.ply}: {fault.error}")
    for agent in tournament.agents:
        own = [match for match in standings.matches if agent.name in (match.first, match.second)]
        lost = [
            match.verdict.reason
            for match in own
            if match.verdict is not None
            and match.verdict.at_fault is not None
            and match.agent_at(match.verdict.at_fault) == agent.name
        ]
        if own and len(lost) / len(own) > _MANY_FORFEITS:
            why = ", ".join(f"{n} {in_words(reason)}" for reason, n in sorted(Counter(lost).items()))
            found.append(f"{agent.name} forfeited {len(lost)} of its {len(own)} matches ({why}).")
        spent = conduct.get((agent.name, ""))
        if spent is not None and spent.cost_usd is None:
            found.append(f"{agent.name}: the price of some of its calls is unknown.")
    if not found:
        return (Paragraph("None: no void match, no fault, no agent with more than 5 % forfeits, no price missing."),)
    return tuple(Paragraph(sentence) for sentence in found)
