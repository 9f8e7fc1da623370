"""How numbers and names are written in reports."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from stratarena.analysis import figures
from stratarena.analysis.estimate import Estimate
from stratarena.analysis.page import Block, Figure, Paragraph, Picture

__all__ = [
    "DASH",
    "elo",
    "figure",
    "in_words",
    "kind_of_agent",
    "measured",
    "moment",
    "number",
    "percent",
    "signed",
    "with_n",
]

DASH = "–"
"""Stands where nothing was measured."""
_NARROW = 0.03
_KINDS = {
    "llm": "writes its move",
    "llm_constrained": "writes, held to legal moves",
    "llm_likelihood": "likeliest legal move",
}


def figure(caption: str, draw: Callable[[], Picture]) -> Block:
    """The picture, or what to install to get it."""
    if not figures.available():
        return Paragraph(f"({caption} {figures.PLOTS_MISSING})")
    return Figure(caption, draw())


def kind_of_agent(kind: str) -> str:
    """An agent's kind, with what it does where that decides how to read its numbers."""
    return f"{kind} ({_KINDS[kind]})" if kind in _KINDS else kind


def in_words(reason: str) -> str:
    """A reason in snake case as words."""
    return reason.replace("_", " ")


def with_n(estimate: Estimate) -> str:
    """How many were counted, to stand behind a number."""
    return f", n = {estimate.n}"


def elo(estimate: Estimate) -> str:
    """Elo points with their interval."""
    if estimate.value is None:
        return DASH
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:z.0f}"
    return f"{estimate.value:z.0f} [{estimate.low:z.0f}, {estimate.high:z.0f}]"


def percent(estimate: Estimate) -> str:
    """A share in per cent with its interval; with a decimal where that is narrow."""
    if estimate.value is None:
        return DASH
    if estimate.low is None or estimate.high is None:
        return f"{100 * estimate.value:.0f} %"
    digits = 1 if estimate.high - estimate.low < _NARROW else 0
    low, high = (f"{100 * bound:.{digits}f}" for bound in (estimate.low, estimate.high))
    return f"{100 * estimate.value:.{digits}f} % [{low}, {high}]"


def number(estimate: Estimate) -> str:
    """A mean with half its interval and its n."""
    if estimate.value is None:
        return DASH
    shown = f"{estimate.value:,.0f}" if estimate.value >= 10 else f"{estimate.value:.2f}"
    if estimate.low is None or estimate.high is None:
        return f"{shown} (n = {estimate.n})"
    return f"{shown} ± {(estimate.high - estimate.low) / 2:,.{0 if estimate.value >= 10 else 2}f} (n = {estimate.n})"


def moment(epoch_ms: int) -> str:
    """A time in UTC, to the minute."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")


def signed(estimate: Estimate, digits: int = 3) -> str:
    """A number that may be negative, with its interval."""
    if estimate.value is None:
        return DASH
    value, low, high = (
        None if bound is None else f"{round(bound, digits) + 0.0:+.{digits}f}"
        for bound in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value}" if low is None or high is None else f"{value} [{low}, {high}]"


def measured(estimate: Estimate, *, share: bool) -> str:
    """A measure of any kind with its interval and n."""
    if estimate.value is None:
        return DASH
    if share:
        return f"{percent(estimate)}{with_n(estimate)}"
    size = abs(estimate.value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 3 if size >= 0.01 or size == 0 else 5
    shown = f"{estimate.value:,.{digits}f}"
    if estimate.low is not None and estimate.high is not None:
        shown += f" [{estimate.low:,.{digits}f}, {estimate.high:,.{digits}f}]"
    return f"{shown}{with_n(estimate)}"
