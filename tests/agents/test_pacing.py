"""When calls may start: windows that find their measure, and limits by the minute that are never passed nor wasted."""

from __future__ import annotations

from math import inf

from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.models.pacing import Limits, Pacer


def flood(pacer, calls, *, latency, now=0.0):
    """Send calls of these sizes as early as allowed, each over after `latency`; the times at which they start."""
    started, running = [], []
    for tokens in calls:
        while (delay := pacer.delay(now, tokens)) > 0:
            if delay == inf:
                over, entry, size = running.pop(0)
                now = max(now, over)
                pacer.end(entry, tokens=size)
            else:
                now += delay
        running.append((now + latency, pacer.start(now, tokens), tokens))
        started.append(now)
    return started


@given(
    st.lists(st.integers(1, 900), min_size=1, max_size=60),
    st.integers(1, 20),
    st.integers(900, 5000),
    st.sampled_from([0.1, 3.0, 50.0]),
)
def test_no_minute_holds_more_than_the_provider_allows_and_none_is_wasted(sizes, per_minute, tokens, latency):
    """In any sixty seconds; and the next call starts the moment the minute has room for it."""
    pacer = Pacer(Limits(concurrency=64, requests_per_minute=per_minute, tokens_per_minute=tokens))
    started = flood(pacer, sizes, latency=latency)
    for index, when in enumerate(started):
        since = [n for n, then in enumerate(started[: index + 1]) if when - 60 < then]
        assert len(since) <= per_minute
        assert sum(sizes[n] for n in since) <= tokens
    if latency < 1:
        for before, after in zip(range(len(started)), range(1, len(started)), strict=False):
            if started[after] > started[before] + latency:
                lately = [n for n in range(after) if started[after] - 60.0 <= started[n]]
                assert len(lately) >= per_minute or sum(sizes[n] for n in lately) + sizes[after] > tokens


def test_the_window_opens_while_it_is_used_and_halves_once_for_calls_that_were_sent_together():
    """Eight, doubling; a burst of refusals is one piece of news."""
    pacer = Pacer(Limits(concurrency=64))
    assert pacer.window == 8
    entries = [pacer.start(0.0, 1) for _ in range(8)]
    assert pacer.delay(0.0, 1) == inf
    for entry in entries:
        pacer.end(entry, tokens=1)
        entries.append(pacer.start(1.0, 1)) if len(entries) < 16 else None
    assert pacer.window > 8
    wide = pacer.window
    pacer = Pacer(Limits(concurrency=wide))
    entries = [pacer.start(0.0, 1) for _ in range(8)]
    for entry in entries[:4]:
        pacer.throttle(entry, 1.0, None)
        pacer.end(entry)
    assert pacer.window == 4
    later = pacer.start(2.0, 1)
    pacer.throttle(later, 3.0, 10.0)
    pacer.end(later)
    assert pacer.window == 2
    for entry in entries[4:]:
        pacer.end(entry, tokens=1)
    assert pacer.delay(3.0, 1) == 10.0
    assert pacer.delay(13.0, 1) == 0.0


def test_an_idle_window_does_not_grow():
    """One call at a time says nothing about how many a provider bears."""
    pacer = Pacer(Limits(concurrency=64))
    for second in range(50):
        pacer.end(pacer.start(float(second), 1), tokens=1)
    assert pacer.window == 8


@given(st.integers(1, 200), st.lists(st.booleans(), max_size=200))
def test_the_window_stays_between_one_and_the_limit(concurrency, news):
    """Whatever comes back."""
    pacer = Pacer(Limits(concurrency=concurrency))
    for second, good in enumerate(news):
        entries = [pacer.start(float(second), 1) for _ in range(pacer.window)]
        for entry in entries:
            if not good:
                pacer.throttle(entry, float(second), None)
            pacer.end(entry, tokens=1 if good else None)
        assert 1 <= pacer.window <= concurrency
        assert pacer.in_flight == 0
