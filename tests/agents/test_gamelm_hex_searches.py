"""Searches that a Hex model writes itself: boards of children are read out, everything else is as in Connect Four."""

from __future__ import annotations

from random import Random

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("numba", reason="the hex extra is not installed")

import numpy as np
import torch
from game_models import losses_of, one_by_one, player, same_when_killed, small, tiny

from stratarena.agents.conformance import check_agent
from stratarena.agents.gamelm.choices import draw_choices
from stratarena.agents.gamelm.forms import NotInterchange
from stratarena.agents.gamelm.games import HEX_5X5
from stratarena.agents.gamelm.hex_form import FORM_5X5 as FORM
from stratarena.agents.gamelm.layout import layout_of
from stratarena.agents.gamelm.model import GameInference, load_weights, longest_search
from stratarena.agents.gamelm.reading import read
from stratarena.agents.gamelm.texts import draw_traces, lesson_of, text_loss
from stratarena.agents.gamelm.trace_reading import check, read_trace
from stratarena.agents.gamelm.trace_record import tree_of
from stratarena.agents.gamelm.trace_text import trace_text, trace_tokens
from stratarena.agents.gamelm.traces import grow, prompt, write_trace
from stratarena.agents.gamelm.turning import turned_boards
from stratarena.agents.gamelm.writer import write
from stratarena.arena.events import Searched
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.arena.tree_check import checked_tree
from stratarena.games.base import Seat
from stratarena.games.hex import Hex

GAME = Hex(5)
WORDS = FORM.words


@pytest.fixture(scope="module")
def model():
    """A small untrained network."""
    torch.set_num_threads(1)
    return small(HEX_5X5, writes=True)


@pytest.fixture(scope="module")
def states():
    """Positions of random play with either side to move."""
    found = []
    for seed in range(12):
        rng = Random(seed)
        state = GAME.initial(rng)
        for _ in range(seed):
            state = GAME.play(state, rng.choice(GAME.legal_moves(state)))
        if GAME.outcome(state) is None:
            found.append(state)
    return found


@pytest.fixture(scope="module")
def some(states):
    """The boards of these."""
    boards = [FORM.board(state, GAME.to_move(state)) for state in states]
    return tuple(np.array([board[side] for board in boards], np.uint64) for side in (0, 1))


def searches(model, some, depth, breadth):
    """By the rules, with the network's opinions: tokens, and where each began."""
    roots = grow(FORM, *some, depth=depth, breadth=breadth, read=lambda own, other: read(model, own, other))
    return [(write_trace(root, depth=depth, breadth=breadth, turned=True), root) for root in roots]


@pytest.mark.parametrize(("depth", "breadth"), [(0, 1), (1, 5), (2, 3)])
def test_a_search_by_the_rules_passes_every_check_and_is_told_without_loss(model, some, states, depth, breadth):
    """States, shape, values carried back and choices; its text; and the tree in the record has no fault."""
    for (text, root), state in zip(searches(model, some, depth, breadth), states, strict=True):
        trace = read_trace(FORM, text.tokens)
        found = check(trace, root.own, root.opponent)
        assert found.asked_shape
        assert found.children == found.legal == found.local == found.true == found.consistent
        assert found.selections == found.selected_best
        assert found.judged == found.judged_right
        told = trace_text(FORM, text.tokens)
        assert trace_tokens(FORM, told) == text.tokens
        tree = tree_of(GAME, trace, asked=(depth, breadth), state=state, seat=GAME.to_move(state), ended="choice")
        assert not {node.problem for node in tree.nodes} - {None}
        checked = checked_tree(tree, GAME, state, GAME.to_move(state))
        assert all(False not in (node.check.legal, node.check.state_right) for node in checked.nodes if node.check)
        assert set(tree.line) <= set(map(str, GAME.cells))


def test_cells_are_named_as_the_board_lies_for_either_side(model, some, states):
    """The side that joins left and right sees its board turned; what it selects is named on the one that all see."""
    for (text, _), state in zip(searches(model, some, 1, 2), states, strict=True):
        trace = read_trace(FORM, text.tokens)
        said = trace_text(FORM, text.tokens).rstrip("\n").splitlines()[-1]
        seat = GAME.to_move(state)
        move = FORM.move(trace.root.selected, seat, FORM.board(state, seat))
        assert said == f"Playing {move}!"
        assert move in GAME.legal_moves(state)


def test_boards_of_children_are_given_in_training_not_asked_for(model, some):
    """Only what the model writes counts: what to open, what is carried back, what to select."""
    (text, _), *_ = searches(model, some, 1, 3)
    written = {
        WORDS.first_content <= token < WORDS.size
        for token, weight in zip(text.tokens, text.weights, strict=True)
        if weight
    }
    assert written == {False}


def test_a_writer_puts_down_the_boards_that_the_model_reads_out(model, some):
    """Word for word, and as many boards are read as nodes are begun; whatever an untrained network opens."""
    opening = [WORDS["<expand>"], WORDS.first_move + 7, WORDS["<child>"], WORDS.first_move + 7]
    prompts = []
    for own, other in zip(*some, strict=True):
        begin = prompt(FORM, int(own), int(other), depth=1, breadth=1)
        (root,) = grow(
            FORM, np.array([own]), np.array([other]), depth=0, breadth=1, read=lambda *boards: read(model, *boards)
        )
        prompts.append([*begin, *root.report.tokens(), *opening])
    for one, own, other in zip(write(model, prompts, max_tokens=160), *some, strict=True):
        after = turned_boards(model, np.array([own]), np.array([other]), np.array([7]))
        told = one.tokens[one.n_prompt : one.n_prompt + WORDS.places]
        assert FORM.board_of(tuple(token - WORDS.first_content for token in told)) == tuple(int(s[0]) for s in after)
        assert one.n_read >= 1


@pytest.mark.parametrize("room", range(1, 6))
def test_a_text_that_is_cut_off_just_before_a_board_is_still_given_it(model, room):
    """Whatever is left to write, there is place for what is given."""
    prompts = [prompt(FORM, 0, 0, depth=1, breadth=1)]
    longest = len(prompts[0]) + WORDS.places + 2
    begin = write(model, prompts, max_tokens=longest)[0].tokens[:longest]
    opened = [*begin, WORDS["<expand>"], WORDS.first_move, WORDS["<child>"], WORDS.first_move]
    (one,) = write(model, [opened], max_tokens=len(opened) + room)
    assert len(one.tokens) >= len(opened) + 2 * WORDS.places + 2
    assert not one.ended


def test_every_place_of_a_long_search_has_an_embedding(model):
    """No slot of a layout lies beyond what the network has."""
    (text, _), *_ = searches(model, tuple(np.zeros(1, np.uint64) for _ in range(2)), 2, 7)
    laid = layout_of(WORDS, text.tokens)
    assert laid.slots.max() < model.config.max_slots
    assert laid.levels.max() < model.config.levels
    assert len(text.tokens) < longest_search(FORM, 2, 7)


def test_searches_and_choices_can_be_learned(model, some):
    """Sixty small steps on a few texts bring the loss down."""
    torch.manual_seed(0)
    learner, rng = small(HEX_5X5, writes=True).train(), np.random.default_rng(0)
    lessons = [lesson_of(WORDS, text) for text in draw_traces(model, *some, rng)]
    lessons += draw_choices(model, *some, rng)
    losses = losses_of(learner, 60, lambda: text_loss(learner, lessons))
    assert losses[-1] < losses[0] / 3


def test_its_own_search_keeps_the_promises_of_an_agent(model):
    """An untrained network's texts are broken: it plays what its first opinion says, and that is recorded as a fallback."""
    answer = one_by_one(GameInference(model))
    check_agent(lambda: player(search="internal", depth=1, breadth=2), GAME, answer=answer, n_matches=1)


@pytest.mark.parametrize("opening", [(), ("c3",)], ids=["first", "second"])
def test_a_search_that_was_written_rightly_is_played_and_recorded(model, opening):
    """For either seat: the move that it selects, with its line, and a tree in which the rules find no fault."""
    seat = Seat.SECOND if opening else Seat.FIRST
    state = GAME.initial(Random(0))
    for move in opening:
        state = GAME.play(state, move)
    own, other = FORM.board(state, seat)
    (text, root), *_ = searches(model, (np.array([own], np.uint64), np.array([other], np.uint64)), 1, 3)
    told = trace_text(FORM, text.tokens)
    real = one_by_one(GameInference(model))
    answers = iter([told])

    def answer(request):
        found = real(request)
        return type(found)(text=next(answers, found.text), finish=found.finish, spend=found.spend)

    agents = [player(search="internal", depth=1, breadth=3), ScriptedAgent.of_moves("y", ["e5"] * 30)]
    _, events = play_one(
        GAME, *(agents[::-1] if opening else agents), models={"m": InstantModel("m", answer)}, opening=opening
    )
    tree = next(event.body.tree for event in events if isinstance(event.body, Searched))
    assert tree.line[0] == FORM.move(root.value()[0], seat, (own, other))
    assert not {node.problem for node in tree.nodes} - {None}


def test_a_text_about_another_game_is_refused(model, some):
    """By its header, before anything is taken from it."""
    (text, _), *_ = searches(model, some, 0, 1)
    told = trace_text(FORM, text.tokens).replace("game=hex5", "game=connect_four")
    with pytest.raises(NotInterchange, match="line 3: expected <mav game=hex5>"):
        trace_tokens(FORM, told)


def test_a_training_with_searches_that_was_killed_ends_with_the_same_weights(tmp_path):
    """All four tasks; and the weights have room for the words of a search."""
    config = tiny(
        HEX_5X5,
        data={"chunks": 1, "games": 8},
        stages=[
            {"name": "reading", "steps": 4, "batch": 16, "tasks": {"reading": 0.5, "turning": 0.5}},
            {"name": "writing", "steps": 4, "batch": 16, "tasks": {"reading": 0.3, "traces": 0.4, "choices": 0.3}},
        ],
    )
    opened = load_weights(same_when_killed(config, tmp_path))
    assert opened.config.max_slots >= layout_of(WORDS, []).slots.size
    (found,) = write(opened, [prompt(FORM, 0, 0, depth=1, breadth=2)], max_tokens=90)
    assert found.tokens
