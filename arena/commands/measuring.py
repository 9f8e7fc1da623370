"""`metrics`: process metrics, from the record or from logs of the published programs."""

from __future__ import annotations

from pathlib import Path

from stratarena.analysis.published_log import LogError, metrics_of_log
from stratarena.arena.commands.console import print_json
from stratarena.games.resource.reading import NoJson, parse_json

__all__ = ["metrics_from_log"]


def metrics_from_log(path: Path) -> None:
    """Print the published metrics of each log in a JSON list, one object a line, in order.

    Raises:
        LogError: the file is no JSON, or a log has another shape.
    """
    try:
        logs = parse_json(path.read_text(encoding="utf-8"))
    except UnicodeDecodeError as error:
        raise LogError(f"{path}: not UTF-8 at byte {error.start}") from None
    except NoJson as error:
        raise LogError(f"{path}: {error}") from None
    if not isinstance(logs, list):
        raise LogError(f"{path}: expected a list of logs")
    for index, log in enumerate(logs):
        print_json(metrics_of_log(log, where=f"{path}[{index}]"))
