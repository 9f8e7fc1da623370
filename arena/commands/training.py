"""`train`: a game language model, from labelled positions to weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stratarena.arena.commands.console import out
from stratarena.games.base import SpecError

__all__ = ["train"]

_EXTRA = {"connect_four": "connect-four,", "hex(size=5)": "hex,", "chess": ""}
"""What has the solver of each game; endings are solved here."""


def train(file: Path, *, folder: Path, data: Path, threads: int, data_only: bool, cpu_minutes: float | None) -> None:
    """Make what positions are missing, train what steps are missing or the budget allows, and say where the weights are.

    Raises:
        SpecError: a file that is no training file, a library that is missing, a checkpoint of another file.
    """
    from stratarena.agents.gamelm.positions import describe, load_positions
    from stratarena.agents.gamelm.training import load_config, make_data
    from stratarena.agents.gamelm.training import train as run

    config = load_config(file)
    console = out()
    try:
        paths = make_data(config, data)
    except ImportError as error:
        extras = f"{_EXTRA[config.game]}torch"
        raise SpecError(f"{error}; install the extras: pip install 'stratarena[{extras}]'") from error
    for line in describe(load_positions(paths, config.game)):
        console.print(line)
    if data_only:
        return
    try:
        import torch
    except ImportError as error:
        raise SpecError(f"{error}; install the extra: pip install 'stratarena[torch]'") from error
    torch.set_num_threads(threads)
    where, steps = folder / config.name, sum(stage.steps for stage in config.stages)
    curve = run(
        config,
        data=data,
        folder=where,
        tell=lambda point: console.print(_line(point, steps)),
        budget_s=None if cpu_minutes is None else 60 * cpu_minutes,
    )
    if curve and curve[-1].step == steps:
        console.print(f"done: {steps} steps, {curve[-1].cpu_s:.0f} CPU seconds; weights in {where / 'weights'}")
    else:
        console.print(
            f"stopped by --cpu-minutes; weights so far in {where / 'weights'}. The same command with more goes on from here"
        )


def _line(point: Any, steps: int) -> str:
    decisive = "-" if point.kept_decisive is None else f"{point.kept_decisive:.1%}"
    written = "" if point.next_state is None else f"next state {point.next_state:.1%}  "
    if point.child_states is not None:
        written += (
            f"search: states {_percent(point.child_states)}, carried back {_percent(point.backups)}, "
            f"selected {_percent(point.selections)}, leaves {_percent(point.leaf_values)}, shape {_percent(point.shapes)}  "
        )
    return (
        f"{point.stage:>10}  step {point.step}/{steps}  loss {point.loss:.3f}  "
        f"result kept {point.kept:.1%}, decisive {decisive} (n = {point.n})  "
        f"{written}{point.cpu_s:.0f} CPU s"
    )


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
