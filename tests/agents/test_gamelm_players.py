"""Agents that play by the game model: every kind keeps its promises, and search finds what values alone do not."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("transformers", reason="the torch extra is not installed")

import torch
from game_models import one_by_one, player

from stratarena.agents.budget import Spend
from stratarena.agents.conformance import check_agent
from stratarena.agents.gamelm.forms import NotInterchange
from stratarena.agents.gamelm.model import GameInference, game_lm
from stratarena.agents.gamelm.network import GameLm, GameLmConfig
from stratarena.agents.gamelm.reading import CONNECT_FOUR
from stratarena.agents.gamelm.speech import Question, parse_answer, parse_question, question_text
from stratarena.agents.models.base import Completion, Finish, Message, ModelError, Request, Scoring
from stratarena.arena.events import Called, Searched, TurnClosed
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
    return one_by_one(inference)


KINDS = [
    {},
    {"scoring": "max"},
    {"kind": "mcts_llm", "simulations": 12, "batch": 4},
    {"kind": "mcts_llm", "simulations": 6, "batch": 2, "world": "model"},
    {"kind": "tree_of_thought", "depth": 2, "breadth": 2},
    {"search": "internal", "depth": 1, "breadth": 2},
]


@pytest.mark.parametrize("params", KINDS, ids=str)
def test_every_kind_keeps_the_promises_of_an_agent(params, answer):
    """Legal moves, lines that can be played, the same from the same view, whatever nonsense the values are."""
    check_agent(lambda: player(**params), GAME, answer=answer, n_matches=1)


@pytest.mark.parametrize(
    "params",
    [{"kind": "mcts_llm", "simulations": 60, "batch": 4}, {"kind": "tree_of_thought", "depth": 1, "breadth": 7}],
    ids=str,
)
def test_a_search_by_the_rules_takes_a_win_that_values_do_not_see(params, answer):
    """Three in a row, open: sixty simulations or one ply find it, whatever the model says."""
    _, events = play_one(
        GAME,
        player(**params),
        ScriptedAgent.of_moves("y", ["7"]),
        models={"m": InstantModel("m", answer)},
        opening=("3", "3", "4", "4", "5", "5"),
    )
    first = next(event.body for event in events if isinstance(event.body, TurnClosed))
    assert first.move in ("2", "6")


def test_what_a_search_asks_is_charged_like_any_other_model(answer):
    """Calls, tokens read and written are in the record, one call a position."""
    _, events = play_one(
        GAME,
        player("mcts_llm", simulations=8, batch=4),
        ScriptedAgent.of_moves("y", ["7"] * 30),
        models={"m": InstantModel("m", answer)},
        opening=("1", "1", "1", "1", "1", "1"),
    )
    calls = [event.body for event in events if isinstance(event.body, Called) and event.ply == 6]
    turn = next(event.body for event in events if isinstance(event.body, TurnClosed))
    assert 1 < len(calls) <= 9
    assert turn.spend.model_calls == len(calls)
    assert all(call.answer.spend.prompt_tokens > 0 for call in calls)


def test_an_imagined_world_is_checked_by_the_rules(answer):
    """An untrained network imagines nonsense, and the record says so."""
    _, events = play_one(
        GAME,
        player("mcts_llm", simulations=12, batch=4, world="model"),
        ScriptedAgent.of_moves("y", ["7"] * 30),
        models={"m": InstantModel("m", answer)},
    )
    tree = next(event.body.tree for event in events if isinstance(event.body, Searched))
    checks = [node.check for node in tree.nodes if node.check is not None and node.visits and node.depth]
    assert checks
    assert any(check.state_right is False for check in checks)


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
        bad, good = (Request(messages=(Message("user", one),)) for one in (text, question_text(Question((0, 0)))))
        scoring = Scoring(messages=(Message("user", "x"),), continuations=("a",))
        answers = inference.answer([bad, good, scoring])
        assert isinstance(answers[0], ModelError)
        assert isinstance(answers[2], ModelError)
        assert (
            len(parse_answer(Question((0, 0)), answers[1].text).values) in range(1, 8) or "invalid" in answers[1].text
        )

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


def test_a_broken_search_of_its_own_is_declared():
    """Its first thought of the position is played, and the decision says so."""

    def broken(request):
        if request.messages[-1].content.startswith("Minimax"):
            return Completion(text="broken: token 7", finish=Finish.STOP, spend=Spend())
        return Completion(text="[%mean_all a:0.9000 d:0.7000]\n[%best_action a]\n", finish=Finish.STOP, spend=Spend())

    _, events = play_one(
        GAME,
        player(search="internal", depth=1, breadth=2),
        ScriptedAgent.of_moves("y", ["7"] * 30),
        models={"m": InstantModel("m", broken)},
        opening=("1", "1", "1", "1", "1", "1"),
    )
    turn = next(event.body for event in events if isinstance(event.body, TurnClosed))
    assert turn.fallback == "its own search was broken or chose no legal move"
    # The first column is full: of what is legal the best is played.
    assert turn.move == "4"


@pytest.mark.parametrize(("opening", "move"), [("373737", "3"), ("", "4"), ("37373", "3")])
def test_the_shipped_weights_take_a_win_stop_a_loss_and_begin_in_the_centre(opening, move):
    """Read from the package, answered through the seam of all models, by whichever seat is to move."""
    model = game_lm("m", {"max_batch": 1})
    other = ScriptedAgent.of_moves("y", ["1"])
    seats = (player(), other) if len(opening) % 2 == 0 else (other, player())
    try:
        _, events = play_one(GAME, *seats, models={"m": model}, opening=tuple(opening))
    finally:
        model.close()
    assert next(event.body for event in events if isinstance(event.body, TurnClosed)).move == move
