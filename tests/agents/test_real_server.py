"""The HTTP clients against llama.cpp's own server with the embedded model: every protocol it speaks."""

from __future__ import annotations

import json

import pytest

from stratarena.agents.models import anthropic_api, openai_api
from stratarena.agents.models.base import (
    Constraint,
    Failure,
    Finish,
    Message,
    ModelError,
    Request,
    Sampling,
)
from stratarena.agents.models.embedded import locate_gguf
from stratarena.arena.llama_server import llama_server

pytestmark = pytest.mark.model
MOVES = ("e2e4", "d2d4", "g1f3")
FRANCE = (Message("user", "What is the capital of France?"),)
SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {"move": {"type": "string", "enum": list(MOVES)}},
        "required": ["move"],
        "additionalProperties": False,
    }
)


@pytest.fixture(scope="module")
def server():
    """Its base URL, or a skip that says what is missing."""
    pytest.importorskip("xllamacpp", reason="xllamacpp is not installed")
    try:
        weights = locate_gguf()
    except ModelError as error:
        pytest.skip(str(error))
    with llama_server(weights) as url:
        yield url


@pytest.fixture
def make(server):
    """A maker of models on that server, closed afterwards."""
    made = []

    def make(protocol="openai", **params):
        kind = {"openai": openai_api, "anthropic": anthropic_api}[protocol]
        own = {"provider": "llama_cpp"} if protocol == "openai" else {}
        made.append(kind.from_params("m", {**own, "model": "smollm2", "base_url": server, **params}))
        return made[-1]

    yield make
    for model in made:
        model.close()


def answer(model, messages, constraint=None, **sampling):
    request = Request(messages=messages, sampling=Sampling(**sampling), constraint=constraint)
    (future,) = model.submit([request])
    return future.result(120)


@pytest.mark.parametrize(("protocol", "params"), [("openai", {}), ("openai", {"api": "responses"}), ("anthropic", {})])
def test_each_protocol_brings_text_reason_and_counts(make, protocol, params):
    """The same question and the same weights: the same greedy answer, its tokens counted, cut where it was bounded."""
    model = make(protocol, **params)
    whole = answer(model, FRANCE, max_tokens=12)
    assert whole.text == answer(make(), FRANCE, max_tokens=12).text != ""
    assert whole.usage_reported
    assert whole.spend.prompt_tokens > 10
    assert 0 < whole.spend.completion_tokens <= 12
    assert whole.served_by == "smollm2"
    cut = answer(model, FRANCE, max_tokens=2)
    assert cut.finish is Finish.LENGTH
    assert cut.spend.completion_tokens == 2


def test_forms_are_enforced_by_schema_and_by_choices(make):
    """A schema's enum and a grammar of moves hold this model, which left alone answers with neither."""
    question = (Message("user", "Name a chess move, and explain it at length."),)
    free = answer(make(), question, max_tokens=16)
    assert free.text not in MOVES
    shaped = answer(make(structured="schema"), question, Constraint(kind="schema", body=SCHEMA), max_tokens=30)
    assert json.loads(shaped.text)["move"] in MOVES
    assert shaped.enforced == "schema"
    chosen = answer(make(structured="grammar"), question, Constraint(kind="choices", body=json.dumps(MOVES)))
    assert chosen.text in MOVES
    assert (chosen.enforced, chosen.finish) == ("choices", Finish.STOP)
    unheld = answer(make(), question, Constraint(kind="schema", body=SCHEMA), max_tokens=8)
    assert unheld.enforced is None


def test_a_seed_repeats_a_drawn_answer(make):
    """Sampling settings reach the server."""
    model = make()
    drawn = {answer(model, FRANCE, max_tokens=12, temperature=1.5, seed=seed).text for seed in (7, 7, 7)}
    others = {answer(model, FRANCE, max_tokens=12, temperature=1.5, seed=seed).text for seed in range(4)}
    assert len(drawn) == 1
    assert len(others) > 1


def test_a_prompt_that_does_not_fit_is_rejected_in_the_servers_words(make):
    """Once: another try would not help."""
    request = Request(messages=(Message("user", "word " * 9000),))
    (future,) = make().submit([request])
    with pytest.raises(ModelError, match="exceeds the available context size") as caught:
        future.result(60)
    assert caught.value.failure is Failure.REJECTED
    assert len(caught.value.attempts) == 1


def counting_to(n):
    """A reading along that has enough after so many characters."""

    def watch():
        left = [n]

        def enough(piece):
            left[0] -= len(piece)
            return left[0] <= 0

        return enough

    return watch


@pytest.mark.parametrize(("protocol", "params"), [("openai", {}), ("openai", {"api": "responses"}), ("anthropic", {})])
def test_a_streamed_answer_is_the_same_and_ends_when_enough_is_written(make, protocol, params):
    """Read to its end it is the answer in one piece, counts and all; left early it is its beginning, and costs less."""
    story = (Message("user", "Tell me a long story about a chess king."),)
    model = make(protocol, **params)

    def ask(watch):
        request = Request(messages=story, sampling=Sampling(max_tokens=60), watch=watch)
        return model.submit([request])[0].result(120)

    plain, whole, left = ask(None), ask(counting_to(10**6)), ask(counting_to(40))
    assert whole.text == plain.text
    assert (whole.finish, plain.finish) == (Finish.LENGTH, Finish.LENGTH)
    assert whole.usage_reported
    assert whole.spend.completion_tokens == plain.spend.completion_tokens == 60
    assert whole.spend.prompt_tokens == plain.spend.prompt_tokens
    assert whole.served_by == plain.served_by
    assert left.finish is Finish.STOP
    assert plain.text.startswith(left.text) and 40 <= len(left.text) < 120
    assert 5 < left.spend.completion_tokens < 40
    if params.get("api") is None and protocol == "openai":
        # llama.cpp counts along, so the tokens of an answer that was left are known.
        assert left.usage_reported
        assert left.spend.prompt_tokens == plain.spend.prompt_tokens
    else:
        assert not left.usage_reported


def test_a_linearized_search_is_streamed_and_left_where_it_leaves_the_form(make):
    """The agent's own request over the wire: this model soon writes what no trace has, and is stopped there."""
    from stratarena.agents.base import AgentSpec, Ask, View
    from stratarena.agents.linearized.player import Linearized
    from stratarena.games.plugins import load_game

    game = load_game("hex(size=3)")
    state = game.decode("X../.O./... X")
    spec = AgentSpec("inside", "linearized", {"model": "m", "depth": 1, "breadth": 2, "examples": 0})
    view = View(game=game, state=state, seat=game.to_move(state), ply=2, start=game.encode(state), moves=(), seed=1)
    step = next(Linearized(spec).deliberate(view))
    assert isinstance(step, Ask)
    (request,) = step.requests
    found = make(stream=True).submit([request])[0].result(120)
    assert found.finish is Finish.STOP
    assert 0 < found.spend.completion_tokens < request.sampling.max_tokens
    assert found.usage_reported
