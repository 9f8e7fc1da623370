"""The planning study: does search help a language model of games, and at what price? From the shipped weights alone.

    python bench/planning_study.py [--quick] [--only PART ...] [--out docs/studies/planning]

Positions: the test split of the data card, never trained on. Matches: drawn openings of 8 discs, each played twice
with colours swapped; all matches of a pairing are played side by side, so that the model reads in large batches.
Everything is drawn from seeds; a rerun gives the same numbers up to the last bits of a float. Every number is written
to `numbers.json` as soon as it is there, and one that is there, of these weights and this size, is not measured again:
cut off, the study goes on where it was. `README.md` and the figures are written from it.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections import Counter
from hashlib import sha256
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import torch
from planning import pool
from planning.boards import Board, openings
from planning.book import Book
from planning.matches import matched, play, ratings
from planning.measures import (
    compounded,
    kept_by,
    leaf_agreement,
    leaf_speed,
    of_dreams,
    overlap,
    world_model,
)
from planning.own_searches import Tally, of_searches
from planning.page import budget_figure, write_page
from planning.players import Dreams, Reader, internal, mcts

from stratarena.agents.gamelm.model import load_weights, shipped_weights
from stratarena.agents.gamelm.positions import load_positions, make_chunks

PARTS = ("world", "speed", "positions", "internal", "leaves", "dreams", "matches", "ratings")
_KEPT = (
    # Player, and on how many positions.
    (pool.AWARE, 4732),
    *((f"minimax ({depth},{breadth})", 4732) for depth, breadth in pool.SHAPES[1:]),
    *((f"minimax ({depth},{breadth}){pool.OWN_LEAVES}", 4732) for depth, breadth in pool.SHAPES[1:]),
    ("mcts-4", 4732),
    ("mcts-16", 3000),
    ("mcts-64", 1500),
    ("mcts-200", 1000),
    ("mcts-4, imagined", 1500),
    ("mcts-16, imagined", 1000),
    ("mcts-64, imagined", 500),
)
_WRITTEN = {(0, 1): 4732, (1, 2): 4732, (1, 3): 4732, (2, 2): 4732, (2, 3): 1000}
"""Positions that the model's own searches of a shape are measured on."""


def main() -> None:
    """Measure what is not measured yet, and write it down."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything, to see that it runs")
    parser.add_argument("--out", type=Path, default=Path("docs/studies/planning"))
    parser.add_argument("--weights", type=Path, default=shipped_weights())
    parser.add_argument("--data", type=Path, default=Path("training/positions"))
    parser.add_argument(
        "--chunks", type=int, default=20, help="files of the data card, which the weights were trained on"
    )
    parser.add_argument("--tested", type=int, default=8, help="of these, the first whose test split is used")
    parser.add_argument("--only", nargs="*", choices=PARTS, default=PARTS, help="parts to measure, in this order")
    options = parser.parse_args()
    torch.set_num_threads(1)
    few = 10 if options.quick else 1
    options.out.mkdir(parents=True, exist_ok=True)
    weights = sha256((options.weights / "model.safetensors").read_bytes()).hexdigest()
    libraries = ("torch", "transformers", "numpy", "bitbully", "open_spiel")
    versions = {name: metadata.version(name) for name in libraries} | {"python": platform.python_version()}
    made = {"weights": weights, "quick": options.quick, "versions": versions}
    book = Book(options.out / "numbers.json", made)
    reader = Reader(load_weights(options.weights))
    chunks = make_chunks(options.data, n_chunks=options.chunks, games=1500)
    train = load_positions(chunks)["train"]
    test = load_positions(chunks[: options.tested])["test"]
    test = test.take(np.random.default_rng(5).permutation(len(test)))
    players = pool.makers(reader)

    def first(n: int) -> Any:
        return test.take(slice(max(1, n // few)))

    def world() -> None:
        book.note("world", "model", lambda: world_model(reader, first(4732), seed=6))
        book.note("world", "compounded", lambda: compounded(reader, first(1000), 12, seed=7))

    def speed() -> None:
        book.note("speed", "positions a CPU second", lambda: leaf_speed(reader.model, test))

    def positions() -> None:
        for scoring, player in (("mean", pool.PLAIN), ("max", pool.MAX)):
            book.note(
                "positions", f"{pool.PLAIN}, {scoring}", lambda p=player: kept_by(players[p](), reader, first(4732))
            )
        for player, n in _KEPT:
            book.note("positions", player, lambda p=player, n=n: kept_by(players[p](), reader, first(n)))

    def written() -> None:
        for (depth, breadth), n in _WRITTEN.items():

            def measure(depth: int = depth, breadth: int = breadth, n: int = n) -> dict[str, Any]:
                tally = Tally()
                found = kept_by(internal(reader, depth, breadth, tally), reader, first(n))
                return found | of_searches(tally) | {"written": tally.tokens / tally.traces}

            book.note("internal", f"internal ({depth},{breadth})", measure)

    def dreams() -> None:
        for simulations, n in ((16, 500), (64, 200)):

            def measure(simulations: int = simulations, n: int = n) -> dict[str, Any]:
                counted = Dreams()
                kept_by(mcts(reader, simulations, imagined=True, dreams=counted), reader, first(n))
                return of_dreams(counted)

            book.note("dreams", f"mcts-{simulations}, imagined", measure)

    def leaves() -> None:
        book.note("leaves", "best reply", lambda: leaf_agreement(reader, first(1500)))

    def matches() -> None:
        starts = openings(200, 8, seed=9)
        for one, other, pairs in pool.PAIRINGS:

            def measure(one: str = one, other: str = other, pairs: int = pairs) -> dict[str, Any]:
                began, seen = time.process_time(), Counter[Board]()
                results = play(players[one](), players[other](), starts[: max(2, pairs // few)], seen)
                found = {"between": [one, other], "results": results, "overlap": overlap(seen, train)}
                return matched(results) | found | {"cpu_s": time.process_time() - began}

            book.note("matches", f"{one} against {other}", measure)
            write_page(book.numbers, options.out, curves)

    def rated() -> None:
        found = book.numbers.get("matches", {})
        if not found:
            return
        results = {tuple(one["between"]): [tuple(pair) for pair in one["results"]] for one in found.values()}
        book.numbers["ratings"] = {"all": ratings(results, pool.PLAIN), "n": len(results)}
        book.save()
        budget_figure(book.numbers, options.out / "budget")

    steps = (world, speed, positions, written, leaves, dreams, matches, rated)
    curves = [
        (name, options.weights / f"{name}.csv")
        for name in ("curve", "curve-writing", "curve-more", "curve-deep", "curve-settled", "curve-polished")
    ]
    for part, step in zip(PARTS, steps, strict=True):
        if part in options.only:
            step()
    write_page(book.numbers, options.out, curves)


if __name__ == "__main__":
    main()
