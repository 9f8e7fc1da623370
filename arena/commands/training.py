"""`train`: a game language model, from labelled positions to weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stratarena.arena.commands.console import out
from stratarena.games.base import SpecError

__all__ = ["train"]

_EXTRA = {"connect_four": "connect-four", "hex(size=5)": "hex"}
"""What has the solver of each game."""


def train(file: Path, *, folder: Path, data: Path, threads: int, data_only: bool) -> None:
    """Make what positions are missing, train what steps are missing, and say where the weights are.

    Raises:
        SpecError: a file that is no training file, a library that is missing, a checkpoint of another file.
    """
    from stratarena.agents.gamelm.positions import describe, load_positions, make_chunks
    from stratarena.agents.gamelm.training import load_config
    from stratarena.agents.gamelm.training import train as run

    config = load_config(file)
    console = out()
    try:
        paths = make_chunks(data, n_chunks=config.data.chunks, games=config.data.games, game=config.game)
    except ImportError as error:
        raise SpecError(f"{error}; install the extra: pip install 'stratarena[{_EXTRA[config.game]}]'") from error
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
    curve = run(config, data=data, folder=where, tell=lambda point: console.print(_line(point, steps)))
    last = curve[-1]
    console.print(f"done: {last.step} steps, {last.cpu_s:.0f} CPU seconds; weights in {where / 'weights'}")


def _line(point: Any, steps: int) -> str:
    decisive = "-" if point.kept_decisive is None else f"{point.kept_decisive:.1%}"
    return (
        f"{point.stage:>10}  step {point.step}/{steps}  loss {point.loss:.3f}  "
        f"result kept {point.kept:.1%}, decisive {decisive} (n = {point.n})  {point.cpu_s:.0f} CPU s"
    )
