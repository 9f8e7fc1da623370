"""Many matches at once: batches, no barrier, and nobody waits for somebody else's reply."""

from __future__ import annotations

from concurrent.futures import Future
from typing import ClassVar

from stratarena.agents.base import Decision, ask
from stratarena.agents.budget import Budget, Spend
from stratarena.agents.models.base import Completion, Finish, Message, Request
from stratarena.arena.driver import Backstage, Halt, MatchInPlay, drive
from stratarena.arena.engine_room import EngineRoom
from stratarena.arena.events import Called, MemoryRecorder, TurnClosed
from stratarena.arena.match import Venue, play_match
from stratarena.arena.meter import Tally
from stratarena.arena.prices import Price
from stratarena.arena.specs import Budgets, Ending, Enforcement, MatchSpec, Opening, Policies
from stratarena.arena.store import MatchProgress
from stratarena.arena.testing import HandClock, InstantModel, ScriptedAgent
from stratarena.games.base import Seat
from stratarena.games.connect_four import ConnectFour

GAME = ConnectFour()


def answer(request=None):
    return Completion(
        text="1",
        finish=Finish.STOP,
        spend=Spend(model_calls=1, prompt_tokens=1000, completion_tokens=500, cost_usd=None),
    )


def asking(view):
    yield from ask("m", Request(messages=(Message("user", "?"),)))
    return Decision(view.game.legal_moves(view.state)[0])


def silent(view):
    return Decision(view.game.legal_moves(view.state)[-1])
    yield


def league(n, first, second, *, recorder, clock, budgets=None, spent=None):
    venue = Venue(budgets=budgets or Budgets(), policies=Policies(), recorder=recorder, clock=clock)
    start = GAME.encode(GAME.initial(None))
    for number in range(n):
        spec = MatchSpec(
            key=f"m{number}", game=GAME.id, first="a", second="b", round=1, pair="p",
            opening=Opening(name="start", start=start), seed=number, digest="",
        )  # fmt: skip
        yield MatchInPlay(
            spec,
            play_match(
                MatchProgress(match_id=number, spec=spec),
                game=GAME,
                agents={Seat.FIRST: ScriptedAgent("a", first), Seat.SECOND: ScriptedAgent("b", second)},
                spent=spent or {seat: Tally() for seat in Seat},
                venue=venue,
            ),
        )


def play(n, first, second, model, *, jobs, prices=None, on_tick=lambda in_play: None):
    recorder, clock = MemoryRecorder(), HandClock(step_s=0.001).clock()
    ended = []
    room = EngineRoom(None, workers=1)
    drive(
        league(n, first, second, recorder=recorder, clock=clock),
        jobs=jobs,
        backstage=Backstage(models={"m": model}, prices=prices or {}, engines=room),
        recorder=recorder,
        clock=clock,
        on_end=lambda match, verdict: ended.append((match.spec.key, verdict)),
        on_tick=on_tick,
    )
    room.close()
    return recorder, ended


def test_asks_of_matches_in_step_go_out_as_one_batch():
    """Eight matches that ask at the same time make batches of eight."""
    model = InstantModel("m", answer)
    _, ended = play(8, asking, silent, model, jobs=8)
    assert len(ended) == 8
    assert set(model.submissions) == {8}


def test_no_more_than_jobs_matches_are_in_play():
    """The rest waits its turn."""
    most = []
    play(9, asking, silent, InstantModel("m", answer), jobs=4, on_tick=lambda in_play: most.append(len(in_play)))
    assert max(most) == 4


class SlowFirst:
    """A model whose very first call is answered only after every other match is over."""

    name = "m"

    def __init__(self):
        self.identity = {}
        self.stuck: Future | None = None
        self.ended_before = None

    def submit(self, requests):
        futures = []
        for _ in requests:
            future = Future()
            if self.stuck is None:
                self.stuck = future
            else:
                future.set_result(answer())
            futures.append(future)
        return futures

    def close(self):
        pass


def test_a_match_whose_reply_is_late_holds_nobody_up():
    """All others end while one call hangs; then it goes on and ends, too."""
    model = SlowFirst()
    seen = []

    def on_tick(in_play):
        if list(in_play) == [0] and model.stuck is not None and not model.stuck.done():
            seen.append(len(in_play))
            model.stuck.set_result(answer())

    _, ended = play(6, asking, silent, model, jobs=3, on_tick=on_tick)
    assert seen == [1]
    assert [key for key, _ in ended][-1] == "m0"
    assert len(ended) == 6


def test_the_price_table_gives_each_call_its_cost():
    """1,000 prompt tokens at 2 dollars and 500 completion tokens at 4 dollars a million are 0.004 dollars."""
    recorder, _ = play(1, asking, silent, InstantModel("m", answer), jobs=1, prices={"m": Price(2.0, 4.0)})
    calls = [event.body for event in recorder.events if isinstance(event.body, Called)]
    assert {call.answer.spend.cost_usd for call in calls} == {0.004}


def test_an_unknown_price_stays_unknown_in_every_sum():
    """None is not zero."""
    recorder, _ = play(1, asking, silent, InstantModel("m", answer), jobs=1)
    own = [e.body.spend.cost_usd for e in recorder.events if isinstance(e.body, TurnClosed) and e.seat is Seat.FIRST]
    assert set(own) == {None}


def test_the_games_do_not_depend_on_how_many_are_in_play():
    """One at a time and all at once give the same moves and digests."""

    def rolling(view):
        moves = view.game.legal_moves(view.state)
        yield from ask("m", Request(messages=(Message("user", "?"),)))
        return Decision(moves[view.seed % len(moves)])

    def games(jobs):
        recorder, _ = play(6, rolling, rolling, InstantModel("m", answer), jobs=jobs)
        turns = [
            (e.match_id, e.seq, e.body.move, e.body.digest) for e in recorder.events if isinstance(e.body, TurnClosed)
        ]
        return sorted(turns)

    assert games(1) == games(6)


def test_a_stopped_drive_leaves_whole_turns_only():
    """What was in flight is given up; every flushed turn is complete."""
    recorder, clock = MemoryRecorder(), HandClock(step_s=0.001).clock()
    room = EngineRoom(None, workers=1)
    calls = iter(range(1000))
    halt = drive(
        league(4, silent, silent, recorder=recorder, clock=clock),
        jobs=4,
        backstage=Backstage(models={}, prices={}, engines=room),
        recorder=recorder,
        clock=clock,
        on_end=lambda match, verdict: None,
        stop=lambda: next(calls) >= 5,
    )
    room.close()
    assert halt is Halt.STOPPED
    assert all(verdict is not Ending.VOID for verdict in recorder.events)
    assert len([event for event in recorder.events if isinstance(event.body, TurnClosed)]) == 4 * 5


def test_an_agents_bound_holds_for_all_its_matches_together_though_calls_are_in_flight():
    """Under strict, what other matches have in flight is reserved: four matches, three calls, never a fourth."""
    budgets = Budgets(agent=Budget(model_calls=3), enforcement=Enforcement.STRICT)
    recorder, clock = MemoryRecorder(), HandClock(step_s=0.001).clock()
    model, spent = LateModel("m"), {seat: Tally() for seat in Seat}
    room = EngineRoom(None, workers=1)
    drive(
        league(4, asking, silent, recorder=recorder, clock=clock, budgets=budgets, spent=spent),
        jobs=4,
        backstage=Backstage(models={"m": model}, prices={}, engines=room),
        recorder=recorder,
        clock=clock,
        on_end=lambda match, verdict: None,
        on_tick=lambda in_play: model.answer_all(),
        tick_s=0.01,
    )
    room.close()
    assert model.asked == 3
    assert spent[Seat.FIRST].model_calls == 3
    assert spent[Seat.FIRST].open == {}


class LateModel:
    """A model that answers when told to."""

    identity: ClassVar[dict[str, str]] = {"kind": "late"}

    def __init__(self, name):
        self.name = name
        self.asked = 0
        self._waiting = []

    def submit(self, requests):
        futures = [Future() for _ in requests]
        self.asked += len(futures)
        self._waiting += futures
        return futures

    def answer_all(self):
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            future.set_result(answer())

    def close(self):
        pass
