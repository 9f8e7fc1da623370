"""The chess endings' model: training, agents in the arena's chess, and what the shipped weights reach on positions not trained on."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("transformers", reason="the torch extra is not installed")

import numpy as np
import torch
from game_models import losses_of_turning, one_by_one, player, same_when_killed, small, tiny

from stratarena.agents.conformance import check_agent
from stratarena.agents.gamelm.chess_form import FORM, moves_to_mate
from stratarena.agents.gamelm.games import CHESS
from stratarena.agents.gamelm.labels import ILLEGAL
from stratarena.agents.gamelm.model import GameInference, game_lm, load_weights, shipped_weights
from stratarena.agents.gamelm.positions import load_positions, make_chunks
from stratarena.agents.gamelm.reading import block_of, read, read_blocks
from stratarena.agents.gamelm.scores import decisive, kept
from stratarena.agents.gamelm.speech import Question, question_text
from stratarena.agents.gamelm.splits import plainest
from stratarena.agents.gamelm.turning import turned_boards
from stratarena.agents.models.base import Message, ModelError, Request
from stratarena.arena.config import load_tournament
from stratarena.arena.events import Searched, TurnClosed
from stratarena.arena.specs import Ending
from stratarena.arena.testing import InstantModel, ScriptedAgent, play_one
from stratarena.games.base import Seat, SpecError
from stratarena.games.fide_chess import Chess
from stratarena.games.openings import lines


class From(Chess):
    """Chess that begins from a position."""

    def __init__(self, fen):
        self._fen = fen

    def initial(self, rng):
        return self.decode(self._fen)


ROOK = From("8/8/8/4k3/8/8/1R6/K7 w - - 88 60")
"""With six moves left before fifty moves end it."""
MATE = "7k/8/6K1/8/8/8/8/R7 w - - 0 1"


@pytest.fixture(scope="module")
def inference():
    """It, ready to answer."""
    torch.set_num_threads(1)
    return GameInference(small(CHESS))


@pytest.fixture(scope="module")
def answer(inference):
    """Its answers, one by one."""
    return one_by_one(inference)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with all positions."""
    folder = tmp_path_factory.mktemp("chess")
    make_chunks(folder / "positions", n_chunks=2, games=1, game=CHESS)
    return folder


@pytest.fixture(scope="module")
def splits(folder):
    """All positions, by split."""
    return load_positions(make_chunks(folder / "positions", n_chunks=2, games=1, game=CHESS), CHESS)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"scoring": "max"},
        {"kind": "mcts_llm", "simulations": 12, "batch": 4},
        {"kind": "mcts_llm", "simulations": 6, "batch": 2, "world": "model"},
        {"kind": "tree_of_thought", "depth": 1, "breadth": 3},
    ],
    ids=str,
)
def test_every_kind_keeps_the_promises_of_an_agent(params, answer):
    """Legal moves, lines that can be played, the same from the same view, with the rook and against it, whatever the values are."""
    check_agent(lambda: player(**params), ROOK, answer=answer, n_matches=1)


def test_a_search_by_the_rules_takes_a_mate_that_values_do_not_see(answer):
    """For either colour: two hundred simulations find the one move."""
    for fen in (MATE, MATE.swapcase().replace(" W ", " b ")):
        game = From(fen)
        seat = game.to_move(game.initial(None))
        seats = [player("mcts_llm", simulations=200, batch=4), ScriptedAgent.of_moves("y", ["h8g8"] * 50)]
        _, events = play_one(
            game, *(seats if seat is Seat.FIRST else seats[::-1]), models={"m": InstantModel("m", answer)}
        )
        first = next(event.body for event in events if isinstance(event.body, TurnClosed))
        assert first.move == "a1a8"


def test_an_imagined_world_is_checked_by_the_rules(answer):
    """An untrained network imagines nonsense, and the record says so; nonsense is no opinion, and no fault of the agent's."""
    verdict, events = play_one(
        ROOK,
        player("mcts_llm", simulations=12, batch=4, world="model"),
        player("mcts_llm", simulations=4, batch=4, world="model"),
        models={"m": InstantModel("m", answer)},
    )
    assert verdict.reason != "agent_fault"
    tree = next(event.body.tree for event in events if isinstance(event.body, Searched))
    checks = [node.check for node in tree.nodes if node.check is not None and node.visits and node.depth]
    assert any(check.legal is False or check.state_right is False or check.n_missed for check in checks)


def test_what_a_true_board_is_claimed_as_is_the_arena_s_own_text(splits):
    """With counts of moves that go on from the position before: so an imagined position that is right is found right."""
    game = Chess()
    state = game.decode("8/8/8/4k3/8/2K5/1R6/8 b - - 7 40")
    for name in game.legal_moves(state):
        true = game.play(state, name)
        assert FORM.encode(FORM.board(true, Seat.FIRST), Seat.FIRST, state) == game.encode(true)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"kind": "mcts_llm", "simulations": 4},
        {"kind": "mcts_llm", "simulations": 4, "world": "model"},
        {"kind": "tree_of_thought"},
    ],
    ids=str,
)
def test_any_other_chess_is_refused_by_name_and_nobody_loses(params, inference):
    """The model is shown the position and refuses it; the match is void, as with a model that fails."""

    def refusing(request):
        (found,) = inference.answer([request])
        return found

    verdict, events = play_one(
        Chess(), player(**params), ScriptedAgent.of_moves("y", ["e7e5"]), models={"m": InstantModel("m", refusing)}
    )
    assert verdict.ending is Ending.VOID
    assert verdict.winner is None
    said = " ".join(str(event.body) for event in events)
    assert "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1' is no ending of king and queen" in said


class TestTournamentFile:
    """Whether agents around the model enter chess is decided by its openings."""

    FILE = """
        name = "t"
        games = ["chess"]
        {openings}
        [models.game_lm]
        kind = "game_lm"
        [agents.plain]
        kind = "game_lm"
        model = "game_lm"
        {games}
        [agents.searched]
        kind = "mcts_llm"
        model = "game_lm"
        evaluator = "game_lm"
        {games}
        [agents.random]
        kind = "random"
    """

    def test_from_endings_they_enter(self):
        """All eighty are positions that the model knows."""
        text = self.FILE.format(openings='openings = { chess = "endings" }', games="")
        spec = load_tournament(text, place="t.toml").spec
        assert all(spec.agent_games[name] == {"chess"} for name in ("plain", "searched", "random"))

    @pytest.mark.parametrize(
        "openings", ["", 'openings = { chess = "book" }', 'openings = { chess = ["endings", "start"] }']
    )
    @pytest.mark.parametrize("games", ["", 'games = ["chess"]'])
    def test_from_any_other_opening_they_are_refused_before_anything_is_played(self, openings, games):
        """With the opening's name and its position."""
        text = self.FILE.format(openings=openings, games=games)
        with pytest.raises(SpecError, match=r"does not play chess from there: .* is no ending .*\(opening '"):
            load_tournament(text, place="t.toml")

    def test_with_other_games_in_the_file_they_enter_those(self):
        """Chess is left to who can play it."""
        text = self.FILE.format(openings="", games="").replace('["chess"]', '["chess", "connect_four"]')
        assert load_tournament(text, place="t.toml").spec.agent_games["plain"] == {"connect_four"}


def test_the_endings_are_of_the_test_split_and_won_in_as_many_moves_as_they_say(splits):
    """Half with the queen, half with the rook, for White and for Black."""
    game = Chess()
    test = set(zip(splits["test"].own.tolist(), splits["test"].opponent.tolist(), strict=True))
    found = lines("chess", "endings")
    seats = []
    for line in found:
        state = game.decode(line.start)
        seats.append(game.to_move(state))
        board = tuple(np.array([side], np.uint64) for side in FORM.board(state, seats[-1]))
        own, opponent, _ = plainest(FORM, *board)
        assert (int(own[0]), int(opponent[0])) in test
        assert line.name.endswith(f"-mate-in-{moves_to_mate(FORM.scores(*board).max(axis=1))[0]}")
    assert len(found) == 80
    assert seats.count(Seat.FIRST) == seats.count(Seat.SECOND) == 40


def test_places_of_moves_that_cannot_be_are_not_read_and_change_nothing_for_others(splits):
    """A board's answers are the same alone and among others, with a lone king, a rook or a queen to move."""
    model, some = small(CHESS), splits["validation"].take(slice(0, None, 30))
    together = read(model, some.own, some.opponent)
    for index in range(len(some)):
        alone = read(model, some.own[index : index + 1], some.opponent[index : index + 1])
        assert np.allclose(alone.mean[0], together.mean[index], atol=1e-6)
    beyond = (
        block_of(FORM, some.own, some.opponent)[:, -FORM.words.moves :] == FORM.words.first_content + FORM.words.nothing
    )
    for first in (8, 24):
        without = beyond[:, first:].all(axis=1)
        assert without.sum() > 5
        assert not together.legal[without, first:].any()
    assert (read_blocks(model, block_of(FORM, some.own, some.opponent)).mode == together.mode).all()


def test_tokens_are_counted_as_they_are_read(inference):
    """A lone king has 8 places of moves, a rook 24, a queen 40; behind 2 and the board's 4, which answer nothing."""
    for men, read_, written in (("k", 14, 10), ("R", 30, 26), ("Q", 46, 42)):
        fen = "8/8/8/8/4k3/8/1R6/K7 b - - 0 1" if men == "k" else f"8/8/8/8/4k3/8/1{men}6/K7 w - - 0 1"
        question = Question(FORM.board(fen, Seat.SECOND if men == "k" else Seat.FIRST), game=CHESS)
        (found,) = inference.answer([Request(messages=(Message("user", question_text(question)),))])
        assert (found.spend.prompt_tokens, found.spend.completion_tokens) == (read_, written)


def test_reading_all_images_gives_every_image_the_same_answers(splits):
    """Moves turned with the board."""
    model, some = small(CHESS), splits["validation"].take(slice(0, 12))
    straight = read(model, some.own, some.opponent, both_ways=True)
    for image in (3, 6):
        moves = FORM.image_moves(some.own, some.opponent, image)
        turned = read(model, *FORM.image(some.own, some.opponent, image), both_ways=True)
        there = np.take_along_axis(some.scores, moves, axis=1) != ILLEGAL
        expected = np.take_along_axis(straight.mean, moves, axis=1)
        assert np.allclose(turned.mean[there], expected[there], atol=1e-5)


class TestTraining:
    """Training runs."""

    def test_a_run_that_was_killed_ends_with_the_same_weights(self, folder):
        """In mid-training, with both tasks."""
        weights = same_when_killed(tiny(CHESS, data={"chunks": 2}, validation=100), folder)
        assert load_weights(weights).config.game == CHESS

    def test_texts_are_refused_for_chess_at_load(self):
        """No searches are written about it either."""
        with pytest.raises(
            ValueError, match=r"searches are written about connect_four and hex\(size=5\) only; chess is"
        ):
            tiny(
                CHESS,
                data={"chunks": 2},
                validation=100,
                stages=[{"name": "writing", "steps": 2, "tasks": {"text": 1.0}}],
            )

    def test_turning_boards_over_can_be_learned(self, splits):
        """A hundred small steps bring the loss far down."""
        losses = losses_of_turning(CHESS, splits["train"], batch=64)
        assert losses[-1] < losses[0] / 2


def test_a_question_about_another_game_is_refused_by_these_weights(inference):
    """And a search that they would write themselves."""
    other, internal = (
        inference.answer([Request(messages=(Message("user", question_text(question)),))])[0]
        for question in (Question((0, 0)), Question(FORM.board(MATE, Seat.FIRST), search=(1, 2), game=CHESS))
    )
    assert str(other) == "these weights play chess, not connect_four"
    assert isinstance(internal, ModelError)
    assert "writes searches of connect_four and hex(size=5) only" in str(internal)


@pytest.fixture(scope="module")
def model():
    """The weights that ship."""
    return load_weights(shipped_weights(CHESS))


class TestShippedWeights:
    """What the weights reach on positions of the test split."""

    def test_states_and_legal_moves_are_exact(self, model, splits):
        """After a possible move drawn at random; and exactly the possible moves are told as such."""
        some = splits["test"].take(slice(0, None, 6))
        legal = some.scores != ILLEGAL
        assert (read(model, some.own, some.opponent).legal == legal).all(axis=1).mean() >= 0.99
        moves = np.where(legal, np.random.default_rng(1).random(legal.shape), -1.0).argmax(axis=1)
        told, true = turned_boards(model, some.own, some.opponent, moves), FORM.play(some.own, some.opponent, moves)
        assert ((told[0] == true[0]) & (told[1] == true[1])).mean() >= 0.995

    def test_the_move_of_the_highest_mean_value_mostly_keeps_the_result(self, model, splits):
        """In all positions, and where some move throws it away."""
        some = splits["test"].take(slice(0, None, 6))
        chosen = np.where(some.scores != ILLEGAL, read(model, some.own, some.opponent).mean, -1.0).argmax(axis=1)
        right, fateful = kept(some.scores, chosen), decisive(some.scores)
        assert fateful.sum() > 150
        assert right.mean() >= 0.995
        assert right[fateful].mean() >= 0.99

    def test_they_mate_at_once_through_the_seam_of_all_models(self):
        """Read from the package, in the arena's chess, with either colour."""
        model = game_lm("m", {"max_batch": 1})
        try:
            for fen, seat in ((MATE, Seat.FIRST), (MATE.swapcase().replace(" W ", " b "), Seat.SECOND)):
                seats = [player(), ScriptedAgent.of_moves("y", ["h8g8"] * 30)]
                verdict, _ = play_one(From(fen), *(seats if seat is Seat.FIRST else seats[::-1]), models={"m": model})
                assert (verdict.winner, verdict.reason) == (seat, "checkmate")
        finally:
            model.close()
