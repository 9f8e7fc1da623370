"""Resource-limited games: plans as moves, what each answer was, and the rounds between plans."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Let a move be a whole plan, and make the tables of answers and rounds."""
    with op.batch_alter_table("moves") as batch:
        batch.alter_column(
            "move",
            existing_type=sa.String(length=40),
            type_=sa.Text(),
            comment="In the game's notation; where a move is a plan, the plan as JSON.",
        )
    op.create_table(
        "submissions",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("seq", sa.Integer(), nullable=False, comment="The event's number in the match, from 0."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before the turn it belongs to."),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="When, in milliseconds since 1970."),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column(
            "verdict",
            sa.String(length=12),
            nullable=False,
            comment="What the rules say of it; `over_budget` is over the purse. Of a kept plan its own.",
        ),
        sa.Column(
            "cost",
            sa.Integer(),
            nullable=True,
            comment="By the price list; null where there is no plan, or an item has no price.",
        ),
        sa.Column("purse", sa.Integer(), nullable=False, comment="What it may cost."),
        sa.Column("kept", sa.Boolean(), nullable=False, comment="Whether the answer was to keep the plan."),
        sa.Column(
            "changed", sa.Boolean(), nullable=False, comment="Whether the plan in play is another one than before."
        ),
        sa.Column("problems", sa.String(length=32), nullable=False, comment="Everything wrong with it, a line each."),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_submissions_seat")),
        sa.CheckConstraint(
            "verdict IN ('ok', 'over_budget', 'illegal', 'schema_error', 'unparseable')",
            name=op.f("ck_submissions_verdict"),
        ),
        sa.CheckConstraint("purse >= 0", name=op.f("ck_submissions_purse_not_negative")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_submissions_seq_not_negative")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_submissions_match_id")),
        sa.ForeignKeyConstraint(["problems"], ["texts.hash"], name=op.f("fk_submissions_problems")),
        sa.PrimaryKeyConstraint("match_id", "seq", name=op.f("pk_submissions")),
        comment="What each answer was where a move is a plan: by the rules, whatever came of it.",
        sqlite_with_rowid=False,
    )
    op.create_table(
        "rounds",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("seq", sa.Integer(), nullable=False, comment="The event's number in the match, from 0."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before the turn it belongs to."),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="When, in milliseconds since 1970."),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column("label", sa.Integer(), nullable=False, comment="0 for the opening plans, then the scored rounds."),
        sa.Column("winner", sa.String(length=6), nullable=True, comment="`first` or `second`; null for nobody."),
        sa.Column(
            "decided_by",
            sa.String(length=11),
            nullable=False,
            comment="`bad_plan`, `over_budget` (of the purse) or `simulation`: the first that applies.",
        ),
        sa.Column(
            "simulated",
            sa.String(length=6),
            nullable=True,
            comment="Who won the simulation, whatever else was decided.",
        ),
        sa.Column(
            "reason",
            sa.String(length=80),
            nullable=True,
            comment="The rule that ended the simulation; null without one.",
        ),
        sa.Column("length", sa.Integer(), nullable=True, comment="Its length: actions, attacks, or the game's clock."),
        sa.Column("margin", sa.Float(), nullable=True, comment="How clearly FIRST won it, -1 to 1."),
        sa.Column(
            "survivors",
            sa.String(length=32),
            nullable=False,
            comment="What was left: seat, name, health and place of each, as JSON.",
        ),
        sa.CheckConstraint(
            "decided_by IN ('bad_plan', 'over_budget', 'simulation')", name=op.f("ck_rounds_decided_by")
        ),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_rounds_seat")),
        sa.CheckConstraint("simulated IN ('first', 'second')", name=op.f("ck_rounds_simulated")),
        sa.CheckConstraint("winner IN ('first', 'second')", name=op.f("ck_rounds_winner")),
        sa.CheckConstraint("label >= 0", name=op.f("ck_rounds_label_not_negative")),
        sa.CheckConstraint("margin BETWEEN -1 AND 1", name=op.f("ck_rounds_margin")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_rounds_seq_not_negative")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_rounds_match_id")),
        sa.ForeignKeyConstraint(["survivors"], ["texts.hash"], name=op.f("fk_rounds_survivors")),
        sa.PrimaryKeyConstraint("match_id", "seq", name=op.f("pk_rounds")),
        comment="Every round where a move is a plan: both plans in play, simulated after an answer. Only the plan of the seat that answered can differ from the round before.",
        sqlite_with_rowid=False,
    )
