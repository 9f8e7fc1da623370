"""Texts that end a model's answer, beside its other bounds."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the column."""
    op.add_column(
        "model_calls",
        sa.Column(
            "stop", sa.Text(), nullable=True, comment="Texts that end the answer, as JSON; null where there are none."
        ),
    )
