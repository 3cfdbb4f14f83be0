"""A witness over real HTTP on loopback: what anybody may send to it, and what it survives."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
import threading
from hashlib import sha256
from itertools import count

import pytest
from grown_log import GrownLog

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner, verified
from audit_pipeline.trail.signer_file import write_signer
from audit_pipeline.trail.witness.client import ask_witness
from audit_pipeline.trail.witness.cosigner import Cosigner
from audit_pipeline.trail.witness.request import MAX_BODY_BYTES, PATH
from audit_pipeline.trail.witness.server import WitnessServer, listen_at
from audit_pipeline.trail.witness.state import WitnessState

LOG = GrownLog()
WITNESS = NoteSigner.generate("example.com/w1", COSIGNATURE)
VKEY = LOG.signer.key.to_vkey()
CHECKPOINT = f"/{sha256(b'example.com/log').hexdigest()}/checkpoint"


@pytest.fixture
def reported():
    return []


@pytest.fixture
def server(tmp_path, reported):
    with (
        WitnessState.open(tmp_path / "state", WITNESS.key) as state,
        WitnessServer(
            ("127.0.0.1", 0), Cosigner(WITNESS, [LOG.signer.key], state, lambda: 1679315147), reported.append
        ) as opened,
    ):
        thread = threading.Thread(target=opened.serve_forever, args=(0.01,))
        thread.start()
        yield opened
        opened.shutdown()
        thread.join()


@pytest.fixture
def url(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


@pytest.fixture
def connection(server):
    opened = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    yield opened
    opened.close()


def asked(connection, method, path, body=None, headers=()):
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    return response.status, response.read(), response.headers.get("Content-Type")


def ask(url, log, size, **more):
    return ask_witness(
        url, log.checkpoint(size), log.signer.key, lambda old: log.proof(old, size), keys=[WITNESS.key], **more
    )


# The server


def test_a_log_is_cosigned_again_and_again_over_one_connection(connection):
    for old, new in ((0, 3), (3, 8), (8, 20)):
        status, body, _ = asked(connection, "POST", PATH, LOG.request(old, new))
        assert status == 200
        note = parse_note(LOG.checkpoint(new).to_bytes() + body)
        assert verified(note, [WITNESS.key]) == (WITNESS.key,)


def test_a_stale_size_is_answered_as_the_specification_says(connection):
    asked(connection, "POST", PATH, LOG.request(0, 5))
    assert asked(connection, "POST", PATH, LOG.request(0, 8)) == (409, b"5\n", "text/x.tlog.size")


@pytest.mark.parametrize(
    ("status", "request_"),
    [
        (400, b"nothing"),
        (403, GrownLog(NoteSigner.generate("example.com/log")).request(0, 3)),
        (404, GrownLog(NoteSigner.generate("example.com/unknown")).request(0, 3)),
        (422, LOG.request(0, 5).replace(b"old 0\n", b"old 0\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n")),
    ],
    ids=[400, 403, 404, 422],
)
def test_each_refusal_has_its_status(connection, status, request_):
    assert asked(connection, "POST", PATH, request_)[0] == status


def test_the_newest_checkpoint_is_served(connection):
    assert asked(connection, "GET", CHECKPOINT)[0] == 404
    asked(connection, "POST", PATH, LOG.request(0, 5))
    status, body, _ = asked(connection, "GET", CHECKPOINT)
    assert status == 200
    assert len(verified(parse_note(body), [LOG.signer.key, WITNESS.key])) == 2


@pytest.mark.parametrize(
    ("method", "path"), [("POST", "/"), ("POST", "/sign-subtree"), ("GET", PATH), ("GET", "/../../etc/passwd")]
)
def test_there_is_nothing_else(connection, method, path):
    assert asked(connection, method, path, b"" if method == "POST" else None)[0] == 404


@pytest.mark.parametrize("name", ["../state/lock", "..%2flock", "A" * 64, "0" * 63, "0" * 65])
def test_no_file_is_served_but_checkpoints(connection, name):
    assert asked(connection, "GET", f"/{name}/checkpoint")[0] == 404


def test_an_unknown_method_is_refused(connection):
    assert asked(connection, "DELETE", CHECKPOINT)[0] == 501


def raw(server, request):
    with socket.create_connection(server.server_address, timeout=10) as stream:
        stream.sendall(request)
        stream.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: stream.recv(4096), b""))


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"", b"411"),
        (b"Content-Length: -1\r\n", b"411"),
        (b"Content-Length: 1e3\r\n", b"411"),
        (b"Content-Length: \xb2\r\n", b"411"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"411"),
        (b"Content-Length: %d\r\n" % (MAX_BODY_BYTES + 1), b"413"),
        (b"Content-Length: " + b"9" * 5000 + b"\r\n", b"413"),
        (b"X: " + b"y" * 70_000 + b"\r\n", b"431"),
    ],
    ids=count(),
)
def test_a_request_of_unknown_or_endless_length_is_refused_and_not_read(server, head, status):
    answer = raw(server, b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n" + head + b"\r\nold 0\n")
    assert answer.split(b" ", 2)[1] == status
    assert answer.count(b"HTTP/1.1") == 1


@pytest.mark.parametrize(
    "garbage", [b"", b"\x00" * 100, b"POST", b"GET / HTTP/9.9\r\n\r\n", b"\xff\xfe\r\n\r\n"], ids=count()
)
def test_garbage_ends_a_connection_and_nothing_else(server, connection, garbage):
    raw(server, garbage)
    assert asked(connection, "POST", PATH, LOG.request(0, 3))[0] == 200


def test_a_request_that_ends_early_is_reported_and_not_printed(server, connection, reported, capfd):
    raw(server, b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 100\r\n\r\nold 0\n")
    assert asked(connection, "POST", PATH, LOG.request(0, 3))[0] == 200
    assert any("broke off" in line for line in reported)
    assert capfd.readouterr() == ("", "")


def test_what_was_asked_for_reaches_no_terminal_raw(server, reported):
    raw(server, b"GET /\x1b[2J HTTP/1.1\r\n\r\n")
    assert reported
    assert not any("\x1b" in line for line in reported)


def test_a_witness_that_cannot_remember_says_so_and_cosigns_nothing(connection, tmp_path, reported):
    (tmp_path / "state" / f"{sha256(b'example.com/log').hexdigest()}.checkpoint.new").mkdir()
    status, body, _ = asked(connection, "POST", PATH, LOG.request(0, 5))
    assert status == 500
    assert "—" not in body.decode()
    assert any("could not be remembered" in line for line in reported)


def test_of_many_who_ask_at_once_all_end_with_one_history(url, server):
    errors = []

    def grow():
        for size in range(1, 21):
            try:
                ask(url, LOG, size)
            except (RejectedError, ToolError) as error:
                errors.append(error.code)

    threads = [threading.Thread(target=grow) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    # Whoever came late with a smaller log was told so; nobody was told anything else.
    assert set(errors) <= {"witness.ahead", "witness.answer"}
    connection = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    _, body, _ = asked(connection, "GET", CHECKPOINT)
    connection.close()
    assert parse_note(body).text == LOG.checkpoint(20).text


def test_an_address_that_is_taken_is_refused(server):
    with pytest.raises(InputError) as caught:
        WitnessServer(server.server_address, server.witness, print)
    assert caught.value.code == "witness.address"


@pytest.mark.parametrize("text", ["", "8099", "127.0.0.1", "127.0.0.1:", ":8099", "127.0.0.1:x", "127.0.0.1:65536"])
def test_what_is_no_address_is_refused(text):
    with pytest.raises(InputError) as caught:
        listen_at(text)
    assert caught.value.code == "witness.address"


# A witness of its own, killed

SERVED = """
import os, sys
from pathlib import Path
from audit_pipeline.trail.note_key import NoteKey
from audit_pipeline.trail.witness.cosigner import Cosigner
from audit_pipeline.trail.witness.server import WitnessServer
from audit_pipeline.trail.witness.state import WitnessState
from audit_pipeline.trail.witness.witness_key import read_witness_key
folder, vkey, dies = Path(sys.argv[1]), sys.argv[2], sys.argv[3]
def die(*given):
    os.kill(os.getpid(), 9)
record = WitnessState.record
def recorded(*given):
    record(*given)
    die()
match dies:
    case "before-remembering": WitnessState.record = die
    case "while-remembering": Path.replace = die
    case "before-answering": WitnessState.record = recorded
signer = read_witness_key(folder / "w.skey")
state = WitnessState.open(folder / "state", signer.key)
server = WitnessServer(("127.0.0.1", 0), Cosigner(signer, [NoteKey.parse(vkey)], state, lambda: 1), lambda line: None)
print(server.server_address[1], flush=True)
server.serve_forever()
"""


@pytest.fixture
def serve(tmp_path):
    """Start a witness in a process of its own; give its address and end it at the end."""
    write_signer(tmp_path / "w.skey", WITNESS)
    started = []

    def start(dies="", vkey=VKEY):
        process = subprocess.Popen(
            [sys.executable, "-c", SERVED, str(tmp_path), vkey, dies], stdout=subprocess.PIPE, text=True
        )
        started.append(process)
        return f"http://127.0.0.1:{process.stdout.readline().strip()}"

    yield start
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("dies", ["before-remembering", "while-remembering", "before-answering"])
def test_a_witness_killed_in_the_middle_has_said_nothing_that_it_forgets(serve, dies):
    with pytest.raises(ToolError) as caught:
        ask(serve(dies), LOG, 5)
    assert caught.value.code == "witness.down"
    again = serve()
    fork = GrownLog(LOG.signer, 2)
    if dies == "before-answering":
        # It remembers what nobody was told: the log can ask again, a fork cannot.
        with pytest.raises(RejectedError) as caught:
            ask(again, fork, 8)
        assert caught.value.code == "witness.other-log"
    assert len(ask(again, LOG, 5)) == 1
    with pytest.raises(RejectedError) as caught:
        ask(again, fork, 8)
    assert caught.value.code == "witness.other-log"


def test_a_trail_is_cosigned_by_a_witness_of_its_own(serve, path):
    with Trail.open(path) as trail:
        for number in range(5):
            trail.append("data", run="run", at="2026-05-04T12:00:00Z", body={"number": number})
        log = trail.log().key()
        url = serve(vkey=log.to_vkey())
        for size in (5, 7):
            note = parse_note(trail.checkpoint())
            given = ask_witness(url, note, log, trail.consistency, keys=[WITNESS.key])
            trail.add_cosignatures(note.joined(given).to_bytes())
            assert verified(parse_note(trail.checkpoint()), [log, WITNESS.key]) == (log, WITNESS.key)
            assert trail.head().size == size
            for number in range(2):
                trail.append("data", run="more", at="2026-05-04T12:00:00Z", body={"number": number})


# The client


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
