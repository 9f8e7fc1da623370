"""Build the search kernel as machine code, for `compiled` to find: python -m stratarena.agents.compile_kernel [--quiet].

Needs mypy, whose mypyc translates the two modules into C, and a C compiler. Where one is missing, or does not manage, everything
works as before, in Python. Sources that were built, or did not let themselves be built, are not tried again until they change.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

from stratarena.agents.compiled import GROUP, MODULES, file_of, folder_of

__all__ = ["build", "main", "missing"]

_SETUP = """\
import sys
from setuptools import setup
from mypyc.build import mypycify

modules = [word for name in sys.argv[2:] for word in ("-p", name)]
extensions = mypycify([*modules, "--no-incremental"], opt_level="3", group_name=sys.argv[1], target_dir="c")
setup(name="kernel", packages=[], py_modules=[], ext_modules=extensions,
      script_args=["-q", "build_ext", "--build-lib", "out", "--build-temp", "temp"])
"""


def missing() -> str | None:
    """What the build lacks on this machine; None where it has all."""
    if find_spec("mypyc") is None:
        return "mypy is not installed"
    compiler = os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc"
    if os.name != "nt" and shutil.which(compiler.split()[0]) is None:
        return f"there is no C compiler ({compiler.split()[0]})"
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        return "Python's C headers are not installed (Debian: python3-dev)"
    return None


def build(package: Path = Path(__file__).parent) -> Path:
    """Compile the modules of this folder, which is a package `stratarena.agents` beside its `stratarena.games`.

    The folder of built files comes into being whole or not at all, beside the sources' bytecode; what was built of
    earlier sources goes.

    Raises:
        RuntimeError: mypyc or the compiler failed; the text is what they said.
        OSError: the folder cannot be written to.
    """
    wanted = folder_of(package)
    wanted.parent.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=wanted.parent, prefix="kernel-build-") as name:
        place = Path(name)
        tree = place / "tree" / "stratarena"
        tree.mkdir(parents=True)
        shutil.copytree(package.parent / "games", tree / "games", ignore=shutil.ignore_patterns("*.txt", "__pycache__"))
        (tree / "agents").mkdir()
        for source in ("__init__", "compiled", *(module.rpartition(".")[2] for module in MODULES)):
            shutil.copy(package / f"{source}.py", tree / "agents")
        # Without it compilers for some machines round a product and a sum once instead of twice: other trees.
        flags = {} if os.name == "nt" else {"CFLAGS": f"{os.environ.get('CFLAGS', '')} -ffp-contract=off".strip()}
        done = subprocess.run(
            [sys.executable, "-c", _SETUP, GROUP, *MODULES],
            cwd=tree.parent,
            env=os.environ | {"MYPYPATH": ".", "PYTHONPATH": ""} | flags,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(done.stdout + done.stderr)
        ready = place / "ready"
        ready.mkdir()
        for built in (tree.parent / "out").rglob("*"):
            if built.is_file():
                shutil.copy(built, ready)
        _put(ready, wanted)
    return wanted


def _put(ready: Path, wanted: Path) -> None:
    """Move a finished folder to where it is looked for, unless somebody else was faster; remove what went before."""
    try:
        ready.rename(wanted)
    except OSError:
        if not wanted.exists():
            raise
    interpreter = wanted.name.split("-", 2)[2]
    for other in wanted.parent.glob(f"kernel-*-{interpreter}"):
        if other != wanted:
            shutil.rmtree(other, ignore_errors=True)


def main() -> None:
    """Build what is not built yet; never fails, since nothing depends on it."""
    parser = argparse.ArgumentParser(prog="python -m stratarena.agents.compile_kernel", description=__doc__)
    parser.add_argument("--quiet", action="store_true", help="say nothing where there is nothing to do, or no way to")
    quiet = parser.parse_args().quiet
    wanted = folder_of()
    failed = wanted / "failed.txt"
    how_it_failed = (
        f"the search kernel runs as Python, since it was not to be compiled; see {failed}, delete it to try again"
    )
    lacks = missing()
    told = None
    if file_of(MODULES[-1], wanted).exists():
        told = "the search kernel is compiled"
    elif failed.exists():
        told = how_it_failed
    elif lacks is not None:
        told = f"the search kernel runs as Python, at half the speed: {lacks}"
    if told is not None:
        if not quiet:
            _say(told)
        return
    began = time.monotonic()
    try:
        build()
    except RuntimeError as error:
        wanted.mkdir(exist_ok=True)
        failed.write_text(str(error), encoding="utf-8")
        _say(how_it_failed)
    except OSError as error:
        _say(f"the search kernel runs as Python: {error}")
    else:
        _say(f"compiled the search kernel in {time.monotonic() - began:.0f} s")


def _say(words: str) -> None:
    sys.stdout.write(words + "\n")


if __name__ == "__main__":
    main()
