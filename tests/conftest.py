"""What every test may rely on: no network, one thread, the same examples on every machine."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
from hypothesis import settings

for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")
os.environ["HF_HUB_OFFLINE"] = "1"

settings.register_profile("ci", derandomize=True, deadline=None)
settings.register_profile("here", deadline=None)
settings.load_profile("ci" if os.environ.get("CI") else "here")

_connect = socket.socket.connect


def _connect_to_this_machine_only(self: socket.socket, address: object) -> None:
    if self.family != socket.AF_UNIX:
        host = str(address[0]) if isinstance(address, tuple) else str(address)
        if host not in ("127.0.0.1", "::1", "localhost"):
            raise AssertionError(f"a test tried to reach {address}; tests need no network")
    _connect(self, address)  # type: ignore[arg-type]


@pytest.fixture
def golden():
    """Compares a text with a file of `tests/golden` that people can read; UPDATE_GOLDEN=1 writes it anew."""

    def compare(name, text):
        file = Path(__file__).parent / "golden" / name
        if os.environ.get("UPDATE_GOLDEN") == "1":
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
        assert file.exists(), f"there is no {name}: run with UPDATE_GOLDEN=1 and read what it writes"
        assert text == file.read_text(encoding="utf-8")

    return compare


@pytest.fixture(autouse=True, scope="session")
def _no_network():
    """Connections to anything but this machine fail the test that makes them."""
    socket.socket.connect = _connect_to_this_machine_only
    yield
    socket.socket.connect = _connect
