"""A cap on a whole run: never passed but by what nobody could know in advance, and reached as nearly as can be."""

from __future__ import annotations

import heapq

from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.budget import Budget, Spend
from stratarena.agents.models.base import Message, Request, Sampling, Scoring
from stratarena.arena.ledger import Account, Ledger
from stratarena.arena.prices import Price

prices = st.builds(Price, st.floats(0, 100), st.floats(0, 100), st.none() | st.floats(0, 100))
requests = st.one_of(
    st.builds(
        Request,
        messages=st.text(max_size=300).map(lambda text: (Message("user", text),)),
        sampling=st.builds(Sampling, max_tokens=st.integers(1, 500), thinking_tokens=st.integers(0, 500)),
    ),
    st.builds(
        Scoring,
        messages=st.text(max_size=300).map(lambda text: (Message("user", text),)),
        continuations=st.lists(st.text(min_size=1, max_size=9), min_size=1, max_size=5).map(tuple),
    ),
)


@given(
    st.lists(st.tuples(requests, prices), min_size=1, max_size=60), st.floats(0, 0.2), st.randoms(use_true_random=False)
)
def test_a_cap_is_passed_by_nothing_but_what_nobody_could_know(calls, cap, rng):
    """Random prices, latencies, failures and sizes of answers; unknown costs and unsure charges are set apart.

    What is known to have been charged stays within the cap; with the charges that failed tries may have caused, it
    passes the cap by no more than those of the calls that were in flight together.
    """
    ledger = Ledger(Budget(cost_usd=cap))
    running: list[tuple[float, int, object, Request | Scoring, Price]] = []
    now = paid = surprises = 0.0

    def finish():
        nonlocal now, paid, surprises
        now, _, hold, request, price = heapq.heappop(running)
        most = price.at_most(request)
        kind = rng.random()
        if kind < 0.6:
            cost = most * rng.random()
            paid += cost
            ledger.settle(hold, Spend(model_calls=1, cost_usd=cost), 0.0)
        elif kind < 0.8:
            # Failed tries before the answer, each of which may have been charged in full.
            cost, unsure = most * rng.random(), most * rng.randint(1, 3)
            paid += cost
            surprises += unsure
            ledger.settle(hold, Spend(model_calls=1, cost_usd=cost), unsure)
        elif kind < 0.9:
            ledger.settle(hold, Spend(model_calls=1, cost_usd=0.0), 0.0)
        else:
            ledger.settle(hold, Spend(model_calls=1, cost_usd=None), 0.0)

    for number, (request, price) in enumerate(calls):
        while (holds := ledger.admit((request,), price)) is None and running:
            finish()
        if holds is None:
            assert ledger.idle
            assert ledger.account.at_most.cost_usd + price.at_most(request) > cap
            continue
        heapq.heappush(running, (now + rng.expovariate(1.0), number, holds[0], request, price))
        if rng.random() < 0.3 and running:
            finish()
    while running:
        finish()
    assert paid <= cap + 1e-9
    assert abs(ledger.account.known.cost_usd - paid) < 1e-9
    assert abs(ledger.account.unsure_usd - surprises) < 1e-9
    assert ledger.idle


@given(requests, prices, st.integers(0, 10))
def test_the_most_a_call_can_cost_is_no_less_than_what_any_answer_costs(request, price, share):
    """Bytes bound tokens, and the bound on the answer bounds the rest."""
    from stratarena.agents.models.base import Completion, Finish

    texts = "".join(message.content for message in request.messages)
    written = request.sampling.most_tokens if isinstance(request, Request) else 0
    spend = Spend(model_calls=1, prompt_tokens=len(texts.encode()), completion_tokens=written)
    answer = Completion(text="", finish=Finish.STOP, spend=spend, cached_tokens=spend.prompt_tokens * share // 10)
    assert price.of(answer) <= price.at_most(request) + 1e-12


def test_a_run_goes_on_from_what_its_record_says():
    """What earlier runs spent, and may have, counts."""
    request = Request(messages=(Message("user", "?"),), sampling=Sampling(max_tokens=10))
    price = Price(0.0, 1_000_000.0)
    spent = Account(Spend(model_calls=3, cost_usd=80.0), unsure_usd=5.0)
    assert Ledger(Budget(cost_usd=94.0), spent=spent).admit((request,), price) is None
    ledger = Ledger(Budget(cost_usd=95.0), spent=spent)
    assert ledger.admit((request,), price) is not None
    assert ledger.admit((request,), price) is None
    assert Ledger(Budget(model_calls=3), spent=spent).admit((request,), None) is None


def test_several_requests_of_one_step_fit_together_or_not_at_all():
    """An agent's step is one piece."""
    request = Request(messages=(Message("user", "?"),), sampling=Sampling(max_tokens=10))
    ledger = Ledger(Budget(model_calls=3))
    assert ledger.admit((request,) * 4, None) is None
    assert ledger.idle
    holds = ledger.admit((request,) * 3, None)
    assert len(holds) == 3
    assert not ledger.idle
    (overrun,) = ledger.reached((request,) * 4, None)
    assert (overrun.resource, overrun.limit, overrun.used) == ("model_calls", 3, 4)
