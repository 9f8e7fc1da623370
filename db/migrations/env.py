"""Alembic's environment: always online, on the connection that `db.connect` hands over."""

from __future__ import annotations

from alembic import context

from stratarena.db.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
