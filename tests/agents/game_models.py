"""What the tests of the game models share: agents around them, small networks, short trainings."""

from __future__ import annotations

import numpy as np
import torch

from stratarena.agents.base import AgentSpec
from stratarena.agents.gamelm.forms import form_of
from stratarena.agents.gamelm.games import WRITING
from stratarena.agents.gamelm.layout import slots_of
from stratarena.agents.gamelm.network import GameLm, GameLmConfig
from stratarena.agents.gamelm.training import TrainingConfig, train
from stratarena.agents.gamelm.turning import turning_loss
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


def small(game, *, turns=True, writes=False):
    """A small untrained network."""
    torch.manual_seed(3)
    shape = GameLmConfig(
        game=game,
        vocab_size=form_of(game).words.size,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        turns=turns,
    )
    if writes and game in WRITING:
        shape.max_slots = max(shape.max_slots, slots_of(form_of(game).words))
    return GameLm(shape).eval()


def tiny(game, **changes):
    """A training of seconds, of a model that is read only."""
    return TrainingConfig.model_validate(
        {
            "name": "tiny",
            "game": game,
            "model": {"hidden_size": 32, "layers": 2, "heads": 2},
            "validate_every": 4,
            "stages": [{"name": "reading", "steps": 8, "batch": 16, "tasks": {"reading": 0.5, "turning": 0.5}}],
            **changes,
        }
    )


def same_when_killed(config, folder):
    """Train to the end, and once more with a kill on the way: the same curve; the folder of the weights."""
    whole = train(config, data=folder / "positions", folder=folder / "whole")
    train(config, data=folder / "positions", folder=folder / "killed", stop_after=5, checkpoint_s=0)
    resumed = train(config, data=folder / "positions", folder=folder / "killed")
    assert [(p.step, p.loss, p.kept, p.next_state) for p in resumed] == [
        (p.step, p.loss, p.kept, p.next_state) for p in whole
    ]
    return folder / "whole" / "weights"


def losses_of(learner, steps, loss_of, *, rate=1e-2):
    """Losses of so many small steps; `loss_of()` gives the loss of the next."""
    optimiser = torch.optim.AdamW(learner.parameters(), lr=rate)
    losses = []
    for _ in range(steps):
        loss = loss_of()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def losses_of_turning(game, positions, *, batch):
    """Losses of a hundred small steps of learning what moves lead to."""
    torch.manual_seed(0)
    learner, rng = small(game).train(), np.random.default_rng(0)

    def loss():
        some = positions.take(rng.integers(len(positions), size=batch))
        return turning_loss(learner, some.own, some.opponent, rng)

    return losses_of(learner, 100, loss)
