"""Two models on this machine, asked at the same time in a fresh process."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("transformers", reason="the torch extra is not installed")

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


def test_models_that_are_first_asked_at_once_all_load():
    """Each has its own worker, and all of them import the same libraries for the first time."""
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout.strip()) == (0, "1"), done.stderr[-2000:]
