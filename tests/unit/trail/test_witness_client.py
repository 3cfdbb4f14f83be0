"""What asks a witness: whom it believes, and what it makes of answers that are none."""

from __future__ import annotations

import socket
import threading
from contextlib import suppress
from itertools import count

import pytest
from grown_log import GrownLog
from running_witness import LOG, WITNESS, ask, running, url_of

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail.note import Note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner, verified


@pytest.fixture
def url(tmp_path):
    with running(tmp_path / "state", print) as opened:
        yield url_of(opened)


class Answers(threading.Thread):
    """Whatever it was given, for each connection, to whoever asks."""

    def __init__(self, *answers):
        super().__init__(daemon=True)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listening.getsockname()[1]}"
        self.answers = answers
        self.start()

    def run(self):
        for answer in self.answers:
            stream, _ = self.listening.accept()
            with stream:
                stream.settimeout(10)
                # All of it, to the end of the log's signature: what is left unread resets a connection.
                asked = b""
                while not asked.endswith(b"=\n"):
                    asked += stream.recv(1 << 16)
                stream.sendall(answer)
                with suppress(OSError):  # the client may be gone already
                    stream.shutdown(socket.SHUT_WR)
        self.listening.close()


def response(status, body, more=b""):
    return b"HTTP/1.1 %d x\r\nContent-Length: %d\r\n%s\r\n%s" % (status, len(body), more, body)


def refusal(url, log=LOG, size=5, **more):
    with pytest.raises((InputError, RejectedError, ToolError)) as caught:
        ask(url, log, size, timeout_seconds=5, **more)
    assert caught.value.where == url
    return caught.value.code


def test_a_witness_that_is_down_is_the_machines_error():
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with pytest.raises(ToolError) as caught:
        ask(f"http://127.0.0.1:{port}", LOG, 5)
    assert caught.value.code == "witness.down"
    assert "ask again" in caught.value.hint


def test_a_witness_that_says_nothing_is_not_waited_for_long():
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(ToolError) as caught:
        ask(f"http://127.0.0.1:{silent.getsockname()[1]}", LOG, 5, timeout_seconds=0.2)
    assert caught.value.code == "witness.down"


def test_a_log_shorter_than_the_witness_knows_is_said_to_be_an_older_one(url):
    ask(url, LOG, 8)
    assert refusal(url, size=5) == "witness.ahead"


def test_a_fork_is_said_to_be_another_log(url):
    ask(url, LOG, 5)
    assert refusal(url, GrownLog(LOG.signer, 3), 5) == "witness.other-log"
    assert refusal(url, GrownLog(LOG.signer, 3), 8) == "witness.other-log"


def test_a_log_that_the_witness_was_not_told_of_is_an_input_error(url):
    assert refusal(url, GrownLog(NoteSigner.generate("example.com/unknown"))) == "witness.unknown-log"


def test_a_log_that_the_witness_knows_by_another_key_is_refused(url):
    assert refusal(url, GrownLog(NoteSigner.generate("example.com/log"))) == "witness.log-key"


def test_another_witness_than_the_one_expected_is_refused():
    other = NoteSigner.generate("example.com/w2", COSIGNATURE)
    line = other.sign(LOG.checkpoint(5).text, seconds=1).to_line().encode()
    assert refusal(Answers(response(200, line)).url) == "witness.cosignature"


def test_a_cosignature_of_something_else_is_refused():
    line = WITNESS.sign(LOG.checkpoint(4).text, seconds=1).to_line().encode()
    assert refusal(Answers(response(200, line)).url) == "note.signature"


def test_only_the_expected_witnesss_line_is_taken():
    text = LOG.checkpoint(5).text
    other = NoteSigner.generate("example.com/w2", COSIGNATURE)
    lines = "".join(signer.sign(text, seconds=1).to_line() for signer in (other, WITNESS)).encode()
    (line,) = ask(Answers(response(200, lines)).url, LOG, 5)
    assert verified(Note(text, (line,)), [WITNESS.key]) == (WITNESS.key,)


@pytest.mark.parametrize(
    "answer",
    [
        response(200, b""),
        response(200, b"\n"),
        response(200, b"\xff\n"),
        response(200, b"hello\n"),
        response(200, "— w AAAA\n".encode()),
        response(200, "— w AAAAAAA=\n".encode() * 17),
        response(200, b"x" * 100_000),
        response(302, b"", b"Location: http://127.0.0.1:1/\r\n"),
        response(409, b"5\n"),
        response(409, b"x\n", b"Content-Type: text/x.tlog.size\r\n"),
        response(409, b"-1\n", b"Content-Type: text/x.tlog.size\r\n"),
        response(500, b"\x1b[2J"),
        response(299, b"odd"),
        b"HTTP/1.1 200 x\r\n",
    ],
    ids=count(),
)
def test_what_is_no_answer_of_a_witness_is_the_machines_error(answer):
    assert refusal(Answers(answer).url) == "witness.answer"


@pytest.mark.parametrize("answer", [b"", b"\x00", b"SSH-2.0\r\n", b"HTTP/1.1 x\r\n\r\n"])
def test_what_is_no_http_is_a_witness_that_is_down(answer):
    assert refusal(Answers(answer).url) == "witness.down"


@pytest.mark.parametrize(
    "url",
    ["", "127.0.0.1:8099", "ftp://x", "file:///etc/passwd", "http://", "http://x:y", "http://u:p@h", "http://h?q"],
)
def test_what_is_no_address_of_a_witness_is_refused(url):
    with pytest.raises(InputError) as caught:
        ask(url, LOG, 5)
    assert caught.value.code == "witness.url"
