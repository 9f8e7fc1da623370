"""The command line: what can be said to it. What a command does is in `commands`, imported when it is called.

Exit codes: 0 done, 1 failed, 2 said wrongly (a bad option, file or name), 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib import metadata
from pathlib import Path
from typing import Annotated

import typer

from stratarena.games.base import ArenaError, Seat, SpecError

__all__ = ["app", "run_command_line"]

DEFAULT_DB = "stratarena.db"

app = typer.Typer(
    name="stratarena",
    help="A strategic-game arena for LLM agents: play tournaments, replay games, write reports, all from one record.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
db_app = typer.Typer(help="Look after the database.", no_args_is_help=True, rich_markup_mode=None)
models_app = typer.Typer(help="Look after models on this machine.", no_args_is_help=True, rich_markup_mode=None)
list_app = typer.Typer(help="List what there is to play with.", no_args_is_help=True, rich_markup_mode=None)
app.add_typer(list_app, name="list")
app.add_typer(db_app, name="db")
app.add_typer(models_app, name="models")

Db = Annotated[
    str,
    typer.Option("--db", envvar="STRATARENA_DB", metavar="URL", help="Database: a file, or a URL SQLAlchemy knows."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output, and nothing else there.")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The tournament file (TOML).")]
Jobs = Annotated[int, typer.Option("--jobs", "-j", min=1, max=4096, help="Matches in play at once.")]
SeedOption = Annotated[int | None, typer.Option("--seed", min=0, help="Play with this root seed, not the file's own.")]
Out = Annotated[Path | None, typer.Option("--out", metavar="FOLDER", help="Where to write; default: reports/NAME.")]


@app.command()
def demo(db: Db = DEFAULT_DB, jobs: Jobs = 16, out: Out = None, seed: SeedOption = None) -> None:
    """Play the bundled tournament of a real language model and real engines, then print standings and write a report."""
    from stratarena.arena.commands.running import demo

    demo(db=db, jobs=jobs, out_folder=out, seed=seed)


@app.command()
def train(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The training file (TOML).")],
    folder: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Where checkpoints, curves and weights go, by the file's name."),
    ] = Path("training"),
    data: Annotated[
        Path | None,
        typer.Option("--data", metavar="FOLDER", help="Where labelled positions lie; default: OUT/positions."),
    ] = None,
    threads: Annotated[int, typer.Option("--threads", min=1, help="Threads of torch.")] = 1,
    data_only: Annotated[bool, typer.Option("--data-only", help="Make the labelled positions and stop.")] = False,
    cpu_minutes: Annotated[
        float | None,
        typer.Option(
            "--cpu-minutes",
            metavar="MINUTES",
            min=0,
            help="Stop after so much CPU time of training, over all runs; the same command with more goes on.",
        ),
    ] = None,
) -> None:
    """Train a game language model, or go on where its training stopped; the data are made if they are not there."""
    from stratarena.arena.commands.training import train

    train(
        file,
        folder=folder,
        data=data or folder / "positions",
        threads=threads,
        data_only=data_only,
        cpu_minutes=cpu_minutes,
    )


@app.command()
def check(file: File, seed: SeedOption = None, as_json: Json = False) -> None:
    """Check a tournament file, and that its games, models and engines work, before anything is played."""
    from stratarena.arena.commands.checking import check

    check(file, seed=seed, as_json=as_json)


@app.command()
def run(
    file: File,
    db: Db = DEFAULT_DB,
    jobs: Jobs = 16,
    seed: SeedOption = None,
    as_json: Json = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the schedule with expected calls and tokens; play nothing.")
    ] = False,
    max_usd: Annotated[
        float | None,
        typer.Option(
            "--max-usd", min=0, help="Stop before more US dollars than this are spent, earlier runs included."
        ),
    ] = None,
    only_failed: Annotated[
        bool, typer.Option("--failed", help="Play only matches that the infrastructure failed in before.")
    ] = False,
) -> None:
    """Play a tournament, or go on where it stopped; nothing left to do is said, with exit code 0."""
    from stratarena.arena.commands import checking, running

    if dry_run:
        checking.dry_run(file, seed=seed, as_json=as_json)
    else:
        running.run(file, db=db, jobs=jobs, seed=seed, as_json=as_json, max_usd=max_usd, only_failed=only_failed)


@app.command()
def play(
    game: Annotated[
        str | None, typer.Argument(metavar="GAME", help='The game, such as connect_four or "hex(size=7)".')
    ] = None,
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="AGENT", help='Who you meet, such as greedy or "mcts(simulations=200)".'),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="A tournament file that has the agent.")
    ] = None,
    seat: Annotated[Seat, typer.Option("--seat", help="Your seat; first moves first.")] = Seat.FIRST,
    you: Annotated[str, typer.Option("--as", metavar="NAME", help="Your name in the record.")] = "you",
    opening: Annotated[
        str, typer.Option("--opening", metavar="NAME", help="Where to begin: see `list openings GAME`.")
    ] = "start",
    undo: Annotated[bool, typer.Option("--undo", help="Let moves be taken back.")] = False,
    seed: Annotated[int | None, typer.Option("--seed", min=0, help="Root seed; drawn when left out.")] = None,
    resume: Annotated[
        str | None, typer.Option("--resume", metavar="NAME", help="Go on with a match you left, such as play-1.")
    ] = None,
    db: Db = DEFAULT_DB,
) -> None:
    """Play against an agent yourself, at the terminal; recorded like any match."""
    from stratarena.arena.commands import playing

    if resume is not None:
        if game is not None or against is not None:
            raise SpecError("--resume takes game and opponent from the record: leave GAME and --against out")
        playing.resume(resume, undo=undo, db=db)
        return
    if game is None or against is None:
        raise SpecError("name a game and an opponent, such as: stratarena play connect_four --against greedy")
    playing.play(game, against=against, file=file, seat=seat, you=you, opening=opening, undo=undo, seed=seed, db=db)


@list_app.command("games")
def list_games(as_json: Json = False) -> None:
    """Games, with their parameters."""
    from stratarena.arena.commands.listing import list_plugins

    list_plugins("stratarena.games", as_json=as_json)


@list_app.command("agents")
def list_agents(as_json: Json = False) -> None:
    """Kinds of agents, with their parameters."""
    from stratarena.arena.commands.listing import list_plugins

    list_plugins("stratarena.agents", as_json=as_json)


@list_app.command("models")
def list_models(as_json: Json = False) -> None:
    """Kinds of models, and which are on this machine."""
    from stratarena.arena.commands.listing import list_plugins

    list_plugins("stratarena.models", as_json=as_json)


@list_app.command("openings")
def list_openings(
    game: Annotated[str, typer.Argument(metavar="GAME", help='A game, such as chess or "hex(size=7)".')],
    as_json: Json = False,
) -> None:
    """Openings of a game, by the names that a tournament file can use."""
    from stratarena.arena.commands.listing import list_openings

    list_openings(game, as_json=as_json)


@list_app.command("rungs")
def list_rungs(as_json: Json = False) -> None:
    """Opponents of the ladder, with their ratings by the stored league."""
    from stratarena.arena.commands.listing import list_rungs

    list_rungs(as_json=as_json)


@list_app.command("tournaments")
def list_tournaments(db: Db = DEFAULT_DB, as_json: Json = False) -> None:
    """Tournaments in the database."""
    from stratarena.arena.commands.reading import list_tournaments

    list_tournaments(db, as_json=as_json)


@list_app.command("matches")
def list_matches(
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Matches of a tournament, with their results."""
    from stratarena.arena.commands.reading import list_matches

    list_matches(tournament, db=db, as_json=as_json)


@app.command()
def standings(
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Print who stands where, with intervals."""
    from stratarena.arena.commands.reading import standings

    standings(tournament, db=db, as_json=as_json)


@app.command()
def replay(
    match: Annotated[str, typer.Argument(metavar="MATCH", help="A match's number or key, as `list matches` prints.")],
    db: Db = DEFAULT_DB,
    ply: Annotated[int | None, typer.Option("--ply", min=0, help="Show the position after this ply only.")] = None,
    plain: Annotated[bool, typer.Option("--plain", help="Print everything at once, also on a terminal.")] = False,
    html: Annotated[
        Path | None,
        typer.Option("--html", metavar="FILE", help="Write one HTML file that opens offline; takes a tournament, too."),
    ] = None,
    as_json: Json = False,
) -> None:
    """Step through a recorded game; every position is played again by the rules and compared with the record."""
    if html is not None:
        if plain or as_json or ply is not None:
            raise SpecError("--html writes a page: leave --plain, --json and --ply out")
        from stratarena.arena.commands.picturing import write_html

        write_html(match, db=db, out=html)
        return
    from stratarena.arena.commands.replaying import replay

    replay(match, db=db, ply=ply, plain=plain, as_json=as_json)


@app.command()
def view(
    db: Db = DEFAULT_DB,
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="Where to serve; 0 takes a free one.")] = 8765,
    browse: Annotated[bool, typer.Option("--open", help="Open the page in your browser.")] = False,
) -> None:
    """Serve tournaments and matches to a browser on this machine, those in play as they go on; Ctrl-C ends it."""
    from stratarena.arena.commands.viewing import view

    view(db=db, port=port, browse=browse)


@app.command()
def report(
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    db: Db = DEFAULT_DB,
    out: Out = None,
    figures: Annotated[bool, typer.Option("--figures", help="Also write each figure as SVG and PNG.")] = False,
    parquet: Annotated[bool, typer.Option("--parquet", help="Also write the tables as Parquet.")] = False,
    as_json: Json = False,
) -> None:
    """Write a report (HTML, Markdown and CSV) from the database alone."""
    from stratarena.arena.commands.reading import report

    report(tournament, db=db, out=out, with_figures=figures, with_parquet=parquet, as_json=as_json)


@app.command()
def answers(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="The model's name in the tournament file.")],
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    db: Db = DEFAULT_DB,
) -> None:
    """Print a model's recorded answers, one JSON object a line, for a model of kind `recorded` to play from."""
    from stratarena.arena.commands.reading import print_answers

    print_answers(tournament, model, db=db)


@app.command("export")
def export_games(
    database: Annotated[str, typer.Argument(metavar="DATABASE", help="A file, or a URL SQLAlchemy knows.")],
    what: Annotated[
        list[str] | None,
        typer.Argument(metavar="TOURNAMENT|MATCH", help="Names of tournaments; numbers or keys of matches."),
    ] = None,
    format_name: Annotated[
        str | None,
        typer.Option(
            "--format",
            metavar="FORMAT",
            help="pgn, sgf, moves or jsonl; of a view csv, jsonl or parquet; default: --out's suffix.",
        ),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file; default: standard output.")
    ] = None,
    view: Annotated[
        str | None,
        typer.Option(
            "--view",
            metavar="VIEW",
            help="Write a table instead: turns, matches, scores, plans, calls, gradings, … (docs/schema.md), or all.",
        ),
    ] = None,
    thoughts: Annotated[
        bool, typer.Option("--thoughts", help="Tell plans, revisions, answers and refusals in comments.")
    ] = False,
) -> None:
    """Write recorded games for other programs: PGN (chess), SGF (Hex), move lists (any game), or tables of what happened."""
    from stratarena.arena.commands.exporting import export, export_view

    if view is not None:
        export_view(database, what or [], view=view, format_name=format_name, out=out)
        return
    export(database, what or [], format_name=format_name, out=out, thoughts=thoughts)


@app.command("import")
def import_games(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Games as PGN, SGF (Hex), a move list or JSON Lines.")],
    into: Annotated[
        str,
        typer.Option(
            "--into", "--db", envvar="STRATARENA_DB", metavar="DATABASE", help="A file, or a URL SQLAlchemy knows."
        ),
    ] = DEFAULT_DB,
    name: Annotated[str | None, typer.Option("--name", help="The new tournament's name; default: the file's.")] = None,
    game: Annotated[
        str | None, typer.Option("--game", metavar="SPEC", help="What is played, such as 'hex(size=11, swap=true)'.")
    ] = None,
    format_name: Annotated[
        str | None, typer.Option("--format", metavar="FORMAT", help="pgn, sgf, moves or jsonl; default: by the suffix.")
    ] = None,
    encoding: Annotated[
        str, typer.Option("--encoding", help="The file's encoding: utf-8, latin-1 or cp1252.")
    ] = "utf-8",
    keep_going: Annotated[
        bool, typer.Option("--keep-going", help="Leave out games that cannot be read; else one bad game stops all.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Bring games from elsewhere into the database, checked move by move, to replay and study."""
    from stratarena.arena.commands.importing import import_file

    import_file(
        file,
        db=into,
        name=name,
        game=game,
        format_name=format_name,
        encoding=encoding,
        keep_going=keep_going,
        as_json=as_json,
    )


@app.command()
def simulate(
    game: Annotated[str, typer.Argument(metavar="GAME", help="tower_defense, battle_card or turn_based.")],
    rules: Annotated[
        str, typer.Option("--rules", help="as_written: what models are told; published: the original programs.")
    ] = "as_written",
    plans: Annotated[
        Path | None, typer.Option("--plans", metavar="FILE", help="A JSON object with both sides' plans.")
    ] = None,
    batch: Annotated[
        Path | None, typer.Option("--batch", metavar="FILE", help="A JSON list of such objects; prints one line each.")
    ] = None,
    trace: Annotated[bool, typer.Option("--trace", help="Tell everything that happens.")] = False,
    as_json: Json = False,
) -> None:
    """Let two plans of a resource-limited game meet: winner, survivors, costs and verdicts."""
    from stratarena.arena.commands.simulating import simulate

    simulate(game, rules=rules, plans=plans, batch=batch, trace=trace, as_json=as_json)


@app.command()
def metrics(
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    from_log: Annotated[
        Path | None,
        typer.Option("--from-log", metavar="FILE", help="A JSON list of logs of the published programs instead."),
    ] = None,
    definition: Annotated[
        str | None,
        typer.Option("--definition", help="ours (default), or published: the public evaluator's formulas."),
    ] = None,
    db: Db = DEFAULT_DB,
    as_json: Json = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, a line for each metric.")] = False,
) -> None:
    """Compute process metrics: win rate, over-correction risk, correction success, slope, over-budget ratio."""
    from stratarena.arena.commands.measuring import metrics, metrics_from_log

    if definition not in (None, "ours", "published"):
        raise SpecError(f"--definition {definition!r}; expected ours or published")
    if as_json and as_csv:
        raise SpecError("--json and --csv exclude each other")
    if from_log is None:
        metrics(tournament, db=db, definition=definition or "ours", as_json=as_json, as_csv=as_csv)
        return
    if definition == "ours" or tournament is not None or as_csv:
        raise SpecError("--from-log measures logs by the published formulas, without a tournament and as JSON lines")
    metrics_from_log(from_log)


@app.command()
def compare(
    one: Annotated[str, typer.Argument(metavar="A", help="An agent of the tournament.")],
    other: Annotated[str, typer.Argument(metavar="B", help="Another one.")],
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    db: Db = DEFAULT_DB,
    as_json: Json = False,
) -> None:
    """Compare two agents in pairs: scores and process metrics, with effect sizes and tests that respect the pairs."""
    from stratarena.arena.commands.comparing import compare_agents

    compare_agents(one, other, tournament, db=db, as_json=as_json)


@app.command()
def annotate(
    tournament: Annotated[str | None, typer.Argument(help="Its name; may be left out when there is only one.")] = None,
    judges: Annotated[
        list[str] | None,
        typer.Option(
            "--with",
            metavar="JUDGE",
            help="An engine, such as stockfish(nodes=100000), bitbully, hex_search(simulations=1000); may be given "
            "several times. Without one these three, each for its game.",
        ),
    ] = None,
    db: Db = DEFAULT_DB,
) -> None:
    """Grade recorded moves by engines and solvers, those played and those only meant; each position is asked once."""
    from stratarena.arena.commands.annotating import annotate

    annotate(tournament, db=db, judges=judges or ())


@db_app.command("upgrade")
def db_upgrade(db: Db = DEFAULT_DB) -> None:
    """Bring a database to this program's schema; makes it where there is none."""
    from stratarena.arena.commands.upkeep import upgrade

    upgrade(db)


@db_app.command("info")
def db_info(db: Db = DEFAULT_DB, as_json: Json = False) -> None:
    """Say what a database holds, and whether this program can use it."""
    from stratarena.arena.commands.upkeep import info

    info(db, as_json=as_json)


@models_app.command("fetch")
def models_fetch(
    name: Annotated[str, typer.Argument(help="The model; there is one: smollm2.")] = "smollm2",
) -> None:
    """Download a bundled model, check its hash and convert it, once; nothing is done when it is there."""
    from stratarena.arena.commands.upkeep import fetch_model

    fetch_model(name)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"stratarena {metadata.version('stratarena')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """A strategic-game arena for LLM agents: play tournaments, replay games, write reports, all from one record."""


def run_command_line(arguments: Sequence[str]) -> int:
    """Run one command; its exit code. Every error becomes lines on standard error, never a traceback."""
    # More threads than free cores slow torch and BLAS down ten to a hundred times; set before either is imported.
    for variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(variable, "1")
    command = typer.main.get_command(app)
    try:
        code = command.main(list(arguments), prog_name="stratarena", standalone_mode=False)
    except typer.Abort:
        return _fail("interrupted", 130)
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except SpecError as error:
        return _fail(str(error), 2)
    except ArenaError as error:
        return _fail(str(error), 1)
    except BrokenPipeError:
        # Whoever read our output has gone; keep the interpreter from saying so again at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        return _fail(_os_error(error), 1)
    except Exception as error:
        message = getattr(error, "format_message", None)
        if message is None:
            raise
        hint = "" if getattr(error, "ctx", None) is None else f"; see `{error.ctx.command_path} --help`"  # type: ignore[attr-defined]
        return _fail(f"{message()}{hint}", 2)
    return code if isinstance(code, int) else 0


def _os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"


def _fail(message: str, code: int) -> int:
    for line in message.splitlines() or [""]:
        sys.stderr.write(f"error: {line}\n")
    return code
