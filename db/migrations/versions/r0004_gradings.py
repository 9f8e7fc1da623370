"""Judges: what engines and solvers say afterwards of positions and moves."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of judges, their evaluations, and the gradings of moves."""
    op.create_table(
        "judges",
        sa.Column("id", sa.Integer(), nullable=False, comment="Number of the judge."),
        sa.Column("name", sa.String(length=200), nullable=False, comment="As it was asked for: kind and parameters."),
        sa.Column(
            "identity",
            sa.Text(),
            nullable=False,
            comment="What exactly it is: versions and options, as JSON. Another version is another judge.",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_judges")),
        sa.UniqueConstraint("name", "identity", name=op.f("uq_judges_name_identity")),
        comment="Engines and solvers that say afterwards how good a move was.",
    )
    op.create_table(
        "evaluations",
        sa.Column("judge_id", sa.Integer(), nullable=False, comment="The judge."),
        sa.Column("game", sa.String(length=80), nullable=False, comment="The game's id."),
        sa.Column("digest", sa.String(length=16), nullable=False, comment="Digest of the position."),
        sa.Column("value", sa.Float(), nullable=False, comment="-1 (lost) to 1 (won) for the side to move."),
        sa.Column(
            "best",
            sa.Text(),
            nullable=False,
            comment="The move it would play; where a move is a plan, the plan as JSON.",
        ),
        sa.Column("score", sa.String(length=80), nullable=True, comment="Its own words for the value."),
        sa.Column("exact", sa.Boolean(), nullable=False, comment="Whether the value is proven."),
        sa.CheckConstraint("value BETWEEN -1 AND 1", name=op.f("ck_evaluations_value")),
        sa.ForeignKeyConstraint(["judge_id"], ["judges.id"], name=op.f("fk_evaluations_judge_id")),
        sa.PrimaryKeyConstraint("judge_id", "game", "digest", name=op.f("pk_evaluations")),
        comment="What judges say of positions: each is asked once.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "gradings",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before it, the opening's included."),
        sa.Column("judge_id", sa.Integer(), nullable=False, comment="The judge."),
        sa.Column(
            "place", sa.Integer(), nullable=False, comment="0 for the move that was played, then what else was meant."
        ),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column(
            "move",
            sa.Text(),
            nullable=False,
            comment="In the game's notation; where a move is a plan, the plan as JSON.",
        ),
        sa.Column("legal", sa.Boolean(), nullable=False, comment="Whether the rules allow it there."),
        sa.Column(
            "value",
            sa.Float(),
            nullable=True,
            comment="-1 (lost) to 1 (won) for the mover, after it; null when it is not legal.",
        ),
        sa.Column("best", sa.Text(), nullable=False, comment="The judge's move."),
        sa.Column("best_value", sa.Float(), nullable=False, comment="-1 to 1 for the mover, after the judge's move."),
        sa.Column("exact", sa.Boolean(), nullable=False, comment="Whether both values are proven."),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_gradings_seat")),
        sa.CheckConstraint("best_value BETWEEN -1 AND 1", name=op.f("ck_gradings_best_value")),
        sa.CheckConstraint("legal = (value IS NOT NULL)", name=op.f("ck_gradings_legal_has_value")),
        sa.CheckConstraint("place >= 0", name=op.f("ck_gradings_place_not_negative")),
        sa.CheckConstraint("ply >= 0", name=op.f("ck_gradings_ply_not_negative")),
        sa.CheckConstraint("value BETWEEN -1 AND 1", name=op.f("ck_gradings_value")),
        sa.ForeignKeyConstraint(["judge_id"], ["judges.id"], name=op.f("fk_gradings_judge_id")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_gradings_match_id")),
        sa.PrimaryKeyConstraint("match_id", "ply", "judge_id", "place", name=op.f("pk_gradings")),
        comment="How good the moves of a match were, played or only meant, in the position where they were considered.",
        sqlite_with_rowid=False,
    )
