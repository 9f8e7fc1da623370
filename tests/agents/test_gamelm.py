"""The game language model: texts and traces, training that resumes, weights that open through transformers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

pytest.importorskip("torch", reason="the torch extra is not installed")
pytest.importorskip("transformers", reason="the torch extra is not installed")
pytest.importorskip("bitbully", reason="the connect-four extra is not installed")

import numpy as np
import torch
from game_models import losses_of

from stratarena.agents.gamelm import columns, texts
from stratarena.agents.gamelm.connect_four_form import FORM
from stratarena.agents.gamelm.connect_four_positions import ILLEGAL, Labelled
from stratarena.agents.gamelm.forms import NotInterchange
from stratarena.agents.gamelm.interchange import example_text, example_tokens, without_reports
from stratarena.agents.gamelm.layout import layout_of
from stratarena.agents.gamelm.mechanics import mechanics
from stratarena.agents.gamelm.network import GameLm, GameLmConfig
from stratarena.agents.gamelm.positions import Positions
from stratarena.agents.gamelm.reading import CONNECT_FOUR, read, read_logits
from stratarena.agents.gamelm.texts import draw_examples, draw_traces, lesson_of, text_loss
from stratarena.agents.gamelm.trace_reading import BrokenTrace, check, read_trace
from stratarena.agents.gamelm.trace_text import trace_text, trace_tokens
from stratarena.agents.gamelm.traces import grow, prompt, write_trace
from stratarena.agents.gamelm.training import TrainingConfig, load_config, make_data, train, write_weights
from stratarena.agents.gamelm.writer import write
from stratarena.agents.params import checked_params
from stratarena.games.base import SpecError

SMALL = {"hidden_size": 32, "layers": 2, "heads": 2}


@pytest.fixture(scope="module", autouse=True)
def _one_thread():
    """More threads than cores are slower."""
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def model():
    """A small untrained model."""
    torch.manual_seed(3)
    return GameLm(
        GameLmConfig(vocab_size=CONNECT_FOUR.size, hidden_size=32, num_hidden_layers=2, num_attention_heads=2)
    ).eval()


@pytest.fixture(scope="module")
def some():
    """Thirty boards of random play without a line."""
    rng, own, opponent = Random(1), [], []
    while len(own) < 30:
        mine, theirs = np.zeros(1, np.uint64), np.zeros(1, np.uint64)
        for _ in range(rng.randrange(30)):
            mine, theirs = columns.play(mine, theirs, np.array([rng.randrange(7)]))
            if not columns.room(mine, theirs).all() or columns.lines(theirs)[0]:
                break
        else:
            own.append(mine[0])
            opponent.append(theirs[0])
    return np.array(own, np.uint64), np.array(opponent, np.uint64)


def traces(model, some, depth, breadth):
    """Traces over these boards with the positions they began from."""
    roots = grow(FORM, *some, depth=depth, breadth=breadth, read=lambda own, opponent: read(model, own, opponent))
    return [(write_trace(root, depth=depth, breadth=breadth).tokens, root) for root in roots]


class TestTraces:
    """Search traces."""

    @pytest.mark.parametrize(("depth", "breadth"), [(0, 1), (1, 3), (2, 2)])
    def test_a_trace_is_right_in_every_point_that_is_checked(self, model, some, depth, breadth):
        """States by the rules, values carried back as mirrors, selections the best, the shape that was asked for."""
        for tokens, root in traces(model, some, depth, breadth):
            found = check(read_trace(FORM, tokens), root.own, root.opponent)
            assert found.asked_shape
            assert found.children == found.legal == found.local == found.true == found.backups == found.consistent
            assert found.selections == found.selected_best
            assert found.judged == found.judged_right > 0
            assert found.judged_off == 0

    def test_a_leaf_is_worth_the_middle_of_what_it_and_its_parent_say_of_it(self, model, some):
        """By whole numbers of buckets, each judgment seen by the leaf's mover; a root is judged once."""
        for _, root in traces(model, some, 1, 3):
            assert root.told is None
            for move, leaf in root.children:
                if leaf.report.status == "<going>":
                    best = max(value for value in leaf.report.values if value is not None)
                    assert leaf.value()[1] == -(-(best + 65 - root.report.values[move]) // 2)

    def test_a_value_of_a_leaf_that_is_off_is_counted_with_how_far(self, model, some):
        """The move it selects may still be right."""
        ((tokens, root),) = traces(model, tuple(part[:1] for part in some), 1, 1)
        trace = read_trace(FORM, tokens)
        leaf = trace.root.children[0][1]
        assert leaf.status == "<going>"
        leaf.value += 3 if leaf.value < 60 else -3
        found = check(trace, root.own, root.opponent)
        assert (found.judged, found.judged_right, found.judged_off) == (1, 0, 3)
        assert found.selections == found.selected_best == 2
        assert found.backups == 1
        assert found.consistent == 0

    def test_a_trace_and_its_text_tell_the_same(self, model, some):
        """From tokens to text and back, and from text to tokens and back."""
        for tokens, _ in traces(model, some, 2, 2):
            text = trace_text(FORM, tokens)
            assert trace_tokens(FORM, text) == tokens
            assert trace_text(FORM, trace_tokens(FORM, text)) == text

    def test_a_wrong_value_carried_back_and_a_wrong_board_are_found(self, model, some):
        """Each change by hand costs exactly its own check."""
        tokens, root = next((t, r) for t, r in traces(model, some, 1, 2) if r.children)
        words = CONNECT_FOUR
        at = tokens.index(words["<back>"]) + 2
        back = tokens[at] - words.first_value
        changed = [*tokens[:at], words.first_value + (back + 1) % 64, *tokens[at + 1 :]]
        found = check(read_trace(FORM, changed), root.own, root.opponent)
        assert found.consistent == found.backups - 1
        assert found.true == found.children
        at = tokens.index(words["<child>"]) + 2
        changed = [*tokens[:at], words.first_content + 5, *tokens[at + 1 :]]
        found = check(read_trace(FORM, changed), root.own, root.opponent)
        assert found.true == found.local == found.children - 1

    def test_a_broken_trace_says_where(self, model, some):
        """The first token that does not fit is named."""
        tokens, _ = traces(model, some, 0, 1)[0]
        with pytest.raises(BrokenTrace, match="token 1: expected <search>"):
            read_trace(FORM, [tokens[0], *tokens[2:]])
        with pytest.raises(BrokenTrace, match="found the end"):
            read_trace(FORM, tokens[:-1])

    def test_a_closed_child_is_seen_by_its_move_and_selection_only(self, model, some):
        """The stack: after a child is closed nothing of its board is visible to what follows."""
        tokens, _ = next((t, r) for t, r in traces(model, some, 1, 2) if len(r.children) == 2)
        words, laid = CONNECT_FOUR, layout_of(CONNECT_FOUR, tokens)
        back = tokens.index(words["<back>"])
        opened = tokens.index(words["<child>"])
        seen = {tokens[index] for index in np.flatnonzero(laid.visible[back + 1]) if opened < index < back}
        assert not any(token >= words.first_content for token in seen)
        assert words["<select>"] in seen
        assert laid.visible[back + 1, :opened].all()

    def test_what_remains_of_two_closed_children_can_be_told_apart(self, model, some):
        """A set has no order: moves and values carried back have places by the number of the child."""
        tokens, root = next((t, r) for t, r in traces(model, some, 1, 3) if len(r.children) == 3)
        words, laid = CONNECT_FOUR, layout_of(CONNECT_FOUR, tokens)
        for tag, after in (("<child>", 1), ("<back>", 1), ("<back>", 2)):
            at = [index + after for index, token in enumerate(tokens) if token == words[tag]]
            assert len({int(laid.slots[index]) for index in at}) == len(at) == len(root.children)
        assert laid.slots.max() < GameLmConfig().max_slots


class TestMechanics:
    """What is measured of written texts."""

    def test_a_model_that_knows_nothing_writes_no_true_board_and_its_searches_cannot_be_read(self, model, some):
        """A broken search counts as one false child and a wrong shape; what it does not have is counted nowhere."""
        scores = np.where(columns.room(*some), 0, ILLEGAL).astype(np.int8)
        found = mechanics(model, Positions(*some, scores), 6)
        assert (found.next_state, found.child_states, found.shapes) == (0, 0, 0)
        assert found.backups is None

    def test_noise_changes_values_and_nothing_else(self, model, some, monkeypatch):
        """Traces over noisy values are still right in every point: boards by the rules, decisions by what is written."""
        monkeypatch.setattr(texts, "NOISES", (0.4,))
        rng = np.random.default_rng(4)
        for text in draw_traces(model, *some, rng):
            trace = read_trace(FORM, text.tokens)
            found = check(trace, *FORM.board_of(trace.root.board))
            assert found.asked_shape
            assert found.children == found.true
            assert found.backups == found.consistent
            assert found.selections == found.selected_best
            assert found.judged == found.judged_right


class TestExamples:
    """MAV examples."""

    def test_an_example_and_its_text_tell_the_same(self, model, some):
        """Tokens to text and back for many drawn examples, with every command among them."""
        rng, seen = np.random.default_rng(0), ""
        for _ in range(20):
            for text in draw_examples(model, *some, rng):
                told = example_text(text.tokens)
                assert example_tokens(told) == without_reports(text.tokens)
                assert example_text(example_tokens(told)) == told
                seen += told
        for command in ("%prev_action", "%top_all", "%top_3", "%best_action"):
            assert command in seen

    def test_the_published_form_is_read(self):
        """A finished game written by hand: the first player has four in a row, the second is to move."""
        text = (
            "<mav game=connect_four> %state %top_1 </mav>\n\n"
            "[%state o || . . x x x x . . . o o o . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . ||]\n\n"
            '[%top_1 invalid : "1-0"]\n'
        )
        assert example_text(example_tokens(text)) == text
        assert CONNECT_FOUR["<lost>"] in example_tokens(text)

    @pytest.mark.parametrize(
        ("change", "said"),
        [
            (("game=connect_four", "game=go"), "expected <mav game=connect_four>"),
            (("||]\n\n", "|]\n\n"), "is no state"),
            (("1-0", "2-0"), "is no result"),
            (("%top_1 invalid", "%top_1 d:<ctrl65>  invalid"), "no valued move"),
        ],
    )
    def test_a_foreign_text_is_refused_with_what_was_expected(self, change, said):
        """No guess is made."""
        text = (
            "<mav game=connect_four> %state %top_1 </mav>\n\n"
            "[%state o || . . x x x x . . . o o o . . . . . . . . . . . . . . . . . . . . . . . . . . . . . . ||]\n\n"
            '[%top_1 invalid : "1-0"]\n'
        )
        with pytest.raises(NotInterchange, match=said):
            example_tokens(text.replace(*change))


class TestNetwork:
    """The network and its two ways of attention."""

    def test_side_by_side_writing_is_what_one_whole_pass_says(self, model, some):
        """Every written token is the likeliest by a pass over the whole text without any memory."""
        prompts = [prompt(FORM, int(own), int(other), depth=1, breadth=2) for own, other in zip(*some, strict=True)][:6]
        for written in write(model, prompts, max_tokens=60):
            logits = model(torch.tensor([written.tokens])).logits[0].detach()
            laid, words = layout_of(CONNECT_FOUR, written.tokens), CONNECT_FOUR
            for index in range(written.n_prompt + 9, len(written.tokens)):
                slot = int(laid.slots[index])
                if slot < 2 + words.places:
                    continue  # boards are constrained to places, reports are read
                best = float(logits[index - 1].max())
                assert float(logits[index - 1, written.tokens[index]]) == pytest.approx(best, abs=1e-4)

    def test_reading_does_not_depend_on_what_is_read_beside_it(self, model, some):
        """A batch gives what each board alone gives."""
        together = read(model, *some)
        for index in range(3):
            alone = read(model, some[0][index : index + 1], some[1][index : index + 1])
            assert alone.mean[0] == pytest.approx(together.mean[index], abs=1e-5)

    def test_reading_both_ways_is_symmetric(self, model, some):
        """A position and its mirror image get mirrored values."""
        straight = read(model, *some, both_ways=True)
        turned = read(model, columns.mirrored(some[0]), columns.mirrored(some[1]), both_ways=True)
        assert turned.mean[:, ::-1] == pytest.approx(straight.mean, abs=1e-5)

    def test_weights_open_through_transformers(self, model, some, tmp_path):
        """`AutoModelForCausalLM` gives the same logits, up to the half precision of the file, and can generate."""
        from transformers import AutoModelForCausalLM

        write_weights(model, tmp_path / "w")
        opened = AutoModelForCausalLM.from_pretrained(tmp_path / "w", dtype=torch.float32).eval()
        assert type(opened) is GameLm
        block = torch.arange(9)[None]
        with torch.inference_mode():
            assert torch.allclose(read_logits(opened, block), read_logits(model, block), atol=2e-3)
        tokens = traces(model, some, 0, 1)[0][0][:-4]
        longer = opened.generate(torch.tensor([tokens]), max_new_tokens=3, do_sample=False)
        assert longer.shape[1] == len(tokens) + 3

    def test_texts_that_are_asked_for_can_be_learned(self, some):
        """Sixty steps over the same traces bring the loss far down."""
        torch.manual_seed(0)
        learner = GameLm(GameLmConfig(vocab_size=CONNECT_FOUR.size, hidden_size=32, num_hidden_layers=2))
        lessons = [lesson_of(CONNECT_FOUR, text) for text in draw_traces(learner, *some, np.random.default_rng(0))]
        losses = losses_of(learner, 60, lambda: text_loss(learner, lessons), rate=5e-3)
        assert losses[-1] < losses[0] / 3


def tiny(**changes):
    """A training of seconds, with both kinds of stages."""
    return TrainingConfig.model_validate(
        {
            "name": "tiny",
            "data": {"chunks": 1, "games": 40},
            "model": SMALL,
            "validate_every": 4,
            "validation": 50,
            "stages": [
                {"name": "reading", "steps": 6, "batch": 16, "warm_up": 2},
                {
                    "name": "writing",
                    "steps": 6,
                    "batch": 16,
                    "warm_up": 2,
                    "tasks": {"reading": 0.3, "text": 0.2, "traces": 0.3, "choices": 0.2},
                },
            ],
            **changes,
        }
    )


def curve(points):
    """The columns that must not differ from run to run: all but the time."""
    return [replace(point, cpu_s=0.0) for point in points]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A run that was never stopped, with its folder, where the data are, too."""
    folder = tmp_path_factory.mktemp("training")
    return train(tiny(), data=folder / "positions", folder=folder / "whole"), folder


class TestTraining:
    """Training runs."""

    @pytest.mark.parametrize("killed_after", [3, 6, 9])
    def test_a_run_that_was_killed_ends_with_the_same_curve(self, whole, killed_after):
        """Killed within a stage, between two, or in the second: what the last checkpoint lacks is done again."""
        points, folder = whole
        where = folder / f"killed-{killed_after}"
        train(tiny(), data=folder / "positions", folder=where, stop_after=killed_after, checkpoint_s=0)
        resumed = train(tiny(), data=folder / "positions", folder=where)
        assert curve(resumed) == curve(points)
        weights = [torch.load(at / "checkpoint.pt", weights_only=False)["model"] for at in (where, folder / "whole")]
        assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])

    def test_a_budget_of_time_stops_with_weights_and_goes_on_to_the_same_curve(self, whole):
        """Out of time after the first step, there are weights; without the budget the curve is as if never stopped."""
        points, folder = whole
        where = folder / "budget"
        assert train(tiny(), data=folder / "positions", folder=where, budget_s=1e-6) == []
        assert (where / "weights" / "model.safetensors").exists()
        assert curve(train(tiny(), data=folder / "positions", folder=where)) == curve(points)

    def test_the_curve_tells_what_is_written_once_texts_are_learned(self, whole):
        """Without texts in a stage their columns are empty; with them all are shares."""
        points, _ = whole
        for point in points:
            written = (point.next_state, point.child_states, point.shapes)
            assert 0 <= point.legal_set <= 1
            assert all(share is None if point.stage == "reading" else 0 <= share <= 1 for share in written)

    def test_a_finished_run_is_not_run_again(self, whole):
        """The same command after the end gives the curve and trains nothing."""
        points, folder = whole
        assert train(tiny(), data=folder / "positions", folder=folder / "whole") == points

    def test_another_files_checkpoint_is_refused(self, whole):
        """Going on with other settings would be neither run."""
        _, folder = whole
        with pytest.raises(SpecError, match="belongs to another training file"):
            train(tiny(seed=2), data=folder / "positions", folder=folder / "whole")

    def test_a_finished_run_goes_on_with_a_stage_that_was_added(self, whole, tmp_path):
        """Training longer is one more stage in the file; what was begun may not change."""
        points, folder = whole
        where = tmp_path / "longer"
        train(tiny(), data=folder / "positions", folder=where)
        stages = tiny().model_dump(mode="json")["stages"]
        more = [*stages, {**stages[0], "name": "more"}]
        longer = train(tiny(stages=more), data=folder / "positions", folder=where)
        assert curve(longer)[: len(points)] == curve(points)
        assert longer[-1].stage == "more"
        with pytest.raises(SpecError, match="Only stages that it has not begun may change"):
            train(tiny(stages=[{**stages[0], "steps": 7}]), data=folder / "positions", folder=where)

    def test_training_goes_on_from_weights(self, whole):
        """`start` takes the weights of a folder, in half precision as they are shipped."""
        _, folder = whole
        again = tiny(name="again", start=str(folder / "whole" / "weights"))
        train(again, data=folder / "positions", folder=folder / "again", stop_after=1)
        other = tiny(name="other", start=str(folder / "whole" / "weights"), model={**SMALL, "layers": 1})
        with pytest.raises(SpecError, match="another shape"):
            train(other, data=folder / "positions", folder=folder / "other")

    def test_a_models_own_games_are_labelled_exactly_and_made_once(self, whole):
        """Its games are legal, their labels are those of the generator of mixed games, and the file is named after the weights."""
        _, folder = whole
        weights = str(folder / "whole" / "weights")
        own = tiny(name="own", start=weights, data={"chunks": 1, "games": 40, "own_games": 6})
        *_, path = make_data(own, folder / "positions")
        with np.load(path) as held:
            made = Labelled(held["own"], held["opponent"], held["scores"])
        assert len(made.own) > 20
        assert ((made.scores != ILLEGAL) == columns.room(made.own, made.opponent)).all()
        assert not columns.lines(made.opponent).any()
        for column in range(7):
            able = columns.room(made.own, made.opponent)[:, column]
            after = columns.play(made.own[able], made.opponent[able], np.full(int(able.sum()), column))
            assert (made.scores[able, column][columns.lines(after[1])] > 0).all()
        before = path.stat().st_mtime_ns
        assert make_data(own, folder / "positions")[-1] == path
        assert path.stat().st_mtime_ns == before
        with pytest.raises(SpecError, match="own_games"):
            checked_params(TrainingConfig, {**own.model_dump(mode="json"), "start": None}, where="t.toml")

    def test_a_file_with_a_mistake_is_refused_with_its_name(self, tmp_path):
        """Every mistake of a training file is named at load."""
        file = tmp_path / "t.toml"
        file.write_text('name = "x"\nstages = []\n[data]\nchunks = 0\ngames = 1\n')
        with pytest.raises(SpecError, match=r"t\.toml"):
            load_config(file)


@pytest.mark.slow
def test_training_from_scratch_learns_to_play(tmp_path):
    """Within five CPU minutes, data included: the result is kept in 80 % of unseen positions, 60 % of decisive ones.

    A model that knows nothing keeps it in about 72 % and 49 %.
    """
    config = TrainingConfig.model_validate(
        {
            "name": "five-minutes",
            "data": {"chunks": 2, "games": 1000},
            "model": {"hidden_size": 128, "layers": 4, "heads": 4},
            "validate_every": 150,
            "stages": [{"name": "reading", "steps": 600, "batch": 128, "learning_rate": 2e-3}],
        }
    )
    points = train(config, data=tmp_path / "positions", folder=tmp_path / "run")
    assert points[-1].cpu_s < 300
    assert points[-1].kept > 0.80
    assert points[-1].kept_decisive is not None
    assert points[-1].kept_decisive > 0.60


def test_every_training_file_of_the_examples_is_one_and_begins_where_another_ends():
    """Names are the folders; `start` is the weights of a training that the examples tell, too."""
    folder = Path(__file__).parents[2] / "examples" / "training"
    files = {path.stem: load_config(path) for path in folder.glob("*.toml")}
    assert files
    for stem, config in files.items():
        assert config.name == stem
        if config.start is not None:
            before = Path(config.start).parent.name
            assert config.start == f"training/{before}/weights"
            assert files[before].game == config.game
            assert files[before].model == config.model
