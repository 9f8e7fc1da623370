"""Games as text and back: nothing is lost, nothing is mended, and whatever a stranger wrote is a game or one clear error."""

from __future__ import annotations

import io
import logging
import re
import sys
import time
from random import Random

import chess
import chess.pgn
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from stratarena.games.base import SpecError
from stratarena.games.notation.formats import FORMATS, format_of
from stratarena.games.notation.record import Evaluation, GameRecord, NotationError, NotedMove, Result
from stratarena.games.notation.remarks import Remark, read_remark, write_remark
from stratarena.games.notation.source import Lines, lines_of
from stratarena.games.plugins import load_game, parse_spec

RELAXED = settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
PIECES = ("}", "{", "[", "]", "[%clk 0:00:01]", "[%eval 0.1]", "[%quoted x]", "%41", "\\", '"', "\n", "\n\n", "\r", "\n%", ";", " ", "é", "日本", "\ud800", "\u2028", "(")  # fmt: skip
any_text = st.text(st.characters(exclude_categories=[]), max_size=30)
tricky = st.lists(st.sampled_from(PIECES) | any_text, max_size=6).map("".join)
comments = st.just("") | tricky
words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=20)
players = st.none() | words.filter(lambda name: name not in ("", "?"))
times = st.none() | st.integers(0, 10**15 - 1)
depths = st.none() | st.integers(0, 9999)
evaluations = (
    st.none()
    | st.builds(Evaluation, centipawns=st.integers(-999_999_999, 999_999_999), depth=depths)
    | st.builds(Evaluation, mate=st.integers(-9999, 9999), depth=depths)
)
header_names = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_+#=:-]{0,8}", fullmatch=True).filter(
    lambda name: name not in ("White", "Black", "Result", "Variant", "SetUp", "FEN")
) | st.sampled_from(["Event", "Site", "Date", "Round", "Termination", "game", "moves", "first", "SZ", "GC", "RU", "HD"])
headers = st.dictionaries(
    header_names, words.filter(bool) | st.sampled_from(["2024.01.02", "resignation", "void", "a:b]\\"]), max_size=5
)


@st.composite
def records(draw, specs):
    """Random games of ours from random positions, with everything a record can hold."""
    spec = draw(st.sampled_from(specs))
    game = load_game(spec)
    rng = Random(draw(st.integers(0, 2**32)))
    state = game.initial(Random(0))

    def step(state):
        legal = game.legal_moves(state)
        # Swaps are what is easily got wrong, and a random player would seldom make one.
        move = "swap" if "swap" in legal and rng.random() < 0.5 else rng.choice(legal)
        return move, game.play(state, move)

    start = None
    if draw(st.booleans()):
        for _ in range(draw(st.integers(0, 30))):
            if game.outcome(state) is None:
                _, state = step(state)
        start = game.encode(state)
        state = game.decode(start)
        start = None if start == game.encode(game.initial(Random(0))) else start
    moves = []
    for _ in range(draw(st.integers(0, 30))):
        if game.outcome(state) is None:
            move, state = step(state)
            moves.append(
                NotedMove(
                    move=move,
                    comment=draw(comments),
                    nags=tuple(draw(st.lists(st.integers(0, 255), max_size=3))),
                    clock_ms=draw(times),
                    elapsed_ms=draw(times),
                    evaluation=draw(evaluations),
                )
                if draw(st.booleans())
                else NotedMove(move=move)
            )
    found = draw(headers)
    return GameRecord(
        game=game.id,
        start=start,
        moves=tuple(moves),
        first=draw(players),
        second=draw(players),
        result=draw(st.sampled_from(Result)),
        headers=tuple(item for item in found.items() if item not in (("Event", "?"), ("Site", "?"), ("Round", "?"))),
        comment=draw(comments),
    )


HELD = [
    ("pgn", ["chess"]),
    ("sgf", ["hex(size=3)", "hex(size=5, swap=true)"]),
    ("moves", ["chess", "connect_four", "hex(size=4, swap=true)"]),
    ("jsonl", ["chess", "connect_four", "hex(size=4, swap=true)"]),
]


def written(form, *found):
    return FORMATS[form].between.join(FORMATS[form].write(record) for record in found)


def read(form, text, **more):
    return list(FORMATS[form].read(lines_of(text), **more))


def errors(form, text, **more):
    return [found for found in read(form, text, **more) if isinstance(found, NotationError)]


@pytest.fixture(autouse=True)
def _sgfmill(request):
    if "sgf" in request.node.name:
        pytest.importorskip("sgfmill", reason="the sgf extra is not installed")


@pytest.mark.parametrize(("form", "specs"), HELD, ids=[form for form, _ in HELD])
@RELAXED
@given(data=st.data())
def test_a_record_written_and_read_is_the_record(form, specs, data):
    """Record to text to record, and text to record to text, for one game and for a file of several; UTF-8 holds all."""
    found = data.draw(st.lists(records(specs), min_size=1, max_size=3))
    text = written(form, *found)
    text.encode("utf-8")
    again = read(form, text)
    assert again == found
    assert written(form, *again) == text


@RELAXED
@given(
    remark=st.builds(
        Remark, comment=comments, clock_ms=times, elapsed_ms=times, evaluation=evaluations,
        nags=st.lists(st.integers(0, 255), max_size=3).map(tuple),
    )
)  # fmt: skip
def test_a_remark_written_and_read_is_the_remark(remark):
    """Whatever the comment is, braces, commands and lone surrogates included."""
    text = write_remark(remark)
    assert read_remark(text) == remark
    assert "}" not in text


@pytest.mark.parametrize(
    ("text", "remark"),
    [
        ("[%eval 0.17,12] [%clk 0:09:58.5] good", Remark("good", 598_500, None, Evaluation(centipawns=17, depth=12))),
        ("[%eval #-3]", Remark(evaluation=Evaluation(mate=-3))),
        ("[%eval -0.05]", Remark(evaluation=Evaluation(centipawns=-5))),
        ("[%emt 1:00:00]then[%clk 2:00:00]", Remark("then", 7_200_000, 3_600_000)),
        ("[%eval 1.0] [%eval 2.0]", Remark("[%eval 2.0]", None, None, Evaluation(centipawns=100))),
        ("[%clk 0:99:00] [%eval ?]", Remark("[%clk 0:99:00] [%eval ?]")),
        ("[%csl Ga1,Rb2] x", Remark("[%csl Ga1,Rb2] x")),
        ("[%quoted a%7Db%0A]", Remark("a}b\n")),
        ("[%quoted %FF]", Remark("[%quoted %FF]")),
    ],
)
def test_commands_are_read_as_the_field_writes_them(text, remark):
    """What is not well formed stays text, letter by letter."""
    assert read_remark(text) == remark


@RELAXED
@given(record=records(["chess"]))
def test_python_chess_reads_our_pgn_as_the_same_game(record):
    """Moves, start, names, glyphs, clocks and evaluations, without an error of its own."""
    game = chess.pgn.read_game(io.StringIO(written("pgn", record)))
    assert game.errors == []
    board = game.board()
    assert board.fen() == (record.start or chess.STARTING_FEN)
    assert [move.uci() for move in game.mainline_moves()] == [noted.move for noted in record.moves]
    assert game.headers["Result"] == record.result.value
    assert game.headers["White"].replace('\\"', '"').replace("\\\\", "\\") == (record.first or "?")
    for noted, node in zip(record.moves, game.mainline(), strict=True):
        assert node.nags == set(noted.nags)
        # python-chess computes in floats, and writes mate on the board as a loss of the side to move.
        if noted.clock_ms is not None:
            assert node.clock() == pytest.approx(noted.clock_ms / 1000)
        if noted.evaluation is not None and noted.evaluation.centipawns is not None:
            assert node.eval().white().score() == noted.evaluation.centipawns
        if noted.evaluation is not None and noted.evaluation.mate:
            assert node.eval().white().mate() == noted.evaluation.mate


@RELAXED
@given(data=st.data())
def test_we_read_the_pgn_of_python_chess_as_the_same_game(data):
    """Games with variations, glyphs, comments, clocks and evaluations, several in a file."""
    rng = Random(data.draw(st.integers(0, 2**32)))
    plain = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"], exclude_characters="{}%["), max_size=20)
    games = []
    for _ in range(data.draw(st.integers(1, 3))):
        game = chess.pgn.Game()
        game.headers["White"] = "A, B"
        if data.draw(st.booleans()):
            board = chess.Board()
            for _ in range(rng.randrange(20)):
                board.push(rng.choice(list(board.legal_moves)))
            if not board.is_game_over():
                game.setup(board.fen())
        node = game
        game.comment = data.draw(plain).strip()
        for _ in range(rng.randrange(25)):
            board = node.board()
            if board.is_game_over():
                break
            moves = list(board.legal_moves)
            following = node.add_variation(rng.choice(moves))
            if rng.random() < 0.2:
                node.add_variation(rng.choice(moves), comment="1-0 (x", starting_comment="or").nags.add(1)
            if rng.random() < 0.3:
                following.comment = data.draw(plain).strip()
                following.set_clock(rng.randrange(10_000) / 10)
                following.set_eval(chess.engine.PovScore(chess.engine.Cp(rng.randrange(-900, 900)), chess.WHITE), 7)
            if rng.random() < 0.2:
                following.nags.add(rng.randrange(1, 140))
            node = following
        games.append(game)
    text = "\n\n".join(map(str, games)) + "\n"
    found = read("pgn", text)
    assert len(found) == len(games)
    for record, game in zip(found, games, strict=True):
        nodes = list(game.mainline())
        assert isinstance(record, GameRecord), record
        assert [noted.move for noted in record.moves] == [node.move.uci() for node in nodes]
        assert record.n_variations == sum(len(node.parent.variations) - 1 for node in nodes)
        assert record.comment == " ".join(game.comment.split(" ")).strip()
        for noted, node in zip(record.moves, nodes, strict=True):
            assert set(noted.nags) == node.nags
            assert (noted.clock_ms or 0) == round((node.clock() or 0) * 1000)
            score = node.eval()
            assert (noted.evaluation and noted.evaluation.centipawns) == (score and score.white().score())


@RELAXED
@given(record=records(["hex(size=5, swap=true)", "hex(size=4)"]))
def test_sgfmill_reads_our_sgf_as_the_same_game(record):
    """The grammar, the names and the moves; sgfmill knows no Hex, so cells are compared as text."""
    grammar = pytest.importorskip("sgfmill.sgf_grammar", reason="the sgf extra is not installed")
    (tree,) = grammar.parse_sgf_collection(written("sgf", record).encode())
    root, *nodes = tree.sequence
    assert root["GM"] == [b"11"]
    assert root["SZ"] == [str(parse_spec(record.game)[1]["size"]).encode()]
    assert grammar.simpletext_value(root.get("PB", [b""])[0]).decode() == (record.first or "")
    made = [value.decode() for node in nodes for ident, (value, *_) in node.items() if ident in ("B", "W")]
    assert made == [noted.move.replace("swap", "swap-pieces") for noted in record.moves]


def test_a_miniature_reads_as_everybody_knows_it():
    """The scholar's mate with the usual annotations of lichess, a variation, a line comment and a comment at the end."""
    (record,) = read(
        "pgn",
        '[Event "Rated \\"Blitz\\" game"]\n[Site "https://lichess.org/x"]\n[Date "2024.05.01"]\n[Round "-"]\n'
        '[White "Ada"]\n[Black "Bob"]\n[Result "1-0"]\n[WhiteElo "1500"]\n[Termination "Normal"]\n\n'
        "1.e4 { [%eval 0.3] [%clk 0:03:00] } 1... e5 2. Bc4 Nc6 (2... Nf6 3. d3 (3. Ng5?) c6) 3. Qh5! ; a threat\n"
        "% nothing to see\n3... Nf6?? 4. Qxf7# { Black is mated. } 1-0\n",
    )
    assert [noted.move for noted in record.moves] == ["e2e4", "e7e5", "f1c4", "b8c6", "d1h5", "g8f6", "h5f7"]
    assert record.moves[0] == NotedMove(move="e2e4", clock_ms=180_000, evaluation=Evaluation(centipawns=30))
    assert (record.moves[4].nags, record.moves[4].comment) == ((1,), "a threat")
    assert (record.moves[5].nags, record.moves[6].comment) == ((4,), "Black is mated.")
    assert (record.n_variations, record.first, record.second, record.result) == (2, "Ada", "Bob", Result.FIRST_WON)
    assert record.headers == (
        ("Event", 'Rated "Blitz" game'), ("Site", "https://lichess.org/x"), ("Date", "2024.05.01"), ("Round", "-"),
        ("Termination", "Normal"), ("WhiteElo", "1500"),
    )  # fmt: skip


def test_the_opera_game_ends_in_mate():
    """Morphy against the Duke of Brunswick and Count Isouard, Paris 1858: castling long, captures and checks."""
    (record,) = read(
        "pgn",
        "1. e4 e5 2. Nf3 d6 3. d4 Bg4 4. dxe5 Bxf3 5. Qxf3 dxe5 6. Bc4 Nf6 7. Qb3 Qe7 8. Nc3 c6 9. Bg5 b5 10. Nxb5 cxb5 "
        "11. Bxb5+ Nbd7 12. 0-0-0 Rd8 13. Rxd7 Rxd7 14. Rd1 Qe6 15. Bxd7+ Nxd7 16. Qb8+ Nxb8 17. Rd8# 1-0",
    )
    game = load_game("chess")
    state = game.initial(Random(0))
    for noted in record.moves:
        state = game.play(state, noted.move)
    assert len(record.moves) == 33
    assert game.outcome(state).reason == "checkmate"
    assert "12. O-O-O Rd8" in written("pgn", record).replace("\n", " ")


@pytest.mark.parametrize("form", ["pgn", "sgf", "moves", "jsonl"])
def test_a_file_cut_anywhere_never_gives_another_game(form):
    """Every beginning of a file gives a beginning of its games, and one error if it was cut within one."""
    spec, moves = ("hex(size=12)", ("a1", "b12")) if form == "sgf" else ("chess", ("e2e4", "e7e5"))
    noted = (NotedMove(move=moves[0], comment="a b", clock_ms=1000), NotedMove(move=moves[1]))
    whole = [
        GameRecord(game=spec, first="Ada", result=result, moves=noted, headers=(("Date", "2024.05.01"), ("X", "y")))
        for result in (Result.DRAWN, Result.FIRST_WON)
    ]
    text = written(form, *whole)
    for cut in range(len(text)):
        found = read(form, text[:cut])
        games = [one for one in found if isinstance(one, GameRecord)]
        assert games == whole[: len(games)], text[:cut]
        assert found[: len(games)] == games
        assert len(found) - len(games) <= 1
    assert read(form, text) == whole


def test_chess_from_a_position_keeps_the_position():
    """SetUp and FEN, with Black to move; written back they are the same."""
    fen = "4k3/8/8/8/8/8/4p3/K7 b - - 0 40"
    (record,) = read("pgn", f'[SetUp "1"]\n[FEN "{fen}"]\n[Variant "From Position"]\n\n40... e1=Q+ *\n')
    assert (record.start, record.moves) == (fen, (NotedMove(move="e2e1q"),))
    assert f'[FEN "{fen}"]' in written("pgn", record)
    assert "\n40... e1=Q+ *\n" in written("pgn", record)


def test_chess960_is_read_with_its_start():
    """X-FEN and Shredder-FEN are one position; castling is the king taking its rook; without a start nothing is guessed."""
    moves = "1. g3 g6 2. Nf3 Nf6 3. Ng1 Ng8 4. f3 f6 *"
    found = []
    for variant, rights in (("Chess960", "KQkq"), ("Fischerandom", "FDfd")):
        fen = f"bqnrkrnb/pppppppp/8/8/8/8/PPPPPPPP/BQNRKRNB w {rights} - 0 1"
        found += read("pgn", f'[Variant "{variant}"]\n[SetUp "1"]\n[FEN "{fen}"]\n\n{moves}\n')
    assert found[0] == found[1]
    assert (found[0].game, len(found[0].moves)) == ("chess960", 8)
    (record,) = read(
        "pgn", '[Variant "Chess960"]\n[SetUp "1"]\n[FEN "1rk4r/8/8/8/8/8/8/1RK4R w HBhb - 0 1"]\n\n1. O-O O-O-O *\n'
    )
    assert [noted.move for noted in record.moves] == ["c1h1", "c8b8"]
    assert "needs the FEN" in str(errors("pgn", '[Variant "Chess960"]\n\n1. e4 *')[0])
    for form in ("moves", "jsonl"):
        assert "start position" in str(errors(form, FORMATS[form].write(GameRecord(game="chess960")))[0])
    with pytest.raises(NotationError, match="start position"):
        FORMATS["pgn"].write(GameRecord(game="chess960"))


@RELAXED
@given(data=st.data())
def test_chess960_written_and_read_is_the_same_game(data):
    """Random games from random starts, in every format that holds them; python-chess agrees about each move."""
    rng = Random(data.draw(st.integers(0, 2**32)))
    game = load_game("chess960")
    state = game.initial(rng)
    start, moves = game.encode(state), []
    while game.outcome(state) is None and len(moves) < 40:
        legal = game.legal_moves(state)
        castling = [move for move in legal if state.board.is_castling(chess.Move.from_uci(move))]
        moves.append(NotedMove(move=rng.choice(castling or legal)))
        state = game.play(state, moves[-1].move)
    record = GameRecord(game="chess960", start=start, moves=tuple(moves))
    for form in ("pgn", "moves", "jsonl"):
        assert read(form, written(form, record)) == [record]
    theirs = chess.pgn.read_game(io.StringIO(written("pgn", record)))
    assert theirs.errors == []
    assert theirs.end().board().shredder_fen() == game.encode(state)


def test_sgf_of_the_field_is_read_in_every_spelling():
    """HexGui's names, upper case, Go's letters, a resignation as a node, and Little Golem's colours."""
    (record,) = read(
        "sgf",
        "(;AP[HexGui:0.9]FF[4]GM[11]SZ[5]PB[Ada]PW[Bob]DT[2024-05-01];B[A2]BL[60.5]C[one];W[swap-pieces];B[cc]"
        "(;W[d4];B[resign])(;W[e5](;B[a1])(;B[b1])))",
    )
    assert record.game == "hex(size=5, swap=true)"
    assert [noted.move for noted in record.moves] == ["a2", "swap", "c3", "d4"]
    assert (record.moves[0].clock_ms, record.moves[0].comment) == (60_500, "one")
    assert (record.result, record.header("Termination"), record.header("Date"), record.n_variations) == (
        Result.SECOND_WON, "resignation", "2024.05.01", 2,
    )  # fmt: skip
    (record,) = read(
        "sgf", "(;FF[4]EV[x]PB[Ada]PW[Bob]SZ[13]RE[B]SO[https://www.littlegolem.net];W[ac];B[swap];W[ie];B[resign])"
    )
    assert [noted.move for noted in record.moves] == ["a3", "swap", "i5"]
    assert (record.first, record.result, record.game) == ("Ada", Result.FIRST_WON, "hex(size=13, swap=true)")


def test_comments_of_sgf_stay_where_they_stand():
    """Those before the first move are the game's, those behind a move are the move's, also behind nodes without one."""
    (record,) = read("sgf", "(;FF[4]GM[11]SZ[5]C[a];C[b];B[a1]C[c];C[d]LB[a1:x];W[b2])")
    assert (record.comment, record.moves[0].comment, record.n_marks) == ("a\nb", "c\nd", 1)
    (record,) = read("sgf", "(;FF[4]GM[11]SZ[5]C[a];B[resign]C[b])")
    assert (record.comment, record.result) == ("a\nb", Result.SECOND_WON)


def test_the_edges_of_sgf_are_ours():
    """Black joins top and bottom, White left and right: a column of B wins for FIRST, a row of W for SECOND."""
    game = load_game("hex(size=3)")
    for text, winner in (("B[a1];W[b1];B[a2];W[b2];B[a3]", "first"), ("B[a1];W[a2];B[b1];W[b2];B[a3];W[c2]", "second")):
        (record,) = read("sgf", f"(;FF[4]GM[11]SZ[3];{text})")
        state = game.initial(Random(0))
        for noted in record.moves:
            state = game.play(state, noted.move)
        assert game.outcome(state).winner.value == winner


def test_a_move_list_is_what_a_person_would_write():
    """The few lines of the documentation, without what is optional."""
    (record,) = read("moves", "game: connect_four\nfirst: Ada\nmoves:\n4 4\n    clock=0:04:58.500\n5\nend:\n")
    assert record == GameRecord(
        game="connect_four",
        first="Ada",
        moves=(NotedMove(move="4"), NotedMove(move="4", clock_ms=298_500), NotedMove(move="5")),
    )


BAD_PGN = [
    ("1. e4 e5", ["game 1", "line 1", "no result", "1/2-1/2"]),
    ('[Event "x"]\n\n', ["game 1", "nothing behind the tags"]),
    ('[Event "x"\n\n1. e4 *', ["line 1", "is no tag", '[Name "value"]']),
    ('[Event "x"]\n[Event "y"]\n\n*', ["line 2", "given twice"]),
    ("1. e4 {never closed\nand so on 1-0", ["line 1", "not closed", "}"]),
    ("1. e4 e5 2. Ke3 *", ["line 1", "ply 3", "'Ke3'", "not legal"]),
    ("1. e4 e5\n2. Nf3 Nc6\n3. Nd7 *", ["line 3", "ply 5", "not legal"]),
    ("1. Nf3 Nf6 2. Nc3 Nc6 3. Nb5 Nb4 4. Nd4 *", ["ply 7", "could be b5d4, f3d4"]),
    ("1. e4 -- 2. d4 *", ["ply 2", "passing is no chess move"]),
    ("1. e4 Z0 *", ["ply 2", "passing"]),
    ("1. e4 e5 (1... c5 *", ["variation", "not closed"]),
    ("1. e4 e5) *", ["never opened"]),
    ("(1. e4) *", ["before any move"]),
    ("$1 1. e4 *", ["before any move"]),
    ("1. e4 $999 *", ["$0 to $255"]),
    ("1. e4 !!! *", ["glyph"]),
    ("1. e4 e5 1-0 2. Nf3 *", ["behind the result"]),
    ('[Result "1-0"]\n\n1. e4 e5 0-1', ["Result tag says 1-0", "0-1"]),
    ('[Result "2-0"]\n\n1. e4 *', ["Result is '2-0'"]),
    ('[Variant "Atomic"]\n\n1. e4 *', ["'Atomic'", "Chess960"]),
    ('[FEN "8/8/8/8/8/8/8/8 w - - 0 1"]\n\n*', ["no position that can occur"]),
    ('[FEN "8/8/8 w"]\n\n*', ["no FEN"]),
    ('[FEN "' + "8" * 5000 + '"]\n\n*', ["no FEN", "too long"]),
    ('[SetUp "1"]\n\n1. e4 *', ["no FEN"]),
    ('[SetUp "0"]\n[FEN "4k3/8/8/8/8/8/8/4K2R w - - 0 1"]\n\n*', ["SetUp is 0"]),
    ('[FEN "rnbqkbnr/pppppppp/8/8/8/8/PPPPPPPP/RNBQKBNR w KQkq - 0 1\x07"]\n\n*', ["no FEN"]),
    ('[Event "a\x07"]\n\n1. e4 *', ["one line of plain text"]),
    ("<html><body>1. e4</body></html>", ["line 1", "neither move"]),
    ("hello, world", ["ply 1", "'hello,'"]),
    ("1. " + "x" * 1_000_000 + " *", ["no move", "1,000,000 characters"]),
    ("\x00\x01\x02", ["zero byte"]),
    ("1. e4 e5 <x> *", ["neither move"]),
    ("1. e2e4 e7e5 2. e1e3 *", ["ply 3"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD_PGN, ids=[str(n) for n in range(len(BAD_PGN))])
def test_bad_pgn_is_one_clear_error(text, expected):
    """It names the game and the line, the ply where there is one, and what was expected; it is never long."""
    (error,) = errors("pgn", text)
    for word in expected:
        assert word in str(error), error
    assert len(str(error)) < 400


def test_python_chess_would_have_let_these_pass():
    """Why our own reader: python-chess skips, mends or cuts each of these without one error, or with a wrong game."""
    logging.getLogger("chess.pgn").setLevel(logging.CRITICAL)
    silent = [
        "1. e4 e5 2. Nf3",  # cut off
        "1. e4 {never closed 1... e5 2. Nf3 1-0",  # swallowed
        "1. e4 e5 &%?& 2. Nf3 *".replace("?", ""),  # skipped
        '[Event "x"\n\n1. e4 *',  # tag dropped
        "1. e4 e5) 2. Nf3 *",  # bracket dropped
        "1. e4 -- 2. d4 *",  # a null move is played
        '[Result "1-0"]\n\n1. e4 e5 0-1',  # one of two results chosen
        "1. e4 e5\n\n2. Nf3 Nc6 *",  # one game becomes two
    ]
    for text in silent:
        game = chess.pgn.read_game(io.StringIO(text))
        assert game.errors == [], text
    assert all(errors("pgn", text) for text in silent[:-1])
    (whole,) = read("pgn", silent[-1])
    assert len(whole.moves) == 4


BAD_SGF = [
    ("(;FF[4]GM[1]SZ[19];B[aa])", ["game 1", "line 1", "Go", "11"]),
    ("(;FF[4]SZ[11];B[a1])", ["GM is missing", "GM[11]"]),
    ("(;FF[4]GM[11]SZ[5];B[a1];W[a1])", ["ply 2", "taken"]),
    ("(;FF[4]GM[11]SZ[5];B[f1])", ["ply 1", "no such cell"]),
    ("(;FF[4]GM[11]SZ[20];B[a1])", ["2 to 19", "20"]),
    ("(;FF[4]GM[11]SZ[99999];B[a1])", ["SZ is '99999'"]),
    ("(;FF[4]GM[11]SZ[5:7];B[a1])", ["square"]),
    ("(;FF[4]GM[11]SZ[0];B[a1])", ["size = 0"]),
    ("(;FF[4]GM[11]SZ[5];B[a1];B[a2])", ["ply 2", "turn of W"]),
    ("(;FF[4]GM[11]SZ[5];W[a1])", ["ply 1", "turn of B"]),
    ("(;FF[4]GM[11]SZ[5];B[a1]W[a2])", ["several moves"]),
    ("(;FF[4]GM[11]SZ[5];B[a1];W[swap-sides])", ["swap-sides", "swap-pieces", "ply 2"]),
    ("(;FF[4]GM[11]SZ[5]RU[no swap];B[a1];W[swap-pieces])", ["ply 2", "without the swap rule"]),
    ("(;FF[4]GM[11]SZ[5];B[])", ["ply 1"]),
    ("(;FF[4]GM[11]SZ[5];B[a1];W[resign];B[a2])", ["given up"]),
    ("(;FF[4]GM[11]SZ[5]RE[W+];B[a1];W[resign])", ["RE says 0-1", "1-0"]),
    ("(;FF[4]GM[11]SZ[5]RE[B+3.5];B[a1])", ["RE is 'B+3.5'"]),
    ("(;FF[4]GM[11]SZ[5];B[a1]", ["not closed"]),
    ("(;FF[4]GM[11]SZ[5];B[a1", ["value that is not closed"]),
    ("((;FF[4]GM[11];B[a1]))", ["(;"]),
    ("(;FF[4]GM[11]SZ[5]AB[a1][a1])", ["no empty cell"]),
    ("(;FF[4]GM[11]SZ[5]AB[a1][a2][a3])", ["no position"]),
    ("(;FF[4]GM[11]SZ[5];AB[a1])", ["within the game"]),
    ("(;FF[4]GM[11]SZ[5]CA[Shift-JIS]PB[é];B[a1])", ["Shift-JIS", "--encoding"]),
    ("(;FF[5]GM[11];B[a1])", ["FF is '5'"]),
    ("<html></html>", ["no game"]),
    ("(;FF[4]GM[11]SZ[3];B[a1];W[b1];B[a2];W[b2];B[a3];W[b3])", ["ply 6", "over"]),
    ("(;FF[4]GM[11]" + "C[x]" * 2 + ";B[a1])", ["2 values"]),
]  # fmt: skip


@pytest.mark.parametrize(("text", "expected"), BAD_SGF, ids=[f"sgf-{n}" for n in range(len(BAD_SGF))])
def test_bad_sgf_is_one_clear_error(text, expected):
    """Also Go files, boards of a size we do not play, and rules we do not play."""
    (error,) = errors("sgf", text)
    for word in expected:
        assert word in str(error), error
    assert len(str(error)) < 400


BAD_LISTS = [
    ("moves", "game: chess\nmoves:\ne2e4 e2e4\n", ["line 3", "ply 2"]),
    ("moves", "game: chess\nmoves:\ne2e4\n", ["no end", "end:"]),
    ("moves", "game: checkers\nmoves:\n1\n", ["no game 'checkers'"]),
    ("moves", "first: Ada\nmoves:\n4\n", ["not named", "--game"]),
    ("moves", "game: chess\n", ["before the moves"]),
    ("moves", "game: chess\ngame: chess\nmoves:\n", ["given twice"]),
    ("moves", "game: chess\nmoves:\n   comment=\"x\"\ne2e4", ["behind no move"]),
    ("moves", "game: chess\nmoves:\ne2e4\n   clock=9\n", ["hours:minutes:seconds"]),
    ("moves", "game: chess\nmoves:\ne2e4\n   time=9\n", ["no note"]),
    ("moves", "game: chess\ncomment: x\nmoves:\n", ["JSON string"]),
    ("moves", "game: chess\nstart: x\nmoves:\n", ["no FEN"]),
    ("moves", "game: chess\nresult: 1:0\nmoves:\n", ["result", "1/2-1/2"]),
    ("moves", "game: " + "x" * 100_000 + "\nmoves:\n1\n", ["no game"]),
    ("moves", "game: chess\nstart: " + "x" * 100_000 + "\nmoves:\n1\n", ["no position", "100,000 characters"]),
    ("jsonl", '{"game":"chess","moves":[{"move":"e2e4","nags":[' + "999," * 10_000 + "999]}]}", ["NAGs"]),
    ("jsonl", "[]", ["expected an object"]),
    ("jsonl", "{", ["no JSON"]),
    ("jsonl", "[" * 100_000, ["JSON"]),
    ("jsonl", '{"game":"chess","moves":["e2e4",{"move":"e7e5","clock_ms":-1}]}', ["clock"]),
    ("jsonl", '{"game":"chess","moves":["e2e4",{"move":"e7e5","mate":true}]}', ["mate"]),
    ("jsonl", '{"game":"chess","moves":["e2e4","e2e4"]}', ["ply 2"]),
    ("jsonl", '{"game":"chess","moves":[],"x":1}', ["no field"]),
    ("jsonl", '{"game":"chess","game":"hex","moves":[]}', ["twice"]),
    ("jsonl", '{"game":"chess","moves":[{"move":"e2e4","depth":NaN}]}', ["NaN"]),
    ("jsonl", '{"game":"chess","moves":[{"move":"e2e4","depth":3}]}', ["centipawns or moves to mate"]),
    ("jsonl", '{"game":"chess","first":"\\ud800","moves":[]}', ["one line of plain text"]),
]  # fmt: skip


@pytest.mark.parametrize(("form", "text", "expected"), BAD_LISTS, ids=[str(n) for n in range(len(BAD_LISTS))])
def test_bad_move_lists_are_one_clear_error(form, text, expected):
    """Fields, types and moves."""
    (error,) = errors(form, text)
    for word in expected:
        assert word in str(error), error
    assert len(str(error)) < 500


@pytest.mark.parametrize("form", ["pgn", "sgf", "moves", "jsonl"])
def test_behind_a_bad_game_the_others_are_read(form):
    """An error in its place, the games before and after it whole, and their numbers right."""
    spec = "hex(size=5)" if form == "sgf" else "chess"
    moves = ("a1", "b2") if form == "sgf" else ("e2e4", "e7e5")
    good = GameRecord(
        game=spec, first="Ada", moves=tuple(NotedMove(move=move) for move in moves), headers=(("Event", "x"),)
    )
    text = written(form, good)
    bad = text.replace("b2", "a1") if form == "sgf" else text.replace("e7e5", "e7e4").replace("e5", "e4")
    assert bad != text
    found = read(form, FORMATS[form].between.join((text, bad, bad, text)))
    assert [isinstance(one, NotationError) for one in found] == [False, True, True, False]
    assert [one.game for one in found[1:3]] == [2, 3]
    assert found[0] == found[3] == good


def test_a_game_without_moves_does_not_swallow_the_next():
    """Tags alone, a missing result and an unclosed comment each stop at the next Event."""
    good = '[Event "g"]\n\n1. e4 *\n'
    for bad in (
        '[Event "b"]\n\n',
        '[Event "b"]\n\n1. e4 e5\n\n',
        '[Event "b"]\n\n1. e4 {open\n\n',
        '[Event "b"]\n\n1. e4 e5\n',
    ):
        found = read("pgn", bad + good + "\n" + bad + good)
        assert [isinstance(one, NotationError) for one in found] == [True, False, True, False], bad


def test_encodings_are_never_guessed():
    """UTF-8 with or without its mark; Latin-1 when told; anything else is an error with its place."""
    text = '[White "Müller"]\n\n1. e4 *\n'
    assert [record.first for record in read("pgn", text)] == ["Müller"]

    def of_bytes(raw, encoding="utf-8"):
        return list(FORMATS["pgn"].read(Lines(io.BytesIO(raw), encoding=encoding)))

    assert of_bytes(b"\xef\xbb\xbf" + text.encode())[0].first == "Müller"
    assert of_bytes(text.encode("latin-1"), "latin-1")[0].first == "Müller"
    (error,) = of_bytes(text.encode("latin-1"))
    assert "line 1" in str(error) and "0xfc at column 10" in str(error) and "--encoding" in str(error)
    assert "UTF-16" in str(of_bytes(text.encode("utf-16"))[0])
    assert of_bytes(text.replace("\n", "\r\n").encode())[0].first == "Müller"
    with pytest.raises(SpecError, match="there are: utf-8"):
        Lines(io.BytesIO(b""), encoding="ebcdic")
    found = of_bytes(b'[Event "a"]\n\n1. e4 {\xff} *\n\n[Event "b"]\n\n1. d4 *\n')
    assert [isinstance(one, NotationError) for one in found] == [True, False]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("pgn", "1. e4 " + "(1. d4 " * 100_000 + ")" * 100_000 + " *"),
        ("pgn", "1. e4 {" + "x" * 1_000_000 + "} *"),
        ("pgn", "1. e4 {" + "[%clk " * 200_000 + "} *"),
        ("pgn", '[Event "' + "\\\\" * 200_000 + '"]\n\n1. e4 *'),
        ("pgn", '[Event "' + "\\" * 200_001 + "\n\n1. e4 *"),
        ("pgn", "1. e4 " + "$1 " * 100_000 + "*"),
        ("pgn", "1. e4 " + "{a} " * 100_000 + "*"),
        ("sgf", "(;FF[4]GM[11]SZ[5];B[a1]" + "(;W[b1]" * 50_000 + ")" * 50_000 + ")"),
        ("sgf", "(;FF[4]GM[11]SZ[5];B[a1]C[" + "\\\\" * 300_000 + "])"),
        ("sgf", "(" * 300_000),
        ("moves", "game: chess\nmoves:\ne2e4\n    comment=\"" + "\\\\" * 200_000 + "\"\nend:\n"),
        ("jsonl", '{"game":"chess","comment":"' + "x" * 1_000_000 + '","moves":["e2e4"]}'),
    ],
    ids=lambda value: str(value)[:12],
)  # fmt: skip
def test_large_and_deep_input_is_read_or_refused_in_time(form, text):
    """A megabyte of comment, glyphs or nesting takes no stack and no more than a few CPU seconds."""
    if form == "sgf":
        pytest.importorskip("sgfmill", reason="the sgf extra is not installed")
    began = time.process_time()
    (found,) = read(form, text)
    assert time.process_time() - began < 5
    if isinstance(found, GameRecord):
        assert read(form, written(form, found)) == [found]


@pytest.mark.parametrize(("form", "specs"), HELD, ids=[form for form, _ in HELD])
@settings(max_examples=80, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_a_damaged_file_gives_games_or_errors_and_nothing_else(form, specs, data):
    """Pieces cut, doubled, moved or put in; every game that is read can be played, written and read again."""
    text = written(form, *data.draw(st.lists(records(specs), min_size=1, max_size=2)))
    for _ in range(data.draw(st.integers(1, 4))):
        begin = data.draw(st.integers(0, len(text)))
        end = data.draw(st.integers(begin, min(len(text), begin + 40)))
        put = data.draw(st.sampled_from(["", text[begin:end] * 2, "(", ")", "{", "}", "[", "]", "\\", "\n\n", "1-0", "*", "$", ";"]) | any_text)  # fmt: skip
        text = text[:begin] + put + text[end:]
    for found in read(form, text):
        if isinstance(found, NotationError):
            assert found.game is not None
            assert len(str(found)) < 1000
        else:
            game = load_game(found.game)
            state = game.initial(Random(0)) if found.start is None else game.decode(found.start)
            for noted in found.moves:
                state = game.play(state, noted.move)
            assert read(form, written(form, found)) == [found]


@pytest.mark.slow
def test_a_long_file_is_read_game_by_game():
    """Twenty megabytes go through a window of one game; memory does not grow with the file."""
    import tracemalloc

    game = (
        '[Event "x"]\n[Result "*"]\n\n1. e4 {'
        + "a long thought, " * 5000
        + "} 1... e5 2. Nf3 Nc6 3. Bb5 a6 4. Ba4 Nf6 5. O-O Be7 *\n\n"
    ).encode()

    class Endless(io.RawIOBase):
        def __init__(self):
            self._lines = (line for _ in range(250) for line in game.splitlines(keepends=True))

        def readline(self, limit=-1):
            return next(self._lines, b"")

    tracemalloc.start()
    n = sum(isinstance(found, GameRecord) for found in FORMATS["pgn"].read(Lines(Endless())))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert n == 250
    assert peak < 4_000_000


def test_a_very_long_game_is_written_and_read():
    """A thousand plies that our rules allow: knights wander, pawns step before fifty moves are over."""
    game, rng = load_game("chess"), Random(5)
    state, moves = game.initial(Random(0)), []
    while game.outcome(state) is None and len(moves) < 1000:
        legal = game.legal_moves(state)
        quiet = [move for move in legal if not state.board.is_capture(chess.Move.from_uci(move))]
        move = rng.choice(quiet or legal)
        state = game.play(state, move)
        moves.append(NotedMove(move=move))
    record = GameRecord(game="chess", moves=tuple(moves))
    assert len(moves) > 200
    text = written("pgn", record)
    assert max(map(len, text.splitlines())) <= 80
    assert read("pgn", text) == [record]


@pytest.mark.parametrize(
    "wrong",
    [
        {"first": "?"},
        {"first": "two\nlines"},
        {"headers": (("White", "x"),)},
        {"headers": (("a b", "x"),)},
        {"headers": (("A", "x"), ("A", "y"))},
        {"headers": (("Event", "?"),)},
        {"headers": (("A", "\x00"),)},
    ],
)
def test_a_record_holds_only_what_every_notation_can_say(wrong):
    """Names and headers are single lines; unknown is left out."""
    with pytest.raises(SpecError):
        GameRecord(game="chess", **wrong)


def test_a_notation_refuses_what_it_cannot_hold():
    """PGN is for chess, SGF for Hex; the message names another way."""
    for form in ("pgn", "sgf"):
        with pytest.raises(NotationError, match="use another format"):
            FORMATS[form].write(GameRecord(game="connect_four"))
    for move in ("e2e5", "0000", "e2"):
        with pytest.raises(NotationError, match="ply 1"):
            FORMATS["pgn"].write(GameRecord(game="chess", moves=(NotedMove(move=move),)))
    with pytest.raises(SpecError, match="there are: pgn, sgf, moves, jsonl"):
        format_of("pdf", None)
    with pytest.raises(SpecError, match="--format"):
        format_of(None, None)


def test_reading_sgf_without_sgfmill_names_the_extra(monkeypatch):
    """Writing needs it not."""
    monkeypatch.setitem(sys.modules, "sgfmill", None)
    with pytest.raises(SpecError, match=re.escape("pip install 'stratarena[sgf]'")):
        read("sgf", "(;GM[11])")
    assert "GM[11]" in FORMATS["sgf"].write(GameRecord(game="hex(size=5)"))


def test_the_game_may_be_named_by_the_caller():
    """Where the file names another, that is an error; where it names none, it is taken."""
    (record,) = read("moves", "moves:\n4 4\nend:\n", game="connect_four")
    assert record.game == "connect_four"
    (record,) = read("sgf", "(;FF[4]GM[11]SZ[5];B[a1])", game="hex(size=5, swap=true)")
    assert record.game == "hex(size=5, swap=true)"
    assert "expected hex(size=7)" in str(errors("sgf", "(;FF[4]GM[11]SZ[5];B[a1])", game="hex(size=7)")[0])
    assert "expected chess960" in str(errors("pgn", "1. e4 *", game="chess960")[0])
    with pytest.raises(SpecError, match="SGF holds hex"):
        read("sgf", "(;GM[11])", game="chess")
