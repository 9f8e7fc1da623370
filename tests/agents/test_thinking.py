"""Thinking apart from answers, where a model writes both into one text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.models.thinking import split_thinking


@pytest.mark.parametrize(
    ("text", "thinking", "answer"),
    [
        ("4", "", "4"),
        ("<think>the centre is best</think>\nMOVE: 4", "the centre is best", "MOVE: 4"),
        ("\n<THINK>\nhm\n</THINK>4", "hm", "4"),
        ("the template opened the tag</think>\n4", "the template opened the tag", "4"),
        ("<think>cut off in the middle of", "cut off in the middle of", ""),
        ("<think></think>4", "", "4"),
        ("I say <think> aloud </think> in an answer", "", "I say <think> aloud </think> in an answer"),
        ("<thinking>a</think>b</thinking>c", "a</think>b", "c"),
        ("<b>4</b>", "", "<b>4</b>"),
    ],
)
def test_what_stands_in_tags_at_the_beginning_is_thinking(text, thinking, answer):
    """And nothing else is."""
    assert split_thinking(text) == (thinking, answer)


@given(st.text(alphabet=st.characters(exclude_characters="<>"), max_size=40))
def test_a_text_without_tags_is_all_answer(text):
    """To the letter."""
    assert split_thinking(text) == ("", text)
