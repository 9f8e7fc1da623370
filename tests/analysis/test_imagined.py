"""Errors of imagined worlds: a planted rate is measured at every depth, and a world without errors has none."""

from __future__ import annotations

import json
import re
from hashlib import blake2b
from itertools import product

import pytest

from stratarena.agents.base import AgentSpec
from stratarena.agents.budget import Spend
from stratarena.agents.models.base import Completion, Finish
from stratarena.analysis.imagined import DEFINITIONS, errors_by_depth
from stratarena.analysis.imagined_blocks import imagined_blocks
from stratarena.analysis.page import Paragraph, Table
from stratarena.arena.config import make_agent
from stratarena.arena.events import Searched
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.db.records import SearchRecord
from stratarena.games.base import Move, Seat
from stratarena.games.connect_four import ConnectFour

C4 = ConnectFour()
SPEND = Spend(model_calls=1, prompt_tokens=1, completion_tokens=1, think_ms=1.0, cost_usd=0.0)


def draw(text, what):
    """A number from 0 to 1 that belongs to a text."""
    return int.from_bytes(blake2b(f"{what} {text}".encode(), digest_size=8).digest()) / 2**64


def dreamer(wrong, forgets=0.0):
    """A model that knows the rules, but lets a disc fall into another column in a share of its answers.

    In another share it forgets one of the legal moves of what it tells.
    """

    def answer(request):
        asked = request.messages[-1].content
        state = re.search(r"Position: (.+)", asked)[1]
        if "Legal moves:" in asked:
            moves = re.search(r"Legal moves: (.+)", asked)[1].split()
            return said({"moves": dict.fromkeys(moves, 50)})
        before = C4.decode(state)
        move = re.search(r"Move: (\S+)", asked)[1]
        others = [other for other in C4.legal_moves(before) if other != move]
        if others and draw(asked, "column") < wrong:
            move = others[0]
        after = C4.play(before, Move(move))
        outcome = C4.outcome(after)
        over = None if outcome is None else "draw" if outcome.winner is None else "XO"[outcome.winner is Seat.SECOND]
        moves = list(C4.legal_moves(after))
        if len(moves) > 1 and draw(asked, "forgotten") < forgets:
            moves.pop()
        return said({"legal": True, "state": C4.encode(after), "over": over, "moves": dict.fromkeys(moves, 50)})

    return answer


def said(content):
    return Completion(text=json.dumps(content), finish=Finish.STOP, spend=SPEND)


def records(model, n_matches, simulations=150):
    """A search of each of some matches, as the arena checks and records it."""
    found = []
    for number, opening in enumerate(product("1234567", repeat=2)):
        if number == n_matches:
            return found
        agent = make_agent(
            AgentSpec(
                "x", "mcts_llm", {"model": "m", "world": "model", "simulations": simulations, "batch": 4, "c": 3.0}
            )
        )
        _, events = play_one(
            C4, agent, ScriptedAgent.of_moves("other", ""), models={"m": InstantModel("m", model)}, opening=opening
        )
        tree = next(event.body.tree for event in events if isinstance(event.body, Searched))
        found.append(
            SearchRecord(
                match_id=number, game=C4.id, agent="x", seat=Seat.FIRST, ply=2, start="", moves=tuple(map(Move, opening)),
                tree=tree, spend=SPEND, played=None, fallback=None, judge=None, evaluations={},
            )
        )  # fmt: skip
    return found


@pytest.fixture(scope="module")
def of_a_dreamer():
    return records(dreamer(0.2, forgets=0.1), 16)


def test_a_planted_rate_of_wrong_positions_is_measured_at_every_depth_within_its_interval(of_a_dreamer):
    """Locally it is the planted one wherever the tree is broad; globally errors add up on the way down."""
    together, *by_depth = errors_by_depth(of_a_dreamer, ["x"])
    assert together.depth is None
    assert [each.depth for each in by_depth][:3] == [1, 2, 3]
    broad = [each for each in by_depth if each.state_local.n >= 100]
    assert len(broad) >= 3
    for each in (together, *broad):
        assert each.state_local.low <= 0.2 <= each.state_local.high
        assert each.state_local.high - each.state_local.low < 0.2
    assert [each.state.value for each in broad] == sorted(each.state.value for each in broad)
    assert broad[0].state.value < broad[-1].state.value


def test_forgotten_moves_are_measured_as_well(of_a_dreamer):
    """Among positions told right at depth 1 they come at the planted rate; no move is illegal in the model's own words."""
    first = errors_by_depth(of_a_dreamer, ["x"])[1]
    assert first.depth == 1
    assert first.missing.low <= 0.1 <= first.missing.high
    assert (first.move_local.value, first.move.value, first.given_up.value) == (0.0, 0.0, 0.0)


def test_a_true_world_has_no_errors_and_is_reported_so():
    """Every share is 0, with its n; all definitions are told."""
    (together, *_) = found = errors_by_depth(records(dreamer(0.0), 2, simulations=60), ["x"])
    for name in DEFINITIONS:
        assert getattr(together, name).value == 0.0
    assert together.n_nodes == together.state.n == 120
    assert sum(each.n_nodes for each in found[1:]) == together.n_nodes
    blocks = imagined_blocks(records(dreamer(0.0), 1, simulations=10), ["x"])
    tables = [block for block in blocks if isinstance(block, Table)]
    assert [len(table.rows[0]) for table in tables] == [8, 9]
    assert sum(isinstance(block, Paragraph) for block in blocks) == 1 + len(DEFINITIONS)
    assert imagined_blocks([], ["x"]) == ()
