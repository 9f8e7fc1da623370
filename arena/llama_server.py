"""The bundled model behind llama.cpp's own HTTP server, in a process of its own: for tests and benchmarks.

Run as a module: `python -m stratarena.arena.llama_server FILE SLOTS` prints its URL and serves until its input ends.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["llama_server"]


@contextmanager
def llama_server(weights: Path, *, slots: int = 2) -> Iterator[str]:
    """The base URL of a server of this GGUF file, on one thread; stopped afterwards."""
    command = [sys.executable, "-m", "stratarena.arena.llama_server", str(weights), str(slots)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        try:
            for line in process.stdout:
                if line.startswith("URL "):
                    yield line.split()[1]
                    break
            else:
                raise RuntimeError(f"llama.cpp's server did not start on {weights}")
        finally:
            process.stdin.close()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()


def _serve(weights: str, slots: int) -> None:
    import xllamacpp

    params = xllamacpp.CommonParams()
    params.model.path = weights
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = 2048 * slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    params.model_alias = {"smollm2"}
    params.offline = True
    params.ui = False
    server = xllamacpp.Server(params)
    sys.stdout.write(f"URL {server.listening_address}/v1\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
