"""Machine code of the search kernel: it plays the same trees, and never stands before a source that was edited."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import stratarena.agents.search
from stratarena.agents.compile_kernel import build, missing
from stratarena.agents.compiled import MODULES, PURE_PYTHON, file_of, folder_of

ROOT = Path(__file__).parents[2]
BUILT = folder_of()
RUNS_COMPILED = not stratarena.agents.search.__spec__.origin.endswith(".py")
needs_machine_code = pytest.mark.skipif(missing() is not None, reason=f"cannot compile: {missing()}")
ASK = """\
import stratarena.agents.search as search, stratarena.agents.search_tree as tree
forms = {"Python" if module.__spec__.origin.endswith(".py") else "machine code" for module in (search, tree)}
print(*forms, tree.DRAW)
"""


def run(*args, root=None, **env):
    """A fresh interpreter, where `root` is given on the copy there; what came of it."""
    own = {key: value for key, value in os.environ.items() if key != PURE_PYTHON}
    path = {} if root is None else {"PYTHONPATH": str(root)}
    return subprocess.run(
        [sys.executable, *args], env=own | path | env, cwd=ROOT, capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module", autouse=True)
def _built():
    """Where there is all it takes, there is machine code: `make setup` made it, else it is made now; a failure is one."""
    if missing() is None and not file_of(MODULES[0], BUILT).exists():
        build()


@pytest.fixture
def copy(tmp_path):
    """What the kernel stands on, in a folder of its own, with its machine code where there is some."""
    agents = tmp_path / "stratarena" / "agents"
    agents.mkdir(parents=True)
    (tmp_path / "stratarena" / "games").symlink_to(ROOT / "games")
    for module in ("__init__", "compiled", "compile_kernel", "search", "search_tree"):
        shutil.copy(ROOT / "agents" / f"{module}.py", agents)
    if BUILT.exists():
        shutil.copytree(BUILT, agents / "__pycache__" / BUILT.name)
    return tmp_path


@needs_machine_code
def test_both_forms_of_the_kernel_find_the_same_trees():
    """The kernel's own tests, golden trees among them, hold in the form that this run does not use."""
    other = {PURE_PYTHON: "1"} if RUNS_COMPILED else {}
    asked = run("-c", ASK, **other)
    assert asked.stdout.split()[0] == ("Python" if RUNS_COMPILED else "machine"), asked.stderr
    done = run("-m", "pytest", "-q", "-m", "not slow", "tests/agents/test_search.py", **other)
    assert done.returncode == 0, done.stdout


@needs_machine_code
def test_machine_code_of_the_sources_that_are_there_is_used(copy):
    """Unless somebody wants Python."""
    assert run("-c", ASK, root=copy).stdout == "machine code 0.5\n"
    assert run("-c", ASK, root=copy, **{PURE_PYTHON: "1"}).stdout == "Python 0.5\n"


@needs_machine_code
@pytest.mark.parametrize("module", ["search", "search_tree", "compile_kernel"])
def test_an_edited_source_is_never_shadowed(copy, module):
    """Machine code of the source as it was lies there, and what runs is the source as it is, both modules of it."""
    source = copy / "stratarena" / "agents" / f"{module}.py"
    source.write_text(source.read_text().replace("DRAW = 0.5", "DRAW = 0.25") + "\n")
    assert run("-c", ASK, root=copy).stdout == f"Python {0.25 if module == 'search_tree' else 0.5}\n"


@needs_machine_code
def test_half_of_the_machine_code_is_none(copy):
    """Both modules run in the same form."""
    built = copy / "stratarena" / "agents" / "__pycache__" / BUILT.name
    file_of("stratarena.agents.search", built).unlink()
    assert run("-c", ASK, root=copy).stdout == "Python 0.5\n"


@needs_machine_code
def test_machine_code_that_does_not_load_is_told_and_left_alone(copy):
    """As on a machine with another C library."""
    library = file_of("stratarena_kernel__mypyc", copy / "stratarena" / "agents" / "__pycache__" / BUILT.name)
    library.write_bytes(b"no library")
    done = run("-c", ASK, root=copy)
    assert done.stdout == "Python 0.5\n"
    assert "RuntimeWarning: the compiled search kernel does not load, so it runs as Python" in done.stderr


def test_without_a_compiler_everything_runs_as_python_and_says_why(copy):
    """The build is no failure then."""
    shutil.rmtree(copy / "stratarena" / "agents" / "__pycache__", ignore_errors=True)
    done = run("-m", "stratarena.agents.compile_kernel", root=copy, CC="no-such-compiler")
    assert done.returncode == 0, done.stderr
    told = "the search kernel runs as Python, at half the speed: there is no C compiler (no-such-compiler)\n"
    assert done.stdout == told
    assert run("-m", "stratarena.agents.compile_kernel", "--quiet", root=copy, CC="no-such-compiler").stdout == ""
    assert run("-c", ASK, root=copy).stdout == "Python 0.5\n"


@pytest.mark.slow
@needs_machine_code
def test_an_edited_source_is_compiled_anew_and_a_failure_is_not_tried_again(copy):
    """What was built of the earlier source goes; a compiler that fails is noted beside the sources, and told."""
    agents = copy / "stratarena" / "agents"
    source = agents / "search_tree.py"
    source.write_text(source.read_text().replace("DRAW = 0.5", "DRAW = 0.25"))
    told = run("-m", "stratarena.agents.compile_kernel", "--quiet", root=copy).stdout
    assert told.startswith("compiled the search kernel in ")
    assert run("-c", ASK, root=copy).stdout == "machine code 0.25\n"
    assert [path.name for path in (agents / "__pycache__").glob("kernel-*")] == [folder_of(agents).name]
    source.write_text(source.read_text() + "\n")
    for _ in range(2):
        failed = run("-m", "stratarena.agents.compile_kernel", root=copy, CC="false")
        assert failed.returncode == 0
        assert "the search kernel runs as Python, since it was not to be compiled; see" in failed.stdout
    assert run("-c", ASK, root=copy).stdout == "Python 0.25\n"
