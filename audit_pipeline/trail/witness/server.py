"""The witness as an HTTP server: `POST /add-checkpoint`, and `GET /SHA256-OF-ORIGIN/checkpoint` (C2SP tlog-witness)."""

from __future__ import annotations

import re
import socket
import sys
from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from audit_pipeline.errors import AuditError, InputError
from audit_pipeline.trail.witness.cosigner import Answer, Cosigner
from audit_pipeline.trail.witness.request import MAX_BODY_BYTES, PATH

_NEWEST = re.compile(r"/([0-9a-f]{64})/checkpoint", re.ASCII)
_TIMEOUT_SECONDS = 30.0


class WitnessServer(ThreadingHTTPServer):
    """Serves one witness until `shutdown`. `server_address` says where, also for port 0."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], witness: Cosigner, report: Callable[[str], None]) -> None:
        """Take the address.

        Args:
            address: host and port; port 0 for one that is free.
            witness: what answers.
            report: told one line for each request, and for each that failed.

        Raises:
            InputError: `witness.address`, the address cannot be had.
        """
        self.witness = witness
        self.report = report
        try:
            super().__init__(address, _Handler)
        except (OSError, OverflowError) as error:
            raise InputError(
                "witness.address",
                f"the witness cannot listen here: {error}",
                where=f"{address[0]}:{address[1]}",
                hint="another process may use the port",
            ) from error

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Report a connection that ended in the middle, rather than print it: what it asked for was done or not."""
        self.report(f"{client_address[0]} broke off: {sys.exception()!r}")


class _Handler(BaseHTTPRequestHandler):
    server: WitnessServer
    server_version = "audit-witness"
    sys_version = ""
    protocol_version = "HTTP/1.1"
    timeout = _TIMEOUT_SECONDS

    def do_POST(self) -> None:
        body = self._body()
        if body is None:
            return
        if self.path != PATH:
            self._send(Answer.refusal(HTTPStatus.NOT_FOUND, "there is nothing here"))
            return
        try:
            answer = self.server.witness.add_checkpoint(body)
        except AuditError as error:
            self.server.report(str(error))
            answer = Answer.refusal(HTTPStatus.INTERNAL_SERVER_ERROR, "the witness cannot keep its memory")
        self._send(answer)

    def do_GET(self) -> None:
        found = _NEWEST.fullmatch(self.path)
        if found is None:
            self._send(Answer.refusal(HTTPStatus.NOT_FOUND, "there is nothing here"))
        else:
            self._send(self.server.witness.newest(found[1]))

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the parent's name for it
        # Quoted: what somebody asked for may hold what a terminal would obey.
        self.server.report(f"{self.client_address[0]} {(format % args)!r}")

    def _body(self) -> bytes | None:
        """The request's body; None where there is none to read, which was answered."""
        length = self.headers.get("Content-Length", "")
        if not (length.isascii() and length.isdigit()) or "Transfer-Encoding" in self.headers:
            self._hang_up(HTTPStatus.LENGTH_REQUIRED, "the length of the request is not said")
            return None
        if len(length) > 9 or int(length) > MAX_BODY_BYTES:
            self._hang_up(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request has at most {MAX_BODY_BYTES} bytes")
            return None
        body = self.rfile.read(int(length))
        if len(body) < int(length):
            raise ConnectionError("the request ended early")
        return body

    def _hang_up(self, status: HTTPStatus, why: str) -> None:
        """Answer, and read no further: what follows is no request."""
        self.close_connection = True
        self._send(Answer.refusal(status, why))

    def _send(self, answer: Answer) -> None:
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(answer.body)


def listen_at(text: str) -> tuple[str, int]:
    """Host and port of `HOST:PORT`; an IPv4 address or a name.

    Raises:
        InputError: `witness.address`.
    """
    host, colon, port = text.rpartition(":")
    if not (colon and host and port.isascii() and port.isdigit() and int(port[:6]) <= 0xFFFF):
        raise InputError("witness.address", f"{text!r} is not HOST:PORT", hint="for example 127.0.0.1:8099")
    try:
        socket.getaddrinfo(host, int(port), socket.AF_INET)
    except OSError as error:
        raise InputError("witness.address", f"there is no such host: {host!r}", where=text) from error
    return host, int(port)
