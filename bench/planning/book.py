"""The numbers of a study, on disk after every one."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any


class Book:
    """The numbers so far; those of other weights or another size are left behind."""

    def __init__(self, path: Path, made: dict[str, Any]) -> None:
        self.path = path
        held = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
        same = held.get("made", {}).get("weights") == made["weights"] and held["made"]["quick"] == made["quick"]
        self.numbers: dict[str, Any] = (held if same else {}) | {"made": made}

    def note(self, part: str, name: str, measure: Callable[[], Any]) -> None:
        """Measure, unless it has been."""
        if name in self.numbers.setdefault(part, {}):
            return
        self.numbers[part][name] = found = measure()
        self.save()
        print(f"{time.process_time():7.0f} s  {part}: {name}: {json.dumps(found)[:200]}", flush=True)

    def save(self) -> None:
        """All numbers, whole or not at all."""
        half = self.path.with_suffix(".part")
        half.write_text(json.dumps(self.numbers, indent=1, sort_keys=True) + "\n", encoding="utf-8")
        half.replace(self.path)
