"""Models behind HTTP APIs, against a server on this machine that fails in every way a provider can."""

from __future__ import annotations

import threading
import time
from collections import Counter

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
    Scoring,
)
from stratarena.arena.faults import FAULTS, Act, FaultServer
from stratarena.games.base import SpecError

KINDS = {"openai": openai_api.from_params, "anthropic": anthropic_api.from_params}
EXPECTED = {
    "429": (Failure.QUOTA, 429, False),
    "429 with retry-after": (Failure.QUOTA, 429, False),
    "500": (Failure.SERVER, 500, False),
    "529": (Failure.SERVER, 529, False),
    "cut": (Failure.TRANSPORT, None, True),
    "cut before": (Failure.TRANSPORT, None, True),
    "truncated json": (Failure.GARBLED, None, True),
    "wrong content type": (Failure.GARBLED, None, True),
    "two choices": (Failure.GARBLED, None, True),
    "10 MB": (Failure.GARBLED, None, True),
    "invalid utf-8": (Failure.GARBLED, None, True),
    "empty choices": (Failure.GARBLED, None, True),
    "error under 200": (Failure.SERVER, None, True),
}
"""Of each fault: what it is, the status that came with it, whether it may have been charged."""


def ask(text, **sampling):
    return Request(messages=(Message("system", "Be terse."), Message("user", text)), sampling=Sampling(**sampling))


def make(kind, server, **params):
    own = {"provider": "custom"} if kind == "openai" else {}
    return KINDS[kind]("m", {**own, "model": "fault-1", "base_url": server.url, **params})


def answers(model, *requests, timeout=30):
    return [future.result(timeout) for future in model.submit(requests)]


def failure(model, request, timeout=30):
    (future,) = model.submit([request])
    with pytest.raises(ModelError) as caught:
        future.result(timeout)
    return caught.value


@pytest.mark.parametrize("kind", KINDS)
def test_every_fault_that_another_try_overcomes_is_overcome_and_told(kind):
    """Each is recorded as what it was, with its status, and whether it may have cost money; then the answer comes."""
    assert set(EXPECTED) == set(FAULTS)
    seen = Counter()
    lock = threading.Lock()

    def script(asked):
        with lock:
            seen[asked.prompt] += 1
            return Act(fault=asked.prompt if seen[asked.prompt] == 1 else "none", text="column 4")

    with FaultServer(script) as server:
        model = make(kind, server)
        got = dict(zip(FAULTS, answers(model, *map(ask, FAULTS)), strict=True))
        model.close()
    for fault, answer in got.items():
        expected, status, may_cost = EXPECTED[fault]
        first, last = answer.attempts
        assert (first.failure, first.status) == (expected, status), (fault, first)
        assert first.at_most_usd == (None if may_cost else 0.0), fault
        assert first.error and (last.failure, last.error) == (None, None)
        assert last.waited_ms >= (200 if fault == "429 with retry-after" else 100)
        assert answer.text == "column 4"
        assert answer.spend.completion_tokens == 2
        assert answer.spend.cost_usd is None
        assert answer.spend.think_ms <= last.took_ms
        assert answer.served_by == "fault-1"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fault", "expected", "words"),
    [
        ("401", Failure.ACCESS, "HTTP 401: wrong key:"),
        ("400", Failure.REJECTED, "HTTP 400: this model takes no temperature"),
        ("empty account", Failure.QUOTA, "exceeded your current quota"),
    ],
)
def test_what_another_try_cannot_overcome_fails_at_once(kind, fault, expected, words):
    """A wrong key, a request that is not taken, an empty account: one try, the server's own words."""
    with FaultServer(lambda asked: Act(fault=fault, text="")) as server:
        model = make(kind, server)
        error = failure(model, ask("?"))
        model.close()
    assert (error.failure, len(error.attempts), error.attempts[0].at_most_usd) == (expected, 1, 0.0)
    assert words in str(error)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_stuck_call_ends_in_time_and_holds_nobody(kind, fault):
    """Also one that sends a byte now and then, which no timeout between bytes would catch."""
    with FaultServer(lambda asked: Act(fault=fault if asked.prompt == "stuck" else "none")) as server:
        model = make(kind, server, timeout_s=1.5, attempts=2)
        stuck, *free = model.submit([ask("stuck"), *(ask(f"free {number}") for number in range(20))])
        began = time.monotonic()
        for future in free:
            future.result(30)
        assert time.monotonic() - began < 1.5 or model.limits.concurrency < 21
        assert not stuck.done()
        with pytest.raises(ModelError) as caught:
            stuck.result(30)
        model.close()
    assert caught.value.failure is Failure.TIMEOUT
    assert [attempt.failure for attempt in caught.value.attempts] == [Failure.TIMEOUT] * 2
    assert all(attempt.at_most_usd is None for attempt in caught.value.attempts)


def test_attempts_are_bounded_and_so_is_the_wait():
    """Whichever is reached first; a Retry-After beyond our patience fails at once."""
    with FaultServer(lambda asked: Act(fault="500")) as server:
        model = make("openai", server, attempts=2)
        assert len(failure(model, ask("?")).attempts) == 2
        model.close()
    with FaultServer(lambda asked: Act(fault="429 with retry-after", retry_after_s=3600)) as server:
        model = make("openai", server, patience_s=60)
        error = failure(model, ask("?"), timeout=5)
        model.close()
    assert (error.failure, len(error.attempts)) == (Failure.QUOTA, 1)


def test_a_server_that_is_not_there_is_told_and_costs_nothing():
    """A refused connection can have charged nothing."""
    with FaultServer(lambda asked: Act()) as server:
        url = server.url
    model = KINDS["openai"]("m", {"provider": "custom", "model": "x", "base_url": url, "attempts": 2})
    error = failure(model, ask("?"))
    model.close()
    assert error.failure is Failure.TRANSPORT
    assert {attempt.at_most_usd for attempt in error.attempts} == {0.0}


@pytest.mark.parametrize("kind", KINDS)
def test_absent_usage_is_guessed_and_called_so(kind):
    """Tokens from the texts' length, no cost."""
    with FaultServer(lambda asked: Act(fault="no usage", text="4")) as server:
        model = make(kind, server)
        (answer,) = answers(model, ask("a question of some length"))
        model.close()
    assert not answer.usage_reported
    assert answer.spend.prompt_tokens > 5
    assert answer.spend.cost_usd is None


def test_no_more_calls_are_in_flight_than_allowed_and_a_throttled_server_is_given_rest():
    """A server that bears four calls at once is found out; everything is answered."""
    lock = threading.Lock()
    now = [0]

    def script(asked):
        with lock:
            crowded = server.in_flight > 4
            now[0] = max(now[0], server.in_flight)
        return Act(fault="429" if crowded else "none", delay_s=0.01)

    with FaultServer(script) as server:
        model = make("openai", server, concurrency=16, attempts=50)
        assert len(answers(model, *(ask(str(number)) for number in range(120)), timeout=60)) == 120
        model.close()
        assert server.most_in_flight <= 16
        refused = sum(served.act.fault == "429" for served in server.served)
    assert 0 < refused < 120


def test_models_share_limits_where_they_say_so():
    """Two models, one line: together no more in flight than the first allows."""
    with FaultServer(lambda asked: Act(delay_s=0.05)) as server:
        one, two = make("openai", server, concurrency=3), make("openai", server, shares_limits_of="m")
        two.share(one)
        futures = [model.submit([ask(str(n))])[0] for n in range(10) for model in (one, two)]
        for future in futures:
            future.result(20)
        one.close()
        assert failure(one, ask("late")).failure is Failure.LOCAL
        assert answers(two, ask("still open"))
        two.close()
        assert server.most_in_flight <= 3


def test_closing_gives_up_what_is_in_flight():
    """At once, as failures of our own, and nothing is left running."""
    with FaultServer(lambda asked: Act(fault="hang")) as server:
        model = make("openai", server, concurrency=2)
        futures = model.submit([ask(str(number)) for number in range(5)])
        while server.in_flight < 2:
            time.sleep(0.01)
        model.close()
        for future in futures:
            with pytest.raises(ModelError, match="closed"):
                future.result(20)
    assert not [thread for thread in threading.enumerate() if thread.name == "remote-models"]


@pytest.mark.parametrize("kind", KINDS)
def test_the_key_goes_to_the_server_and_nowhere_else(kind, monkeypatch):
    """Out of the environment into a header; a server that says it back is not quoted."""
    monkeypatch.setenv("MY_KEY", "planted-key-123")
    with FaultServer(lambda asked: Act(text="your key is planted-key-123"), key="planted-key-123") as server:
        model = make(kind, server, key_env="MY_KEY")
        (answer,) = answers(model, ask("?"))
        assert answer.text == "your key is [key]"
        assert "planted" not in repr(model.identity)
        model.close()
        monkeypatch.setenv("MY_KEY", "another-key-456")
        model = make(kind, server, key_env="MY_KEY")
        error = failure(model, ask("?"))
        model.close()
    assert error.failure is Failure.ACCESS
    assert "wrong key: [key]" in str(error)
    assert "another" not in repr(error.attempts)


def test_a_missing_key_and_a_key_in_the_wrong_place_are_told_before_anything_is_asked(monkeypatch):
    """The variable's name is in the message; a key in the file is refused."""
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SpecError, match="OPENAI_API_KEY with its key is not set"):
        KINDS["openai"]("m", {"model": "gpt-x"})
    with pytest.raises(SpecError, match="unknown key 'api_key'"):
        KINDS["openai"]("m", {"model": "gpt-x", "api_key": "sk-1"})
    with pytest.raises(SpecError, match="would be recorded; keys come from the environment"):
        KINDS["openai"]("m", {"model": "x", "base_url": "http://me:secret@127.0.0.1/v1"})
    with pytest.raises(SpecError, match="needs a base_url"):
        KINDS["openai"]("m", {"model": "x", "provider": "custom"})


def test_texts_cannot_be_scored_over_an_api():
    """It is said, and nothing is asked."""
    with FaultServer(lambda asked: Act()) as server:
        model = make("openai", server)
        error = failure(model, Scoring(messages=(Message("user", "?"),), continuations=("a",)))
        model.close()
        assert server.served == []
    assert error.failure is Failure.REJECTED


def test_texts_that_end_an_answer_are_handed_on():
    """Under each provider's own key, and only where there are any."""
    request = Request(messages=(Message("user", "U"),), sampling=Sampling(stop=("END", "---")))
    assert openai_api.chat_body(request, openai_api.OpenAIParams(model="x"))["stop"] == ["END", "---"]
    body = anthropic_api.messages_body(request, anthropic_api.AnthropicParams(model="x"))
    assert body["stop_sequences"] == ["END", "---"]
    plain = Request(messages=request.messages)
    assert "stop" not in openai_api.chat_body(plain, openai_api.OpenAIParams(model="x"))


def test_bodies_say_what_was_asked_in_each_providers_words():
    """Bounds, settings, room for thinking, effort, and forms."""
    schema = Constraint(kind="schema", body='{"type": "object"}')
    request = Request(
        messages=(Message("system", "S"), Message("user", "U")),
        sampling=Sampling(max_tokens=9, temperature=0.5, top_p=0.9, seed=2**40 + 3, thinking_tokens=1024, effort="low"),
        constraint=schema,
    )
    chat = openai_api.chat_body(
        request,
        openai_api.OpenAIParams(model="x", provider="openrouter", structured="schema", extra={"min_p": 0.1}),
    )
    assert chat == {
        "model": "x",
        "messages": [{"role": "system", "content": "S"}, {"role": "user", "content": "U"}],
        "max_tokens": 1033,
        "temperature": 0.5,
        "top_p": 0.9,
        "seed": 2**40 % 2**31 + 3,
        "reasoning_effort": "low",
        "usage": {"include": True},
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "schema": {"type": "object"}, "strict": True},
        },
        "min_p": 0.1,
    }
    own = openai_api.OpenAIParams(model="x", leave_out=["temperature", "top_p", "seed"])
    assert openai_api.chat_body(request, own) == {
        "model": "x",
        "messages": chat["messages"],
        "max_completion_tokens": 1033,
        "reasoning_effort": "low",
    }
    message = anthropic_api.messages_body(
        request, anthropic_api.AnthropicParams(model="x", thinking="budget", structured="schema")
    )
    assert message == {
        "model": "x",
        "max_tokens": 1033,
        "system": "S",
        "messages": [{"role": "user", "content": "U"}],
        "thinking": {"type": "enabled", "budget_tokens": 1024},
        "output_config": {"effort": "low", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    }
    choices = Request(messages=request.messages, constraint=Constraint(kind="choices", body='["a1", "b\\"2"]'))
    llama = openai_api.OpenAIParams(model="x", provider="llama_cpp", structured="grammar")
    assert openai_api.chat_body(choices, llama)["grammar"] == 'root ::= "a1" | "b\\"2"'
    vllm = openai_api.OpenAIParams(model="x", provider="vllm", structured="grammar")
    assert openai_api.chat_body(choices, vllm)["structured_outputs"] == {"choice": ["a1", 'b"2']}


@pytest.mark.parametrize(
    ("message", "reason", "expected"),
    [
        ({"content": "<think>hm\n</think>\n4"}, "stop", ("4", "hm", Finish.STOP)),
        ({"content": "4", "reasoning_content": "hm"}, "stop", ("4", "hm", Finish.STOP)),
        ({"content": None, "reasoning": "hm"}, "length", ("", "hm", Finish.LENGTH)),
        ({"content": [{"type": "text", "text": "4"}]}, None, ("4", "", Finish.STOP)),
        ({"content": None, "refusal": "I cannot."}, "stop", ("I cannot.", "", Finish.FILTER)),
        ({"content": ""}, "content_filter", ("", "", Finish.FILTER)),
        ({"content": "\ud83d"}, "stop", ("\ufffd", "", Finish.STOP)),
    ],
)
def test_answers_are_read_with_their_thinking_apart(message, reason, expected):
    """In the forms that servers use."""
    import json

    content = json.dumps({"choices": [{"message": message, "finish_reason": reason}], "usage": None}).encode()
    answer = openai_api.read_chat(content, ask("?"), enforced=None, took_ms=1.0)
    assert (answer.text, answer.thinking, answer.finish) == expected
