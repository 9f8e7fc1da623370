"""A view as messages: short, complete, and the same at its beginning for every turn."""

from __future__ import annotations

import pytest

from stratarena.agents.base import Refusal, View
from stratarena.agents.prompts import move_messages
from stratarena.games.base import Move
from stratarena.games.plugins import load_game


def messages(spec, *moves, refused=(), **options):
    """The prompt after these moves."""
    game = load_game(spec)
    state = game.initial(None)
    start = game.encode(state)
    for move in moves:
        state = game.play(state, Move(move))
    view = View(
        game=game, state=state, seat=game.to_move(state), ply=len(moves), start=start, moves=tuple(map(Move, moves)),
        refused=tuple(refused), seed=1,
    )  # fmt: skip
    return move_messages(view, **{"list_legal_moves": True, "history": 10, **options})


@pytest.mark.parametrize(
    ("spec", "moves"), [("connect_four", ("4", "4")), ("hex(size=5)", ("c3", "a1")), ("chess", ("e2e4", "e7e5"))]
)
def test_the_first_message_is_the_same_on_every_turn_and_for_both_seats(spec, moves):
    """So that a model reads the rules once."""
    first = messages(spec)[0]
    assert first.role == "system"
    assert all(messages(spec, *moves[:n])[0] == first for n in range(len(moves) + 1))


@pytest.mark.parametrize(
    ("spec", "moves", "names"),
    [
        ("connect_four", ("4",), ["You are X.", "You are O."]),
        ("hex(size=5)", ("c3",), ["You are X.", "You are O."]),
        ("chess", ("e2e4",), ["You are White.", "You are Black."]),
    ],
)
def test_each_seat_is_called_what_the_game_calls_it(spec, moves, names):
    """As the rules and the board do."""
    assert names[0] in messages(spec)[-1].content
    assert names[1] in messages(spec, *moves)[-1].content


def test_only_the_last_plies_are_shown_and_none_if_none_are_wanted():
    """History is bounded by the parameter."""
    played = ("1", "2", "3", "4", "5")
    assert "Last moves: 4 5" in messages("connect_four", *played, history=2)[-1].content
    assert "Last moves" not in messages("connect_four", *played, history=0)[-1].content
    assert "Last moves" not in messages("connect_four")[-1].content


def test_legal_moves_are_listed_only_if_asked():
    """In the game's order."""
    assert "Your legal moves are: 1, 2, 3, 4, 5, 6, 7." in messages("connect_four")[-1].content
    assert "legal moves" not in messages("connect_four", list_legal_moves=False)[-1].content


@pytest.mark.parametrize(
    ("spec", "move", "shown"), [("connect_four", "4", "4"), ("hex(size=5)", "c3", "c3"), ("chess", "e2e4", "e2e3")]
)
def test_an_example_shows_the_form_of_an_answer_and_is_the_same_on_every_turn(spec, move, shown):
    """The middle one of the game's first moves, between the rules and the position; otherwise nothing changes."""
    plain, early, late = messages(spec, move), messages(spec, example=True), messages(spec, move, example=True)
    assert early[:3] == late[:3]
    assert (late[0], *late[3:]) == plain
    assert [message.role for message in late] == ["system", "user", "assistant", "user"]
    assert late[2].content == shown
    assert shown in late[1].content


def test_an_example_has_the_form_that_is_asked_for():
    """A labelled line after thoughts; no list where none is wanted."""
    thoughtful = messages("connect_four", example=True, reasoning=True)
    assert thoughtful[2].content == "MOVE: 4"
    unlisted = messages("connect_four", example=True, list_legal_moves=False)
    assert unlisted[1].content == "Which move do you play? Answer with just the move."


def test_refusals_are_told_in_turn_oldest_first():
    """Each as the model's own words, then what was wrong with them."""
    refused = [Refusal("malformed", "Hello {board}!", "no move found"), Refusal("illegal", "9", "no such column")]
    *_, said, told, said_again, told_again = messages("connect_four", refused=refused)
    assert [said.role, told.role, said_again.role, told_again.role] == ["assistant", "user"] * 2
    assert (said.content, said_again.content) == ("Hello {board}!", "9")
    assert "malformed" in told.content
    assert "no move found" in told.content
    assert "illegal" in told_again.content
    assert "no such column" in told_again.content


def test_a_prompt_is_short():
    """Some 300 tokens in Connect Four, which a small model reads on a CPU in a second."""
    moves = ("4", "4", "4", "4", "4", "4", "1", "2", "1", "2")
    assert sum(len(message.content) for message in messages("connect_four", *moves)) < 1_200
