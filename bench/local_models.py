"""Local inference beside its plain form, in one run, CPU seconds of one thread: batches against one by one, and candidate
moves in one pass against a pass for each; the log-probabilities are compared as well.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from random import Random

from stratarena.agents.base import View
from stratarena.agents.models.base import Request, Sampling, Scores, Scoring
from stratarena.agents.models.embedded import locate
from stratarena.agents.models.inference import Inference, load
from stratarena.agents.prompts import move_messages
from stratarena.games.base import Seat
from stratarena.games.plugins import load_game


def views(spec: str, n: int, *, plies: int, seed: int) -> list[View]:
    """Positions after some random plies."""
    game = load_game(spec)
    found = []
    for number in range(n):
        rng = Random(seed + number)
        state, moves = game.initial(rng), ()
        for _ in range(plies + number % 6):
            move = rng.choice(game.legal_moves(state))
            after = game.play(state, move)
            if game.outcome(after) is not None:
                break
            state, moves = after, (*moves, move)
        start = game.encode(game.initial(rng))
        seat: Seat = game.to_move(state)
        found.append(View(game=game, state=state, seat=seat, ply=len(moves), start=start, moves=moves, seed=0))
    return found


def cpu_of(work: Callable[[], object]) -> tuple[float, object]:
    began = time.process_time()
    value = work()
    return time.process_time() - began, value


def without_sharing(engine: Inference, request: Scoring) -> list[float]:
    """One whole pass over prompt and move for each candidate, as one would write it first."""
    torch, model = engine._torch, engine._model
    prompt = engine._prompt(request.messages)
    totals = []
    with torch.inference_mode():
        for text in request.continuations:
            ids = engine._encode(text)
            logits = model(engine._tensor([[*prompt, *ids]]), logits_to_keep=len(ids) + 1).logits[0]
            logprobs = torch.log_softmax(logits.float(), dim=-1)
            totals.append(sum(float(logprobs[place, token]) for place, token in enumerate(ids)))
    return totals


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=32, help="bound on an answer")
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--positions", type=int, default=4, help="positions whose moves are scored")
    given = parser.parse_args()
    engine = Inference(load(locate(), threads=1, device="cpu", dtype="float32"))
    asked = [
        Request(
            messages=move_messages(view, list_legal_moves=True, history=10, reasoning=True),
            sampling=Sampling(max_tokens=given.tokens),
        )
        for view in views("connect_four", given.prompts, plies=4, seed=1)
    ]
    engine.answer(asked[:1])

    def one_by_one() -> list:
        return [engine.answer([request])[0] for request in asked]

    def in_batches() -> list:
        found = []
        for start in range(0, len(asked), given.batch):
            found += engine.answer(asked[start : start + given.batch])
        return found

    def plainly() -> list:
        found = []
        for request in asked:
            engine._prefixes.clear()
            found += engine.answer([request])
        return found

    plain, _ = cpu_of(plainly)
    single, alone = cpu_of(one_by_one)
    batched, together = cpu_of(in_batches)
    tokens = sum(answer.spend.completion_tokens for answer in together)
    equal = sum(one.text == other.text for one, other in zip(alone, together, strict=True))
    print(f"{len(asked)} answers of {given.tokens} tokens at most, {tokens:,} tokens written; CPU seconds")
    print(f"one by one, rules read each time       {plain:7.1f}   {tokens / plain:6.1f} tokens/s")
    print(f"one by one, rules read once            {single:7.1f}   {tokens / single:6.1f} tokens/s")
    print(f"batches of {given.batch:<3} rules read once         {batched:7.1f}   {tokens / batched:6.1f} tokens/s")
    print(
        f"batched against one by one             {plain / batched:7.1f} x   ({single / batched:.1f} x with the rules cached in both)"
    )
    print(f"same text in both                      {equal} of {len(asked)}")
    scoring = [
        Scoring(
            messages=move_messages(view, list_legal_moves=False, history=10),
            continuations=tuple(view.game.legal_moves(view.state)),
        )
        for view in views("chess", given.positions, plies=12, seed=5)
    ]
    engine.answer(scoring[:1])
    n_moves = sum(len(request.continuations) for request in scoring)
    shared, answers = cpu_of(lambda: [engine.answer([request])[0] for request in scoring])
    each, separate = cpu_of(lambda: [without_sharing(engine, request) for request in scoring])
    worst = max(
        abs(one - other)
        for answer, totals in zip(answers, separate, strict=True)
        if isinstance(answer, Scores)
        for one, other in zip(answer.logprobs, totals, strict=True)
    )
    print(f"\n{n_moves} chess moves of {len(scoring)} positions scored; CPU seconds a position")
    print(f"one pass for each move                 {each / len(scoring):7.2f}")
    print(f"one pass over a trie of all            {shared / len(scoring):7.2f}")
    print(
        f"one pass against many                  {each / shared:7.1f} x   largest difference of log-probabilities {worst:.1e}"
    )


if __name__ == "__main__":
    main()
