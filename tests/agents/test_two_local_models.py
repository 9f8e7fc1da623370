"""Two models on this machine, asked at the same time in a fresh process."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from stratarena.agents.models.transformers_local import TAKEN_FROM_TRANSFORMERS

pytest.importorskip("transformers", reason="the torch extra is not installed")

AGENTS = Path(__file__).parents[2] / "agents"

SCRIPT = """
from stratarena.agents.gamelm.model import game_lm
from stratarena.agents.gamelm.speech import Question, question_text
from stratarena.agents.models.base import Message, Request

models = [game_lm(name, {}) for name in "abc"]
request = Request(messages=(Message("user", question_text(Question((0, 0)))),))
futures = [model.submit([request])[0] for model in models]
print(len({future.result(timeout=120).text for future in futures}))
for model in models:
    model.close()
"""

LOADED = """
import sys
from stratarena.agents.models.transformers_local import TAKEN_FROM_TRANSFORMERS
print([name for name in TAKEN_FROM_TRANSFORMERS if name not in vars(sys.modules["transformers"])])
"""


def test_models_that_are_first_asked_at_once_all_load():
    """Each has its own worker, and all of them import the same libraries for the first time."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr[-2000:]


def test_all_that_is_used_of_transformers_is_loaded_before_a_model_is_opened():
    """Else a worker that answers would load it while another one opens its model: who came second found half a library."""
    used = {
        alias.name
        for file in AGENTS.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and node.module == "transformers"
        for alias in node.names
    }
    assert used == set(TAKEN_FROM_TRANSFORMERS)


def test_what_is_used_of_transformers_is_there_once_a_model_answers():
    """Loaded, not merely promised by the library, which loads when asked."""
    done = subprocess.run([sys.executable, "-c", SCRIPT + LOADED], capture_output=True, text=True, check=False)
    assert done.stdout.split()[-1] == "[]", done.stderr[-2000:]
