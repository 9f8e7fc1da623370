"""docs/plugins.md, done to the letter: a package of a stranger's, installed, checked and played."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "plugins.md").read_text(encoding="utf-8")
GAMES = (ROOT / "games" / "README.md").read_text(encoding="utf-8")


def blocks(text, language):
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


@pytest.fixture
def installed(tmp_path):
    """The package on the path with its metadata, as an installer leaves it; runs a command beside it."""
    project = tomllib.loads(blocks(PAGE, "toml")[0])["project"]
    package = tmp_path / "site" / "sticks_arena"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "sticks.py").write_text(blocks(GAMES, "python")[0], encoding="utf-8")
    (package / "taker.py").write_text(blocks(PAGE, "python")[0], encoding="utf-8")
    facts = tmp_path / "site" / "sticks_arena-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    points = "".join(
        f"[{group}]\n" + "".join(f"{name} = {value}\n" for name, value in named.items())
        for group, named in project["entry-points"].items()
    )
    (facts / "entry_points.txt").write_text(points)

    def said(*arguments):
        done = subprocess.run(
            [sys.executable, *arguments],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(tmp_path / "site")},
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return said


def test_a_strangers_package_is_listed_checked_and_played(installed, tmp_path):
    """The agent that knows the game wins every match from the side that can."""
    assert "sticks-arena" in installed("-m", "stratarena.arena", "list", "games")
    assert "Leaves a multiple of four sticks" in installed("-m", "stratarena.arena", "list", "agents")
    installed("-c", blocks(PAGE, "python")[1])
    (tmp_path / "sticks.toml").write_text(blocks(PAGE, "toml")[1])
    out = installed("-m", "stratarena.arena", "run", "sticks.toml")
    assert "36 of 36 matches are over" in out
    assert re.search(r"1\s+taker", out)
    assert "positions are what the rules give" in installed("-m", "stratarena.arena", "replay", "1", "--plain")
