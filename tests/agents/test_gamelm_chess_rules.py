"""Chess endings in the form of the game model: boards, texts and labels against the arena's chess and exact values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stratarena.agents.gamelm import endings
from stratarena.agents.gamelm.chess_form import FORM, moves_to_mate
from stratarena.agents.gamelm.endings import KINDS, MOVES, NOWHERE
from stratarena.agents.gamelm.forms import NotInterchange, form_of, form_tagged
from stratarena.agents.gamelm.games import CHESS
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.positions import finished, load_positions, make_chunks, played_on
from stratarena.agents.gamelm.reading import STATUSES
from stratarena.agents.gamelm.speech import Question, answer_text, parse_answer, parse_question, question_text
from stratarena.agents.gamelm.splits import SPLITS, plainest, split_of
from stratarena.games.base import PositionError, Seat, SpecError
from stratarena.games.fide_chess import Chess

GAME = Chess()
SEATS = st.sampled_from(list(Seat))


def one(board):
    """The board as arrays of one."""
    return tuple(np.array([side], np.uint64) for side in board)


@st.composite
def boards(draw):
    """An ending that can be and is not over, whichever side is to move."""
    kind, strong = draw(st.sampled_from(KINDS)), draw(st.booleans())
    table = endings.solved(kind).strong if strong else endings.solved(kind).lone
    squares = draw(st.tuples(*[st.integers(0, 63)] * 3).filter(lambda found: table[found] != endings.ILLEGAL))
    king, piece, lone = squares
    sides = king | piece << 7 | kind << 14, lone | NOWHERE << 7
    board = sides if strong else sides[::-1]
    while FORM.statuses(*one(board))[0] != 0:
        board = draw(boards())
    return board


def legal(board):
    """Numbers of the moves that the form takes for legal."""
    return np.flatnonzero(FORM.room(*one(board))[0]).tolist()


def after(board, move):
    """The board after a move."""
    return tuple(int(side[0]) for side in FORM.play(*one(board), np.array([move])))


@given(boards(), SEATS)
def test_boards_follow_the_rules_of_the_arena(board, seat):
    """Legal moves by name, the position after each, counts included, and whether it is over and how: for both colours."""
    state = GAME.decode(FORM.encode(board, seat))
    assert GAME.to_move(state) is seat
    assert FORM.board(state, seat) == board
    named = {FORM.move(move, seat, board): move for move in legal(board)}
    assert set(named) == set(GAME.legal_moves(state))
    for name, move in named.items():
        assert FORM.index(name, seat, board) == move
        told, true = after(board, move), GAME.play(state, name)
        assert (
            FORM.encode(told, seat.other, state)
            == FORM.encode(told, seat.other, GAME.encode(state))
            == GAME.encode(true)
        )
        outcome = GAME.outcome(true)
        expected = "<going>" if outcome is None else "<drawn>" if outcome.winner is None else "<lost>"
        assert STATUSES[FORM.statuses(*one(told))[0]] == expected
        if true.board.occupied.bit_count() == 3:
            assert FORM.board(true, seat.other) == told


@given(boards())
def test_texts_and_words_come_back_as_they_were(board):
    """Boards and every word of a move, those off the board, too."""
    assert FORM.board_from_text(FORM.state_text(board)) == board
    words = FORM.contents(*one(board))[0]
    assert FORM.board_of(tuple(words.tolist())) == board
    for move in range(MOVES):
        assert FORM.move_from_text(FORM.move_text(move, board), board) == move


@given(boards(), st.integers(0, 7))
def test_an_image_has_the_moves_and_values_of_the_position(board, image):
    """Under each of the eight symmetries: what a move of the image is worth, the move that it comes from is worth."""
    own, opponent = FORM.image(*one(board), image)
    moves = FORM.image_moves(*one(board), image)
    assert sorted(moves[0].tolist()) == list(range(MOVES))
    assert (FORM.scores(own, opponent)[0] == FORM.scores(*one(board))[0][moves[0]]).all()
    assert FORM.statuses(own, opponent)[0] == 0


@given(boards(), st.integers(0, 7))
def test_a_position_and_its_images_have_one_name_and_one_split(board, image):
    """So none of the images of a test position is trained on."""
    own, opponent = FORM.image(*one(board), image)
    named, other = plainest(FORM, *one(board))[:2], plainest(FORM, own, opponent)[:2]
    assert [side.tolist() for side in named] == [side.tolist() for side in other]


@settings(max_examples=30)
@given(boards(), st.data())
def test_questions_and_answers_come_back_as_they_were(board, data):
    """About positions and about moves."""
    able = legal(board)
    move = data.draw(st.sampled_from(able))
    for asked in (None, move):
        question = Question(board, asked, data.draw(st.sampled_from(["mean", "max"])), game=CHESS)
        assert parse_question(question_text(question)) == question
    question = Question(board, game=CHESS)
    means = [0.25 if number in able else None for number in range(MOVES)]
    said = parse_answer(question, answer_text(question, board, "<going>", move, means, [None] * MOVES))
    assert (said.values, said.best) == (dict.fromkeys(able, 0.25), move)
    for status, result in (("<lost>", 0.0), ("<drawn>", 0.5)):
        assert parse_answer(question, answer_text(question, board, status, 0, means, [])).result == result


def test_a_text_written_by_hand_is_read():
    """The mover in capitals, squares from a1; a move is named by the squares that it leaves and goes to."""
    squares = ["."] * 64
    squares[0], squares[9], squares[63] = "K", "R", "k"
    text = f"<mav game=chess> %state %mean_all %best_action </mav>\n\n[%state w || {' '.join(squares)} ||]\n"
    asked = parse_question(text)
    assert asked.game == CHESS
    assert question_text(asked) == text
    assert FORM.encode(asked.board, Seat.FIRST) == "7k/8/8/8/8/8/1R6/K7 w - - 0 1"
    assert FORM.encode(asked.board, Seat.SECOND) == "7K/8/8/8/8/8/1r6/k7 b - - 0 1"
    said = parse_answer(asked, "[%mean_all b2b8:0.9000 a1a2:0.7500]\n[%best_action b2b8]\n")
    assert {FORM.move(move, Seat.FIRST, asked.board) for move in said.values} == {"b2b8", "a1a2"}


@pytest.mark.parametrize(
    "fen",
    [
        "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1",
        "4k3/8/8/8/8/8/8/4K2R w K - 0 1",
        "4k3/8/8/8/8/8/8/4K2B w - - 0 1",
        "4k3/8/8/8/8/8/8/RR2K3 w - - 0 1",
        "4k3/8/8/8/8/8/8/4K3 w - - 0 1",
    ],
    ids=["start", "may castle", "bishop", "two rooks", "kings alone"],
)
def test_any_other_chess_is_refused_by_its_position(fen):
    """As a state, as the arena's text, and where a question names it."""
    for state in (fen, GAME.decode(fen)):
        with pytest.raises(PositionError, match="no ending of king and queen"):
            FORM.board(state, Seat.FIRST)
    with pytest.raises(NotInterchange, match=r"no ending of king and queen.*64 squares"):
        parse_question(f"<mav game=chess> %state </mav>\n\n[%state {fen}]\n")


def test_nonsense_words_make_a_board_that_can_be_told_and_read_but_not_believed():
    """No square for a king, a piece without a kind: its text is refused when it is read."""
    for words in ((68, 3, 64, 0), (1, 1, 1, 66), (64, 64, 64, 64), (5, 70 - 2, 12, 67)):
        board = FORM.board_of(words)
        FORM.contents(*one(board))
        FORM.asked(*one(board))
        with pytest.raises(NotInterchange):
            FORM.board_from_text(FORM.state_text(board))


def test_values_are_a_bucket_a_move_with_draws_in_the_middle():
    """Mates in 1, 2 and 17 moves, for the side that mates and for the one that is mated."""
    assert (FORM.chances(np.array([19, 18, 3, 0, -3, -19])) * 64).tolist() == [63.5, 62.5, 47.5, 32.0, 16.5, 0.5]
    assert moves_to_mate(np.array([19, -3])).tolist() == [1, 17]


def test_the_form_is_found_by_the_game_and_by_its_tag():
    """And there are no more than two endings to make."""
    assert form_of(CHESS) is form_tagged("chess") is FORM
    with pytest.raises(SpecError, match=r"2 chess endings: data\.chunks = 2"):
        FORM.generate(1, 2)


@pytest.fixture(scope="module")
def splits(tmp_path_factory):
    """All positions, by split."""
    return load_positions(make_chunks(tmp_path_factory.mktemp("positions"), n_chunks=2, games=1, game=CHESS), CHESS)


class TestPositions:
    """All there are."""

    def test_there_are_as_many_as_the_tables_hold(self, splits):
        """Each once, in one split: 28,056 with the lone king to move and fewer with the other side, less those that are over."""
        own = np.concatenate([part.own for part in splits.values()])
        opponent = np.concatenate([part.opponent for part in splits.values()])
        assert len(np.unique(np.stack([own, opponent], axis=1), axis=0)) == len(own)
        kings_alone = 462
        assert len(own) == 2 * 28_056 + 18_081 + 21_959 - (len(FORM.finished()[0]) - kings_alone)
        plain = plainest(FORM, own, opponent)
        assert (plain[2] == 0).all()

    def test_labels_are_exact(self, splits):
        """A sample of moves against the tables, by the moves of the arena's chess."""
        test = splits["test"]
        rng = np.random.default_rng(3)
        for index in rng.choice(len(test), 12, replace=False):
            board = int(test.own[index]), int(test.opponent[index])
            state = GAME.decode(FORM.encode(board, Seat.FIRST))
            assert set(np.flatnonzero(test.scores[index] != ILLEGAL)) == set(legal(board))
            for move in GAME.legal_moves(state):
                score = int(test.scores[index, FORM.index(move, Seat.FIRST, board)])
                true = GAME.play(state, move)
                if GAME.outcome(true) is not None:
                    assert score == (19 if GAME.outcome(true).winner is Seat.FIRST else 0)
                else:
                    best = int(FORM.scores(*one(FORM.board(true, Seat.SECOND)))[0].max())
                    assert score == (0 if best == 0 else -best - (best < 0))

    def test_the_value_of_a_move_is_the_mirror_of_the_best_reply(self, splits):
        """Exactly for the lone king; for the other side one less far from the mate, where it has come nearer."""
        some = splits["train"].take(slice(0, None, 30))
        for move in range(MOVES):
            able = np.flatnonzero(some.scores[:, move] != ILLEGAL)
            told = FORM.play(some.own[able], some.opponent[able], np.full(len(able), move))
            going = FORM.statuses(*told) == 0
            best = FORM.scores(told[0][going], told[1][going]).max(axis=1).astype(int)
            worth = some.scores[able[going], move]
            assert (worth == np.where(best == 0, 0, -best - (best < 0))).all()

    def test_boards_played_on_and_finished_ones_are_for_training(self, splits):
        """None has a name of the test split; mates, stalemates and kings alone are among them."""
        rng = np.random.default_rng(0)
        train = splits["train"].take(slice(0, None, 40))
        on, over = played_on(train.own, train.opponent, rng, CHESS), finished(CHESS, 300, rng)
        for found in (on, over):
            assert (split_of(*plainest(FORM, *found)[:2]) == SPLITS.index("train")).all()
        assert {STATUSES[status] for status in FORM.statuses(*over)} == {"<lost>", "<drawn>"}
