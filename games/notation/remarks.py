"""Comments with commands in them, as PGN programs write them: `[%eval 0.17,12] [%clk 0:09:58] a good move`.

Commands: `clk` (time left), `emt` (time taken), `eval` (pawns from White's side, or `#3` for mate), as lichess and
others use them; `nag`, for notations without glyphs of their own; and `quoted`, ours: a comment that the notation could
not give back as it is (closing braces, odd white space, text that looks like a command) with `%XX` for such characters,
two hexadecimal digits a byte of UTF-8. A command in any other form stays in the comment, letter by letter.
"""

from __future__ import annotations

import re
import unicodedata
from typing import NamedTuple

from stratarena.games.notation.record import Evaluation

__all__ = ["Remark", "read_remark", "write_remark"]

_COMMAND = re.compile(r"(\s?)\[%(clk|emt|eval|nag|quoted) ([^\[\]]*)\](\s?)")
_TIME = re.compile(r"([0-9]{1,9}):([0-5]?[0-9]):([0-5]?[0-9])(?:\.([0-9]{1,3}))?")
_EVALUATION = re.compile(r"(?:#([+-]?[0-9]{1,4})|([+-]?)([0-9]{1,7})(?:\.([0-9]{1,2}))?)(?:,([0-9]{1,4}))?")
_NAGS = re.compile(r"[0-9]{1,3}(?: [0-9]{1,3})*")
_ESCAPED = re.compile(r"(?:%[0-9A-F]{2})+")


class Remark(NamedTuple):
    """What a comment says: its text, and the commands in it."""

    comment: str = ""
    clock_ms: int | None = None
    elapsed_ms: int | None = None
    evaluation: Evaluation | None = None
    nags: tuple[int, ...] = ()


def read_remark(text: str) -> Remark:
    """The remark that a comment's text makes; of a command given twice the first counts, the second stays text."""
    found: dict[str, object] = {}

    def take(match: re.Match[str]) -> str:
        before, name, value, after = match.groups()
        read = _READERS[name](value)
        if read is None or name in found:
            return match[0]
        found[name] = read
        return before and after

    if "[%" in text:
        text = _COMMAND.sub(take, text)
    comment = text.strip()
    quoted = found.get("quoted")
    if isinstance(quoted, str):
        comment = f"{comment} {quoted}" if comment else quoted
    return Remark(comment, found.get("clk"), found.get("emt"), found.get("eval"), found.get("nag", ()))  # type: ignore[arg-type]


def write_remark(remark: Remark) -> str:
    """The comment's text; `read_remark` gives the remark back, whatever it holds. Empty for an empty remark."""
    commands = []
    if remark.evaluation is not None:
        commands.append(f"[%eval {_evaluation_text(remark.evaluation)}]")
    if remark.clock_ms is not None:
        commands.append(f"[%clk {_time_text(remark.clock_ms)}]")
    if remark.elapsed_ms is not None:
        commands.append(f"[%emt {_time_text(remark.elapsed_ms)}]")
    if remark.nags:
        commands.append(f"[%nag {' '.join(map(str, remark.nags))}]")
    if not remark.comment:
        return " ".join(commands)
    plain = " ".join((*commands, remark.comment))
    if _is_plain(remark.comment) and read_remark(plain) == remark:
        return plain
    return " ".join((*commands, f"[%quoted {_escaped(remark.comment)}]"))


def _is_plain(comment: str) -> bool:
    """Whether readers of PGN, ours and others, give the comment back: one paragraph without braces."""
    lines = comment.split("\n")
    return (
        "}" not in comment
        and all(line.strip() and not line.startswith(("%", "[")) for line in lines)
        and not any(_is_odd(character) for character in comment)
    )


def _is_odd(character: str) -> bool:
    return character != "\n" and (unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"))


def _escaped(comment: str) -> str:
    return "".join(
        "".join(f"%{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))
        if character in "%[]{}\n" or _is_odd(character)
        else character
        for character in comment
    )


def _unescaped(text: str) -> str | None:
    def decoded(match: re.Match[str]) -> str:
        return bytes.fromhex(match[0].replace("%", "")).decode("utf-8", "surrogatepass")

    try:
        return _ESCAPED.sub(decoded, text)
    except UnicodeDecodeError:
        return None


def _time(text: str) -> int | None:
    match = _TIME.fullmatch(text)
    if match is None:
        return None
    hours, minutes, seconds, fraction = match.groups()
    return (int(hours) * 3600 + int(minutes) * 60 + int(seconds)) * 1000 + int((fraction or "").ljust(3, "0"))


def _time_text(ms: int) -> str:
    seconds, rest = divmod(ms, 1000)
    fraction = f".{rest:03}" if rest else ""
    return f"{seconds // 3600}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"


def _evaluation(text: str) -> Evaluation | None:
    match = _EVALUATION.fullmatch(text)
    if match is None:
        return None
    mate, sign, pawns, hundredths, depth = match.groups()
    looked = None if depth is None else int(depth)
    if mate is not None:
        return Evaluation(mate=int(mate), depth=looked)
    centipawns = int(pawns) * 100 + int((hundredths or "").ljust(2, "0"))
    return Evaluation(centipawns=-centipawns if sign == "-" else centipawns, depth=looked)


def _evaluation_text(evaluation: Evaluation) -> str:
    depth = "" if evaluation.depth is None else f",{evaluation.depth}"
    if evaluation.centipawns is None:
        return f"#{evaluation.mate}{depth}"
    sign = "-" if evaluation.centipawns < 0 else ""
    pawns, hundredths = divmod(abs(evaluation.centipawns), 100)
    return f"{sign}{pawns}.{hundredths:02}{depth}"


def _nags(text: str) -> tuple[int, ...] | None:
    if not _NAGS.fullmatch(text):
        return None
    nags = tuple(map(int, text.split()))
    return nags if max(nags) <= 255 else None


_READERS = {"clk": _time, "emt": _time, "eval": _evaluation, "nag": _nags, "quoted": _unescaped}
