"""`python -m stratarena.arena`, and the console script `stratarena`."""

from __future__ import annotations

import sys

from stratarena.arena.cli import run_command_line

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    sys.exit(run_command_line(sys.argv[1:]))


if __name__ == "__main__":
    main()
