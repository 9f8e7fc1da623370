"""The game model behind the seam of all models: questions as text, answered side by side in one pass.

The weights are loaded by the worker when the first question comes. Spend counts tokens as the network saw them: the
blocks it read and the texts it wrote, not the letters of the interchange text.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from pydantic import Field

from stratarena.agents.budget import Spend
from stratarena.agents.gamelm.forms import Form, NotInterchange, form_of, form_tagged
from stratarena.agents.gamelm.games import CHESS, CONNECT_FOUR, FOLDERS, WRITING
from stratarena.agents.gamelm.layout import slots_of
from stratarena.agents.gamelm.reading import HEAD, STATUSES, read, tokens_read
from stratarena.agents.gamelm.speech import Question, answer_text, game_asked, parse_question, question_text
from stratarena.agents.gamelm.trace_reading import BrokenTrace
from stratarena.agents.gamelm.trace_text import trace_text
from stratarena.agents.gamelm.traces import board_tokens, prompt
from stratarena.agents.gamelm.turning import turned_boards
from stratarena.agents.gamelm.writer import Written, write
from stratarena.agents.models.base import Completion, Finish, Message, ModelAnswer, ModelError, ModelRequest, Request
from stratarena.agents.models.transformers_local import LocalModel, RuntimeParams
from stratarena.agents.params import checked_params
from stratarena.games.base import Seat

if TYPE_CHECKING:
    from stratarena.agents.gamelm.network import GameLm

__all__ = ["GameInference", "Shelf", "game_lm", "load_weights", "shipped_weights"]

_SOME_ENDING = "4k3/8/8/8/8/8/8/KQ6 w - - 0 1"
_MOST_NODES = 85
"""Of the longest search that is written to its end: depth 3, breadth 4."""
_SIDE_BY_SIDE = 32
"""Searches written at a time: each holds some megabytes of what was read and written before."""
_NODE = 20
"""Tokens of a node besides its board and its report, with room."""


class GameLmParams(RuntimeParams):
    """Parameters of `game_lm`."""

    max_batch: int = Field(64, ge=1, description="questions answered side by side; 1 repeats exactly")
    folder: str | None = Field(None, description="a folder of weights; without it those that ship with the arena")
    dtype: Literal["float32"] = Field("float32", description="number format in use; the file is in half precision")
    both_ways: bool = Field(False, description="read each board and all its mirror images, and take the mean")


def shipped_weights(game: str = CONNECT_FOUR) -> Path:
    """The folder of the weights for this game that come with the package."""
    return Path(str(resources.files("stratarena.agents") / "data" / "gamelm" / FOLDERS[game]))


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
        model: GameLm = GameLm.from_pretrained(folder, dtype=torch.float32)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder} cannot be loaded: {str(error).splitlines()[0]}") from error
    model.to(device).eval()
    return model


def game_lm(name: str, params: Mapping[str, Any]) -> LocalModel:
    """The language models of games that were trained by `stratarena train`: one for each game, or that of one folder."""
    checked = checked_params(GameLmParams, params, where=f"model {name!r}")
    if checked.folder is None:
        folders = {game: shipped_weights(game) for game in FOLDERS}
    else:
        folder = Path(checked.folder).expanduser()
        folders = {_game_of(folder): folder}
    weights = ", ".join(f"{game} sha256:{_digest(folder)}" for game, folder in folders.items())

    def opened(game: str) -> GameInference:
        model = load_weights(folders[game], threads=checked.threads, device=checked.device)
        return GameInference(model, both_ways=checked.both_ways)

    identity = {"name": "stratarena-game-lm", "weights": weights}
    first = next(iter(folders.values()))
    return LocalModel(
        name,
        lambda: first,
        checked,
        identity,
        lambda: Shelf(list(folders), opened),
        lambda: _trial(next(iter(folders))),
    )


def _trial(game: str) -> Request:
    """A question that the model of this game can answer: it knows no plain words."""
    board = form_of(CHESS).board(_SOME_ENDING, Seat.FIRST) if game == CHESS else (0, 0)
    return Request(messages=(Message("user", question_text(Question(board, game=game))),))


def _digest(folder: Path) -> str:
    try:
        return sha256((folder / "model.safetensors").read_bytes()).hexdigest()
    except OSError as error:
        raise ModelError(f"{folder} has no game model: {error.strerror}") from error


def _game_of(folder: Path) -> str:
    """The game that the weights in this folder know."""
    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except OSError as error:
        raise ModelError(f"{folder} has no game model: {error.strerror}") from error
    except ValueError as error:
        raise ModelError(f"{folder / 'config.json'} is no JSON: {error}") from error
    game = config.get("game") if isinstance(config, dict) else None
    if game not in FOLDERS:
        raise ModelError(f"{folder} has no game model of {' or '.join(FOLDERS)}: its config.json says game = {game!r}")
    return str(game)


class Shelf:
    """The networks of several games, each opened when the first question about its game comes."""

    def __init__(self, games: list[str], open_: Callable[[str], GameInference]) -> None:
        self._games = games
        self._open = open_
        self._opened: dict[str, GameInference] = {}

    def answer(self, requests: Sequence[ModelRequest]) -> list[ModelAnswer | ModelError]:
        """One answer a request, in order; those about one game are answered side by side."""
        of_game: dict[str, list[int]] = {}
        for place, request in enumerate(requests):
            text = request.messages[-1].content if isinstance(request, Request) else ""
            form = form_tagged(game_asked(text) or "")
            # What names no game that is known is refused by whoever reads it.
            of_game.setdefault(self._games[0] if form is None else form.game, []).append(place)
        answers: dict[int, ModelAnswer | ModelError] = {}
        for game, places in of_game.items():
            if game not in self._games:
                refusal = ModelError(f"these weights play {' and '.join(self._games)}, not {game}")
                answers |= dict.fromkeys(places, refusal)
                continue
            if game not in self._opened:
                self._opened[game] = self._open(game)
            found = self._opened[game].answer([requests[place] for place in places])
            answers |= dict(zip(places, found, strict=True))
        return [answers[place] for place in range(len(requests))]


class GameInference:
    """Questions to answers with a network that is in memory."""

    def __init__(self, model: GameLm, *, both_ways: bool = False) -> None:
        self._model = model
        self._form = form_of(model.config.game)
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
                question = parse_question(request.messages[-1].content)
            except NotInterchange as error:
                answers[place] = ModelError(f"the game model cannot read the question: {error}")
                continue
            if question.game != self._form.game:
                answers[place] = ModelError(f"these weights play {self._form.game}, not {question.game}")
            elif question.search is not None and question.game not in WRITING:
                answers[place] = ModelError(f"the game model writes searches of {' and '.join(WRITING)} only")
            elif question.search is not None and self._model.config.max_slots < slots_of(self._form.words):
                answers[place] = ModelError(f"these weights have not learned to write searches of {question.game}")
            else:
                asked.append((place, question))
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
        words = self._form.words
        ways = self._form.images if self._both_ways else 1
        boards = [question.board for _, question in asked]
        extra = [0] * len(asked)
        moved = [index for index, (_, question) in enumerate(asked) if question.move is not None]
        if moved:
            for index, board in zip(moved, write_states(self._model, [asked[i][1] for i in moved]), strict=True):
                boards[index] = board
                extra[index] = words.places
        own, opponent = (np.array([board[side] for board in boards], np.uint64) for side in (0, 1))
        readings = read(self._model, own, opponent, both_ways=self._both_ways)
        blocks = tokens_read(self._form, own, opponent).tolist()
        # Where moves have places of their own, those of the board answer nothing.
        silent = words.places if words.asked else 0
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
            n_read = blocks[index] * ways + (0 if question.move is None else words.places + 4)
            done.append((place, text, Finish.STOP, n_read, blocks[index] - silent + extra[index]))
        return done

    def _search(self, asked: list[tuple[int, Question]]) -> list[tuple[int, str, Finish, int, int]]:
        """Whole searches, written side by side; what is no trace is told as the tokens it is."""
        if not asked:
            return []
        shapes = [question.search for _, question in asked if question.search is not None]
        prompts = [
            prompt(self._form, *question.board, depth=depth, breadth=breadth)
            for (_, question), (depth, breadth) in zip(asked, shapes, strict=True)
        ]
        longest = max(longest_search(self._form, *shape) for shape in shapes)
        texts: list[Written] = []
        for start in range(0, len(prompts), _SIDE_BY_SIDE):
            texts += write(self._model, prompts[start : start + _SIDE_BY_SIDE], max_tokens=longest)
        done = []
        for (place, _), written in zip(asked, texts, strict=True):
            try:
                text = trace_text(self._form, written.tokens)
            except BrokenTrace as error:
                text = f"broken: {error}\n"
            finish = Finish.STOP if written.ended else Finish.LENGTH
            done.append((place, text, finish, written.n_prompt, len(written.tokens) - written.n_prompt))
        return done


def longest_search(form: Form, depth: int, breadth: int) -> int:
    """Tokens after which a search of this shape is cut off: more than it can need, unless it is one of very many nodes."""
    nodes = min(sum(int(breadth**level) for level in range(depth + 1)), _MOST_NODES)
    return (nodes + 1) * (2 * form.words.places + HEAD + _NODE)


def write_states(model: GameLm, questions: list[Question]) -> list[tuple[int, int]]:
    """The boards that the model says these moves lead to, read out in one pass or written token by token."""
    if model.config.turns:
        own, opponent = (np.array([question.board[side] for question in questions], np.uint64) for side in (0, 1))
        moves = np.array([question.move or 0 for question in questions])
        after = turned_boards(model, own, opponent, moves)
        return [(int(mine), int(theirs)) for mine, theirs in zip(*after, strict=True)]
    form = form_of(model.config.game)
    words = form.words
    prompts = [
        [
            words["<bos>"],
            words["<want-state>"],
            words["<want-top>"],
            words["<prev>"],
            *board_tokens(form, *question.board),
            words["<act>"],
            words.first_move + (question.move or 0),
            words["<state>"],
        ]
        for question in questions
    ]
    written = write(model, prompts, max_tokens=len(prompts[0]) + words.places)
    return [
        form.board_of(tuple(token - words.first_content for token in one.tokens[-words.places :])) for one in written
    ]
