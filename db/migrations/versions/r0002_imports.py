"""Games read from files: where they came from, what the files say of them, and endings that only a file states."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a match end as an imported file says and a move come from one, and make the tables of imports."""
    _widen(
        "matches",
        "ending",
        ("rules", "forfeit", "cap", "stated", "void"),
        "`rules`, `forfeit`, `cap`, `stated` (by an imported file) or `void`.",
    )
    _widen(
        "moves",
        "source",
        ("opening", "agent", "import"),
        "`opening`, `agent`, or `import` for a game read from a file.",
    )
    _make_tables()


def _widen(table: str, column: str, values: tuple[str, ...], comment: str) -> None:
    """Let the column hold these values and no others.

    SQLite cannot change a table's checks: there the table is made anew and its rows are copied.
    """
    name = op.f(f"ck_{table}_{column}")
    listed = ", ".join(f"'{value}'" for value in values)
    with op.batch_alter_table(table) as batch:
        batch.drop_constraint(name, type_="check")
        batch.create_check_constraint(name, f"{column} IN ({listed})")
        batch.alter_column(column, comment=comment)


def _make_tables() -> None:
    op.create_table(
        "imports",
        sa.Column("tournament_id", sa.Integer(), nullable=False, comment="The tournament."),
        sa.Column("file", sa.Text(), nullable=False, comment="The file's name, without its folder."),
        sa.Column(
            "sha256",
            sa.String(length=64),
            nullable=False,
            comment="Hash of the file's bytes, in hexadecimal: a file is imported once.",
        ),
        sa.Column("format", sa.String(length=8), nullable=False, comment="`pgn`, `sgf`, `moves` or `jsonl`."),
        sa.Column("encoding", sa.String(length=16), nullable=False, comment="How the file's bytes were read as text."),
        sa.Column(
            "n_refused",
            sa.Integer(),
            nullable=False,
            comment="Games of the file that could not be read and were left out.",
        ),
        sa.CheckConstraint("n_refused >= 0", name=op.f("ck_imports_n_refused_not_negative")),
        sa.ForeignKeyConstraint(["tournament_id"], ["tournaments.id"], name=op.f("fk_imports_tournament_id")),
        sa.PrimaryKeyConstraint("tournament_id", name=op.f("pk_imports")),
        sa.UniqueConstraint("sha256", name=op.f("uq_imports_sha256")),
        comment="Tournaments whose games were read from a file. They were played elsewhere: no turns, no spends.",
    )
    op.create_table(
        "imported_games",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("number", sa.Integer(), nullable=False, comment="The game's place in the file, from 1."),
        sa.Column(
            "first",
            sa.Text(),
            nullable=True,
            comment="Who played FIRST, as the file writes it; null where it does not say.",
        ),
        sa.Column("second", sa.Text(), nullable=True, comment="Who played SECOND."),
        sa.Column(
            "stated",
            sa.String(length=7),
            nullable=False,
            comment="The result as the file states it: `1-0`, `0-1`, `1/2-1/2` or `*`.",
        ),
        sa.Column(
            "headers",
            sa.String(length=32),
            nullable=False,
            comment="What else the file says of the game: names and values, as JSON.",
        ),
        sa.Column("comment", sa.String(length=32), nullable=True, comment="What it says before the first move."),
        sa.Column("n_variations", sa.Integer(), nullable=False, comment="Variations of the file that were left out."),
        sa.Column(
            "n_marks", sa.Integer(), nullable=False, comment="Board marks and other properties that were left out."
        ),
        sa.CheckConstraint("stated IN ('1-0', '0-1', '1/2-1/2', '*')", name=op.f("ck_imported_games_stated")),
        sa.CheckConstraint("n_marks >= 0", name=op.f("ck_imported_games_n_marks_not_negative")),
        sa.CheckConstraint("n_variations >= 0", name=op.f("ck_imported_games_n_variations_not_negative")),
        sa.CheckConstraint("number >= 1", name=op.f("ck_imported_games_counted_from_1")),
        sa.ForeignKeyConstraint(["comment"], ["texts.hash"], name=op.f("fk_imported_games_comment")),
        sa.ForeignKeyConstraint(["headers"], ["texts.hash"], name=op.f("fk_imported_games_headers")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_imported_games_match_id")),
        sa.PrimaryKeyConstraint("match_id", name=op.f("pk_imported_games")),
        comment="What a file says of a game, verdicts aside: `matches` holds what the rules make of it.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "imported_moves",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before it, the opening's included."),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column("digest", sa.String(length=16), nullable=False, comment="Digest of the state it left."),
        sa.Column("comment", sa.String(length=32), nullable=True, comment="The comment on it."),
        sa.Column("nags", sa.Text(), nullable=False, comment="Numeric annotation glyphs, separated by spaces."),
        sa.Column(
            "clock_ms", sa.BigInteger(), nullable=True, comment="Milliseconds left on the mover's clock after it."
        ),
        sa.Column("elapsed_ms", sa.BigInteger(), nullable=True, comment="Milliseconds taken for it."),
        sa.Column(
            "centipawns",
            sa.Integer(),
            nullable=True,
            comment="Stated evaluation after it in hundredths of a pawn, from FIRST's side.",
        ),
        sa.Column("mate", sa.Integer(), nullable=True, comment="Stated moves to mate: positive when FIRST mates."),
        sa.Column("depth", sa.Integer(), nullable=True, comment="Plies that the evaluation looked ahead."),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_imported_moves_seat")),
        sa.CheckConstraint("centipawns IS NULL OR mate IS NULL", name=op.f("ck_imported_moves_one_evaluation")),
        sa.CheckConstraint("clock_ms >= 0", name=op.f("ck_imported_moves_clock_ms_not_negative")),
        sa.CheckConstraint("elapsed_ms >= 0", name=op.f("ck_imported_moves_elapsed_ms_not_negative")),
        sa.CheckConstraint("ply >= 0", name=op.f("ck_imported_moves_ply_not_negative")),
        sa.ForeignKeyConstraint(["comment"], ["texts.hash"], name=op.f("fk_imported_moves_comment")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_imported_moves_match_id")),
        sa.PrimaryKeyConstraint("match_id", "ply", name=op.f("pk_imported_moves")),
        comment="What a file says about each move of a game, and the state the move left by our rules.",
        sqlite_with_rowid=False,
    )
