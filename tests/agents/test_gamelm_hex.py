"""The Hex 5x5 model: training, agents, and what the shipped weights reach on positions that they were not trained on."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("numba", reason="the hex extra is not installed")

import numpy as np
import torch
from game_models import losses_of_turning, one_by_one, player, same_when_killed, small, tiny

from stratarena.agents.conformance import check_agent
from stratarena.agents.gamelm.games import CHESS, CONNECT_FOUR, HEX_5X5
from stratarena.agents.gamelm.hex_form import FORM_5X5 as FORM
from stratarena.agents.gamelm.model import GameInference, Shelf, game_lm, load_weights, shipped_weights, write_states
from stratarena.agents.gamelm.positions import load_positions, make_chunks
from stratarena.agents.gamelm.reading import read
from stratarena.agents.gamelm.speech import Question, parse_answer, question_text
from stratarena.agents.gamelm.splits import SPLITS, plainest, split_of
from stratarena.agents.models.base import Completion, Message, ModelError, Request
from stratarena.arena.events import Searched, TurnClosed
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.games.hex import Hex

GAME = Hex(5)
HELD_OUT = Path(__file__).parents[1] / "golden" / "gamelm" / "hex_5x5_held_out.txt"


@pytest.fixture(scope="module")
def inference():
    """It, ready to answer."""
    torch.set_num_threads(1)
    return GameInference(small(HEX_5X5))


@pytest.fixture(scope="module")
def answer(inference):
    """Its answers, one by one."""
    return one_by_one(inference)


def asked(question):
    """The question as a request."""
    return Request(messages=(Message("user", question_text(question)),))


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"scoring": "max"},
        {"kind": "mcts_llm", "simulations": 12, "batch": 4},
        {"kind": "mcts_llm", "simulations": 6, "batch": 2, "world": "model"},
        {"kind": "tree_of_thought", "depth": 1, "breadth": 3},
    ],
    ids=str,
)
def test_every_kind_keeps_the_promises_of_an_agent(params, answer):
    """Legal moves, lines that can be played, the same from the same view, for both seats, whatever the values are."""
    check_agent(lambda: player(**params), GAME, answer=answer, n_matches=1)


@pytest.mark.parametrize(
    ("opening", "wins"),
    [("b1 d1 b2 e1 b3 e3 b4 d5", ("a5", "b5")), ("b4 a2 c4 b2 d5 c2 a5 d2 c5", ("e1", "e2"))],
    ids=["first", "second"],
)
def test_a_search_by_the_rules_takes_a_win_that_values_do_not_see(opening, wins, answer):
    """Four of five stones stand, for either seat: two hundred simulations find the last, so cells are named as they lie."""
    seats = [player("mcts_llm", simulations=200, batch=4), ScriptedAgent.of_moves("y", ["e4"])]
    plies = tuple(opening.split())
    seats = seats[::-1] if len(plies) % 2 else seats
    _, events = play_one(GAME, *seats, models={"m": InstantModel("m", answer)}, opening=plies)
    first = next(event.body for event in events if isinstance(event.body, TurnClosed))
    assert first.move in wins


def test_an_imagined_world_is_checked_by_the_rules(answer):
    """An untrained network imagines nonsense, and the record says so."""
    _, events = play_one(
        GAME,
        player("mcts_llm", simulations=12, batch=4, world="model"),
        ScriptedAgent.of_moves("y", ["e5"] * 30),
        models={"m": InstantModel("m", answer)},
    )
    tree = next(event.body.tree for event in events if isinstance(event.body, Searched))
    checks = [node.check for node in tree.nodes if node.check is not None and node.visits and node.depth]
    assert any(check.state_right is False for check in checks)


def test_games_without_weights_are_refused_in_one_line():
    """For the player and for searches around it; the board games' own searches are written, the endings' are not."""
    assert player().plays(HEX_5X5) is None
    assert player("mcts_llm").plays(HEX_5X5) is None
    for game in ("hex", "hex(size=7)", "hex(size=5, swap=true)", "chess960"):
        said = f"the game model plays connect_four, hex(size=5) and chess (endings), not {game}"
        assert player().plays(game) == player("mcts_llm").plays(game) == said
    assert player(search="internal").plays(HEX_5X5) is None
    internal = player(search="internal").plays(CHESS)
    assert internal == "the game model writes searches of connect_four and hex(size=5) only, not of chess"


class TestShelf:
    """Weights by the game that is asked about."""

    def test_questions_about_two_games_are_answered_by_their_own_weights_in_order(self):
        """Each network is opened once, when it is first wanted."""
        opened = []

        def open_(game):
            opened.append(game)
            return GameInference(small(game, turns=game == HEX_5X5))

        shelf = Shelf([CONNECT_FOUR, HEX_5X5], open_)
        assert opened == []
        questions = [Question((0, 0), game=game) for game in (HEX_5X5, CONNECT_FOUR, HEX_5X5)]
        for _ in range(2):
            for question, found in zip(questions, shelf.answer([asked(one) for one in questions]), strict=True):
                assert isinstance(found, Completion)
                parse_answer(question, found.text)
        assert opened == [HEX_5X5, CONNECT_FOUR]

    def test_weights_of_one_game_refuse_another_and_answer_the_rest(self):
        """What is no question is refused by itself, too."""
        shelf = Shelf([HEX_5X5], lambda game: GameInference(small(game, turns=game == HEX_5X5)))
        hello = Request(messages=(Message("user", "Hello"),))
        other, nothing, good = shelf.answer([asked(Question((0, 0))), hello, asked(Question((0, 0), game=HEX_5X5))])
        assert str(other) == "these weights play hex(size=5), not connect_four"
        assert isinstance(nothing, ModelError)
        assert isinstance(good, Completion)

    def test_weights_that_learned_no_searches_say_so(self):
        """Those of trainings that only read have no places for the words of a search."""
        inference = GameInference(small(HEX_5X5))
        (internal,) = inference.answer([asked(Question((0, 0), search=(1, 2), game=HEX_5X5))])
        assert str(internal) == "these weights have not learned to write searches of hex(size=5)"

    def test_a_folder_of_an_unknown_game_is_refused(self, tmp_path):
        """With the name that its configuration gives."""
        (tmp_path / "config.json").write_text('{"game": "go"}')
        with pytest.raises(ModelError, match=r"its config\.json says game = 'go'"):
            game_lm("m", {"folder": str(tmp_path)})
        with pytest.raises(ModelError, match="has no game model"):
            game_lm("m", {"folder": str(tmp_path / "nothing")})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with one small chunk of positions."""
    folder = tmp_path_factory.mktemp("hex")
    make_chunks(folder / "positions", n_chunks=1, games=8, game=HEX_5X5)
    return folder


class TestTraining:
    """Training runs."""

    def test_a_run_that_was_killed_ends_with_the_same_weights(self, folder):
        """In mid-training, with both tasks."""
        weights = same_when_killed(tiny(HEX_5X5, data={"chunks": 1, "games": 8}), folder)
        opened = load_weights(weights)
        assert (opened.config.game, opened.config.turns) == (HEX_5X5, True)

    def test_texts_are_refused_for_hex_at_load(self):
        """Examples are written about Connect Four only."""
        with pytest.raises(ValueError, match="texts of examples are written about connect_four only"):
            tiny(
                HEX_5X5,
                data={"chunks": 1, "games": 8},
                stages=[{"name": "writing", "steps": 2, "tasks": {"text": 1.0}}],
            )

    def test_turning_boards_over_can_be_learned(self, folder):
        """A hundred small steps bring the loss far down."""
        splits = load_positions(make_chunks(folder / "positions", n_chunks=1, games=8, game=HEX_5X5), HEX_5X5)
        losses = losses_of_turning(HEX_5X5, splits["train"], batch=16)
        assert losses[-1] < losses[0] / 5


def held_out():
    """Positions of the test split as boards, with the moves that win: a state and its winning moves a line."""
    boards, wins = [], []
    for line in HELD_OUT.read_text(encoding="utf-8").splitlines():
        state, _, moves = line.partition(" wins:")
        board = FORM.board_from_text(state)
        boards.append(board)
        wins.append({FORM.move_from_text(move, board) for move in moves.split()})
    own, opponent = (np.array([board[side] for board in boards], np.uint64) for side in (0, 1))
    return own, opponent, wins


@pytest.fixture(scope="module")
def model():
    """The weights that ship."""
    return load_weights(shipped_weights(HEX_5X5))


class TestShippedWeights:
    """What the weights reach on the committed sample."""

    def test_no_position_of_the_sample_was_trained_on(self):
        """Each has the hash of the test split, and so has its image; they are three hundred different ones."""
        own, opponent, _ = held_out()
        plain = plainest(FORM, own, opponent)[:2]
        assert (split_of(*plain) == SPLITS.index("test")).all()
        assert len(set(zip(plain[0].tolist(), plain[1].tolist(), strict=True))) == len(own) == 300

    def test_states_and_legal_moves_are_exact(self, model):
        """After every third possible move; and exactly the empty cells are told as possible."""
        own, opponent, _ = held_out()
        room = FORM.room(own, opponent)
        readings = read(model, own, opponent)
        assert (readings.legal == room).all(axis=1).mean() >= 0.995
        asked, true = [], []
        for index in range(len(own)):
            for move in np.flatnonzero(room[index])[::3]:
                asked.append(Question((int(own[index]), int(opponent[index])), int(move), game=HEX_5X5))
                after = FORM.play(own[index : index + 1], opponent[index : index + 1], np.array([move]))
                true.append((int(after[0][0]), int(after[1][0])))
        right = [one == other for one, other in zip(write_states(model, asked), true, strict=True)]
        assert np.mean(right) >= 0.995

    def test_the_move_of_the_highest_mean_value_mostly_keeps_the_win(self, model):
        """Of the positions where some moves win and others lose."""
        own, opponent, wins = held_out()
        readings = read(model, own, opponent)
        chosen = np.where(FORM.room(own, opponent), readings.mean, -1.0).argmax(axis=1)
        room = FORM.room(own, opponent).sum(axis=1)
        decisive = [index for index, moves in enumerate(wins) if 0 < len(moves) < room[index]]
        kept = [int(chosen[index]) in wins[index] for index in decisive]
        assert len(kept) > 100
        assert np.mean(kept) >= 0.92
