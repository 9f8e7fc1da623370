"""What plays: versions of the program, of Python and of the libraries that can change how a game goes."""

from __future__ import annotations

import platform
import subprocess
from importlib import metadata
from pathlib import Path

from stratarena.arena.store import Provenance

__all__ = ["find_provenance"]

_PACKAGES = (
    "alembic",
    "bitbully",
    "chess",
    "open_spiel",
    "pydantic",
    "sqlalchemy",
    "torch",
    "transformers",
)


def find_provenance() -> Provenance:
    """Everything about this process that is worth keeping beside its results."""
    return Provenance(
        program_version=metadata.version("stratarena"),
        source_revision=_revision(Path(__file__).resolve().parents[2]),
        python_version=platform.python_version(),
        packages={name: version for name in _PACKAGES if (version := _version(name)) is not None},
    )


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _revision(folder: Path) -> str | None:
    """The commit this program runs from, `+changes` behind it when files differ; None when installed as a package."""
    if not (folder / "pyproject.toml").exists() or not (folder / ".git").exists():
        return None
    try:
        commit = _git(folder, "rev-parse", "HEAD")
        changed = _git(folder, "status", "--porcelain", "--untracked-files=no")
    except (OSError, subprocess.SubprocessError):
        return None
    return commit + ("+changes" if changed else "")


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments], capture_output=True, text=True, check=True, timeout=10
    )
    return done.stdout.strip()
