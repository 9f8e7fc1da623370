"""Thinking kept apart from answers, for models that write both into one text."""

from __future__ import annotations

import re

__all__ = ["split_thinking"]

_TAGS = ("think", "thinking", "thought", "reasoning", "seed:think")
_OPENING = re.compile(rf"\A\s*<({'|'.join(_TAGS)})>", re.IGNORECASE)
_CLOSING = re.compile(rf"</({'|'.join(_TAGS)})>", re.IGNORECASE)


def split_thinking(text: str) -> tuple[str, str]:
    """The thinking and the answer in a text.

    Thinking is what stands between a tag such as `<think>` at the very beginning and the first closing tag of that name;
    templates that write the opening tag themselves leave only the closing one. An opening tag that is never closed makes
    all of the text thinking: the answer was cut off before it began. Tags elsewhere are part of the answer.
    """
    opening = _OPENING.match(text)
    name = opening[1].lower() if opening else None
    closings = [found for found in _CLOSING.finditer(text) if name is None or found[1].lower() == name]
    if opening is None:
        if not closings or _any_opening(text[: closings[0].start()]):
            return "", text
        closing = closings[0]
        return text[: closing.start()].strip(), text[closing.end() :].strip()
    if not closings:
        return text[opening.end() :].strip(), ""
    closing = closings[0]
    return text[opening.end() : closing.start()].strip(), text[closing.end() :].strip()


def _any_opening(text: str) -> bool:
    return any(f"<{tag}>" in text.lower() for tag in _TAGS)
