"""Agents that play by the game model: every kind keeps its promises, and search finds what values alone do not."""

from __future__ import annotations

from random import Random

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("transformers", reason="the torch extra is not installed")

import torch

from stratarena.agents.base import AgentSpec
from stratarena.agents.budget import Spend
from stratarena.agents.conformance import check_agent
from stratarena.agents.gamelm.interchange import NotInterchange
from stratarena.agents.gamelm.model import GameInference
from stratarena.agents.gamelm.network import GameLm, GameLmConfig
from stratarena.agents.gamelm.players import GameModelPlayer
from stratarena.agents.gamelm.puct import Known, Settings, Wanted, puct
from stratarena.agents.gamelm.reading import CONNECT_FOUR
from stratarena.agents.gamelm.speech import Question, parse_answer, parse_question, question_text
from stratarena.agents.gamelm.worlds import over_by_rules, played
from stratarena.agents.models.base import Completion, Finish, Message, ModelError, Request, Scoring
from stratarena.agents.params import ParamsError
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.games.connect_four import ConnectFour

GAME = ConnectFour()


@pytest.fixture(scope="module")
def inference():
    """A small network that knows nothing."""
    torch.set_num_threads(1)
    torch.manual_seed(3)
    shape = GameLmConfig(vocab_size=CONNECT_FOUR.size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
    return GameInference(GameLm(shape).eval())


@pytest.fixture(scope="module")
def answer(inference):
    """Its answers, one by one."""

    def one(request):
        (found,) = inference.answer([request])
        assert not isinstance(found, ModelError), found
        return found

    return one


def player(**params):
    """An agent with these parameters."""
    return GameModelPlayer(AgentSpec("x", "game_lm", {"model": "m", **params}))


KINDS = [
    {},
    {"scoring": "max"},
    {"search": "mcts", "simulations": 12, "batch": 4},
    {"search": "mcts", "simulations": 6, "batch": 2, "world": "imagined"},
    {"search": "minimax", "depth": 2, "breadth": 2},
    {"search": "internal", "depth": 1, "breadth": 2},
]


@pytest.mark.parametrize("params", KINDS, ids=str)
def test_every_kind_keeps_the_promises_of_an_agent(params, answer):
    """Legal moves, lines that can be played, the same from the same view, whatever nonsense the values are."""
    check_agent(lambda: player(**params), GAME, answer=answer, n_matches=1)


@pytest.mark.parametrize("params", KINDS[2:3] + KINDS[4:5], ids=str)
def test_a_search_by_the_rules_takes_a_win_that_values_do_not_see(params, answer):
    """Three in a row, open: twelve simulations or two plies find it, whatever the model says."""
    model = InstantModel("m", answer)
    verdict, events = play_one(
        GAME,
        player(**(params | {"breadth": 7, "depth": 1} if params["search"] == "minimax" else params | {"simulations": 60})),
        ScriptedAgent.of_moves("y", ["7"]),
        models={"m": model},
        opening=("3", "3", "4", "4", "5", "5"),
    )
    played_moves = [event.move for event in events if type(event).__name__ == "Played"]
    assert played_moves[0] in ("2", "6")
    assert verdict is not None


def test_what_a_search_asks_is_charged_like_any_other_model(answer):
    """Calls, tokens read and written are in the record, one call a position."""
    model = InstantModel("m", answer)
    _, events = play_one(
        GAME,
        player(search="mcts", simulations=8, batch=4),
        ScriptedAgent.of_moves("y", ["7"] * 30),
        models={"m": model},
        opening=("1", "1", "1", "1", "1", "1"),
    )
    answers = [event for event in events if type(event).__name__ == "Answered"]
    assert answers
    assert all(event.answer.spend.model_calls == 1 for event in answers[:5])
    assert all(event.answer.spend.completion_tokens == 9 for event in answers[:5])


class TestSpeech:
    """Questions and answers as text."""

    @pytest.mark.parametrize(
        "question",
        [
            Question((0, 0)),
            Question((1, 1 << 7), None, "max"),
            Question((1, 1 << 7), 3),
            Question((1, 1 << 7), search=(2, 3)),
        ],
        ids=str,
    )
    def test_a_question_is_read_as_it_was_asked(self, question):
        """Text and back."""
        assert parse_question(question_text(question)) == question

    @pytest.mark.parametrize("text", ["", "Hello", "<mav game=connect_four> %state </mav>\n\n[%state x || . ||]"])
    def test_what_is_no_question_is_an_error_of_its_own(self, inference, text):
        """The others of the batch are answered."""
        bad, good = (
            Request(messages=(Message("user", one),)) for one in (text, question_text(Question((0, 0))))
        )
        scoring = Scoring(messages=(Message("user", "x"),), continuations=("a",))
        answers = inference.answer([bad, good, scoring])
        assert isinstance(answers[0], ModelError)
        assert isinstance(answers[2], ModelError)
        assert len(parse_answer(Question((0, 0)), answers[1].text).values) in range(1, 8) or "invalid" in answers[1].text

    def test_an_answer_written_by_hand_is_read(self):
        """Values with four digits, buckets by their middle, and a finished game for its mover."""
        asked = Question((0, 0))
        said = parse_answer(asked, "[%mean_all a:0.2500 d:0.7501]\n[%best_action d]\n")
        assert said.values == {0: 0.25, 3: 0.7501}
        assert said.best == 3
        said = parse_answer(Question((0, 0), None, "max"), "[%top_all a:<ctrl33>]\n[%best_action a]\n")
        assert said.values == {0: 32.5 / 64}
        over = parse_answer(asked, '[%mean_all invalid : "0-1"]\n')
        assert over.result == 0.0
        with pytest.raises(NotInterchange, match="no valued move"):
            parse_answer(asked, "[%mean_all z:0.5]\n")


class TestPuct:
    """The tree search, over a world of numbers: a move adds 1 to 3, who reaches 7 first has lost."""

    @staticmethod
    def known(number):
        if number >= 7:
            return Known(number, {}, 1.0)
        return Known(number, {move: 0.5 for move in (1, 2, 3)})

    def run(self, settings, *, dead=()):
        """The tree, with everything asked."""

        def reached(number, move):
            after = number + move
            return self.known(after) if after >= 7 else Wanted(number, move, after)

        search = puct(self.known(0), settings, reached)
        answers = None
        try:
            while True:
                wanted = next(search) if answers is None else search.send(answers)
                answers = [None if one.state in dead else self.known(one.state) for one in wanted]
        except StopIteration as stop:
            return stop.value

    @pytest.mark.parametrize("batch", [1, 4, 16])
    def test_it_finds_the_move_that_wins(self, batch):
        """Two is the only one: four are left, and whatever comes then can be answered so that seven falls to the other."""
        tree = self.run(Settings(simulations=600, batch=batch))
        assert tree.best().move == 2
        assert sum(edge.visits for edge in tree.edges) == 600

    def test_nothing_virtual_is_left_behind(self):
        """After the search every count is of real visits."""

        def edges(tree):
            for edge in tree.edges:
                yield edge
                if edge.child is not None:
                    yield from edges(edge.child)

        tree = self.run(Settings(simulations=100, batch=8))
        assert all(edge.virtual == 0 for edge in edges(tree))
        for edge in edges(tree):
            if edge.child is not None and edge.child.edges:
                assert sum(below.visits for below in edge.child.edges) == edge.visits - 1

    def test_what_cannot_be_read_is_walked_around(self):
        """A dead move has no visits, and is not chosen."""
        tree = self.run(Settings(simulations=60, batch=4), dead=(2,))
        edge = next(edge for edge in tree.edges if edge.move == 2)
        assert edge.dead
        assert edge.visits == 0
        assert tree.best().move != 2


def test_the_rules_of_one_board_agree_with_the_game():
    """Successors and ends along random games."""
    rng = Random(4)
    for _ in range(30):
        state, board = GAME.initial(rng), (0, 0)
        while GAME.outcome(state) is None:
            assert over_by_rules(board) is None
            move = rng.choice(GAME.legal_moves(state))
            state, board = GAME.play(state, move), played(board, int(move) - 1)
        outcome = GAME.outcome(state)
        assert over_by_rules(board) == (0.5 if outcome.winner is None else 0.0)
    assert played((0, 0), 7) is None


def test_a_wrong_parameter_is_named():
    """An imagined world needs a tree search."""
    with pytest.raises(ParamsError, match="imagined"):
        player(world="imagined")
    assert player().plays("hex") is not None


def test_a_broken_search_of_its_own_is_declared(answer):
    """Its first thought of the position is played, and the decision says so."""

    def broken(request):
        if request.messages[-1].content.startswith("Minimax"):
            return Completion(text="broken: token 7", finish=Finish.STOP, spend=Spend())
        return answer(request)

    _, events = play_one(
        GAME,
        player(search="internal", depth=1, breadth=2),
        ScriptedAgent.of_moves("y", ["7"] * 30),
        models={"m": InstantModel("m", broken)},
        opening=("1", "1", "1", "1", "1", "1"),
    )
    assert any(getattr(event, "fallback", None) for event in events if type(event).__name__ == "Played")
