"""A model behind a real HTTP server on the loopback interface, which speaks the OpenAI protocol."""

from __future__ import annotations

import json
import re
import socket
import threading
from collections import Counter
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = Callable[["Call"], None]

TOKEN = re.compile(r"token being (\w+)")


class Call:
    """One request to the server, and the ways in which it can be answered."""

    def __init__(self, handler: BaseHTTPRequestHandler, server: ModelServer) -> None:
        self._handler = handler
        length = int(handler.headers["content-length"])
        self.body: dict[str, Any] = json.loads(handler.rfile.read(length))
        self.prompt: str = "\n".join(message["content"] for message in self.body["messages"])
        self.number = server.count(f"{self.body['model']}: {self.prompt}")
        """How often this very question has been asked of the model, this time included."""

    @property
    def token(self) -> str:
        """The token that a judge has to give back."""
        return str(TOKEN.findall(self.prompt)[-1])

    def judges(self, rating: float = 8, **fields: Any) -> None:
        """Answer as a judge who does what it is asked."""
        self.says(json.dumps({"rationale": "clear", "instructs": False, "ratings": {"quality": rating},
                              "token": self.token, **fields}))  # fmt: skip

    def prefers(self, winner: str) -> None:
        """Answer as a judge who compares."""
        self.says(json.dumps({"rationale": "it is", "instructs": "none", "winner": winner, "token": self.token}))

    def says(self, text: str | None, *, tokens_in: int = 100, tokens_out: int = 20) -> None:
        """Answer with a text."""
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}
        usage = {"prompt_tokens": tokens_in, "completion_tokens": tokens_out, "total_tokens": tokens_in + tokens_out}
        plain = {"id": "1", "object": "chat.completion", "created": 1, "model": "stub-2026", "choices": [choice],
                 "usage": usage}  # fmt: skip
        self.sends(json.dumps(plain).encode())

    def fails(self, status: int, message: str = "no", *, retry_after: str | None = None) -> None:
        """Answer with an error."""
        headers = {} if retry_after is None else {"retry-after": retry_after}
        self.sends(json.dumps({"error": {"message": message}}).encode(), status=status, headers=headers)

    def sends(
        self, body: bytes, *, status: int = 200, only: int | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        """Answer with bytes; with `only`, close the connection after so many of them."""
        self._handler.send_response(status)
        for name, value in {"content-type": "application/json", **(headers or {})}.items():
            self._handler.send_header(name, value)
        self._handler.send_header("content-length", str(len(body)))
        self._handler.end_headers()
        self._handler.wfile.write(body[:only])
        if only is not None:
            self.closes()

    def closes(self) -> None:
        """Close the connection, whatever has been answered."""
        self._handler.close_connection = True
        self._handler.connection.shutdown(socket.SHUT_RDWR)


class ModelServer(ThreadingHTTPServer):
    """Answers each request as `answer` says; a context manager. `asked` counts the questions by model and text."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, answer: Answer) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer = answer
        self.asked: Counter[str] = Counter()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def base(self) -> str:
        """The address under which the protocol is spoken."""
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    @property
    def requests(self) -> int:
        """How many requests came."""
        return self.asked.total()

    def count(self, prompt: str) -> int:
        """Count a question; returns how often it has been asked."""
        with self._lock:
            self.asked[prompt] += 1
            return self.asked[prompt]

    def handle_error(self, *_: object) -> None:
        """A client that went away is no concern of the test."""

    def __enter__(self) -> ModelServer:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        """Answer one request."""
        assert isinstance(self.server, ModelServer)
        self.server.answer(Call(self, self.server))

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""
