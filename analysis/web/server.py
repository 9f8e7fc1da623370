"""The record in a browser while it grows: pages and JSON on loopback, for reading only.

Every request must be addressed to this server by a loopback name and, where it says where it comes from, come from it:
another page in the same browser, or a name that was made to point here, gets nothing. Starlette runs the functions
below in threads; nothing here waits for anything but the database.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping
from threading import Lock
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stratarena.analysis.web.bundle import script, shell, style
from stratarena.analysis.web.document import Played, match_document, play_again, round_document, summary
from stratarena.db.errors import RecordError
from stratarena.db.listing import Listing, Wanted

__all__ = ["make_app"]

PAGE = 100
"""Matches in one page of a list."""
_MOST_PLAYING = 50
_KEPT = 16
"""Matches that stay played, since their rounds are asked for one by one."""
_STATES = ("pending", "playing", "over", "void")
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Guard:
    """Turns away whoever is not a page of this server in a browser on this machine."""

    def __init__(self, app: ASGIApp, *, port: int) -> None:
        self._app = app
        self._hosts = frozenset(f"{name}:{port}" for name in ("127.0.0.1", "localhost", "[::1]"))

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        if scope["type"] == "http":
            why = self._why_not(Request(scope))
            if why is not None:
                return PlainTextResponse(why + "\n", status_code=403, headers=_HEADERS)(scope, receive, send)
        return self._app(scope, receive, send)

    def _why_not(self, request: Request) -> str | None:
        hosts = request.headers.getlist("host")
        if len(hosts) != 1 or hosts[0] not in self._hosts:
            return "this server answers to 127.0.0.1 and localhost only"
        origin = request.headers.get("origin")
        if origin is not None and origin not in {f"http://{host}" for host in self._hosts}:
            return "this server answers to its own pages only"
        if request.headers.get("sec-fetch-site", "none") not in ("none", "same-origin") and (
            request.headers.get("sec-fetch-mode") != "navigate"
        ):
            return "this server answers to its own pages only"
        return None


class _Shelf:
    """The matches looked at last, played again; a match that has gone on is played anew."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._kept: OrderedDict[tuple[int, str], Played] = OrderedDict()
        self._lock = Lock()

    def get(self, match_id: int) -> tuple[str, Played]:
        """The match and its stamp. Raises `RecordError` where there is none."""
        # The stamp first: what comes in between makes a match newer than its stamp, and it is asked for again.
        stamp = self._listing.stamp(match_id)
        if stamp is None:
            raise RecordError(f"there is no match {match_id}")
        with self._lock:
            found = self._kept.get((match_id, stamp))
            if found is not None:
                self._kept.move_to_end((match_id, stamp))
                return stamp, found
        made = play_again(self._listing, self._listing.match(str(match_id)))
        with self._lock:
            self._kept[match_id, stamp] = made
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return stamp, made


def make_app(listing: Listing, *, port: int, database: str) -> Starlette:
    """The application.

    Args:
        listing: the record, opened for reading.
        port: where it is served: part of every `Host` that is answered to.
        database: what the record is called, for people.
    """
    shelf = _Shelf(listing)

    def tournaments(request: Request) -> Response:
        return _json(
            {
                "database": database,
                "tournaments": [
                    {
                        "name": one.name,
                        "created_ms": one.created_ms,
                        "agents": one.n_agents,
                        "matches": sum(one.counts.values()),
                        **{state: one.counts.get(state, 0) for state in _STATES},
                    }
                    for one in listing.summaries()
                ],
                "running": [
                    {**summary(match), "tournament": name, "plies": plies}
                    for name, plies, match in listing.playing(_MOST_PLAYING)
                ],
            }
        )

    def tournament(request: Request) -> Response:
        found = listing.tournament(request.path_params["name"])
        query = request.query_params
        state = query.get("state", "")
        if state and state not in _STATES:
            raise HTTPException(400, f"no such state; expected one of {', '.join(_STATES)}")
        wanted = Wanted(game=query.get("game", ""), agent=query.get("agent", ""), status=state)
        offset = _whole(query.get("offset", "0"))
        page = listing.page(found.tournament_id, wanted, offset=offset, limit=PAGE)
        agents = sorted(agent.name for agent in found.agents)
        live = any(match.verdict is None for match in page.matches)
        return _json(
            {
                "matches": [summary(match) for match in page.matches],
                "total": page.total,
                "live": live,
                "facts": {"games": listing.games_of(found.tournament_id), "agents": agents},
            }
        )

    def match(request: Request) -> Response:
        stamp, played = shelf.get(request.path_params["number"])
        home = listing.tournament_of(played.match)
        document = match_document(played, home, rounds=False)
        return _json({**document, "stamp": stamp, "live": played.match.verdict is None})

    def match_stamp(request: Request) -> Response:
        stamp = listing.stamp(request.path_params["number"])
        if stamp is None:
            raise RecordError(f"there is no match {request.path_params['number']}")
        return _json({"stamp": stamp, "live": stamp.startswith(("pending", "playing"))})

    def match_round(request: Request) -> Response:
        _, played = shelf.get(request.path_params["number"])
        found = round_document(played, request.path_params["label"])
        if found is None:
            raise RecordError(f"match {request.path_params['number']} has no round {request.path_params['label']}")
        return _json(found)

    page = _respond(shell("stratarena", {"mode": "server"}, own=False), "text/html")
    return Starlette(
        routes=[
            Route("/", page),
            Route("/tournament/{name}", page),
            Route("/match/{number:int}", page),
            Route("/replay.js", _respond(script(), "text/javascript")),
            Route("/replay.css", _respond(style(), "text/css")),
            Route("/api/tournaments", tournaments),
            Route("/api/tournament/{name}", tournament),
            Route("/api/match/{number:int}", match),
            Route("/api/match/{number:int}/stamp", match_stamp),
            Route("/api/match/{number:int}/round/{label:int}", match_round),
        ],
        middleware=[Middleware(_Guard, port=port)],
        exception_handlers={HTTPException: _failed, RecordError: _failed},
    )


def _respond(text: str, kind: str) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        return Response(text, media_type=kind, headers=_HEADERS)

    return answer


def _json(value: Mapping[str, Any], status: int = 200) -> Response:
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return Response(text, status_code=status, media_type="application/json", headers=_HEADERS)


def _failed(request: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException):
        return _json({"error": error.detail}, error.status_code)
    return _json({"error": str(error)}, 404)


def _whole(text: str) -> int:
    if not text.isdecimal() or len(text) > 9:
        raise HTTPException(400, "offset must be a whole number")
    return int(text)
