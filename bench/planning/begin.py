"""How the studies of models that are read only begin: options, the book, the weights and the held-out positions."""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable, Sequence
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
from .hall import Hall, pairing, play
from .matches import matched


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
    page: Callable[[dict[str, Any], Path], None]
    """Writes what there is."""

    def measure(self, part: str, name: str, what: Callable[[], Any]) -> None:
        """Measure unless it has been, and write it down."""
        self.book.note(part, name, what)
        self.page(self.book.numbers, self.out)

    def play(
        self,
        hall: Hall,
        game: Any,
        pairings: Sequence[tuple[str, str, int]],
        openings: Callable[[int], Sequence[Any]],
    ) -> None:
        """Play every pairing of players from its openings, of which `openings` gives about as many."""
        for first, second, n in pairings:

            def match(first: str = first, second: str = second, n: int = n) -> dict[str, Any]:
                began = time.process_time()
                results = play(hall, game, first, second, openings(n))
                return matched(results) | {"results": results, "cpu_s": time.process_time() - began}

            self.measure("matches", pairing(first, second), match)


def begun(
    about: str | None,
    *,
    out: str,
    game: str,
    parts: Sequence[str],
    chunks: int,
    games: int,
    page: Callable[[dict[str, Any], Path], None],
    libraries: Sequence[str],
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
    few = 10 if options.quick else 1
    return Begun(options.out, options.only, few, book, load_weights(options.weights), test, page)
