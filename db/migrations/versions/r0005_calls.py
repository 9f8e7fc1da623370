"""Calls over networks: every try at them, what kind of failure they met, thinking kept apart, and forms asked for."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Give models and calls their new columns, and make the table of attempts."""
    with op.batch_alter_table("models") as batch:
        batch.add_column(
            sa.Column(
                "cached_usd_per_million",
                sa.Float(),
                nullable=True,
                comment="Price of prompt tokens that were read before; null: the full price.",
            )
        )
        batch.add_column(
            sa.Column(
                "settings",
                sa.Text(),
                nullable=True,
                comment="What its table says of sampling, as JSON: it goes before what an agent asks for.",
            )
        )
    _alter_calls()
    with op.batch_alter_table("overruns") as batch:
        batch.drop_constraint(op.f("ck_overruns_scope"), type_="check")
        batch.create_check_constraint(op.f("ck_overruns_scope"), "scope IN ('call', 'move', 'match', 'agent')")
        batch.alter_column("scope", comment="`call`, `move`, `match` or `agent`.")
    _make_receipts()
    with op.batch_alter_table("identities") as batch:
        batch.drop_constraint(op.f("ck_identities_kind"), type_="check")
        batch.create_check_constraint(op.f("ck_identities_kind"), "kind IN ('model', 'engine', 'prompt')")
        batch.alter_column("kind", comment="`model`, `engine` or `prompt`.")
        batch.alter_column("name", comment="The model's name, the engine's spec, or whose prompt it is.")
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment(
            "identities",
            "What exactly a model, an engine or a prompt was when it played: hashes, versions, options, words.",
        )
    with op.batch_alter_table("agents") as batch:
        batch.alter_column(
            "kind",
            comment="The plug-in that makes it. `llm_likelihood` and `llm_constrained` can make legal moves only.",
        )
    with op.batch_alter_table("refusals") as batch:
        batch.alter_column(
            "kind",
            existing_type=sa.String(length=9),
            type_=sa.String(length=11),
            existing_nullable=False,
            comment="`malformed`, `ambiguous`, `illegal`, `empty`, `cut_off`, `filtered` or `unparseable` (no JSON where "
            "JSON was asked for).",
        )
    op.create_table(
        "call_attempts",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("seq", sa.Integer(), nullable=False, comment="The call."),
        sa.Column("number", sa.Integer(), nullable=False, comment="Counted from 1."),
        sa.Column(
            "failure",
            sa.String(length=9),
            nullable=True,
            comment="What kind of failure it met; null for the one that was answered.",
        ),
        sa.Column("status", sa.Integer(), nullable=True, comment="The HTTP status, where there was one."),
        sa.Column(
            "waited_ms",
            sa.Float(),
            nullable=False,
            comment="In queues, for limits, and to let a server rest, since the try before.",
        ),
        sa.Column("took_ms", sa.Float(), nullable=False, comment="From sending to the answer or the failure."),
        sa.Column("error", sa.Text(), nullable=True, comment="What went wrong."),
        sa.Column(
            "at_most_usd",
            sa.Float(),
            nullable=True,
            comment="Money it may have cost without anybody saying so; null is unknown.",
        ),
        sa.CheckConstraint("number >= 1", name=op.f("ck_call_attempts_counted_from_1")),
        sa.ForeignKeyConstraint(
            ["match_id", "seq"], ["model_calls.match_id", "model_calls.seq"], name=op.f("fk_call_attempts_match_id_seq")
        ),
        sa.PrimaryKeyConstraint("match_id", "seq", "number", name=op.f("pk_call_attempts")),
        comment="Every try at a call over a network.",
        sqlite_with_rowid=False,
    )


def _make_receipts() -> None:
    op.create_table(
        "receipts",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before the turn it belongs to."),
        sa.Column("number", sa.Integer(), nullable=False, comment="Counted from 0 in the turn."),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="When, in milliseconds since 1970."),
        sa.Column("model", sa.String(length=40), nullable=False, comment="The model's name."),
        sa.Column("request_key", sa.String(length=32), nullable=False, comment="Hash of the request."),
        sa.Column("answer", sa.Text(), nullable=True, comment="The answer as JSON; null when the call failed."),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False, comment="Tokens the model read."),
        sa.Column("completion_tokens", sa.Integer(), nullable=False, comment="Tokens the model wrote."),
        sa.Column("cost_usd", sa.Float(), nullable=True, comment="US dollars by the price table; null is unknown."),
        sa.Column(
            "at_most_usd",
            sa.Float(),
            nullable=True,
            comment="What failed tries may have cost besides; null is unknown.",
        ),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_receipts_seat")),
        sa.CheckConstraint("completion_tokens >= 0", name=op.f("ck_receipts_completion_tokens_not_negative")),
        sa.CheckConstraint("prompt_tokens >= 0", name=op.f("ck_receipts_prompt_tokens_not_negative")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_receipts_number_not_negative")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_receipts_match_id")),
        sa.PrimaryKeyConstraint("match_id", "ply", "number", name=op.f("pk_receipts")),
        comment="Calls that cost money, of turns that are not over: kept until the turn is, and answered from here when "
        "a run that was broken off goes on.",
        sqlite_with_rowid=False,
    )


def _alter_calls() -> None:
    text = sa.String(length=32)
    columns = (
        ("failure", sa.String(length=9), "What kind of failure it was."),
        ("thinking_room", sa.Integer(), "Tokens allowed for thinking on top of `max_tokens`; null is none."),
        ("effort", sa.String(length=10), "How hard to think, in the provider's word."),
        ("constraint_kind", sa.String(length=7), "`schema` or `choices`: the form asked for; null is none."),
        ("constraint_body", text, "That JSON schema, or the texts to choose from as JSON."),
        (
            "enforced",
            sa.String(length=7),
            "How the form was enforced: `json`, `schema`, `choices`, `grammar`; null: not at all.",
        ),
        ("thinking", text, "What the model wrote for itself before its answer, where it shows that."),
        ("thinking_tokens", sa.Integer(), "Tokens of the thinking, where counted apart."),
        ("cached_tokens", sa.Integer(), "Prompt tokens that the server had read before, where it says so."),
        (
            "usage_guessed",
            sa.Boolean(),
            "True where nobody counted the tokens: they are guessed, their cost is unknown.",
        ),
        ("served_by", sa.String(length=100), "The model's name as the server told it."),
    )
    with op.batch_alter_table("model_calls") as batch:
        for name, kind, comment in columns:
            batch.add_column(sa.Column(name, kind, nullable=True, comment=comment))
        for name in ("constraint_body", "thinking"):
            batch.create_foreign_key(op.f(f"fk_model_calls_{name}"), "texts", [name], ["hash"])
        batch.drop_constraint(op.f("ck_model_calls_finish"), type_="check")
        batch.create_check_constraint(op.f("ck_model_calls_finish"), "finish IN ('stop', 'length', 'filter')")
        batch.create_check_constraint(
            op.f("ck_model_calls_constraint_kind"), "constraint_kind IN ('schema', 'choices')"
        )
        batch.alter_column("finish", comment="`stop`, `length` or `filter` (declined): why the answer ended.")
