"""The report's sections on thought: move quality by the judges, self-correction, and stated chances of winning."""

from __future__ import annotations

from collections.abc import Mapping

from stratarena.analysis import figures
from stratarena.analysis.correction import Corrections, corrections_by
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.facts import Facts
from stratarena.analysis.page import Block, Columns, Paragraph, Table
from stratarena.analysis.wording import DASH, figure, in_words, measured

__all__ = ["calibration_blocks", "correction_blocks", "quality_blocks"]

_QUALITY = ("regret", "best_move_rate", "blunder_rate", "centipawn_loss")


def quality_blocks(facts: Facts) -> tuple[Block, ...]:
    """How much played moves gave away; nothing where no move was graded."""
    graded = {key: found for key, found in facts.process.items() if found["regret"].n}
    if not graded:
        return ()
    judges = {play.game: play.judge for play in facts.plays if play.regrets and play.judge is not None}
    rows = tuple(
        (
            name,
            game or "all",
            str(found["regret"].n),
            *(_quality(found[key], share=key != "centipawn_loss") for key in _QUALITY),
        )
        for name in facts.standings.names
        for game in ("", *facts.games)
        if (name, game) in graded
        for found in (graded[name, game],)
    )
    columns = (
        Columns("agent"), Columns("game"), Columns("graded moves", True), Columns("regret", True),
        Columns("best moves", True), Columns("blunders", True), Columns("centipawn loss", True),
    )  # fmt: skip
    names = [name for name in facts.standings.names if (name, "") in graded]
    return (
        Paragraph(
            "Regret is the share of a point that a move gives away against the judge's best: the loss of winning "
            "probability where the judge is a chess engine, of the game's value where it is a solver. "
            f"Judges: {', '.join(f'{game} by {judge}' for game, judge in judges.items())}."
        ),
        Table(columns, rows, "query `gradings`; regret, best moves, blunders and centipawn loss as defined below"),
        figure(
            "Regret a move, 95 % intervals over matches; n is graded moves.",
            lambda: figures.forest_figure(
                [(name, graded[name, ""]["regret"]) for name in names],
                "points given away a move (1 is a won game lost)",
            ),
        ),
    )


def _quality(estimate: Estimate, *, share: bool) -> str:
    """Without n, which stands in its own column."""
    return measured(estimate, share=share).partition(", n =")[0]


def correction_blocks(facts: Facts) -> tuple[Block, ...]:
    """What came of looking again, by cause; nothing where nobody did."""
    found = corrections_by(facts.plays)
    names = [name for name in facts.standings.names if any(agent == name for agent, _ in found)]
    if not names:
        return ()
    whole = {name: _whole(found, name) for name in names}
    rows = [
        _correction_row(name, cause, row)
        for name in names
        for cause, row in (
            ("all", whole[name]),
            *(
                (in_words(cause) or "no cause given", row)
                for (agent, cause), row in sorted(found.items())
                if agent == name
            ),
        )
    ]
    columns = (
        Columns("agent"), Columns("cause"), Columns("kept, right", True), Columns("kept, wrong", True),
        Columns("right → right", True), Columns("right → wrong", True), Columns("wrong → right", True),
        Columns("wrong → wrong", True), Columns("ungraded", True), Columns("p (mends = spoils)", True),
    )  # fmt: skip
    revised = {
        name: (row.right_to_right, row.wrong_to_right, row.right_to_wrong, row.wrong_to_wrong)
        for name, row in whole.items()
        if row.revisions
    }
    blocks: list[Block] = [
        Paragraph(
            "Each time an agent looked again at a move or plan it meant: what it was before and after. The last column is "
            "the exact two-sided sign test of wrong → right against right → wrong."
        ),
        Table(columns, tuple(rows), "query `plays`; analysis.correction"),
    ]
    if revised:
        caption = "What revisions led to; n is graded revisions."
        blocks.append(figure(caption, lambda: figures.correction_figure(revised)))
    return tuple(blocks)


def _whole(found: Mapping[tuple[str, str], Corrections], name: str) -> Corrections:
    whole = Corrections()
    for (agent, _), row in found.items():
        if agent == name:
            whole += row
    return whole


def _correction_row(name: str, cause: str, row: Corrections) -> tuple[str, ...]:
    counts = (
        row.kept_right, row.kept_wrong, row.right_to_right, row.right_to_wrong, row.wrong_to_right, row.wrong_to_wrong,
        row.ungraded,
    )  # fmt: skip
    p = row.p
    return (name, cause, *map(str, counts), DASH if p is None else "<0.001" if p < 0.001 else f"{p:.3f}")


def calibration_blocks(facts: Facts) -> tuple[Block, ...]:
    """Stated chances of winning against results; nothing where nobody stated any."""
    found = facts.calibration
    names = [name for name in facts.standings.names if (name, "") in found]
    if not names:
        return ()
    rows = tuple(
        (
            name,
            game or "all",
            measured(one.brier, share=False),
            f"{one.reliability:.3f}",
            f"{one.resolution:.3f}",
            f"{one.uncertainty:.3f}",
            f"{one.within:+.3f}",
            f"{one.calibration_error:.3f}",
        )
        for name in names
        for game in ("", *facts.games)
        if (name, game) in found
        for one in (found[name, game],)
    )
    columns = (
        Columns("agent"), Columns("game"), Columns("Brier score", True), Columns("reliability", True),
        Columns("resolution", True), Columns("uncertainty", True), Columns("within tenths", True), Columns("ECE", True),
    )  # fmt: skip
    return (
        Paragraph("Brier score = reliability - resolution + uncertainty + what statements within a tenth differ by."),
        Table(columns, rows, "query `forecasts`; analysis.calibration"),
        figure(
            "Reliability of stated chances of winning, with 95 % intervals over matches; n is statements.",
            lambda: figures.reliability_figure({name: found[name, ""] for name in names}),
        ),
    )
