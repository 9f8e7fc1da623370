"""What the README tells a newcomer to type, typed."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from stratarena.arena.cli import run_command_line

ROOT = Path(__file__).parents[1]
DEMO = """
name = "demo"
games = ["connect_four"]
[agents.a]
kind = "random"
[agents.b]
kind = "greedy"
"""
SKIPPED = ("source", "stratarena play", "stratarena view", "stratarena annotate")
"""The shell's; what waits for a person; what grades for most of a minute and has tests of its own."""


def told():
    """The commands under "Five minutes", without what is said of them."""
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"## Five minutes\n\n```\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return [line.split("#")[0].strip() for line in block[1].splitlines()]


def test_the_five_minutes_of_the_readme_can_be_typed_after_the_demo(tmp_path, monkeypatch, capsys):
    """In its order, in a folder whose database holds the demo's tournament already."""
    for library in ("open_spiel", "bitbully", "pyarrow"):
        pytest.importorskip(library.replace("open_spiel", "pyspiel"), reason=f"{library} is not installed")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    (tmp_path / "demo.toml").write_text(DEMO, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert run_command_line(["run", "demo.toml"]) == 0
    typed = [line for line in told() if not line.startswith(SKIPPED)]
    assert len(typed) >= 8
    for line in typed:
        program, *arguments = shlex.split(line)
        assert program == "stratarena"
        code = run_command_line(arguments)
        assert code == 0, (line, capsys.readouterr().err)
    for made in ("first.jsonl", "match.html", "reports/first/report.html", "reports/first/report.md", "turns.parquet"):
        assert (tmp_path / made).stat().st_size > 0
