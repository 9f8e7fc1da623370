"""Thinking kept apart from answers, for models that write both into one text."""

from __future__ import annotations

import re

__all__ = ["answer_so_far", "split_thinking"]

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


def answer_so_far(text: str) -> str:
    """What stands of the answer in a text that is still being written: nothing while it begins with thinking that is open.

    A closing tag alone, where the template wrote the opening one, cannot be foreseen: until it comes, all is answer.
    """
    begun = text.lstrip().lower()
    if any(f"<{tag}>".startswith(begun) for tag in _TAGS) and begun:
        return ""
    opening = _OPENING.match(text)
    if opening is None:
        return text
    closing = next((found for found in _CLOSING.finditer(text) if found[1].lower() == opening[1].lower()), None)
    return "" if closing is None else text[closing.end() :].lstrip()


def _any_opening(text: str) -> bool:
    return any(f"<{tag}>" in text.lower() for tag in _TAGS)
