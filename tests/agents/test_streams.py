"""Answers that come in pieces: left as soon as they are enough, counted honestly, and never taken for whole when they broke."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from stratarena.agents.models import anthropic_api, openai_api
from stratarena.agents.models.base import Failure, Finish, Message, ModelError, Request, Sampling
from stratarena.agents.models.stopping import Stopping
from stratarena.agents.models.streams import ChatPieces
from stratarena.agents.models.thinking import answer_so_far
from stratarena.arena.faults import FAULTS, Act, FaultServer

KINDS = {"openai": openai_api.from_params, "anthropic": anthropic_api.from_params}
IN_A_STREAM = {
    "cut": Failure.TRANSPORT,
    "truncated json": Failure.GARBLED,
    "two choices": Failure.GARBLED,
    "10 MB": Failure.GARBLED,
    "invalid utf-8": Failure.GARBLED,
    "error under 200": Failure.SERVER,
}
"""Faults after the first word, and what they are; what has begun may have been charged."""
TRACE = "SEARCH g | depth=0\nBACK - | value=9\nPLAY 4\n"


def until(end):
    """A reading along that has enough once this text has come; `seen` keeps what it was given."""
    seen = []

    def watch():
        pieces = []
        seen.append(pieces)

        def enough(piece):
            pieces.append(piece)
            return end in "".join(pieces)

        return enough

    watch.seen = seen
    return watch


def ask(text, end="PLAY 4\n", **sampling):
    return Request(messages=(Message("user", text),), sampling=Sampling(max_tokens=500, **sampling), watch=until(end))


@pytest.fixture
def make():
    made = []

    def make(kind, server, **params):
        own = {"provider": "custom"} if kind == "openai" else {}
        made.append(KINDS[kind]("m", {**own, "model": "fault-1", "base_url": server.url, **params}))
        return made[-1]

    yield make
    for model in made:
        model.close()


def answer(model, request, timeout=30):
    return model.submit([request])[0].result(timeout)


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_in_pieces_is_the_answer_in_one_piece(kind, make):
    """Text, end, counts and name are the same; only who reads along is answered in pieces."""
    with FaultServer(lambda asked: Act(text="one two three")) as server:
        streamed = answer(make(kind, server), ask("how many tokens", end="never"))
        whole = answer(make(kind, server, stream=False), ask("how many tokens", end="never"))
        plain = answer(make(kind, server), Request(messages=(Message("user", "how many tokens"),)))
        assert [bool(served.asked.body.get("stream")) for served in server.served] == [True, False, False]
    for other in (whole, plain):
        assert (streamed.text, streamed.finish, streamed.served_by) == (other.text, other.finish, other.served_by)
        assert streamed.usage_reported and other.usage_reported
        assert (streamed.spend.prompt_tokens, streamed.spend.completion_tokens) == (3, 3)
        assert (other.spend.prompt_tokens, other.spend.completion_tokens) == (3, 3)
    assert streamed.attempts[0].at_most_usd == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_an_answer_is_left_as_soon_as_it_is_complete(kind, make):
    """Of two thousand words few more than the complete ones go out; what nobody counted is called guessed, and its cost is bounded."""
    text = TRACE + "and so on " * 700
    with FaultServer(lambda asked: Act(text=text, piece_delay_s=0.002)) as server:
        found = answer(make(kind, server), ask("?"))
        patience = time.monotonic() + 20
        while server.in_flight:
            assert time.monotonic() < patience
            time.sleep(0.01)
        (served,) = server.served
    wanted = len(TRACE.split())
    assert found.text.startswith(TRACE)
    assert found.finish is Finish.STOP
    assert wanted <= served.completion_tokens < wanted + 300
    assert not found.usage_reported
    assert wanted <= found.spend.completion_tokens
    assert found.spend.cost_usd is None
    # What it cost nobody said, so the run's cap counts the most that it can have.
    assert found.attempts[-1].at_most_usd is None
    if kind == "anthropic":
        assert found.spend.prompt_tokens == served.prompt_tokens


@pytest.mark.parametrize("kind", KINDS)
def test_a_complete_answer_that_ends_by_itself_has_its_tokens_counted(kind, make):
    """It is given a moment: the count comes behind the last word."""
    with FaultServer(lambda asked: Act(text=TRACE)) as server:
        found = answer(make(kind, server), ask("?"))
        (served,) = server.served
    assert found.text == TRACE
    assert found.usage_reported
    assert found.spend.completion_tokens == served.completion_tokens == len(TRACE.split())
    assert found.attempts[-1].at_most_usd == 0.0


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_stalls_behind_a_complete_answer_costs_no_more_than_a_moment(kind, make):
    """The answer is kept; one that is not complete runs out of time instead and is asked for again."""
    seen = Counter()

    def script(asked):
        seen[asked.prompt] += 1
        return Act(text=TRACE, fault="stall" if asked.prompt == "complete" or seen[asked.prompt] == 1 else "none")

    with FaultServer(script) as server:
        began = time.monotonic()
        kept = answer(make(kind, server, timeout_s=20), ask("complete"))
        assert time.monotonic() - began < 15
        again = answer(make(kind, server, timeout_s=1.0), ask("open", end="never"))
    assert (kept.text, kept.usage_reported, len(kept.attempts)) == (TRACE, False, 1)
    assert [attempt.failure for attempt in again.attempts] == [Failure.TIMEOUT, None]
    assert again.text == TRACE


@pytest.mark.parametrize("kind", KINDS)
def test_a_stream_that_breaks_is_no_answer_and_is_asked_for_again(kind, make):
    """Each fault in the middle is told as what it is, may have been charged, and half an answer is never passed on."""
    assert set(IN_A_STREAM) <= set(FAULTS)
    seen = Counter()
    lock = threading.Lock()

    def script(asked):
        with lock:
            seen[asked.prompt] += 1
            return Act(fault=asked.prompt if seen[asked.prompt] == 1 else "none", text="one two three")

    with FaultServer(script) as server:
        model = make(kind, server)
        futures = dict(zip(IN_A_STREAM, model.submit([ask(fault, end="never") for fault in IN_A_STREAM]), strict=True))
        found = {fault: future.result(30) for fault, future in futures.items()}
    for fault, got in found.items():
        first, last = got.attempts
        assert first.failure is IN_A_STREAM[fault], (fault, first)
        assert first.at_most_usd is None, fault
        assert first.error and last.failure is None
        assert (got.text, got.spend.completion_tokens) == ("one two three", 3)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_stream_that_drips_without_end_holds_nobody(kind, fault, make):
    """Also one that sends a comment now and then, which no timeout between bytes would catch."""
    with FaultServer(lambda asked: Act(fault=fault)) as server:
        future = make(kind, server, timeout_s=0.7, attempts=2).submit([ask("?", end="never")])[0]
        with pytest.raises(ModelError) as caught:
            future.result(20)
    assert [attempt.failure for attempt in caught.value.attempts] == [Failure.TIMEOUT] * 2


@pytest.mark.parametrize("kind", KINDS)
def test_a_refusal_to_stream_is_told_as_without_one(kind, make):
    """A status is a status, whatever was asked for."""
    with FaultServer(lambda asked: Act(fault="401" if asked.prompt == "a" else "empty account", text="")) as server:
        for prompt, failure in (("a", Failure.ACCESS), ("b", Failure.QUOTA)):
            with pytest.raises(ModelError) as caught:
                answer(make(kind, server), ask(prompt))
            assert (caught.value.failure, len(caught.value.attempts)) == (failure, 1)


def test_absent_counts_are_guessed_no_fewer_than_there_were_pieces(make):
    """A piece is a token at least, however short its text."""
    with FaultServer(lambda asked: Act(fault="no usage", text="a " * 90)) as server:
        found = answer(make("openai", server), ask("?", end="never"))
    assert not found.usage_reported
    assert found.spend.completion_tokens == 90


def test_a_count_is_taken_for_what_it_counts():
    """One that came with the first piece says nothing of the later ones; one at the end is right, however finely it was cut."""
    early = {"prompt_tokens": 7, "completion_tokens": 1}
    pieces = ChatPieces()
    for text in "abc":
        pieces.take({"choices": [{"delta": {"content": text}}], **({"usage": early} if text == "a" else {})})
    assert not pieces.counted
    assert pieces.whole()["usage"] is None
    pieces.take({"choices": [{"delta": {}, "finish_reason": "stop"}], "usage": {**early, "completion_tokens": 2}})
    assert pieces.counted
    assert pieces.whole()["usage"]["completion_tokens"] == 2


def test_streams_are_asked_for_with_counts_as_each_server_gives_them():
    """At the end, with every piece, or not at all."""

    def asked(**params):
        return openai_api.streaming(openai_api.OpenAIParams(model="x", **params))

    assert asked() == {"stream": True, "stream_options": {"include_usage": True}}
    assert asked(provider="vllm")["stream_options"] == {"include_usage": True, "continuous_usage_stats": True}
    assert asked(provider="llama_cpp")["timings_per_token"] is True
    assert asked(api="responses") == asked(provider="transformers_serve") == {"stream": True}


def test_what_is_thought_first_neither_ends_an_answer_nor_is_read_along(make):
    """A blank line in the thinking is no stop of the answer: it is not sent as one, and found in the answer alone."""
    text = "<think>hm\n\nPLAY 9\n\nwell</think>\nPLAY 4\n\nrest " + "x " * 300
    request = ask("?", stop=("\n\n",), thinking_tokens=100)
    with FaultServer(lambda asked: Act(text=text, piece_delay_s=0.001)) as server:
        found = answer(make("openai", server), request)
        assert "stop" not in server.served[0].asked.body if server.served else True
    assert found.text == "PLAY 4"
    assert found.thinking == "hm\n\nPLAY 9\n\nwell"
    assert found.finish is Finish.STOP
    assert "".join(request.watch.seen[0]).startswith("PLAY 4")


@pytest.mark.parametrize(
    ("text", "so_far"),
    [
        ("", ""),
        ("<", ""),
        ("<thi", ""),
        ("  <think>hm", ""),
        ("<think>hm</thi", ""),
        ("<think>hm</think>\n\n4", "4"),
        ("<b>4", "<b>4"),
        ("4 <think>", "4 <think>"),
    ],
)
def test_an_answer_begins_behind_what_is_thought(text, so_far):
    """While the thinking is open, or may still begin, there is no answer."""
    assert answer_so_far(text) == so_far


def test_a_reading_along_gets_every_character_of_the_answer_once():
    """However the text is cut into pieces, thinking left out."""
    text = "<think>a\n\nb</think> NODE - | x\nPLAY 4\nEND"
    for step in (1, 2, 3, 7, 50):
        request = ask("?", end="PLAY 4\n")
        stopping = Stopping(request)
        ended = next(size for size in range(step, len(text) + step, step) if stopping.read(text[:size]))
        assert "".join(request.watch.seen[0]) == stopping.text
        assert stopping.text.startswith("NODE - | x\nPLAY 4\n")
        assert ended >= text.index("END")
