"""Boards in numbers, splits, values and labels of the game language model: against the rules and the solver."""

from __future__ import annotations

from random import Random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratarena.agents.gamelm import columns
from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.connect_four_positions import ILLEGAL, generate, label
from stratarena.agents.gamelm.positions import load_positions, make_chunks, played_on, terminal_boards
from stratarena.agents.gamelm.reading import CONNECT_FOUR, STATUSES, statuses
from stratarena.agents.gamelm.splits import plainest, split_of
from stratarena.agents.gamelm.values import bucket_of, centres, chance_of_score, mirror, smoothed
from stratarena.games.base import Seat
from stratarena.games.connect_four import ConnectFour, Position

GAME = ConnectFour()


@st.composite
def games(draw: st.DrawFn) -> list[Position]:
    """The positions of a random game, from the first on."""
    rng = Random(draw(st.integers(0, 2**32)))
    states = [GAME.initial(rng)]
    while GAME.outcome(states[-1]) is None:
        states.append(GAME.play(states[-1], rng.choice(GAME.legal_moves(states[-1]))))
    return states


def boards(states: list[Position]) -> tuple[np.ndarray, np.ndarray]:
    """The states as the mover's and the opponent's discs."""
    pairs = [
        (state.first, state.second) if GAME.to_move(state) is Seat.FIRST else (state.second, state.first)
        for state in states
    ]
    return np.array([own for own, _ in pairs], np.uint64), np.array([other for _, other in pairs], np.uint64)


@given(games())
def test_many_boards_at_once_follow_the_rules_of_the_game(states):
    """Room, successors, lines and what the rules say agree with the reference game, ply by ply."""
    own, opponent = boards(states)
    for index, state in enumerate(states[:-1]):
        room = columns.room(own[index : index + 1], opponent[index : index + 1])[0]
        assert [str(column + 1) for column in np.flatnonzero(room)] == list(GAME.legal_moves(state))
        for move in GAME.legal_moves(state):
            after = columns.play(own[index : index + 1], opponent[index : index + 1], np.array([int(move) - 1]))
            expected = boards([GAME.play(state, move)])
            assert (after[0][0], after[1][0]) == (expected[0][0], expected[1][0])
    said = [STATUSES[status] for status in statuses(own, opponent)]
    assert said[:-1] == ["<going>"] * (len(states) - 1)
    outcome = GAME.outcome(states[-1])
    assert said[-1] == ("<drawn>" if outcome is None or outcome.winner is None else "<lost>")


@given(games())
def test_a_board_and_its_contents_tell_the_same(states):
    """Column contents go back to the board they came from; every content is a number of the vocabulary."""
    own, opponent = boards(states)
    for row, mine, theirs in zip(columns.contents(own, opponent), own, opponent, strict=True):
        assert columns.board_of(tuple(int(content) for content in row)) == (int(mine), int(theirs))
        assert row.max() < columns.CONTENTS


@given(games())
def test_a_position_and_its_mirror_image_are_on_the_same_side_of_the_split(states):
    """So no test position's mirror image is trained on; mirroring twice changes nothing."""
    own, opponent = boards(states)
    turned = columns.mirrored(own), columns.mirrored(opponent)
    assert (columns.mirrored(turned[0]) == own).all()
    assert (split_of(*plainest(FORM, own, opponent)[:2]) == split_of(*plainest(FORM, *turned)[:2])).all()


def test_the_split_has_the_shares_it_says():
    """About 4 % test and 1 % validation of many positions."""
    rng = np.random.default_rng(0)
    own, opponent = rng.integers(0, 2**49, size=(2, 100_000), dtype=np.uint64)
    shares = np.bincount(split_of(own, opponent), minlength=3) / 100_000
    assert shares == pytest.approx([0.95, 0.01, 0.04], abs=0.005)


def test_buckets_are_mirrored_and_a_draw_has_the_mean_one_half():
    """Values written by hand: edges belong to the lower bucket, 22 to one side is 43 to the other."""
    assert [bucket_of(chance) for chance in (0.0, 1 / 64, 0.5, 0.5001, 1.0)] == [1, 1, 32, 33, 64]
    assert mirror(22) == 43
    assert smoothed(np.array(0.5), 0.75) @ centres() == pytest.approx(0.5)
    assert list(chance_of_score(np.array([0, 18, -18, 9, 25]))) == [0.5, 1.0, 0.0, 0.875, 1.0]


def test_the_vocabulary_has_one_number_for_each_token():
    """Core, moves and contents follow one another without a gap."""
    assert len(set(CONNECT_FOUR.number.values())) == CONNECT_FOUR.first_move
    assert CONNECT_FOUR.first_content == CONNECT_FOUR.first_move + 7
    assert CONNECT_FOUR.size == CONNECT_FOUR.first_content + 127


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of one small chunk."""
    pytest.importorskip("bitbully", reason="the connect-four extra is not installed")
    folder = tmp_path_factory.mktemp("positions")
    make_chunks(folder, n_chunks=1, games=6)
    return folder


class TestPositions:
    """Labelled positions."""

    def test_labels_agree_with_the_rules(self, folder):
        """A full column is marked as no move, and a move that makes a line has the best score there is."""
        splits = load_positions(make_chunks(folder, n_chunks=1, games=6))
        for positions in splits.values():
            room = columns.room(positions.own, positions.opponent)
            assert ((positions.scores != ILLEGAL) == room).all()
            for column in range(7):
                able = room[:, column]
                after = columns.play(positions.own[able], positions.opponent[able], np.full(int(able.sum()), column))
                wins = columns.lines(after[1])
                assert (positions.scores[able][wins, column] == positions.scores[able][wins].max(axis=1)).all()

    def test_no_position_is_in_two_splits_or_twice_in_one(self, folder):
        """Positions are canonical and distinct over all splits."""
        splits = load_positions(make_chunks(folder, n_chunks=1, games=6))
        keys = [
            (int(own), int(other))
            for part in splits.values()
            for own, other in zip(part.own, part.opponent, strict=True)
        ]
        assert len(keys) == len(set(keys)) > 20

    def test_a_chunk_repeats_under_its_seed(self, folder):
        """Made again it is the same, to the last score."""
        made = generate(6, 0)
        with np.load(folder / "connect_four-0000.npz") as kept:
            assert (kept["own"] == made.own).all()
            assert (kept["scores"] == made.scores).all()

    def test_labels_of_bare_positions_are_those_of_the_games_they_come_from(self):
        """The solver is given discs instead of moves, and says the same."""
        made = generate(3, 5)
        some = slice(len(made.own) - 20, None)
        again = label(made.own[some], made.opponent[some])
        assert (again.scores == made.scores[some]).all()

    def test_finished_boards_are_finished(self, folder):
        """Each has a line of the side that moved last, or no room."""
        over = terminal_boards(load_positions(make_chunks(folder, n_chunks=1, games=6))["train"])
        assert len(over[0]) > 0
        assert (statuses(*over) != 0).all()

    def test_boards_played_on_are_of_real_games_and_never_held_out(self, folder):
        """One to three more discs, nobody wins twice, both finished and going on, all on the training side of the split."""
        train = load_positions(make_chunks(folder, n_chunks=1, games=6))["train"]
        rng = np.random.default_rng(0)
        own, opponent = (np.tile(part, 20) for part in (train.own, train.opponent))
        boards = played_on(own, opponent, rng)
        assert 0.9 < len(boards[0]) / len(own) < 1
        assert (boards[0] & boards[1] == 0).all()
        assert not columns.lines(boards[0]).any()
        assert set(statuses(*boards).tolist()) >= {STATUSES.index("<going>"), STATUSES.index("<lost>")}
        assert (split_of(*plainest(FORM, *boards)[:2]) == 0).all()
        discs = {int(board).bit_count() for board in own | opponent}
        assert {int(board).bit_count() for board in boards[0] | boards[1]} <= {n + k for n in discs for k in (1, 2, 3)}
