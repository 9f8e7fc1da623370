"""What is installed is what is here: packages, entry points, data files, names."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from stratarena.games.plugins import GROUPS, load, names

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ["games", "agents", "arena", "db", "analysis"]


def test_every_folder_of_code_is_listed_as_a_package():
    """A forgotten one would be missing from the wheel."""
    there = {
        "stratarena." + path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("*.py")
        if "__pycache__" not in path.parts
    }
    assert set(PROJECT["tool"]["setuptools"]["packages"]) == there
    for package in there:
        folder = ROOT / package.removeprefix("stratarena.").replace(".", "/")
        assert (folder / "__init__.py").exists(), package


@pytest.mark.parametrize("group", GROUPS)
def test_every_entry_point_resolves(group):
    """Each name that is listed can be loaded, and each that the project declares is listed."""
    listed = {plugin.name for plugin in names(group)}
    assert set(PROJECT["project"]["entry-points"][group]) <= listed
    for plugin in names(group):
        assert callable(load(group, plugin.name))


def test_the_changelog_tells_of_this_version():
    """The newest heading with a number is the project's version, and the one installed."""
    version = PROJECT["project"]["version"]
    assert f"## [{version}]" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert metadata.version("stratarena") == version


def test_the_top_level_holds_what_the_owner_fixed_and_nothing_else():
    """Folders and files by name; lock files and dotfiles may stand beside them."""
    done = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip("not a git checkout")
    tops = {line.split("/")[0] for line in done.stdout.splitlines()}
    fixed = {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "Makefile", *FOLDERS}
    fixed |= {"tests", "docs", "examples", "bench"}
    assert {top for top in tops if not top.startswith(".") and not top.endswith(".lock")} <= fixed


def test_the_lock_pins_and_hashes_everything_but_torch():
    """torch's CPU and CUDA files differ, so it is pinned by itself."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    pins = [line for line in lock.splitlines() if line and line[0].isalnum()]
    assert len(pins) > 50
    assert all("==" in pin for pin in pins)
    assert not any(pin.startswith(("torch==", "nvidia")) for pin in pins)
    assert lock.count("--hash=sha256:") >= len(pins)
    assert "torch==" in (ROOT / "requirements-torch.lock").read_text(encoding="utf-8")


def test_every_dependency_is_in_the_lock():
    """What the project needs, with the extras that the demo uses, is pinned."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").replace("_", "-")
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = [*PROJECT["project"]["dependencies"]]
    for extra in ("torch", "open-spiel", "plots", "connect-four", "postgres", "dev"):
        wanted += extras[extra]
    for requirement in wanted:
        distribution = requirement.split(">")[0].split("[")[0].replace("_", "-")
        if distribution != "torch":
            assert f"\n{distribution}==" in lock, distribution


@pytest.mark.slow
def test_the_wheel_holds_data_and_migrations_and_no_flat_names(tmp_path):
    """A flat top-level `agents` would overwrite another project's package."""
    copy = tmp_path / "copy"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(copy)], check=True)
    subprocess.run(
        [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "--quiet",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(tmp_path),
            ".",
        ],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("stratarena-*.whl")
    inside = zipfile.ZipFile(wheel).namelist()
    assert {item.split("/")[0].split("-")[0] for item in inside} == {"stratarena"}
    for needed in (
        "stratarena/arena/demo.toml",
        "stratarena/games/data/chess_book.txt",
        "stratarena/db/migrations/versions/r0001_spine.py",
        "stratarena/db/migrations/versions/r0002_imports.py",
        "stratarena/db/migrations/versions/r0003_rounds.py",
        "stratarena/games/data/battle_card.toml",
        "stratarena/games/data/tower_defense.toml",
        "stratarena/games/data/turn_based.toml",
        "stratarena/db/migrations/env.py",
        "stratarena/analysis/py.typed",
    ):
        assert needed in inside
