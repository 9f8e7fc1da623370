"""What agents' searches looked at: one row a search, one a position of its tree; what engines were asked on the way."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables of searches, their nodes, and appraisals."""
    op.create_table(
        "searches",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("seq", sa.Integer(), nullable=False, comment="The event's number in the match, from 0."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before the turn it belongs to."),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="When, in milliseconds since 1970."),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column(
            "kind",
            sa.String(length=8),
            nullable=False,
            comment="`external`: a program searched by the rules; `imagined`: a model said which moves there are and what they lead to; `internal`: a model wrote the search by itself.",
        ),
        sa.Column(
            "method", sa.Text(), nullable=False, comment="How it was searched: `puct`, `uct`, `minimax`, `vote`, …"
        ),
        sa.Column(
            "simulations",
            sa.Integer(),
            nullable=False,
            comment="Descents from the root; positions evaluated where there are none.",
        ),
        sa.Column("n_nodes", sa.Integer(), nullable=False, comment="Positions visited, the root's included."),
        sa.Column("depth", sa.Integer(), nullable=False, comment="Plies from the root to the deepest of them."),
        sa.Column("first_move", sa.Text(), nullable=True, comment="The move held best before the search."),
        sa.Column("value_before", sa.Float(), nullable=True, comment="The root's, before the search."),
        sa.Column("value_after", sa.Float(), nullable=True, comment="The root's, after it."),
        sa.Column("line", sa.Text(), nullable=False, comment="Principal variation, separated by spaces."),
        sa.Column("ended", sa.Text(), nullable=False, comment="`simulations`, `proven`, or the budget that ended it."),
        sa.Column(
            "whole",
            sa.Boolean(),
            nullable=False,
            comment="Whether `search_nodes` holds every position visited; else the root and those of its moves that were visited.",
        ),
        sa.Column(
            "model_calls",
            sa.Integer(),
            nullable=False,
            comment="Calls of the turn from its beginning, or from the search before, until it was told.",
        ),
        sa.Column("nodes", sa.Integer(), nullable=False, comment="Positions it played to, and those of engines."),
        sa.Column("prompt_tokens", sa.Integer(), nullable=False, comment="Tokens the model read."),
        sa.Column("completion_tokens", sa.Integer(), nullable=False, comment="Tokens the model wrote."),
        sa.Column("cost_usd", sa.Float(), nullable=True, comment="US dollars by the price table; null is unknown."),
        sa.Column(
            "think_ms",
            sa.Float(),
            nullable=False,
            comment="Milliseconds of work by the agent, its models and engines; waiting left out.",
        ),
        sa.CheckConstraint("kind IN ('external', 'imagined', 'internal')", name=op.f("ck_searches_kind")),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_searches_seat")),
        sa.CheckConstraint("completion_tokens >= 0", name=op.f("ck_searches_completion_tokens_not_negative")),
        sa.CheckConstraint("depth >= 0", name=op.f("ck_searches_depth_not_negative")),
        sa.CheckConstraint("model_calls >= 0", name=op.f("ck_searches_model_calls_not_negative")),
        sa.CheckConstraint("n_nodes >= 0", name=op.f("ck_searches_n_nodes_not_negative")),
        sa.CheckConstraint("nodes >= 0", name=op.f("ck_searches_nodes_not_negative")),
        sa.CheckConstraint("prompt_tokens >= 0", name=op.f("ck_searches_prompt_tokens_not_negative")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_searches_seq_not_negative")),
        sa.CheckConstraint("simulations >= 0", name=op.f("ck_searches_simulations_not_negative")),
        sa.CheckConstraint("think_ms >= 0", name=op.f("ck_searches_think_ms_not_negative")),
        sa.CheckConstraint("value_after BETWEEN -1 AND 1", name=op.f("ck_searches_value_after")),
        sa.CheckConstraint("value_before BETWEEN -1 AND 1", name=op.f("ck_searches_value_before")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_searches_match_id")),
        sa.PrimaryKeyConstraint("match_id", "seq", name=op.f("pk_searches")),
        comment="What agents' searches looked at: trees around a model, and trees that a model wrote. Values from -1 (lost) to 1 (won) are for the seat that searched.",
        sqlite_with_rowid=False,
    )

    op.create_table(
        "search_nodes",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("seq", sa.Integer(), nullable=False, comment="The search."),
        sa.Column(
            "number",
            sa.Integer(),
            nullable=False,
            comment="Place in the tree, from 0 (the root); parents before children.",
        ),
        sa.Column("parent", sa.Integer(), nullable=True, comment="Its parent's number; null for the root."),
        sa.Column("move", sa.Text(), nullable=True, comment="The move that leads here, as the tree has it."),
        sa.Column("depth", sa.Integer(), nullable=False, comment="Plies below the root."),
        sa.Column(
            "prior",
            sa.Float(),
            nullable=True,
            comment="Weight of its move among its siblings before any was tried, 0 to 1.",
        ),
        sa.Column(
            "visits",
            sa.Integer(),
            nullable=False,
            comment="Simulations through it; 0 for a move that was listed and never tried.",
        ),
        sa.Column(
            "estimate",
            sa.Float(),
            nullable=True,
            comment="What it was held to be worth at first, -1 to 1 for the seat that searched.",
        ),
        sa.Column(
            "value",
            sa.Float(),
            nullable=True,
            comment="What it was held to be worth in the end; null where it was never visited.",
        ),
        sa.Column(
            "proven",
            sa.Boolean(),
            nullable=False,
            comment="Whether `value` is the result under best play, as far as the agent's world goes.",
        ),
        sa.Column(
            "terminal", sa.Boolean(), nullable=False, comment="Whether the game is over here, in the agent's world."
        ),
        sa.Column(
            "state",
            sa.String(length=32),
            nullable=True,
            comment="The position as a model claims it; null where the rules made it.",
        ),
        sa.Column(
            "problem", sa.Text(), nullable=True, comment="What the agent itself found wrong with what the model said."
        ),
        sa.Column(
            "legal",
            sa.Boolean(),
            nullable=True,
            comment="By the rules, along the whole path from the real position: every move is legal. This and what follows is null where there is nothing to check.",
        ),
        sa.Column(
            "legal_local",
            sa.Boolean(),
            nullable=True,
            comment="The move is legal in the position that the parent claims.",
        ),
        sa.Column("state_right", sa.Boolean(), nullable=True, comment="The claimed position is where the path leads."),
        sa.Column(
            "state_right_local",
            sa.Boolean(),
            nullable=True,
            comment="The claimed position is what the move makes of the parent's claim.",
        ),
        sa.Column(
            "terminal_right",
            sa.Boolean(),
            nullable=True,
            comment="The game is over here exactly if the node says so, with that result.",
        ),
        sa.Column(
            "n_missed",
            sa.Integer(),
            nullable=True,
            comment="Legal moves that the node does not list; null where it lists none.",
        ),
        sa.CheckConstraint("(parent IS NULL) = (number = 0)", name=op.f("ck_search_nodes_root")),
        sa.CheckConstraint("depth >= 0", name=op.f("ck_search_nodes_depth_not_negative")),
        sa.CheckConstraint("estimate BETWEEN -1 AND 1", name=op.f("ck_search_nodes_estimate")),
        sa.CheckConstraint("n_missed >= 0", name=op.f("ck_search_nodes_n_missed_not_negative")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_search_nodes_number_not_negative")),
        sa.CheckConstraint("prior BETWEEN 0 AND 1", name=op.f("ck_search_nodes_prior")),
        sa.CheckConstraint("value BETWEEN -1 AND 1", name=op.f("ck_search_nodes_value")),
        sa.CheckConstraint("visits >= 0", name=op.f("ck_search_nodes_visits_not_negative")),
        sa.ForeignKeyConstraint(
            ["match_id", "seq"], ["searches.match_id", "searches.seq"], name=op.f("fk_search_nodes_match_id_seq")
        ),
        sa.ForeignKeyConstraint(["state"], ["texts.hash"], name=op.f("fk_search_nodes_state")),
        sa.PrimaryKeyConstraint("match_id", "seq", "number", name=op.f("pk_search_nodes")),
        comment="The positions of each search.",
        sqlite_with_rowid=False,
    )

    op.create_table(
        "appraisals",
        sa.Column("match_id", sa.Integer(), nullable=False, comment="The match."),
        sa.Column("seq", sa.Integer(), nullable=False, comment="The event's number in the match, from 0."),
        sa.Column("ply", sa.Integer(), nullable=False, comment="Plies made before the turn it belongs to."),
        sa.Column("at_ms", sa.BigInteger(), nullable=False, comment="When, in milliseconds since 1970."),
        sa.Column("seat", sa.String(length=6), nullable=False, comment="`first` or `second`: whose turn it was."),
        sa.Column("engine", sa.Text(), nullable=False, comment="The engine's spec, as JSON."),
        sa.Column("n_asks", sa.Integer(), nullable=False, comment="Batches of questions."),
        sa.Column("n_positions", sa.Integer(), nullable=False, comment="Positions asked about."),
        sa.Column("nodes", sa.Integer(), nullable=False, comment="Positions the engine visited."),
        sa.Column(
            "think_ms",
            sa.Float(),
            nullable=False,
            comment="Milliseconds of work by the agent, its models and engines; waiting left out.",
        ),
        sa.Column("wait_ms", sa.Float(), nullable=False, comment="From asking to answering, less the work."),
        sa.Column("error", sa.Text(), nullable=True, comment="Why the last question failed."),
        sa.CheckConstraint("seat IN ('first', 'second')", name=op.f("ck_appraisals_seat")),
        sa.CheckConstraint("n_asks >= 0", name=op.f("ck_appraisals_n_asks_not_negative")),
        sa.CheckConstraint("n_positions >= 0", name=op.f("ck_appraisals_n_positions_not_negative")),
        sa.CheckConstraint("nodes >= 0", name=op.f("ck_appraisals_nodes_not_negative")),
        sa.CheckConstraint("seq >= 0", name=op.f("ck_appraisals_seq_not_negative")),
        sa.CheckConstraint("think_ms >= 0", name=op.f("ck_appraisals_think_ms_not_negative")),
        sa.CheckConstraint("wait_ms >= 0", name=op.f("ck_appraisals_wait_ms_not_negative")),
        sa.ForeignKeyConstraint(["match_id"], ["matches.id"], name=op.f("fk_appraisals_match_id")),
        sa.PrimaryKeyConstraint("match_id", "seq", name=op.f("pk_appraisals")),
        comment="What engines were asked about many positions in a turn, added up. Their answers are not kept: asked again, they give them again; those that steered a search are in its tree.",
        sqlite_with_rowid=False,
    )
