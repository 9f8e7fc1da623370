"""Prompts to answers with a causal language model: batched decoding, and scoring of many texts in one pass.

Deals in requests only; queues and threads are its caller's. Needs the extra `torch`.
"""

from __future__ import annotations

import copy
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stratarena.agents.budget import Spend
from stratarena.agents.models.base import (
    Completion,
    Finish,
    Message,
    ModelAnswer,
    ModelError,
    ModelRequest,
    Request,
    Scores,
    Scoring,
)
from stratarena.agents.models.forms import Forms, Held
from stratarena.agents.models.stopping import Stopping
from stratarena.agents.models.thinking import split_thinking

__all__ = ["Inference", "Loaded", "load", "system_message"]

_KEPT_PREFIXES = 8
_PLAIN = (
    "{% for message in messages %}{{ message.role }}: {{ message.content }}\n\n{% endfor %}"
    "{% if add_generation_prompt %}assistant:{% endif %}"
)
"""A chat for models that were never taught one."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """A model that is in memory, and what is known of it."""

    torch: Any
    model: Any
    tokenizer: Any
    stops: frozenset[int]
    context: int
    n_vocab: int


def load(path: Path, *, threads: int, device: str, dtype: str, plain: bool = False) -> Loaded:
    """The weights in memory, of a folder or a GGUF file; `plain` gives a model without a chat template a simple one.

    Raises:
        ModelError: the extra is missing, or there is no model.
    """
    # Nothing may be asked of a hub, and progress bars have no place in a tournament's output.
    os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1", TRANSFORMERS_VERBOSITY="error")
    try:
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(f"{error}; install the extra: pip install 'stratarena[torch]'") from error
    torch.set_num_threads(threads)
    try:
        where = {"gguf_file": path.name} if path.is_file() else {}
        folder = path.parent if path.is_file() else path
        tokenizer = AutoTokenizer.from_pretrained(folder, **where)
        model = AutoModelForCausalLM.from_pretrained(
            folder, dtype=getattr(torch, dtype), attn_implementation="sdpa", **where
        )
        model = model.to(device).eval()
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{path} cannot be loaded: {str(error).splitlines()[0]}") from error
    if plain:
        tokenizer.chat_template = _PLAIN
    if not tokenizer.chat_template:
        raise ModelError(
            f"{path}: the tokenizer has no chat template; give the model chat = 'plain' to use a simple one"
        )
    stops = model.generation_config.eos_token_id
    stops = stops if isinstance(stops, list) else [stops]
    return Loaded(
        torch=torch,
        model=model,
        tokenizer=tokenizer,
        stops=frozenset({*stops, tokenizer.eos_token_id} - {None}),
        context=int(model.config.max_position_embeddings),
        n_vocab=int(model.config.vocab_size),
    )


def system_message(messages: tuple[Message, ...]) -> str | None:
    """The text of the system message that a conversation begins with, if it does."""
    return messages[0].content if messages[0].role == "system" else None


class Inference:
    """Prompts to answers. Keeps the attention cache of each system message, so that rules are read once."""

    def __init__(self, loaded: Loaded) -> None:
        self._torch = loaded.torch
        self._model = loaded.model
        self._tokenizer = loaded.tokenizer
        self._stops = loaded.stops
        self._context = loaded.context
        self._prefixes: dict[str, tuple[list[int], Any]] = {}
        self._n_vocab = loaded.n_vocab
        self._forms: Forms | None = None

    def answer(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelError]:
        """One answer a request: several `Request`s with one system message, or a single `Scoring`.

        A request that does not fit fails alone. Tokens of a prompt are counted in full, also those that the cache
        held. A scoring writes nothing: the tokens of its continuations count as read, shared beginnings once. Money is
        zero here; a price of the tournament file is applied by whoever asked.
        """
        began = time.perf_counter()
        with self._torch.inference_mode():
            if isinstance(requests[0], Scoring):
                logprobs, n_tokens, n_read = self._score(requests[0])
                spend = Spend(model_calls=1, prompt_tokens=n_read, think_ms=(time.perf_counter() - began) * 1000)
                return [Scores(logprobs=logprobs, n_tokens=n_tokens, spend=spend)]
            answers: list[ModelAnswer | ModelError | None] = [None] * len(requests)
            fitting: list[tuple[int, Request, list[int]]] = []
            for place, request in enumerate(requests):
                assert isinstance(request, Request)
                prompt = self._prompt(request.messages)
                problem = self._too_long(len(prompt) + request.sampling.most_tokens)
                if problem is None:
                    fitting.append((place, request, prompt))
                else:
                    answers[place] = problem
            stoppings = [Stopping(request) for _, request, _ in fitting]
            written = self._complete(
                [prompt for *_, prompt in fitting], [request for _, request, _ in fitting], stoppings
            )
        # Nobody can say whose token took longer: a batch's time is shared by the tokens that each read and wrote.
        sizes = [len(prompt) + len(tokens) for (*_, prompt), (tokens, _) in zip(fitting, written, strict=True)]
        token_ms = (time.perf_counter() - began) * 1000 / max(sum(sizes), 1)
        for (place, request, prompt), (tokens, finish), size, stopping in zip(
            fitting, written, sizes, stoppings, strict=True
        ):
            spend = Spend(
                model_calls=1, prompt_tokens=len(prompt), completion_tokens=len(tokens), think_ms=token_ms * size
            )
            thinking, text = split_thinking(self._decode(tokens))
            if not stopping.idle and finish is not Finish.LENGTH:
                stopping.read(self._decode(tokens))
                text = split_thinking(stopping.text)[1]
            enforced = None if request.constraint is None else request.constraint.kind
            answers[place] = Completion(text=text, finish=finish, spend=spend, thinking=thinking, enforced=enforced)
        return [answer for answer in answers if answer is not None]

    def _prompt(self, messages: tuple[Message, ...]) -> list[int]:
        """Token ids of the conversation up to where the answer begins."""
        turns = [{"role": message.role, "content": message.content} for message in messages]
        text = self._tokenizer.apply_chat_template(turns, add_generation_prompt=True, tokenize=False)
        return self._encode(text)

    def _encode(self, text: str) -> list[int]:
        ids: list[int] = self._tokenizer(text, add_special_tokens=False).input_ids
        return ids

    def _prefix(self, messages: tuple[Message, ...], prompts: Sequence[list[int]]) -> tuple[list[int], Any]:
        """Tokens that all these prompts begin with, and a copy of the attention cache after them."""
        system = system_message(messages)
        if system is None:
            return [], self._empty_cache()
        if system not in self._prefixes:
            text = self._tokenizer.apply_chat_template(
                [{"role": "system", "content": system}], add_generation_prompt=False, tokenize=False
            )
            ids = self._encode(text)
            cache = self._empty_cache()
            self._model(self._tensor([ids]), past_key_values=cache, use_cache=True, logits_to_keep=1)
            if len(self._prefixes) >= _KEPT_PREFIXES:
                self._prefixes.pop(next(iter(self._prefixes)))
            self._prefixes[system] = (ids, cache)
        ids, cache = self._prefixes[system]
        if any(prompt[: len(ids)] != ids or len(prompt) == len(ids) for prompt in prompts):
            # A template that treats a lone system message differently shares no prefix with the prompts.
            return [], self._empty_cache()
        return ids, copy.deepcopy(cache)

    def _empty_cache(self) -> Any:
        from transformers import DynamicCache

        return DynamicCache(config=self._model.config)

    def _tensor(self, rows: Sequence[Any]) -> Any:
        return self._torch.tensor(rows, device=self._model.device)

    def _decode(self, tokens: Sequence[int]) -> str:
        text: str = self._tokenizer.decode(tokens, skip_special_tokens=True)
        return text

    def _complete(
        self, prompts: Sequence[list[int]], requests: Sequence[Request], stoppings: Sequence[Stopping]
    ) -> list[tuple[list[int], Finish]]:
        """Tokens of each answer without the token that ended it, and why it ended."""
        torch = self._torch
        if not prompts:
            return []
        prefix, cache = self._prefix(requests[0].messages, prompts)
        n, start = len(prompts), len(prefix)
        rests = [prompt[start:] for prompt in prompts]
        width = max(map(len, rests))
        pad = next(iter(self._stops), 0)
        ids = self._tensor([[pad] * (width - len(rest)) + rest for rest in rests])
        mask = self._tensor([[1] * start + [0] * (width - len(rest)) + [1] * len(rest) for rest in rests])
        positions = self._tensor(
            [[start] * (width - len(rest)) + list(range(start, start + len(rest))) for rest in rests]
        )
        if n > 1 and start:
            cache.batch_repeat_interleave(n)
        generators = [_generator(torch, request, self._model.device) for request in requests]
        held = [self._hold(request) for request in requests]
        rows = list(range(n))
        """Which answer each row of the batch writes; answers that are whole leave it by and by."""
        written: list[list[int]] = [[] for _ in requests]
        finishes: list[Finish | None] = [None] * n
        while True:
            logits = self._model(
                ids,
                attention_mask=mask,
                position_ids=positions,
                past_key_values=cache,
                use_cache=True,
                logits_to_keep=1,
            ).logits[:, -1]
            chosen = [pad] * len(rows)
            for row, answer in enumerate(rows):
                if finishes[answer] is not None:
                    continue
                request, form = requests[answer], held[answer]
                values = logits[row].float() if form is None else self._allowed(logits[row].float(), form)
                token = _choose(torch, values, request, generators[answer])
                chosen[row] = token
                if token in self._stops:
                    finishes[answer] = Finish.STOP
                    continue
                written[answer].append(token)
                if (form is not None and form.take(token)) or (
                    not stoppings[answer].idle and stoppings[answer].read(self._decode(written[answer]))
                ):
                    finishes[answer] = Finish.STOP
                elif len(written[answer]) >= request.sampling.most_tokens:
                    finishes[answer] = Finish.LENGTH
            going = [row for row, answer in enumerate(rows) if finishes[answer] is None]
            if not going:
                return [(tokens, finish or Finish.STOP) for tokens, finish in zip(written, finishes, strict=True)]
            if len(going) <= len(rows) // 2:
                # Moving the cache costs about as much as a step, so it is done when the batch has halved.
                keep = self._tensor(going)
                cache.batch_select_indices(keep)
                mask, positions = mask[keep], positions[keep]
                rows, chosen = [rows[row] for row in going], [chosen[row] for row in going]
            ids = self._tensor([[token] for token in chosen])
            mask = torch.cat([mask, torch.ones_like(ids)], dim=1)
            positions = positions[:, -1:] + 1

    def _hold(self, request: Request) -> Held | None:
        """The request's constraint on the answer that is to be written, if it has one."""
        if request.constraint is None:
            return None
        if self._forms is None:
            self._forms = Forms(self._tokenizer, n_vocab=self._n_vocab, stops=self._stops)
        return self._forms.hold(request.constraint)

    def _allowed(self, logits: Any, form: Held) -> Any:
        """The logits with all tokens out of reach that the form does not allow next."""
        torch = self._torch
        allowed = torch.frombuffer(bytearray(form.allowed()), dtype=torch.uint8)[: logits.shape[0]]
        return logits.masked_fill(allowed.to(logits.device) == 0, float("-inf"))

    def _score(self, request: Scoring) -> tuple[tuple[float, ...], tuple[int, ...], int]:
        """Log-probabilities, token counts, and tokens read: one pass over a trie of all continuations.

        Continuations that begin alike share those tokens. The trie is laid out as one sequence behind the prompt, each
        token seeing the prompt and its own ancestors only, at the position it would have if it stood alone.
        """
        torch = self._torch
        prompt = self._prompt(request.messages)
        texts = [self._encode(text) for text in request.continuations]
        if not all(texts):
            raise ModelError(f"{self._empty(request)!r} is no text that could be scored")
        problem = self._too_long(len(prompt) + max(map(len, texts)))
        if problem is not None:
            raise problem
        prefix, cache = self._prefix(request.messages, [prompt])
        start = len(prefix)
        rest = prompt[start:]
        # The last token of a text is only ever predicted, so it needs no place of its own.
        index: dict[tuple[int, ...], int] = {}
        for text in texts:
            for length in range(1, len(text)):
                index.setdefault(tuple(text[:length]), len(index))
        n_rest, n_nodes = len(rest), len(index)
        seen = torch.zeros(n_rest + n_nodes, start + n_rest + n_nodes, dtype=torch.bool, device=self._model.device)
        seen[:n_rest, : start + n_rest] = torch.ones(n_rest, start + n_rest, dtype=torch.bool).tril(start)
        seen[n_rest:, : start + n_rest] = True
        for path, place in index.items():
            for length in range(1, len(path) + 1):
                seen[n_rest + place, start + n_rest + index[path[:length]]] = True
        mask = torch.zeros(seen.shape, dtype=self._model.dtype, device=self._model.device)
        mask.masked_fill_(~seen, torch.finfo(self._model.dtype).min)
        logits = self._model(
            self._tensor([[*rest, *(path[-1] for path in index)]]),
            position_ids=self._tensor(
                [[*range(start, start + n_rest), *(start + n_rest + len(path) - 1 for path in index)]]
            ),
            attention_mask=mask[None, None],
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=n_nodes + 1,
        ).logits[0]
        logprobs = torch.log_softmax(logits.float(), dim=-1)
        totals = tuple(
            sum(float(logprobs[0 if at == 0 else 1 + index[tuple(text[:at])], token]) for at, token in enumerate(text))
            for text in texts
        )
        return totals, tuple(map(len, texts)), len(prompt) + n_nodes

    def _empty(self, request: Scoring) -> str:
        return next(text for text in request.continuations if not self._encode(text))

    def _too_long(self, n_tokens: int) -> ModelError | None:
        """What is wrong with a prompt and its answer of so many tokens together, if anything."""
        if n_tokens <= self._context:
            return None
        return ModelError(f"the prompt and its answer would take {n_tokens} tokens; the model reads {self._context}")


def _generator(torch: Any, request: Request, device: Any) -> Any:
    """The request's own source of randomness; None for greedy decoding."""
    if request.sampling.temperature == 0:
        return None
    return torch.Generator(device=device).manual_seed(request.sampling.seed or 0)


def _choose(torch: Any, logits: Any, request: Request, generator: Any) -> int:
    """The next token of one row: its likeliest, or a draw from its own generator."""
    sampling = request.sampling
    if generator is None:
        return int(logits.argmax())
    # The likeliest token's logit becomes 0 first: a tiny temperature then cannot overflow.
    probabilities = torch.softmax((logits - logits.max()) / sampling.temperature, dim=-1)
    if sampling.top_p < 1:
        ordered, order = probabilities.sort(descending=True)
        beyond = ordered.cumsum(0) - ordered >= sampling.top_p
        probabilities = probabilities.index_fill(0, order[beyond], 0.0)
    return int(torch.multinomial(probabilities, 1, generator=generator))
