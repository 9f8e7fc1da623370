"""Databases to test on: a file, and a throw-away PostgreSQL server where its programs are installed."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from stratarena.db.connect import open_database


def _postgres_programs():
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


def _owner():
    """PostgreSQL refuses to run as root; somebody else has to be at hand then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    return None


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory):
    """The URL of an empty PostgreSQL server on a free port of this machine."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server programs are not installed (Debian: apt-get install postgresql)")
    pytest.importorskip("psycopg", reason="the postgres extra is not installed")
    # Not below pytest's own folder, which only its owner may enter.
    import tempfile

    owner = _owner()
    with tempfile.TemporaryDirectory(prefix="pg") as name:
        folder = Path(name)
        if owner is not None:
            os.chown(folder, owner.pw_uid, owner.pw_gid)

        def run(*command):
            demote = {"user": owner.pw_uid, "group": owner.pw_gid} if owner is not None else {}
            subprocess.run(command, check=True, capture_output=True, cwd=folder, timeout=120, **demote)

        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        data = folder / "data"
        run(programs / "initdb", "-D", data, "-A", "trust", "-U", "postgres", "-E", "UTF8")
        options = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
        run(programs / "pg_ctl", "-D", data, "-o", options, "-l", folder / "log", "-w", "start")
        try:
            yield f"postgresql+psycopg://postgres@127.0.0.1:{port}/postgres"
        finally:
            run(programs / "pg_ctl", "-D", data, "-m", "immediate", "stop")


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database(request, tmp_path):
    """An engine on a fresh database of this program's schema, once for each kind."""
    if request.param == "sqlite":
        engine = open_database(str(tmp_path / "test.db"), create=True)
        yield engine
        engine.dispose()
        return
    url = request.getfixturevalue("postgres_url")
    engine = open_database(url, create=True)
    yield engine
    with engine.begin() as connection:
        connection.exec_driver_sql("DROP SCHEMA public CASCADE")
        connection.exec_driver_sql("CREATE SCHEMA public")
    engine.dispose()
