"""The text of a search that the game model wrote: its tokens for people to read, and back, without loss.

Source: Schultz et al. (2025), the format of their Figure 4. Every node shows its state, its values and its best move, then what
it expands, its children in the order of the search, and its decision. Moves are named on the board of their node.
"""

from __future__ import annotations

import re

from stratarena.agents.gamelm.forms import Board, Form, NotInterchange
from stratarena.agents.gamelm.interchange import result_text, status_of, valued_moves
from stratarena.agents.gamelm.trace_reading import ReadNode, read_trace
from stratarena.agents.gamelm.traces import Report, board_tokens

__all__ = ["trace_text", "trace_tokens"]

Path = tuple[str, ...]
"""Names of the moves that lead to a node."""


def trace_text(form: Form, tokens: list[int]) -> str:
    """The text of a search. Raises `BrokenTrace` for tokens that are none."""
    trace = read_trace(form, tokens)
    lines = [f"Minimax breadth={trace.breadth} depth={trace.depth}"]
    root = trace.root
    _tell(lines, form, root, None, ())
    playing = []
    if root.selected is not None:
        playing.append(f"Playing {form.move_text(root.selected, form.board_of(root.board))}!")
    return "\n".join([*lines, *playing, ""])


def _name(path: Path) -> str:
    return f"<{' '.join(['root', *path])}>"


def _tell(lines: list[str], form: Form, node: ReadNode, parent: Board | None, path: Path) -> None:
    board = form.board_of(node.board)

    def name(move: int) -> str:
        return form.move_text(move, board)

    lines.append(f"Evaluation for node: {_name(path)}")
    before = "" if parent is None else "%prev_state %prev_action "
    lines.append(f"<mav game={form.tag}> {before}%state %top_all %best_action </mav>")
    if parent is not None:
        lines.append(f"[%prev_state {form.state_text(parent)}]")
        lines.append(f"[%prev_action {path[-1]}]")
    lines.append(f"[%state {form.state_text(board)}]")
    if node.status == "<going>":
        values = (f"{name(move)}:<ctrl{value}>" for move, value in enumerate(node.values) if value is not None)
        lines.append(f"[%top_all {' '.join(values)}]")
        lines.append(f"[%best_action {name(node.best)}]")
    else:
        lines.append(f'[%top_all invalid : "{result_text(node.status, first=form.first(board))}"]')
    if node.announced:
        opened = " ".join(_name((*path, name(move))) for move in node.announced)
        lines.append(f"Expand from node {_name(path)}: {opened}")
    for move, child, _ in node.children:
        _tell(lines, form, child, board, (*path, name(move)))
    lines.append(f"Decision for node: {_name(path)}")
    lines += [f'{name(move)} : "<ctrl{back}>"' for move, _, back in node.children]
    selected = "none" if node.selected is None else name(node.selected)
    lines.append(f'Selecting: {selected} : "<ctrl{node.value}>"')


class _Lines:
    def __init__(self, text: str) -> None:
        self.lines = text.rstrip("\n").split("\n")
        self.at = 0

    def match(self, pattern: str) -> re.Match[str]:
        found = self.lines[self.at] if self.at < len(self.lines) else "the end"
        matched = re.fullmatch(pattern, found)
        if matched is None:
            raise NotInterchange(f"line {self.at + 1}: expected {pattern}, found {found!r}")
        self.at += 1
        return matched

    def starts(self, with_: str) -> bool:
        return self.at < len(self.lines) and self.lines[self.at].startswith(with_)


_OVER = re.compile(r'invalid : "([^"]+)"')


def trace_tokens(form: Form, text: str) -> list[int]:
    """The tokens of a search. Raises `NotInterchange` at the first line that does not fit."""
    words, lines = form.words, _Lines(text)
    shape = lines.match(r"Minimax breadth=([1-7]) depth=([0-3])")
    tokens = [words["<bos>"], words["<search>"], words[f"<depth{shape[2]}>"], words[f"<breadth{shape[1]}>"]]
    tokens += [words["<state>"], *_node_tokens(form, lines)]
    if lines.starts("Playing"):
        lines.match(r"Playing \w+!")
    return [*tokens, words["<end>"]]


def _node_tokens(form: Form, lines: _Lines) -> list[int]:
    words = form.words
    lines.match(r"Evaluation for node: <[^>]+>")
    lines.match(rf"<mav game={form.tag}> .*</mav>")
    if lines.starts("[%prev_state"):
        lines.match(r"\[%prev_state .*\]")
        lines.match(r"\[%prev_action \w+\]")
    board = form.board_from_text(lines.match(r"\[%state (.*)\]")[1])
    listed = lines.match(r"\[%top_all (.*)\]")[1]
    over = _OVER.fullmatch(listed)

    def move_of(name: str) -> int:
        return form.move_from_text(name, board)

    values: list[int | None] = [None] * words.moves
    best = 0
    if over is None:
        for move, value in valued_moves(form, listed, board):
            values[move] = value
        best = move_of(lines.match(r"\[%best_action (.*)\]")[1])
    status = "<going>" if over is None else status_of(over[1], first=form.first(board))
    tokens = [*board_tokens(form, *board), *Report(form, status, best, tuple(values)).tokens()]
    if lines.starts("Expand"):
        said = lines.match(r"Expand from node <[^>]+>: (.+)")[1]
        announced = [move_of(path.split()[-1]) for path in re.findall(r"<([^>]+)>", said)]
        tokens += [words["<expand>"], *(words.first_move + move for move in announced)]
    opened, backs = [], []
    while lines.starts("Evaluation"):
        name = lines.lines[lines.at].rstrip(">").split()[-1]
        opened.append((move_of(name), _node_tokens(form, lines)))
    lines.match(r"Decision for node: <[^>]+>")
    for _ in opened:
        backs.append(int(lines.match(r'\w+ : "<ctrl(\d+)>"')[1]))
    for (move, child), back in zip(opened, backs, strict=True):
        tokens += [words["<child>"], words.first_move + move, *child]
        tokens += [words["<back>"], words.first_move + move, words.first_value + back - 1]
    selected = lines.match(r'Selecting: (\w+) : "<ctrl(\d+)>"')
    tokens.append(words["<select>"])
    if selected[1] != "none":
        tokens.append(words.first_move + move_of(selected[1]))
    return [*tokens, words.first_value + int(selected[2]) - 1]
