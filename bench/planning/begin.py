"""How the studies of models that are read only begin: options, the book, the weights and the held-out positions."""

from __future__ import annotations

import argparse
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch

from stratarena.agents.gamelm.model import load_weights, shipped_weights
from stratarena.agents.gamelm.positions import Positions, load_positions, make_chunks

from .book import Book


@dataclass(frozen=True)
class Begun:
    """A study that can measure."""

    out: Path
    only: Sequence[str]
    """Parts to measure."""
    few: int
    """By how much everything is smaller than the whole study."""
    book: Book
    model: Any
    test: Positions
    """Of the test split, in an order drawn from seed 5."""


def begun(
    about: str | None, *, out: str, game: str, parts: Sequence[str], chunks: int, games: int, libraries: Sequence[str]
) -> Begun:
    """The study that the command line asks for, on the data of the card."""
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--out", type=Path, default=Path(out))
    parser.add_argument("--weights", type=Path, default=shipped_weights(game))
    parser.add_argument("--data", type=Path, default=Path("training/positions"))
    parser.add_argument("--only", nargs="*", choices=parts, default=parts, help="parts to measure, in this order")
    options = parser.parse_args()
    torch.set_num_threads(1)
    options.out.mkdir(parents=True, exist_ok=True)
    weights = sha256((options.weights / "model.safetensors").read_bytes()).hexdigest()
    versions = {name: metadata.version(name) for name in libraries} | {"python": platform.python_version()}
    book = Book(options.out / "numbers.json", {"weights": weights, "quick": options.quick, "versions": versions})
    test = load_positions(make_chunks(options.data, n_chunks=chunks, games=games, game=game), game)["test"]
    test = test.take(np.random.default_rng(5).permutation(len(test)))
    return Begun(options.out, options.only, 10 if options.quick else 1, book, load_weights(options.weights), test)
