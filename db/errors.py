"""What can be wrong with a database."""

from __future__ import annotations

from stratarena.games.base import ArenaError

__all__ = ["RecordError"]


class RecordError(ArenaError):
    """The database is missing, unreadable, locked, newer or older than this program, or lacks what was asked for."""
