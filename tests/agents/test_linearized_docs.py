"""The page on linearized search: its examples are good traces of every game, and its tables are complete."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from stratarena.agents.linearized.check import Asked, Fault, check_trace
from stratarena.agents.linearized.notation import read_state
from stratarena.agents.linearized.parser import parse_trace
from stratarena.agents.linearized.player import GAMES
from stratarena.agents.linearized.trace import print_trace
from stratarena.games.plugins import load_game

PAGE = Path(__file__, "../../../docs/linearized-search.md").resolve().read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```trace\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize("text", EXAMPLES, ids=lambda text: text.split()[1])
def test_an_example_is_read_and_has_no_fault(text):
    """By the strict reading, from the position that its root states; printed again it is the same text."""
    trace = parse_trace(text)
    game = load_game(trace.game)
    state = read_state(game, trace.nodes[0].state)
    check = check_trace(game, state, trace, asked=Asked(trace.game, trace.depth, trace.breadth))
    told = [(trace.paths[number], node.faults) for number, node in enumerate(check.nodes) if node.faults]
    assert (told, check.faults) == ([], ())
    assert print_trace(trace) == text


def test_every_game_has_an_example_and_every_fault_is_explained():
    """A game or fault that is added without a word is noticed."""
    assert {text.split()[1].partition("(")[0] for text in EXAMPLES} == set(GAMES)
    assert [fault.value for fault in Fault if f"`{fault.value}`" not in PAGE] == []
