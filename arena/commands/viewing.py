"""`view`: the record in a browser, on loopback, while it grows."""

from __future__ import annotations

import socket
import sys
import webbrowser
from contextlib import suppress

from stratarena.arena.commands.console import err
from stratarena.db.connect import open_database
from stratarena.db.listing import Listing
from stratarena.games.base import SpecError

__all__ = ["view"]

_LOOPBACK = "127.0.0.1"


def view(*, db: str, port: int, browse: bool) -> None:
    """Serve until Ctrl-C. Never to other machines; never writes.

    Raises:
        SpecError: the port is taken, or the extra `web` is not installed.
        RecordError: the database cannot be read.
    """
    try:
        import uvicorn

        from stratarena.analysis.web.server import make_app
    except ImportError as error:
        raise SpecError(
            f"`view` needs the extra `web` ({error.name} is missing): pip install 'stratarena[web]'"
        ) from error
    engine = open_database(db, read_only=True)
    # A file by its path; a server without the password that its URL may hold.
    shown = db if "://" not in db else engine.url.render_as_string(hide_password=True)
    try:
        with _bound(port) as listening:
            port = listening.getsockname()[1]
            app = make_app(Listing(engine), port=port, database=shown)
            config = uvicorn.Config(app, access_log=False, log_level="warning", server_header=False, lifespan="off")
            address = f"http://{_LOOPBACK}:{port}/"
            sys.stdout.write(f"{address}\n")
            sys.stdout.flush()
            err().print(f"serving {shown} to browsers on this machine; Ctrl-C ends it", soft_wrap=True)
            if browse:
                webbrowser.open(address)
            # Where Ctrl-C is ignored from the start, as in the background of a shell, it only ends the server.
            with suppress(KeyboardInterrupt):
                uvicorn.Server(config).run(sockets=[listening])
            err().print("stopped")
    finally:
        engine.dispose()


def _bound(port: int) -> socket.socket:
    """A socket on loopback; bound here, so that a taken port is said in one line."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((_LOOPBACK, port))
        # Whoever reads the address may ask at once; it waits until the server takes up.
        listening.listen(128)
    except OSError as error:
        listening.close()
        raise SpecError(f"port {port} cannot be served: {error.strerror}; name another with --port, or 0") from error
    return listening
