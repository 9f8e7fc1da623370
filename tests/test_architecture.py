"""The shape of the code: who imports whom, what is imported when, and what never appears."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LINE = ["games", "agents", "arena", "db", "analysis"]
MODULES = sorted(path for folder in LINE for path in (ROOT / folder).rglob("*.py"))
HEAVY = {
    "torch",
    "transformers",
    "pyspiel",
    "pettingzoo",
    "matplotlib",
    "bitbully",
    "sgfmill",
    "openai",
    "anthropic",
    "httpx2",
    "llguidance",
    "xllamacpp",
    "ray",
    "numpy",
    "numba",
    "gymnasium",
}
EDGES = ("agents/engines/hex_search", "agents/gamelm", "games/adapters")
"""They need a heavy library where they stand; the packages themselves are imported where used, as if heavy."""
ASYNCHRONOUS = {
    "agents/engines/uci.py",
    *(
        f"agents/models/{module}.py"
        for module in ("anthropic_api", "http_client", "openai_api", "remote", "streams", "wire")
    ),
}
"""Adapters that run an event loop inside themselves."""
SQL = {"sqlalchemy", "alembic", "sqlite3"}


def name(path):
    return path.relative_to(ROOT).as_posix()


def is_composition_root(path):
    """The command line stands above the line: it builds concrete things and hands them in."""
    return name(path) in ("arena/cli.py", "arena/__main__.py") or name(path).startswith("arena/commands/")


def tree(path):
    return ast.parse(path.read_text(encoding="utf-8"))


def imports(node):
    """Full names of the modules a tree imports, at whatever depth."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module or ""


def imports_at_import_time(node):
    """Modules imported outside functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            yield child.module or ""
        elif not isinstance(child, ast.FunctionDef):
            yield from imports_at_import_time(child)


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_imports_point_to_the_left(path):
    """games <- agents <- arena <- db <- analysis, but for the composition root, which nobody imports."""
    own = LINE.index(path.relative_to(ROOT).parts[0])
    for module in imports(tree(path)):
        parts = module.split(".")
        assert parts[0] not in LINE, f"imports the bare folder {module}"
        if parts[0] != "stratarena" or len(parts) < 2:
            continue
        if not is_composition_root(path):
            assert LINE.index(parts[1]) <= own, f"imports {module} from its right"
            assert module != "stratarena.arena.cli", "imports the command line"
            assert not module.startswith("stratarena.arena.commands"), "imports the command line"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_heavy_libraries_are_imported_where_they_are_used(path):
    """Never when a module is imported, so that the command line answers at once."""
    if name(path).startswith(EDGES):
        return
    found = set(imports_at_import_time(tree(path)))
    assert not {module.split(".")[0] for module in found} & HEAVY
    edges = tuple(f"stratarena.{edge.replace('/', '.')}" for edge in EDGES)
    assert not [module for module in found if module.startswith(edges)]


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_only_the_store_knows_sql(path):
    """Metrics take records; the arena takes a store."""
    if path.relative_to(ROOT).parts[0] != "db":
        assert not {module.split(".")[0] for module in imports(tree(path))} & SQL


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_nothing_is_asynchronous_evaluated_or_global(path):
    """Deliberations are generators, texts are data, and state is passed in; event loops run inside adapters only."""
    for node in ast.walk(tree(path)):
        if name(path) not in ASYNCHRONOUS:
            assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), ast.unparse(node)
        assert not isinstance(node, ast.Global), ast.unparse(node)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in ("eval", "exec", "compile", "__import__")


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_every_module_says_what_it_is(path):
    """A docstring at the top."""
    assert ast.get_docstring(tree(path))


def test_blind_excepts_stand_in_four_places_only():
    """Around an agent's code, in a model's worker or an HTTP client, in the command line's last resort; each records or re-raises."""
    found = {
        name(path)
        for path in MODULES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ExceptHandler) and ast.unparse(node.type or ast.Name("bare")) in ("Exception", "bare")
    }
    assert found <= {
        "arena/referee.py",
        "arena/cli.py",
        "agents/models/transformers_local.py",
        "agents/models/remote.py",
    }, found


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_no_module_holds_mutable_state(path):
    """Module-level lists, dicts and sets are constants: ALL_CAPS or underscored, and never changed in place."""
    module = tree(path)
    held = set()
    for node in module.body:
        targets = (
            node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        )
        mutable = isinstance(getattr(node, "value", None), ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp)
        for target in targets:
            if mutable and isinstance(target, ast.Name) and target.id != "__all__":
                assert target.id == target.id.upper(), f"{target.id} looks like state"
                held.add(target.id)
    for node in ast.walk(module):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
        ):
            changing = node.func.attr in ("append", "add", "update", "pop", "clear", "setdefault", "extend", "remove")
            assert not (changing and node.func.value.id in held), f"{node.func.value.id} is changed"


def test_no_file_knows_the_machine_it_was_written_on():
    """No absolute paths of a home or work folder, and no host of a package registry."""
    wrong = re.compile(r"/(?:root|home/[a-z]+|work)/[A-Za-z.]|https?://(?:files\.)?(?:pypi|pythonhosted)\.org/")
    suffixes = {".py", ".md", ".toml", ".txt", ".lock", ".in", ".mako"}
    files = [
        path
        for folder in [*LINE, "tests", "docs", "examples", "bench", ".ci"]
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and (path.suffix in suffixes or folder == ".ci")
    ]
    files += [
        path for path in ROOT.iterdir() if path.is_file() and (path.suffix in suffixes or path.name == "Makefile")
    ]
    found = [name(path) for path in files if wrong.search(path.read_text(encoding="utf-8"))]
    assert found == [], found
