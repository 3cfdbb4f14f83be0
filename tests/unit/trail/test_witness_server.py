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
from running_witness import LOG, WITNESS, ask, running, url_of

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.note_key import NoteSigner, verified
from audit_pipeline.trail.signer_file import write_signer
from audit_pipeline.trail.witness.client import ask_witness
from audit_pipeline.trail.witness.request import MAX_BODY_BYTES, PATH
from audit_pipeline.trail.witness.server import WitnessServer, listen_at

VKEY = LOG.signer.key.to_vkey()
CHECKPOINT = f"/{sha256(b'example.com/log').hexdigest()}/checkpoint"


@pytest.fixture
def reported():
    return []


@pytest.fixture
def server(tmp_path, reported):
    with running(tmp_path / "state", reported.append) as opened:
        yield opened


@pytest.fixture
def url(server):
    return url_of(server)


@pytest.fixture
def connection(server):
    opened = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=10)
    yield opened
    opened.close()


def asked(connection, method, path, body=None, headers=()):
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    return response.status, response.read(), response.headers.get("Content-Type")


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
