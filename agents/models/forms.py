"""Constrained decoding for local models: which tokens a form allows next. By llguidance; needs the extra `torch`."""

from __future__ import annotations

import json
from typing import Any

from stratarena.agents.models.base import Constraint, ModelError

__all__ = ["Forms", "Held"]

_KEPT_GRAMMARS = 256


class Held:
    """One answer being written under a constraint."""

    def __init__(self, matcher: Any) -> None:
        self._matcher = matcher

    def allowed(self) -> bytes:
        """A byte for each token of the vocabulary: 0 where the form does not allow it next."""
        bias: bytes = self._matcher.compute_logit_bias()
        return bias

    def take(self, token: int) -> bool:
        """Go on past this token; whether the answer is whole and can have no more."""
        if not self._matcher.consume_token(token):
            raise ModelError(f"the form broke at a token it had allowed: {self._matcher.get_error()}")
        return bool(self._matcher.is_stopped())


class Forms:
    """Forms over one tokenizer; grammars are compiled once."""

    def __init__(self, tokenizer: Any, *, n_vocab: int, stops: frozenset[int]) -> None:
        try:
            import llguidance
            import llguidance.hf
        except ImportError as error:
            raise ModelError(f"{error}; install the extra: pip install 'stratarena[torch]'") from error
        self._library = llguidance
        self._tokenizer = llguidance.hf.from_tokenizer(tokenizer, n_vocab=n_vocab, eos_token=sorted(stops))
        self._matchers: dict[Constraint, Any] = {}

    def hold(self, constraint: Constraint) -> Held:
        """A fresh answer under this constraint.

        Raises:
            ModelError: the constraint is no valid schema, or has no choices.
        """
        matcher = self._matchers.get(constraint)
        if matcher is None:
            matcher = self._library.LLMatcher(self._tokenizer, self._grammar(constraint))
            if matcher.is_error():
                raise ModelError(f"no form can be made of {constraint.body[:200]}: {matcher.get_error()}")
            if len(self._matchers) >= _KEPT_GRAMMARS:
                self._matchers.pop(next(iter(self._matchers)))
            self._matchers[constraint] = matcher
        return Held(matcher.deep_copy())

    def _grammar(self, constraint: Constraint) -> Any:
        if constraint.kind == "schema":
            return self._library.LLMatcher.grammar_from_json_schema(constraint.body)
        choices = json.loads(constraint.body)
        if not choices:
            raise ModelError("there is nothing to choose from")
        return self._library.LLMatcher.grammar_from_lark("start: " + " | ".join(json.dumps(text) for text in choices))
