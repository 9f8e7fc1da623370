"""More simulations, higher score? `make study-external-search`: oracles of three qualities and the embedded models.

    python bench/study_external_search.py [--only PART ...] [--sizes SIZE ...] [--minutes CPU_MINUTES] [--report | --no-report]

Every agent meets one fixed opponent, on even openings from both sides. Each opening is written to `build/external-search.jsonl` when it
has been played, where a stopped run goes on; then the page, its figure and its numbers are written to
`docs/studies/external-search/`. `--only` plays the parts whose names begin so; `--report` plays nothing.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from external_search.page import write
from external_search.play import C4, HEX, RULES, SIZES, Row, chat_model, game_model, oracles

Done = Callable[[str, str, str], bool]
ROWS = Path("build/external-search.jsonl")
PARTS: dict[str, Callable[[Done], Iterator[Row]]] = {
    "oracle-connect-four": lambda done: oracles(C4, range(40), done),
    "game-lm": lambda done: game_model(range(20), done),
    "oracle-hex": lambda done: oracles(HEX, range(16), done),
    # A fifth of a CPU second a position: a match with 256 simulations takes minutes, so few are played, and n is told.
    "smollm2-connect-four": lambda done: chat_model(C4, {RULES: 12, "0": 12, "16": 12, "64": 6, "256": 2}, done),
    "smollm2-hex": lambda done: chat_model(HEX, {RULES: 12, "0": 12, "16": 4, "64": 2, "256": 1}, done),
}
"""In this order: whoever stops early has the most telling parts."""


def main() -> None:
    """Play, then report on whatever was played."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--only", nargs="*", metavar="PART", help=", ".join(PARTS))
    parser.add_argument("--sizes", nargs="*", choices=SIZES, default=SIZES, help="simulations to play now")
    parser.add_argument("--minutes", type=float, help="of CPU time, after which no part goes on")
    parser.add_argument("--no-report", action="store_true", help="play, and leave the page as it is")
    parser.add_argument("--report", action="store_true", help="write the page from what was played")
    wanted = parser.parse_args()
    ROWS.parent.mkdir(exist_ok=True)
    rows = [json.loads(line) for line in ROWS.read_text(encoding="utf-8").splitlines()] if ROWS.exists() else []
    for name, part in PARTS.items():
        if wanted.report or (wanted.only is not None and not name.startswith(tuple(wanted.only))):
            continue
        here = {(row["quality"], row["size"], row["opening"]) for row in rows}
        began = time.process_time()
        for row in part(lambda *key, here=here: key in here or key[1] not in wanted.sizes):
            now = time.process_time()
            rows.append(row | {"part": name, "cpu_s": round(now - began, 2)})
            began = now
            with ROWS.open("a", encoding="utf-8") as file:
                file.write(json.dumps(rows[-1]) + "\n")
            if wanted.minutes is not None and now > 60 * wanted.minutes:
                break
        played = [row for row in rows if row["part"] == name]
        print(f"{name}: {2 * len(played)} matches, {sum(row['cpu_s'] for row in played):.0f} CPU s", flush=True)
    if not wanted.no_report:
        write(rows)


if __name__ == "__main__":
    main()
