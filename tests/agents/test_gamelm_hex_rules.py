"""Hex in the form of the game model: boards, texts and labels against our rules, OpenSpiel and brute force."""

from __future__ import annotations

from functools import cache
from random import Random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.gamelm.forms import NotInterchange, form_of, form_tagged
from stratarena.agents.gamelm.games import CONNECT_FOUR, HEX_5X5, refusal
from stratarena.agents.gamelm.hex_form import FORM_5X5, HexForm
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.positions import load_positions, make_chunks, played_on, terminal_boards
from stratarena.agents.gamelm.reading import STATUSES
from stratarena.agents.gamelm.speech import Question, answer_text, parse_answer, parse_question, question_text
from stratarena.agents.gamelm.splits import SPLITS, plainest, split_of
from stratarena.games.base import Seat, SpecError
from stratarena.games.hex import Hex, Position

GAME = Hex(5)
FORM = FORM_5X5
EMPTY = (0, 0)
"""Cells have the same names on every board."""


@st.composite
def states(draw: st.DrawFn) -> list[Position]:
    """The positions of a random game, from the empty board on."""
    rng = Random(draw(st.integers(0, 2**32)))
    found = [GAME.initial(rng)]
    while GAME.outcome(found[-1]) is None:
        found.append(GAME.play(found[-1], rng.choice(GAME.legal_moves(found[-1]))))
    return found


def arrays(found: list[Position]) -> tuple[np.ndarray, np.ndarray]:
    """The states as the mover's stones and the opponent's, as the mover sees them."""
    pairs = [FORM.board(state, GAME.to_move(state)) for state in found]
    return np.array([own for own, _ in pairs], np.uint64), np.array([other for _, other in pairs], np.uint64)


@given(states())
def test_boards_follow_the_rules(found):
    """Possible moves, the position after a move and the end of the game, for both seats."""
    own, opponent = arrays(found)
    status = FORM.statuses(own, opponent)
    assert [STATUSES[one] for one in status] == ["<going>"] * (len(found) - 1) + ["<lost>"]
    for index, state in enumerate(found[:-1]):
        seat = GAME.to_move(state)
        able = np.flatnonzero(FORM.room(own[index : index + 1], opponent[index : index + 1])[0])
        assert {FORM.move(int(move), seat, EMPTY) for move in able} == set(GAME.legal_moves(state))
        for move in able[:: max(len(able) // 3, 1)]:
            after = FORM.play(own[index : index + 1], opponent[index : index + 1], np.array([move]))
            true = GAME.play(state, FORM.move(int(move), seat, EMPTY))
            assert (int(after[0][0]), int(after[1][0])) == FORM.board(true, seat.other)


@given(states())
def test_positions_and_moves_come_back_from_each_of_their_forms(found):
    """The arena's text, the interchange text, and the contents of the cells."""
    own, opponent = arrays(found)
    for state, mine, theirs in zip(found, own.tolist(), opponent.tolist(), strict=True):
        board, seat = (mine, theirs), GAME.to_move(state)
        if GAME.outcome(state) is None:
            assert FORM.board(GAME.encode(state), seat) == board
        assert FORM.encode(board, seat) == GAME.encode(state)
        assert FORM.board_from_text(FORM.state_text(board)) == board
        contents = FORM.contents(np.array([mine], np.uint64), np.array([theirs], np.uint64))[0]
        assert FORM.board_of(tuple(contents.tolist())) == board
        for move in range(25):
            assert FORM.index(FORM.move(move, seat, EMPTY), seat, EMPTY) == move
            assert FORM.move_from_text(FORM.move_text(move, board), board) == move


@given(states())
def test_a_position_and_its_images_are_on_the_same_side_of_the_split(found):
    """Turned by half, and with colours exchanged along the long diagonal, it has the same name; so it is never trained on."""
    own, opponent = arrays(found)
    turned = FORM.mirrored(own), FORM.mirrored(opponent)
    assert (FORM.mirrored(turned[0]) == own).all()
    assert (FORM.statuses(*turned) == FORM.statuses(own, opponent)).all()
    assert (FORM.room(*turned) == FORM.room(own, opponent)[:, ::-1]).all()
    plain = plainest(FORM, own, opponent)[:2]
    assert all((one == other).all() for one, other in zip(plain, plainest(FORM, *turned)[:2], strict=True))
    assert (split_of(*plain) == split_of(*plainest(FORM, *turned)[:2])).all()


def test_exchanging_colours_along_the_long_diagonal_is_the_same_position_to_the_model():
    """X in b1 with O to move, seen by O, is O in a2 with X to move, seen by X."""
    state = GAME.play(GAME.initial(Random(0)), GAME.cells[1])
    own, opponent = FORM.board(state, Seat.SECOND)
    assert (own, opponent) == (0, 1 << 5)
    assert FORM.move(1, Seat.SECOND, EMPTY) == "a2"


@settings(max_examples=30)
@given(states())
def test_open_spiel_agrees_about_moves_and_ends(found):
    """The same game played there: the same actions, the same end, and the same winner, whom the form calls the opponent."""
    pyspiel = pytest.importorskip("pyspiel", reason="the open-spiel extra is not installed")
    theirs = pyspiel.load_game("hex(board_size=5)").new_initial_state()
    own, opponent = arrays(found)
    for index, state in enumerate(found):
        over = FORM.statuses(own[index : index + 1], opponent[index : index + 1])[0] != 0
        assert theirs.is_terminal() is bool(over)
        if over:
            assert theirs.returns()[0] == (-1.0 if GAME.to_move(state) is Seat.FIRST else 1.0)
            break
        able = np.flatnonzero(FORM.room(own[index : index + 1], opponent[index : index + 1])[0])
        named = {GAME.cells.index(FORM.move(int(move), GAME.to_move(state), EMPTY)) for move in able}
        assert named == set(theirs.legal_actions())
        played = next(move for move in GAME.legal_moves(state) if GAME.play(state, move) == found[index + 1])
        theirs.apply_action(GAME.cells.index(played))


def test_texts_written_by_hand_are_read():
    """A position of the specification of the paper's format: X joins top and bottom, six stones each."""
    text = (
        "<mav game=hex5> %state %top_all %best_action </mav>\n\n"
        "[%state x || . . x x . o x o o . . . x o . x o . . x . . . . o ||]\n"
    )
    asked = parse_question(text)
    assert asked.game == HEX_5X5
    assert question_text(asked) == text
    assert FORM.encode(asked.board, Seat.FIRST) == "..XX./OXOO./..XO./XO..X/....O X"
    said = parse_answer(asked, "[%top_all c4:<ctrl1> a5:<ctrl64> b3:<ctrl64>]\n[%best_action b3]\n")
    assert {FORM.move(move, Seat.FIRST, EMPTY): value for move, value in said.values.items()} == {
        "c4": 0.5 / 64,
        "a5": 63.5 / 64,
        "b3": 63.5 / 64,
    }
    assert FORM.move(said.best, Seat.FIRST, EMPTY) == "b3"


@given(states(), st.sampled_from(["mean", "max"]), st.data())
def test_questions_and_answers_come_back_as_they_were(found, scoring, data):
    """About positions and about moves, of both seats."""
    state = found[data.draw(st.integers(0, len(found) - 2))]
    board = FORM.board(state, GAME.to_move(state))
    legal = [FORM.index(move, GAME.to_move(state), EMPTY) for move in GAME.legal_moves(state)]
    for move in (None, data.draw(st.sampled_from(legal))):
        question = Question(board, move, scoring, game=HEX_5X5)
        assert parse_question(question_text(question)) == question
    values: list[float | None] = [0.25 if move in legal else None for move in range(25)]
    modes: list[int | None] = [17 if move in legal else None for move in range(25)]
    question = Question(board, None, scoring, game=HEX_5X5)
    said = parse_answer(question, answer_text(question, board, "<going>", legal[0], values, modes))
    assert said.values == dict.fromkeys(legal, 0.25 if scoring == "mean" else 16.5 / 64)
    assert said.best == legal[0]
    assert parse_answer(question, answer_text(question, board, "<lost>", 0, values, modes)).result == 0.0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<mav game=hex5> %state </mav>\n\n[%state x || . x ||]", "expected x or o, then 25 cells"),
        (f"<mav game=hex5> %state </mav>\n\n[%state o || {' '.join(['.'] * 25)} ||]", "so many stones"),
        (f"<mav game=hex5> </mav>\n\n[%prev_state x || {' '.join(['.'] * 25)} ||]\n[%prev_action f1]", "a1 to e5"),
        ("<mav game=go> %state </mav>\n\n[%state x || . ||]", "expected one of connect_four, hex5, chess"),
    ],
)
def test_a_foreign_text_is_refused_with_what_was_expected(text, said):
    """No guess is made."""
    with pytest.raises(NotInterchange, match=said):
        parse_question(text)


def test_the_games_that_are_known_have_forms_and_others_are_refused_in_one_line():
    """By id, by what texts call them, and by name in the refusal."""
    assert form_of(HEX_5X5) is form_tagged("hex5") is FORM
    assert form_of(CONNECT_FOUR) is form_tagged(CONNECT_FOUR)
    assert refusal(HEX_5X5) is None
    assert refusal("hex") == "the game model plays connect_four, hex(size=5) and chess (endings), not hex"
    assert form_tagged("go") is None
    with pytest.raises(SpecError, match=r"expected connect_four, hex\(size=5\) or chess"):
        form_of("hex(size=5, swap=true)")


def test_another_size_is_another_form():
    """Nothing but the size is built in."""
    form = HexForm(4)
    assert form.words.moves == form.words.places == 16
    assert form.state_text((0, 0)) == f"x || {' '.join(['.'] * 16)} ||"


@cache
def wins(own: int, opponent: int) -> bool:
    """Whether the side to move wins, by trying everything."""
    mine, theirs = np.array([own], np.uint64), np.array([opponent], np.uint64)
    if FORM.statuses(mine, theirs)[0] != 0:
        return False
    for move in np.flatnonzero(FORM.room(mine, theirs)[0]):
        after = FORM.play(mine, theirs, np.array([move]))
        if not wins(int(after[0][0]), int(after[1][0])):
            return True
    return False


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder of one small chunk."""
    pytest.importorskip("numba", reason="the hex extra is not installed")
    folder = tmp_path_factory.mktemp("positions")
    make_chunks(folder, n_chunks=1, games=12, game=HEX_5X5)
    return folder


@pytest.fixture(scope="module")
def splits(folder):
    """Its positions by split."""
    return load_positions(make_chunks(folder, n_chunks=1, games=12, game=HEX_5X5), HEX_5X5)


class TestPositions:
    """Labelled positions."""

    def test_labels_agree_with_trying_everything(self, splits):
        """On every position with at most seven empty cells; and only empty cells have a label anywhere."""
        n = 0
        for positions in splits.values():
            room = FORM.room(positions.own, positions.opponent)
            assert ((positions.scores != ILLEGAL) == room).all()
            for index in np.flatnonzero(room.sum(axis=1) <= 7):
                mine, theirs = positions.own[index : index + 1], positions.opponent[index : index + 1]
                for move in np.flatnonzero(room[index]):
                    after = FORM.play(mine, theirs, np.array([move]))
                    lost = not wins(int(after[0][0]), int(after[1][0]))
                    assert (positions.scores[index, move] > 0) == lost
                n += 1
        assert n >= 5

    def test_a_move_that_joins_the_edges_is_worth_most(self, splits):
        """Every filling of the board is won after it."""
        train = splits["train"]
        for move in range(25):
            able = FORM.room(train.own, train.opponent)[:, move]
            own, opponent = train.own[able], train.opponent[able]
            ends = FORM.statuses(*FORM.play(own, opponent, np.full(len(own), move))) != 0
            assert (train.scores[able][ends, move] >= 62).all()

    def test_no_position_or_image_is_in_two_splits_or_twice_in_one(self, splits):
        """Positions are canonical and distinct over all splits."""
        keys = []
        for part in splits.values():
            plain = plainest(FORM, part.own, part.opponent)[:2]
            assert (plain[0] == part.own).all()
            assert (plain[1] == part.opponent).all()
            keys += list(zip(part.own.tolist(), part.opponent.tolist(), strict=True))
        assert len(keys) == len(set(keys)) > 100

    def test_a_chunk_repeats_under_its_seed(self, folder):
        """Made again it is the same, to the last score."""
        made = FORM.generate(12, 0)
        with np.load(folder / "hex_5x5-0000.npz") as kept:
            assert (kept["own"] == made.own).all()
            assert (kept["scores"] == made.scores).all()

    def test_finished_boards_are_finished_and_boards_played_on_are_for_training(self, splits):
        """Each finished one is lost for its mover; none that is played on has a name of the test split."""
        train = splits["train"]
        over = terminal_boards(train)
        assert len(over[0]) > 0
        assert {STATUSES[status] for status in FORM.statuses(*over)} == {"<lost>"}
        on = played_on(train.own, train.opponent, np.random.default_rng(0), HEX_5X5)
        assert (split_of(*plainest(FORM, *on)[:2]) == SPLITS.index("train")).all()
        assert {STATUSES[status] for status in FORM.statuses(*on)} == {"<going>", "<lost>"}

    def test_wins_lie_above_losses_and_clear_ones_highest(self):
        """The scale of values written by hand."""
        assert FORM.chances(np.array([1, 63, -1, -63])).tolist() == [0.75, 1.0, 0.25, 0.0]
