"""The network: a small decoder-only transformer that reads boards as blocks and writes text token by token.

Two ways of attention, one set of weights. A *board that is read* is a block whose tokens see each other and nothing
else; every one of its positions answers with one token (who has won, the best move, a value for each move), all in one
pass. *Text that is written* sees what is visible of the text before it. Nothing but the mask and the embedding of the
level tells the two apart.

It registers with transformers as `stratarena-game-lm`, so that `AutoModelForCausalLM.from_pretrained(folder)` opens
the weights once this module has been imported.
"""

from __future__ import annotations

from typing import Any, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional
from transformers import AutoConfig, AutoModelForCausalLM, GenerationMixin, PretrainedConfig, PreTrainedModel
from transformers.modeling_outputs import CausalLMOutput

__all__ = ["GameLm", "GameLmConfig", "Memory"]


class GameLmConfig(PretrainedConfig):  # type: ignore[misc]
    """Shape of the network and the game it knows.

    Args:
        game: the game, as its id names it.
        vocab_size: tokens.
        hidden_size: width.
        num_hidden_layers: blocks.
        num_attention_heads: heads of attention.
        max_slots: places within a node that have an embedding of their own.
        levels: 0 for a board that is read, 1 + depth for what is written.
        turns: what a move leads to was learned as a board that is read, see `turning`; else it is written as text.
    """

    model_type = "stratarena-game-lm"

    def __init__(
        self,
        game: str = "connect_four",
        vocab_size: int = 256,
        hidden_size: int = 128,
        num_hidden_layers: int = 4,
        num_attention_heads: int = 4,
        max_slots: int = 96,
        levels: int = 6,
        turns: bool = False,
        **kwargs: Any,
    ) -> None:
        self.game = game
        self.vocab_size = vocab_size
        self.hidden_size = hidden_size
        self.num_hidden_layers = num_hidden_layers
        self.num_attention_heads = num_attention_heads
        self.max_slots = max_slots
        self.levels = levels
        self.turns = turns
        kwargs.setdefault("tie_word_embeddings", False)
        super().__init__(**kwargs)


class Memory(Protocol):
    """Keys and values of the tokens before, for texts that are written token by token."""

    def extend(self, layer: int, key: Tensor, value: Tensor) -> tuple[Tensor, Tensor]:
        """Take in the new tokens' keys and values, `[batch, heads, tokens, width of a head]`; give all there are."""


class _Block(nn.Module):  # type: ignore[misc]
    def __init__(self, config: GameLmConfig) -> None:
        super().__init__()
        width = config.hidden_size
        self.heads = config.num_attention_heads
        self.before_attention = nn.RMSNorm(width)
        self.qkv = nn.Linear(width, 3 * width, bias=False)
        self.mixed = nn.Linear(width, width, bias=False)
        self.before_mlp = nn.RMSNorm(width)
        self.up = nn.Linear(width, 4 * width, bias=False)
        self.down = nn.Linear(4 * width, width, bias=False)

    def forward(self, x: Tensor, visible: Tensor | None, layer: int, memory: Memory | None) -> Tensor:
        batch, length, width = x.shape
        qkv = self.qkv(self.before_attention(x)).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        if memory is not None:
            key, value = memory.extend(layer, key, value)
        seen = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=None if visible is None else visible.unsqueeze(1)
        )
        x = x + self.mixed(seen.transpose(1, 2).reshape(batch, length, width))
        return x + self.down(functional.relu(self.up(self.before_mlp(x))).square())


class GameLm(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """The language model of one game."""

    config_class = GameLmConfig
    base_model_prefix = "model"
    _supports_sdpa = True

    def __init__(self, config: GameLmConfig) -> None:
        super().__init__(config)
        width = config.hidden_size
        self.tokens = nn.Embedding(config.vocab_size, width)
        self.slots = nn.Embedding(config.max_slots, width)
        self.levels = nn.Embedding(config.levels, width)
        self.blocks = nn.ModuleList(_Block(config) for _ in range(config.num_hidden_layers))
        self.last = nn.RMSNorm(width)
        self.lm_head = nn.Linear(width, config.vocab_size, bias=False)
        self.post_init()

    def _init_weights(self, module: nn.Module) -> None:
        deep = (2 * self.config.num_hidden_layers) ** -0.5
        for weights in module.parameters(recurse=False):
            if weights.dim() == 2:
                nn.init.normal_(weights, std=0.02)
        for name, child in module.named_children():
            if name in ("mixed", "down"):
                nn.init.normal_(cast("nn.Linear", child).weight, std=0.02 * deep)

    def hidden(
        self, input_ids: Tensor, slots: Tensor, levels: Tensor, visible: Tensor | None, memory: Memory | None = None
    ) -> Tensor:
        """What the last layer holds, `[batch, tokens, width]`.

        Args:
            input_ids: `[batch, tokens]`.
            slots: place of every token within its node, same shape.
            levels: 0 for boards that are read, else 1 + depth, same shape.
            visible: `[batch, tokens, tokens so far]`, true where a token may look; None lets all see all.
            memory: of the tokens before, where these go on from some.
        """
        x = self.tokens(input_ids) + self.slots(slots) + self.levels(levels)
        for layer, block in enumerate(self.blocks):
            x = block(x, visible, layer, memory)
        return cast("Tensor", self.last(x))

    def forward(
        self,
        input_ids: Tensor,
        slots: Tensor | None = None,
        levels: Tensor | None = None,
        visible: Tensor | None = None,
        attention_mask: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> CausalLMOutput:
        """Logits `[batch, tokens, vocabulary]`.

        Without `slots`, `levels` and `visible` they are read off the tokens, as for text that begins at its beginning.
        `labels` are the answers at the same places (not shifted); -100 asks for none.
        """
        if slots is None or levels is None or visible is None:
            from stratarena.agents.gamelm.forms import form_of
            from stratarena.agents.gamelm.layout import layout_of

            laid = [layout_of(form_of(self.config.game).words, row) for row in input_ids.tolist()]
            slots, levels, visible = (
                torch.stack([torch.from_numpy(part) for part in parts]).to(input_ids.device)
                for parts in zip(*((one.slots, one.levels, one.visible) for one in laid), strict=True)
            )
        logits = self.lm_head(self.hidden(input_ids, slots, levels, visible))
        loss = None
        if labels is not None:
            loss = functional.cross_entropy(logits.flatten(0, 1), labels.flatten(), ignore_index=-100)
        return CausalLMOutput(loss=loss, logits=logits)

    def prepare_inputs_for_generation(self, input_ids: Tensor, **_: Any) -> dict[str, Any]:
        """The whole text again at every step: it is short."""
        return {"input_ids": input_ids}


AutoConfig.register(GameLmConfig.model_type, GameLmConfig)
AutoModelForCausalLM.register(GameLmConfig, GameLm)
