"""What the tests of both game models share: an agent around one, and a network's answers one by one."""

from __future__ import annotations

from stratarena.agents.base import AgentSpec
from stratarena.agents.models.base import ModelError
from stratarena.arena.config import make_agent


def player(kind="game_lm", **params):
    """An agent with these parameters."""
    form = {} if kind == "game_lm" else {"evaluator": "game_lm"}
    return make_agent(AgentSpec("x", kind, {"model": "m", **form, **params}))


def one_by_one(inference):
    """A function from a request to its answer, which must be one."""

    def one(request):
        (found,) = inference.answer([request])
        assert not isinstance(found, ModelError), found
        return found

    return one
