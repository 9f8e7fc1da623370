"""The examples of docs/bridges.md do what the page says."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "bridges.md").read_text(encoding="utf-8")


def test_the_environment_of_the_page_runs(tmp_path):
    """Word for word."""
    pytest.importorskip("pettingzoo", reason="the pettingzoo extra is not installed")
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=tmp_path, check=False)
    assert done.returncode == 0, done.stderr


def test_the_tournament_of_the_page_is_played_and_its_record_holds(tmp_path):
    """Every match over; every position replayed by the rules."""
    pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")

    (source,) = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "visitors.toml").write_text(source, encoding="utf-8")

    def said(*arguments):
        done = subprocess.run(
            [sys.executable, "-m", "stratarena.arena", *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "12 of 12 matches are over" in said("run", "visitors.toml")
    for number in range(1, 13):
        assert "positions are what the rules give" in said("replay", str(number), "--plain")
