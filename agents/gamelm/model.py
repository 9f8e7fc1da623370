"""The game model behind the seam of all models: questions as text, answered side by side in one pass.

The weights are loaded by the worker when the first question comes. Spend counts tokens as the network saw them: the
blocks it read and the texts it wrote, not the letters of the interchange text.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from stratarena.agents.budget import Spend
from stratarena.agents.gamelm.interchange import NotInterchange, trace_text
from stratarena.agents.gamelm.reading import CONNECT_FOUR, HEAD, STATUSES, read
from stratarena.agents.gamelm.speech import Question, answer_text, parse_question
from stratarena.agents.gamelm.trace_reading import BrokenTrace, board_of
from stratarena.agents.gamelm.traces import board_tokens, prompt
from stratarena.agents.gamelm.writer import write
from stratarena.agents.models.base import Completion, Finish, ModelAnswer, ModelError, ModelRequest, Request
from stratarena.agents.models.transformers_local import LocalModel, RuntimeParams
from stratarena.agents.params import checked_params

if TYPE_CHECKING:
    from stratarena.agents.gamelm.network import GameLm

__all__ = ["GameInference", "game_lm", "load_weights", "shipped_weights"]

_LONGEST = 2600
"""Tokens of the longest search: depth 3, breadth 4, with room."""


class GameLmParams(RuntimeParams):
    """Parameters of `game_lm`."""

    max_batch: int = Field(64, ge=1, description="questions answered side by side; 1 repeats exactly")
    folder: str | None = Field(None, description="a folder of weights; without it those that ship with the arena")
    dtype: Literal["float32"] = Field("float32", description="number format in use; the file is in half precision")
    both_ways: bool = Field(False, description="read each board and its mirror image, and take the mean")


def shipped_weights() -> Path:
    """The folder of the weights that come with the package."""
    return Path(str(resources.files("stratarena.agents") / "data" / "gamelm" / "connect_four"))


def load_weights(folder: Path, *, threads: int = 1, device: str = "cpu") -> GameLm:
    """The network, ready to answer. Raises `ModelError` if the extra is missing or the folder is no such model."""
    try:
        import torch

        from stratarena.agents.gamelm.network import GameLm
    except ImportError as error:
        raise ModelError(f"{error}; install the extra: pip install 'stratarena[torch]'") from error
    torch.set_num_threads(threads)
    if not (folder / "model.safetensors").exists():
        raise ModelError(f"{folder} has no game model: there is no model.safetensors in it")
    try:
        model = GameLm.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder} cannot be loaded: {str(error).splitlines()[0]}") from error
    return model.to(device).eval()  # type: ignore[no-any-return]


def game_lm(name: str, params: Mapping[str, Any]) -> LocalModel:
    """The language model of Connect Four that was trained by `stratarena train`."""
    checked = checked_params(GameLmParams, params, where=f"model {name!r}")
    folder = shipped_weights() if checked.folder is None else Path(checked.folder).expanduser()
    try:
        weights = sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{folder} has no game model: {error.strerror}") from error

    def open_weights() -> GameInference:
        return GameInference(
            load_weights(folder, threads=checked.threads, device=checked.device), both_ways=checked.both_ways
        )

    return LocalModel(
        name, lambda: folder, checked, {"name": "stratarena-game-lm", "weights": f"sha256:{weights}"}, open_weights
    )


class GameInference:
    """Questions to answers with a network that is in memory."""

    def __init__(self, model: GameLm, *, both_ways: bool = False) -> None:
        self._model = model
        self._both_ways = both_ways

    def answer(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelError]:
        """One answer a request. What is no question in the format is answered by a `ModelError`, alone."""
        began = time.perf_counter()
        answers: list[ModelAnswer | ModelError | None] = [None] * len(requests)
        asked: list[tuple[int, Question]] = []
        for place, request in enumerate(requests):
            if not isinstance(request, Request):
                answers[place] = ModelError("the game model answers questions; it does not score texts")
                continue
            try:
                asked.append((place, parse_question(request.messages[-1].content)))
            except NotInterchange as error:
                answers[place] = ModelError(f"the game model cannot read the question: {error}")
        evaluated = [(place, question) for place, question in asked if question.search is None]
        searched = [(place, question) for place, question in asked if question.search is not None]
        done = [*self._evaluate(evaluated), *self._search(searched)]
        # Nobody can say whose token took longer: the time is shared by tokens.
        token_ms = (time.perf_counter() - began) * 1000 / max(sum(read + written for *_, read, written in done), 1)
        for place, text, finish, n_read, n_written in done:
            spend = Spend(
                model_calls=1,
                prompt_tokens=n_read,
                completion_tokens=n_written,
                think_ms=token_ms * (n_read + n_written),
            )
            answers[place] = Completion(text=text, finish=finish, spend=spend)
        return [answer for answer in answers if answer is not None]

    def _evaluate(self, asked: list[tuple[int, Question]]) -> list[tuple[int, str, Finish, int, int]]:
        """Text and tokens read and written of each: states written where a move is asked about, then read in one pass."""
        if not asked:
            return []
        words, block = CONNECT_FOUR, CONNECT_FOUR.places + HEAD
        boards = [question.board for _, question in asked]
        extra = [0] * len(asked)
        moved = [index for index, (_, question) in enumerate(asked) if question.move is not None]
        if moved:
            for index, board in zip(moved, write_states(self._model, [asked[i][1] for i in moved]), strict=True):
                boards[index] = board
                extra[index] = words.places
        own, opponent = (np.array([board[side] for board in boards], np.uint64) for side in (0, 1))
        readings = read(self._model, own, opponent, both_ways=self._both_ways)
        done = []
        for index, (place, question) in enumerate(asked):
            legal = readings.legal[index]
            text = answer_text(
                question,
                boards[index],
                STATUSES[readings.status[index]],
                int(readings.best[index]),
                [float(mean) if able else None for mean, able in zip(readings.mean[index], legal, strict=True)],
                [int(mode) if able else None for mode, able in zip(readings.mode[index], legal, strict=True)],
            )
            n_read = block * (1 + self._both_ways) + (0 if question.move is None else words.places + 4)
            done.append((place, text, Finish.STOP, n_read, block + extra[index]))
        return done

    def _search(self, asked: list[tuple[int, Question]]) -> list[tuple[int, str, Finish, int, int]]:
        """Whole searches, written side by side; what is no trace is told as the tokens it is."""
        if not asked:
            return []
        prompts = [
            prompt(*question.board, depth=question.search[0], breadth=question.search[1])
            for _, question in asked
            if question.search is not None
        ]
        done = []
        for (place, _), written in zip(asked, write(self._model, prompts, max_tokens=_LONGEST), strict=True):
            try:
                text = trace_text(written.tokens)
            except BrokenTrace as error:
                text = f"broken: {error}\n"
            finish = Finish.STOP if written.ended else Finish.LENGTH
            done.append((place, text, finish, written.n_prompt, len(written.tokens) - written.n_prompt))
        return done


def write_states(model: GameLm, questions: list[Question]) -> list[tuple[int, int]]:
    """The boards that the model says these moves lead to, written token by token."""
    words = CONNECT_FOUR
    prompts = [
        [
            words["<bos>"],
            words["<want-state>"],
            words["<want-top>"],
            words["<prev>"],
            *board_tokens(*question.board),
            words["<act>"],
            words.first_move + (question.move or 0),
            words["<state>"],
        ]
        for question in questions
    ]
    written = write(model, prompts, max_tokens=len(prompts[0]) + words.places)
    return [board_of(tuple(token - words.first_content for token in one.tokens[-words.places :])) for one in written]
