"""What a report costs as the record grows: `python bench/report_scale.py [--sizes 10000 30000 100000] [--keep FOLDER]`.

Generated databases (`bench/big_record.py`); each report is written by `stratarena report` in a process of its own, whose
CPU seconds and largest memory are printed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from big_record import TURNS, make


def cost_of(command: list[str]) -> tuple[float, float]:
    """CPU seconds and megabytes of a command that must succeed."""
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    if status != 0:
        raise SystemExit(f"{' '.join(command)} failed")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def measure(folder: Path, sizes: list[int]) -> None:
    """Print a row for each size."""
    print(
        f"{'matches':>9}{'turns':>11}{'database MB':>13}{'CPU s':>8}{'CPU s a 10k':>13}{'memory MB':>11}{'page kB':>9}"
    )
    for size in sizes:
        file = folder / f"big{size}.db"
        if not file.exists():
            make(file, size)
        out = folder / f"report{size}"
        command = [sys.executable, "-m", "stratarena.arena", "report", "--db", str(file), "--out", str(out)]
        seconds, megabytes = cost_of(command)
        page = (out / "report.html").stat().st_size / 1000
        print(
            f"{size:>9,}{size * TURNS:>11,}{file.stat().st_size / 1e6:>13,.0f}{seconds:>8.1f}{seconds / size * 1e4:>13.2f}"
            f"{megabytes:>11,.0f}{page:>9,.0f}",
            flush=True,
        )


def main() -> None:
    """Measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10_000, 30_000, 100_000])
    parser.add_argument("--keep", type=Path, help="a folder for the databases, which are made only once")
    options = parser.parse_args()
    if options.keep is not None:
        options.keep.mkdir(parents=True, exist_ok=True)
        measure(options.keep, options.sizes)
        return
    with tempfile.TemporaryDirectory() as folder:
        measure(Path(folder), options.sizes)


if __name__ == "__main__":
    main()
