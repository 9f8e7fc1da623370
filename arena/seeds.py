"""Seeds by name: a child seed is a hash of the root and a path of names, never a matter of who drew first."""

from __future__ import annotations

from hashlib import blake2b

__all__ = ["derive_seed"]


def derive_seed(root: int, *path: str | int) -> int:
    """A seed from 0 to 2**63 - 1 that depends on the root and every name of the path, and on nothing else."""
    text = f"{root}\x1f" + "\x1f".join(map(str, path))
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) >> 1
