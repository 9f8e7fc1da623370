"""A server on this machine that fails in every way a provider can, as a script says: for tests and benchmarks.

It speaks just enough of OpenAI's chat completions and Anthropic's messages to be asked, whole or as a stream, and counts what
it charged for.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Literal, Self

__all__ = ["FAULTS", "Act", "Asked", "FaultServer", "answered"]

Fault = Literal[
    "none",
    "429",
    "429 with retry-after",
    "500",
    "529",
    "hang",
    "drip",
    "cut",
    "cut before",
    "truncated json",
    "wrong content type",
    "two choices",
    "no usage",
    "10 MB",
    "invalid utf-8",
    "empty choices",
    "error under 200",
    "401",
    "400",
    "empty account",
    "stall",
]
FAULTS: tuple[Fault, ...] = (
    "429",
    "429 with retry-after",
    "500",
    "529",
    "cut",
    "cut before",
    "truncated json",
    "wrong content type",
    "two choices",
    "10 MB",
    "invalid utf-8",
    "empty choices",
    "error under 200",
)
"""Those that another try may overcome, but for the slow ones."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came in."""

    number: int
    """Counted from 1."""
    path: str
    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def prompt(self) -> str:
        """The last message."""
        return str(self.body["messages"][-1]["content"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """What the server does with one request."""

    fault: Fault = "none"
    text: str = "4"
    delay_s: float = 0.0
    """Before anything is sent."""
    retry_after_s: float = 0.2
    piece_delay_s: float = 0.0
    """Before each word of a stream."""


@dataclass(frozen=True, slots=True)
class Served:
    """What was done with one request."""

    asked: Asked
    act: Act
    began: float
    """Of the server's clock, in seconds."""
    ended: float
    prompt_tokens: int
    completion_tokens: int
    """Of a stream, those that went out until the client left."""

    @property
    def charged(self) -> bool:
        """Whether an honest provider would have charged for it."""
        return answered(self.act.fault)


def answered(fault: Fault) -> bool:
    """Whether a whole answer with its usage goes out."""
    return fault in ("none", "no usage")


class _Quiet(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up on a fault is in order."""


_NOTED_S = 2.0
"""How long `served` waits for calls that are still being answered; one that hangs is not waited for longer."""


class FaultServer:
    """Answers on a free port of this machine until closed; a context manager."""

    def __init__(self, script: Callable[[Asked], Act], *, key: str | None = None) -> None:
        self._script = script
        self._key = key
        self._served: list[Served] = []
        self.in_flight = 0
        self.most_in_flight = 0
        self._number = 0
        self._lock = threading.Condition()
        self._closing = threading.Event()
        self._server = _Quiet(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        """The base URL for OpenAI's protocol."""
        return f"http://127.0.0.1:{self._server.server_port}/v1"

    @property
    def served(self) -> list[Served]:
        """Everything that was done, in the order in which it was over.

        A client has its answer a moment before it is noted here, so that moment is waited for.
        """
        with self._lock:
            self._lock.wait_for(lambda: self.in_flight == 0, timeout=_NOTED_S)
            return list(self._served)

    @property
    def n_charged(self) -> int:
        """Answers that went out whole."""
        return sum(served.charged for served in self.served)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None
    ) -> None:
        self._closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                server._serve(self, body)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                """Say nothing."""

        return Handler

    def _serve(self, handler: BaseHTTPRequestHandler, body: dict[str, Any]) -> None:
        with self._lock:
            self._number += 1
            asked = Asked(self._number, handler.path, body, {k.lower(): v for k, v in handler.headers.items()})
            self.in_flight += 1
            self.most_in_flight = max(self.most_in_flight, self.in_flight)
        began = time.monotonic()
        act = self._script(asked)
        given = asked.headers.get("x-api-key") or asked.headers.get("authorization", "").removeprefix("Bearer ")
        if self._key is not None and given != self._key:
            act = Act(fault="401", text=given)
        prompt_tokens = sum(len(str(message["content"]).split()) for message in body["messages"])
        completion_tokens = len(act.text.split())
        streamed = bool(body.get("stream")) and act.fault not in _BEFORE_A_STREAM
        stream = _Stream(handler, asked, act, (prompt_tokens, completion_tokens), self._closing)
        try:
            self._closing.wait(act.delay_s)
            if streamed:
                stream.send()
            else:
                _ACTS.get(act.fault, _whole)(handler, asked, act, (prompt_tokens, completion_tokens), self._closing)
            handler.wfile.flush()
        except (BrokenPipeError, ConnectionResetError, ValueError):
            handler.close_connection = True
        finally:
            with self._lock:
                self.in_flight -= 1
                written = stream.n_sent if streamed else completion_tokens
                self._served.append(Served(asked, act, began, time.monotonic(), prompt_tokens, written))
                self._lock.notify_all()


Tokens = tuple[int, int]


def _send(
    handler: BaseHTTPRequestHandler,
    content: bytes,
    *,
    status: int = 200,
    kind: str = "application/json",
    **headers: str,
) -> None:
    handler.send_response(status)
    handler.send_header("content-type", kind)
    handler.send_header("content-length", str(len(content)))
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(content)


def _answer(asked: Asked, act: Act, tokens: Tokens) -> dict[str, Any]:
    if asked.path.endswith("/messages"):
        return {
            "id": "a",
            "type": "message",
            "role": "assistant",
            "model": "fault-1",
            "content": [{"type": "text", "text": act.text}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]},
        }
    return {
        "id": "a",
        "object": "chat.completion",
        "created": 1,
        "model": "fault-1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": act.text}}],
        "usage": {"prompt_tokens": tokens[0], "completion_tokens": tokens[1], "total_tokens": sum(tokens)},
    }


def _whole(handler: BaseHTTPRequestHandler, asked: Asked, act: Act, tokens: Tokens, closing: threading.Event) -> None:
    value = _answer(asked, act, tokens)
    if act.fault == "no usage":
        del value["usage"]
    elif act.fault == "two choices":
        value["choices"] = [*value.get("choices", []), {"index": 1, "message": {"role": "assistant", "content": "5"}}]
        value["content"] = "5"
    elif act.fault == "empty choices":
        value |= {"choices": [], "content": None}
    elif act.fault == "10 MB":
        return _send(handler, json.dumps(_answer(asked, Act(text="x" * 10_000_000), tokens)).encode())
    elif act.fault == "error under 200":
        value = {"error": {"code": 502, "message": "the upstream provider is gone"}, "content": None}
    content = json.dumps(value).encode()
    if act.fault == "truncated json":
        content = content[: len(content) // 2]
    elif act.fault == "invalid utf-8":
        content = content.replace(act.text.encode(), b"\xff\xfe\x80")
    return _send(handler, content)


def _status(handler: BaseHTTPRequestHandler, asked: Asked, act: Act, tokens: Tokens, closing: threading.Event) -> None:
    words = {
        "429": "slow down",
        "429 with retry-after": "slow down",
        "500": "something broke",
        "529": "overloaded",
        "401": f"wrong key: {act.text}",
        "400": "this model takes no temperature",
        "empty account": "you exceeded your current quota",
    }
    status = 429 if act.fault == "empty account" else int(act.fault.split()[0])
    code = "insufficient_quota" if act.fault == "empty account" else "failed"
    content = json.dumps({"error": {"message": words[act.fault], "type": "error", "code": code}}).encode()
    more = {"retry_after": str(act.retry_after_s)} if act.fault == "429 with retry-after" else {}
    _send(handler, content, status=status, **more)


def _page(handler: BaseHTTPRequestHandler, asked: Asked, act: Act, tokens: Tokens, closing: threading.Event) -> None:
    _send(handler, b"<html><body>Bad gateway, said nicely</body></html>", kind="text/html")


def _cut(handler: BaseHTTPRequestHandler, asked: Asked, act: Act, tokens: Tokens, closing: threading.Event) -> None:
    if act.fault == "cut":
        content = json.dumps(_answer(asked, act, tokens)).encode()
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content[:20])
        handler.wfile.flush()
    handler.close_connection = True


def _slow(handler: BaseHTTPRequestHandler, asked: Asked, act: Act, tokens: Tokens, closing: threading.Event) -> None:
    """Never ends of itself: says nothing, or a byte now and then, as if there were more to come."""
    handler.close_connection = True
    if act.fault == "drip":
        handler.send_response(200)
        handler.send_header("content-type", "application/json")
        handler.send_header("content-length", "100000")
        handler.end_headers()
    while not closing.wait(0.05):
        if act.fault == "drip":
            handler.wfile.write(b" ")
            handler.wfile.flush()


_ACTS: dict[str, Callable[..., None]] = {
    **dict.fromkeys(("429", "429 with retry-after", "500", "529", "401", "400", "empty account"), _status),
    **dict.fromkeys(("cut", "cut before"), _cut),
    **dict.fromkeys(("hang", "drip"), _slow),
    "wrong content type": _page,
}
_BEFORE_A_STREAM = frozenset(
    (
        *("429", "429 with retry-after", "500", "529", "401", "400", "empty account"),
        *("cut before", "hang", "wrong content type"),
    )
)


class _Stream:
    """An answer in pieces, a word each, as server-sent events. Faults come after the first word."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, asked: Asked, act: Act, tokens: Tokens, closing: threading.Event
    ) -> None:
        self._handler = handler
        self._act = act
        self._tokens = tokens
        self._closing = closing
        self._message = asked.path.endswith("/messages")
        self._fresh = True
        self.n_sent = 0
        """Words that went out."""

    def send(self) -> None:
        """All of it, or as far as the fault lets it. Raises `OSError` once the client has left."""
        handler, act = self._handler, self._act
        handler.close_connection = True
        handler.send_response(200)
        handler.send_header("content-type", "text/event-stream")
        handler.end_headers()
        handler.wfile.flush()
        for number, word in enumerate(_words(act.text)):
            if number == 1 and not self._go_on():
                return
            self._closing.wait(act.piece_delay_s)
            self._piece(word)
            self.n_sent += 1
        if len(_words(act.text)) < 2 and not self._go_on():
            return
        while act.fault == "stall" and not self._closing.wait(0.05):
            self._write(b": still there\n\n")
        self._end()

    def _go_on(self) -> bool:
        """Commit the fault; whether anything comes behind it."""
        match self._act.fault:
            case "cut":
                return False
            case "truncated json":
                self._write(b'event: content_block_delta\ndata: {"choices": [{"index": 0, "del\n\n')
            case "invalid utf-8":
                self._write(b'event: content_block_delta\ndata: {"choices": "\xff\xfe"}\n\n')
            case "two choices":
                self._event("content_block_delta", {"choices": [{"index": 1, "delta": {"content": "5"}}], "index": 7})
            case "empty choices":
                self._event("message_stop", {"choices": []})
                return False
            case "error under 200":
                self._event("error", {"error": {"code": 502, "message": "the upstream provider is gone"}})
            case "10 MB":
                self._piece("x" * 10_000_000)
            case "drip":
                while not self._closing.wait(0.05):
                    self._write(b": still there\n\n")
            case _:
                return True
        return True

    def _piece(self, text: str) -> None:
        if self._message:
            if self._fresh:
                usage = {} if self._act.fault == "no usage" else {"usage": {"input_tokens": self._tokens[0]}}
                message = {"type": "message", "role": "assistant", "model": "fault-1", "content": [], **usage}
                self._event("message_start", {"message": message})
                self._event("content_block_start", {"index": 0, "content_block": {"type": "text", "text": ""}})
            self._event("content_block_delta", {"index": 0, "delta": {"type": "text_delta", "text": text}})
        else:
            self._event(None, {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]})
        self._fresh = False

    def _end(self) -> None:
        counted = self._act.fault != "no usage"
        if self._message:
            usage = {"usage": {"output_tokens": self.n_sent}} if counted else {}
            self._event("message_delta", {"delta": {"stop_reason": "end_turn"}, **usage})
            self._event("message_stop", {})
            return
        self._event(None, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        if counted:
            tokens = {"prompt_tokens": self._tokens[0], "completion_tokens": self.n_sent}
            self._event(None, {"choices": [], "usage": tokens})
        self._write(b"data: [DONE]\n\n")

    def _event(self, name: str | None, value: dict[str, Any]) -> None:
        head = f"event: {name}\n" if name else ""
        value = {"model": "fault-1", **({"type": name} if name else {}), **value}
        self._write(f"{head}data: {json.dumps(value)}\n\n".encode())

    def _write(self, content: bytes) -> None:
        self._handler.wfile.write(content)
        self._handler.wfile.flush()


def _words(text: str) -> list[str]:
    """The text in pieces that end behind a space or a line break."""
    return re.findall(r"\S*\s+|\S+", text)
