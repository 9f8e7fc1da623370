"""What is imported is what comes back: the file's words beside the positions and verdicts of our rules."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratarena.arena.replay import replay
from stratarena.arena.store import Provenance
from stratarena.arena.transcript import transcribe
from stratarena.db.connect import open_database
from stratarena.db.errors import RecordError
from stratarena.db.importer import import_games
from stratarena.db.reader import Reader
from stratarena.db.records import Origin
from stratarena.games.notation.record import Evaluation, GameRecord, NotedMove, Result
from stratarena.games.plugins import load_game

PROVENANCE = Provenance(program_version="0", source_revision=None, python_version="3", packages={})
tricky = st.text(st.characters(exclude_categories=[]), max_size=60)
names = st.none() | st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1, max_size=60).filter(lambda name: name != "?")  # fmt: skip


@st.composite
def records(draw):
    """Random games with notes, from random positions."""
    game = load_game(draw(st.sampled_from(["chess", "connect_four", "hex(size=4, swap=true)"])))
    rng = Random(draw(st.integers(0, 999)))
    state, moves, start = game.initial(Random(0)), [], None
    for _ in range(rng.randrange(40)):
        if game.outcome(state) is not None:
            break
        move = rng.choice(game.legal_moves(state))
        state = game.play(state, move)
        value = st.none() | st.builds(
            Evaluation, centipawns=st.integers(-999, 999), depth=st.none() | st.integers(0, 99)
        )
        moves.append(NotedMove(move=move) if rng.random() < 0.8 else NotedMove(
            move=move, comment=draw(tricky), nags=tuple(draw(st.lists(st.integers(0, 255), max_size=2))),
            clock_ms=draw(st.none() | st.integers(0, 10**12)), evaluation=draw(value),
        ))  # fmt: skip
        if len(moves) == 10 and rng.random() < 0.3:
            start, moves = game.encode(state), []
            state = game.decode(start)
    return GameRecord(
        game=game.id, start=start, moves=tuple(moves), first=draw(names), second=draw(names),
        result=draw(st.sampled_from(Result)), comment=draw(tricky), headers=(("Event", "e"),),
    )  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(found=st.lists(records(), min_size=1, max_size=4))
def test_what_is_imported_is_what_comes_back(tmp_path_factory, found):
    """The record of every game, whatever its comments and names; its replay, digests and verdict agree with the rules."""
    engine = open_database(str(tmp_path_factory.mktemp("db") / "x.db"), create=True)
    _import_and_compare(engine, found)
    engine.dispose()


def test_what_is_imported_is_what_comes_back_on_either_database(database):
    """SQLite and, where it is installed, PostgreSQL; long names are kept whole."""
    record = GameRecord(
        game="chess", first="x" * 300, second="x" * 300 + "y", comment="a\x00b\ud800", result=Result.DRAWN,
        moves=(NotedMove(move="e2e4", comment="\x00", clock_ms=10**12, evaluation=Evaluation(mate=-3)),),
    )  # fmt: skip
    _import_and_compare(database, [record, record])


def _import_and_compare(engine, found):
    origin = Origin(file="f", sha256="0" * 64, format="jsonl", encoding="utf-8", n_refused=0)
    transcripts = [transcribe(record, load_game(record.game)) for record in found]
    assert import_games(engine, [None, *transcripts], name="t", origin=origin, provenance=PROVENANCE) == len(found)
    reader = Reader(engine)
    tournament = reader.tournament("t")
    assert tournament.origin is not None and tournament.origin.n_refused == 1
    matches = reader.matches(tournament)
    assert [reader.imported_game(match) for match in matches] == found
    for match, transcript in zip(matches, transcripts, strict=True):
        frames = list(
            replay(
                load_game(match.game), key=match.key, start=match.start, opening_moves=match.opening_moves,
                events=reader.events(match.match_id),
            )
        )  # fmt: skip
        assert [frame.digest for frame in frames[1:]] == list(transcript.digests)
        assert frames[-1].verdict == match.verdict == transcript.verdict
        assert match.first != match.second
        assert len(match.first) <= 40
    with pytest.raises(RecordError, match="imported before"):
        import_games(engine, transcripts, name="u", origin=origin, provenance=PROVENANCE)


def test_players_without_a_plain_name_get_one(tmp_path):
    """No name, the same name twice, and marks that turn the line around; the file's own words are kept."""
    engine = open_database(str(tmp_path / "x.db"), create=True)
    found = [
        GameRecord(game="connect_four", first=first, second=second)
        for first, second in ((None, "A"), (None, None), ("A", "A"), ("\u202eA", "\u200b"))
    ]
    origin = Origin(file="f", sha256="0" * 64, format="jsonl", encoding="utf-8", n_refused=0)
    transcripts = [transcribe(record, load_game("connect_four")) for record in found]
    import_games(engine, transcripts, name="t", origin=origin, provenance=PROVENANCE)
    matches = Reader(engine).matches(Reader(engine).tournament("t"))
    assert [(match.first, match.second) for match in matches] == [
        ("unknown", "A"), ("unknown (first)", "unknown (second)"), ("A (first)", "A (second)"), ("A", "unknown"),
    ]  # fmt: skip
    assert [Reader(engine).imported_game(match) for match in matches] == found
    engine.dispose()


def test_an_interrupted_import_leaves_nothing(tmp_path):
    """An error in the middle of the file undoes the games before it."""
    engine = open_database(str(tmp_path / "x.db"), create=True)

    def games():
        yield transcribe(GameRecord(game="connect_four", moves=(NotedMove(move="4"),)), load_game("connect_four"))
        raise KeyboardInterrupt

    origin = Origin(file="f", sha256="0" * 64, format="jsonl", encoding="utf-8", n_refused=0)
    with pytest.raises(KeyboardInterrupt):
        import_games(engine, games(), name="t", origin=origin, provenance=PROVENANCE)
    assert Reader(engine).tournaments() == ()
    assert import_games(engine, [next(games())], name="t", origin=origin, provenance=PROVENANCE) == 1
    engine.dispose()
