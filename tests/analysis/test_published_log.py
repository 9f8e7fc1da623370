"""The public evaluator's formulas, to the last digit, and what a log of another shape is told."""

from __future__ import annotations

import copy
import json
from pathlib import Path

import pytest

from stratarena.analysis.published_log import LogError, LogRow, metrics_of_log, published_metrics, scored_rows

LOGS = json.loads((Path(__file__).parents[1] / "golden/advgamebench.json").read_text(encoding="utf-8"))
LOGS = LOGS["public_evaluator"]


@pytest.mark.parametrize("log", LOGS, ids=[log["id"] for log in LOGS])
def test_the_public_evaluators_numbers_are_repeated(log):
    """Six logs of the original evaluator, several matches in one among them."""
    assert metrics_of_log(log, where="log") == log["expected"]


def test_a_log_worked_by_hand():
    """Costs 1900, 1900, 2100, 2000, 2000 of 2000, the last two won: the worked example of the specification."""
    rows = [
        LogRow(label, cost, won)
        for label, cost, won in zip(
            (2, 4, 6, 8, 10), (1900, 1900, 2100, 2000, 2000), (False, False, False, True, True), strict=True
        )
    ]
    found = published_metrics(rows, order="first", purse=2000)
    assert found.win_rate == 0.4
    assert found.over_budget_ratio == 0.2
    assert found.correction_rate == 0.5
    assert found.correction_success_rate == 0.5
    assert found.improvement_slope == pytest.approx(0.3)


def test_rows_count_by_the_parity_of_their_label_and_the_first_never():
    """Even labels for the side that updates first, odd ones but 1 for the other; a second label 10 counts again."""
    rows = [LogRow(label, 0, False) for label in (1, 2, 3, 4, 10, 10)]
    assert [row.label for row in scored_rows(rows, "first")] == [2, 4, 10, 10]
    assert [row.label for row in scored_rows(rows, "second")] == [3]


def test_what_the_evaluator_cannot_compute_is_zero_there():
    """One of its defects, kept."""
    empty = published_metrics([], order="first", purse=20)
    single = published_metrics([LogRow(2, 20, True)], order="first", purse=20)
    assert (empty.win_rate, empty.improvement_slope) == (0.0, 0.0)
    assert (single.win_rate, single.correction_rate, single.improvement_slope) == (1.0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda log: log.pop("tag"), r"log\.tag: Field required"),
        (lambda log: log.update(game="chess"), r"log\.game: Input should be"),
        (lambda log: log.update(role="defender"), r"log\.role: 'defender' has no part in tower_defense"),
        (lambda log: log["rows"][3].update(human_cost="2000"), r"rows\[3\]\.human_cost: '2000'; expected a whole"),
        (lambda log: log["rows"][3].update(human_cost=True), r"rows\[3\]\.human_cost: True; expected a whole"),
        (lambda log: log["rows"][3].update(winner="human"), r"rows\[3\]\.winner: 'human'; expected one of"),
        (lambda log: log["rows"][3].update(human_LLM="X"), r"rows\[3\]\.human_LLM: 'X'; expected the tested model"),
    ],
)
def test_a_log_of_another_shape_is_told_where_it_is_wrong(change, message):
    """Nothing is guessed from a damaged log."""
    log = copy.deepcopy(LOGS[0])
    change(log)
    with pytest.raises(LogError, match=message):
        metrics_of_log(log, where="log")
