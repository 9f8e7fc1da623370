"""Training: stages of mixed tasks, seeded, checkpointed, and the same curve whether or not it was ever stopped."""

from __future__ import annotations

import copy
import csv
import time
import tomllib
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import Field, model_validator

from stratarena.agents.gamelm.choices import draw_choices
from stratarena.agents.gamelm.forms import form_of
from stratarena.agents.gamelm.games import CONNECT_FOUR, WRITING
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.layout import slots_of
from stratarena.agents.gamelm.mechanics import Mechanics, mechanics, next_states
from stratarena.agents.gamelm.own_games import make_own_chunk
from stratarena.agents.gamelm.positions import Positions, finished, load_positions, make_chunks, played_on
from stratarena.agents.gamelm.reading import read, reading_loss
from stratarena.agents.gamelm.scores import kept_shares
from stratarena.agents.gamelm.texts import draw_examples, draw_traces, lesson_of, text_loss
from stratarena.agents.gamelm.turning import turning_loss
from stratarena.agents.params import Params, checked_params
from stratarena.games.base import SpecError

if TYPE_CHECKING:
    import torch

    from stratarena.agents.gamelm.network import GameLm

__all__ = ["Point", "Stage", "TrainingConfig", "load_config", "make_data", "train"]

Count = Annotated[int, Field(ge=1)]
Task = Literal["reading", "turning", "text", "traces", "choices"]
_WRITTEN_TASKS = {"text", "traces", "choices"}
_WRITTEN = 100
"""Validation positions that texts are written about at every point of the curve, at most, and at most every tenth."""


class DataConfig(Params):
    """Which positions there are to train on."""

    chunks: Count = Field(description="files of games, each made from its own number as seed; of chess, one an ending")
    games: Count = Field(1, description="games of mixed strength in a chunk; endings are labelled whole, without games")
    own_games: Annotated[int, Field(ge=0)] = Field(
        0, description="games that the weights of `start` play against themselves, in a file of their own"
    )


class ModelConfig(Params):
    """The network's shape."""

    hidden_size: Count = Field(default=128, description="width")
    layers: Count = Field(default=4, description="blocks")
    heads: Count = Field(default=4, description="heads of attention")


class Stage(Params):
    """One stretch of training, with its own rise and fall of the learning rate."""

    name: str = Field(description="what the curve calls it")
    steps: Count = Field(description="steps of the optimiser")
    batch: Count = Field(128, description="positions, texts or traces a step")
    learning_rate: Annotated[float, Field(gt=0)] = Field(2e-3, description="at its peak")
    warm_up: Annotated[int, Field(ge=0)] = Field(100, description="steps of rising")
    flat: Annotated[float, Field(ge=0, le=1)] = Field(0.5, description="share of the steps after which it falls")
    tasks: dict[Task, Annotated[float, Field(gt=0)]] = Field({"reading": 1.0}, description="shares of the steps")


class TrainingConfig(Params):
    """A training file."""

    name: str = Field(description="the folder under which all is kept")
    game: Literal["connect_four", "hex(size=5)", "chess"] = Field("connect_four", description="the game")
    seed: int = Field(1, description="of initial weights and of the order of examples")
    start: str | None = Field(None, description="a folder of weights to go on from")
    data: DataConfig
    model: ModelConfig = ModelConfig()
    stages: list[Stage]
    validate_every: Count = Field(500, description="steps between points of the curve")
    validation: Count = Field(3000, description="validation positions a point is measured on")

    @model_validator(mode="after")
    def _some_stage(self) -> TrainingConfig:
        if not self.stages:
            raise ValueError("stages: at least one is needed")
        tasks = {task for stage in self.stages for task in stage.tasks}
        if self.game not in WRITING and _WRITTEN_TASKS & tasks:
            raise ValueError(f"stages: searches are written about {' and '.join(WRITING)} only; {self.game} is read")
        if self.game != CONNECT_FOUR and "text" in tasks:
            raise ValueError(f"stages: texts of examples are written about {CONNECT_FOUR} only, not about {self.game}")
        if self.data.own_games and self.start is None:
            raise ValueError("data.own_games: whose? It needs `start`, the folder of the weights that play them")
        if self.data.own_games and self.game != CONNECT_FOUR:
            raise ValueError(f"data.own_games: a model plays games of {CONNECT_FOUR} only")
        return self


@dataclass(frozen=True, slots=True)
class Point:
    """One row of the curve."""

    stage: str
    step: int
    """Steps since the beginning of all stages."""
    examples: int
    loss: float
    """Mean over the steps since the point before."""
    kept: float
    """Share of validation positions where the chosen move keeps the result."""
    kept_decisive: float | None
    """The same where some move throws it away; None without such positions."""
    n: int
    cpu_s: float
    """CPU seconds so far, over all runs; the one column that differs from run to run."""
    legal_set: float = 0.0
    """Share of validation positions whose possible moves are all told right."""
    next_state: float | None = None
    """What follows is None in stages without texts. Share of boards after a move that are written without a mistake."""
    child_states: float | None = None
    """In searches of depth 1 and 2 on validation positions, the share of children whose board is true."""
    backups: float | None = None
    """The share of values carried back that are the mirror of what the child selected."""
    selections: float | None = None
    """The share of moves selected that are the highest of what they select from."""
    leaf_values: float | None = None
    """The share of leaves whose value lies in the middle of their own report and their parent's."""
    shapes: float | None = None
    """The share of searches that have the depth and breadth asked for."""


@dataclass
class _Run:
    """What a checkpoint holds."""

    model: GameLm
    optimisers: list[torch.optim.Optimizer]
    rng: np.random.Generator
    step: int = 0
    examples: int = 0
    cpu_s: float = 0.0
    losses: list[float] = field(default_factory=list)
    curve: list[Point] = field(default_factory=list)
    teacher: GameLm | None = None
    """The model at the beginning of a stage with texts, whose readings they hold."""


def load_config(path: Path) -> TrainingConfig:
    """The training that a TOML file describes. Raises `SpecError` for a file that is not one."""
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SpecError(f"{path} cannot be read: {error.strerror}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SpecError(f"{path} is no TOML: {error}") from error
    return checked_params(TrainingConfig, tables, where=str(path))


def train(
    config: TrainingConfig,
    *,
    data: Path,
    folder: Path,
    tell: Callable[[Point], None] = lambda point: None,
    checkpoint_s: float = 30.0,
    budget_s: float | None = None,
    stop_after: int | None = None,
) -> list[Point]:
    """The curve of the whole training; weights go to `folder`.

    Goes on from the folder's checkpoint if there is one, and ends at once if that is the end.

    Args:
        data: where chunks of positions lie or are to be made.
        folder: where the checkpoint, the curve and the weights go.
        tell: called with every new point.
        checkpoint_s: seconds of CPU time between checkpoints; one is written at every point, too.
        budget_s: CPU seconds, over all runs, after which to stop; the weights so far are written, and the same call with
            more, or without, goes on from there to the same curve.
        stop_after: steps after which to stop as if killed, without another checkpoint; for tests.

    Raises:
        SpecError: for a checkpoint that another configuration made, or a start that does not fit.
    """
    import torch

    splits = load_positions(make_data(config, data), config.game)
    positions, validation = splits["train"], splits["validation"]
    folder.mkdir(parents=True, exist_ok=True)
    run = _begin(config, folder)
    began, taken = time.process_time(), 0
    spent_before, last_save = run.cpu_s, time.process_time()
    first, total = 0, sum(stage.steps for stage in config.stages)
    for stage in config.stages:
        last = first + stage.steps
        while run.step < last:
            if run.step == first:
                run.optimisers = _optimisers(run.model, stage)
                run.teacher = copy.deepcopy(run.model).eval() if _WRITTEN_TASKS & stage.tasks.keys() else None
            _set_rate(run.optimisers, stage, run.step - first)
            task = _task(stage, run.rng)
            loss = _loss(run, task, stage, positions)
            for optimiser in run.optimisers:
                optimiser.zero_grad(set_to_none=True)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(run.model.parameters(), 1.0)
            for optimiser in run.optimisers:
                optimiser.step()
            run.losses.append(loss.item())
            run.step += 1
            run.examples += stage.batch
            taken += 1
            run.cpu_s = spent_before + time.process_time() - began
            if run.step % config.validate_every == 0 or run.step == last:
                point = _point(run, stage, validation, config.validation)
                tell(point)
                _save(run, config, folder)
                last_save = time.process_time()
            elif time.process_time() - last_save > checkpoint_s:
                _save(run, config, folder)
                last_save = time.process_time()
            if taken == stop_after:
                return run.curve
            if budget_s is not None and run.cpu_s >= budget_s and run.step < total:
                _save(run, config, folder)
                write_weights(run.model, folder / "weights")
                return run.curve
        first = last
    write_weights(run.model, folder / "weights")
    return run.curve


def make_data(config: TrainingConfig, folder: Path) -> list[Path]:
    """The files of positions that a training needs; those not there are made."""
    paths = make_chunks(folder, n_chunks=config.data.chunks, games=config.data.games, game=config.game)
    if config.data.own_games and config.start is not None:
        import torch

        from stratarena.agents.gamelm.network import GameLm

        player = GameLm.from_pretrained(config.start, dtype=torch.float32).eval()
        paths.append(make_own_chunk(folder, Path(config.start), player, games=config.data.own_games))
    return paths


def _begin(config: TrainingConfig, folder: Path) -> _Run:
    import torch

    from stratarena.agents.gamelm.network import GameLm, GameLmConfig

    torch.manual_seed(config.seed)
    form = form_of(config.game)
    tasks = {task for stage in config.stages for task in stage.tasks}
    shape = GameLmConfig(
        game=config.game,
        vocab_size=form.words.size,
        hidden_size=config.model.hidden_size,
        num_hidden_layers=config.model.layers,
        num_attention_heads=config.model.heads,
        turns="turning" in tasks,
    )
    if _WRITTEN_TASKS & tasks:
        shape.max_slots = max(shape.max_slots, slots_of(form.words))
    model = GameLm(shape)
    if config.start is not None:
        began_from = GameLm.from_pretrained(config.start, dtype=torch.float32)
        try:
            model.load_state_dict(began_from.state_dict())
        except RuntimeError as error:
            raise SpecError(f"the weights in {config.start} have another shape than this file's model") from error
    device = "cuda" if torch.cuda.is_available() else "cpu"
    model.to(device)
    run = _Run(model, _optimisers(model, config.stages[0]), np.random.default_rng(config.seed))
    path = folder / "checkpoint.pt"
    if path.exists():
        held = torch.load(path, map_location=device, weights_only=False)
        if not _goes_on(held["config"], _identity(config), held["step"]):
            raise SpecError(
                f"{path} belongs to another training file; give another folder, or remove it. "
                "Only stages that it has not begun may change"
            )
        model.load_state_dict(held["model"])
        stage = _stage_at(config, max(held["step"] - 1, 0))
        run.optimisers = _optimisers(model, stage)
        for optimiser, state in zip(run.optimisers, held["optimisers"], strict=True):
            optimiser.load_state_dict(state)
        run.rng.bit_generator.state = held["rng"]
        torch.set_rng_state(held["torch_rng"].cpu())
        run.step, run.examples, run.cpu_s = held["step"], held["examples"], held["cpu_s"]
        run.losses = held["losses"]
        if held["teacher"] is not None:
            run.teacher = copy.deepcopy(model).eval()
            run.teacher.load_state_dict(held["teacher"])
        run.curve = [Point(**point) for point in held["curve"]]
    return run


def _identity(config: TrainingConfig) -> dict[str, Any]:
    return config.model_dump(mode="json")


def _goes_on(held: dict[str, Any], wanted: dict[str, Any], step: int) -> bool:
    """Whether a training that came so far is the beginning of the wanted one."""
    begun, first = 0, 0
    for stage in held["stages"]:
        begun += step > first
        first += stage["steps"]
    same = {**held, "stages": held["stages"][:begun]} == {**wanted, "stages": wanted["stages"][:begun]}
    return same and len(wanted["stages"]) >= begun


def _stage_at(config: TrainingConfig, step: int) -> Stage:
    for stage in config.stages:
        if step < stage.steps:
            return stage
        step -= stage.steps
    return config.stages[-1]


def _optimisers(model: GameLm, stage: Stage) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for embeddings, norms and the head."""
    import torch

    inside = [part for name, part in model.named_parameters() if name.startswith("blocks.") and part.dim() == 2]
    others = [part for name, part in model.named_parameters() if not (name.startswith("blocks.") and part.dim() == 2)]
    return [
        torch.optim.Muon(inside, lr=stage.learning_rate, weight_decay=0.05, adjust_lr_fn="match_rms_adamw"),
        torch.optim.AdamW(others, lr=stage.learning_rate, betas=(0.9, 0.95), weight_decay=0.0),
    ]


def _set_rate(optimisers: list[torch.optim.Optimizer], stage: Stage, step: int) -> None:
    """Rising over the warm-up, then flat, then falling in a line to two hundredths."""
    rising = min(1.0, (step + 1) / max(stage.warm_up, 1))
    falling = min(1.0, max(0.02, (1 - step / stage.steps) / (1 - stage.flat))) if stage.flat < 1 else 1.0
    for optimiser in optimisers:
        for group in optimiser.param_groups:
            group["lr"] = stage.learning_rate * rising * falling


def _task(stage: Stage, rng: np.random.Generator) -> Task:
    names = list(stage.tasks)
    if len(names) == 1:
        return names[0]
    shares = np.array([stage.tasks[name] for name in names])
    return names[int(rng.choice(len(names), p=shares / shares.sum()))]


def _loss(run: _Run, task: Task, stage: Stage, positions: Positions) -> torch.Tensor:
    rng = run.rng
    drawn = rng.integers(len(positions), size=stage.batch)
    # The last image first: so a seed draws what it drew when games had one mirror image.
    images = form_of(positions.game).images
    sample = positions.take(drawn).imaged(images - 1 - (rng.random(stage.batch) * images).astype(np.int64))
    if task == "reading":
        some = sample.take(slice(max(1, stage.batch // 3)))
        others = played_on(some.own, some.opponent, rng, some.game)
        over = finished(some.game, max(1, stage.batch // 8), rng)
        both = np.concatenate([others[0], over[0]]), np.concatenate([others[1], over[1]])
        return reading_loss(run.model, sample, both)
    if task == "turning":
        return turning_loss(run.model, sample.own, sample.opponent, rng)
    assert run.teacher is not None
    if task == "choices":
        return text_loss(run.model, draw_choices(run.teacher, sample.own, sample.opponent, rng))
    draw = draw_traces if task == "traces" else draw_examples
    words = form_of(positions.game).words
    return text_loss(
        run.model, [lesson_of(words, text) for text in draw(run.teacher, sample.own, sample.opponent, rng)]
    )


def _point(run: _Run, stage: Stage, validation: Positions, most: int) -> Point:
    sample = validation.take(slice(most))
    run.model.eval()
    kept = kept_shares(run.model, sample)
    legal = read(run.model, sample.own, sample.opponent).legal == (sample.scores != ILLEGAL)
    written = Mechanics()
    if _WRITTEN_TASKS & stage.tasks.keys():
        written = mechanics(run.model, sample, min(_WRITTEN, most // 10))
    elif "turning" in stage.tasks:
        written = Mechanics(next_state=next_states(run.model, sample))
    run.model.train()
    point = Point(
        stage=stage.name,
        step=run.step,
        examples=run.examples,
        loss=float(np.mean(run.losses)),
        kept=kept.all,
        kept_decisive=kept.decisive,
        n=len(sample),
        cpu_s=round(run.cpu_s, 1),
        legal_set=float(legal.all(axis=1).mean()),
        **asdict(written),
    )
    run.losses.clear()
    run.curve.append(point)
    return point


def _save(run: _Run, config: TrainingConfig, folder: Path) -> None:
    """The checkpoint, whole or not at all, and the curve so far as a table."""
    import torch

    path = folder / "checkpoint.pt"
    half = path.with_suffix(".part")
    torch.save(
        {
            "config": _identity(config),
            "model": run.model.state_dict(),
            "optimisers": [optimiser.state_dict() for optimiser in run.optimisers],
            "rng": run.rng.bit_generator.state,
            "torch_rng": torch.get_rng_state(),
            "step": run.step,
            "examples": run.examples,
            "cpu_s": run.cpu_s,
            "losses": run.losses,
            "teacher": None if run.teacher is None else run.teacher.state_dict(),
            "curve": [asdict(point) for point in run.curve],
        },
        half,
    )
    half.replace(path)
    with (folder / "curve.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, fieldnames=list(Point.__dataclass_fields__))
        writer.writeheader()
        writer.writerows(asdict(point) for point in run.curve)


def write_weights(model: GameLm, folder: Path) -> None:
    """The weights in half precision as safetensors, with their configuration."""
    import torch

    half = copy.deepcopy(model).to(torch.float16)
    half.save_pretrained(folder)
