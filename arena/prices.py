"""What tokens cost: prices of models, and what a call may cost at most before it is made."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from stratarena.agents.models.base import Attempt, Completion, ModelAnswer, ModelRequest, Request
from stratarena.games.base import SpecError

__all__ = ["Price", "most_completion_tokens", "most_prompt_tokens", "read_price", "read_price_table"]

_MILLION = 1e6
_TOKENS_A_MESSAGE = 16
"""More than any chat template writes around a message."""
_TOKENS_A_CONVERSATION = 64


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars for a million tokens."""

    prompt: float
    completion: float
    cached: float | None = None
    """For prompt tokens that the provider had read before; None takes the full price for them."""

    def of(self, answer: ModelAnswer) -> float | None:
        """What an answer cost; None where nobody counted its tokens."""
        if isinstance(answer, Completion):
            if not answer.usage_reported:
                return None
            cached = min(answer.cached_tokens or 0, answer.spend.prompt_tokens) if self.cached is not None else 0
        else:
            cached = 0
        fresh = answer.spend.prompt_tokens - cached
        return (
            fresh * self.prompt + cached * (self.cached or 0.0) + answer.spend.completion_tokens * self.completion
        ) / _MILLION

    def at_most(self, request: ModelRequest) -> float:
        """What one attempt at the request can cost at most."""
        prompt = most_prompt_tokens(request) * max(self.prompt, self.cached or 0.0)
        return (prompt + most_completion_tokens(request) * self.completion) / _MILLION

    def paid(self, attempt: Attempt, request: ModelRequest) -> Attempt:
        """The attempt with what it may have cost without anybody saying so."""
        return attempt if attempt.at_most_usd is not None else replace(attempt, at_most_usd=self.at_most(request))


def most_prompt_tokens(request: ModelRequest) -> int:
    """No model reads more tokens in these messages: none is shorter than a byte, whatever the template adds."""
    texts = [message.content for message in request.messages]
    if not isinstance(request, Request):
        texts += request.continuations
    return sum(len(text.encode("utf-8", "replace")) + _TOKENS_A_MESSAGE for text in texts) + _TOKENS_A_CONVERSATION


def most_completion_tokens(request: ModelRequest) -> int:
    """No answer has more tokens."""
    return request.sampling.most_tokens if isinstance(request, Request) else 0


def read_price(value: object) -> Price:
    """The price in a tournament file: `[prompt, completion]`, or a table that may have `cached` as well.

    Raises:
        SpecError: it is neither.
    """
    if isinstance(value, list) and len(value) == 2 and all(map(_is_price, value)):
        return Price(float(value[0]), float(value[1]))
    if isinstance(value, dict) and {"prompt", "completion"} <= set(value) <= {"prompt", "completion", "cached"}:
        parts = [value["prompt"], value["completion"], value.get("cached", 0.0)]
        if all(map(_is_price, parts)):
            return Price(
                float(value["prompt"]),
                float(value["completion"]),
                float(value["cached"]) if "cached" in value else None,
            )
    raise SpecError(
        "a price is [dollars for a million prompt tokens, dollars for a million completion tokens], such as [0.5, 1.5], or "
        "a table such as {prompt = 0.5, completion = 1.5, cached = 0.05}"
    )


def read_price_table(text: str, *, place: str) -> Mapping[str, Price]:
    """Prices by the provider's name of the model, out of a TOML file of such tables.

    Raises:
        SpecError: it is no TOML, or holds something else.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SpecError(f"{place}: not valid TOML: {error}") from None
    prices = {}
    for name, value in raw.items():
        try:
            prices[name] = read_price(value)
        except SpecError as error:
            raise SpecError(f"{place}: {name}: {error}") from None
    return prices


def _is_price(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0
