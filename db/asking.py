"""Queries answered, with whatever goes wrong told about the database that was asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Engine

from stratarena.db.connect import told

__all__ = ["Asking"]


class Asking:
    """Asks one database."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.url = engine.url.render_as_string(hide_password=False)

    def rows(self, query: Any) -> Sequence[Any]:
        """Every row, as a tuple."""
        with told(self.url), self.engine.connect() as connection:
            return connection.execute(query).all()

    def mappings(self, query: Any) -> Sequence[Any]:
        """Every row, by the names of its columns."""
        with told(self.url), self.engine.connect() as connection:
            return connection.execute(query).mappings().all()
