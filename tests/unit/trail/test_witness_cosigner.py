"""What a witness answers: every case of C2SP tlog-witness, and a log that another implementation signed."""

from __future__ import annotations

import tempfile
import threading
from hashlib import sha256
from itertools import combinations, combinations_with_replacement, count
from pathlib import Path

import pytest
from grown_log import GrownLog
from hypothesis import given, settings
from hypothesis import strategies as st

from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.trail.checkpoint import MAX_SIZE, Checkpoint, sign_checkpoint
from audit_pipeline.trail.merkle import EMPTY_ROOT, TreeHead
from audit_pipeline.trail.note import Note, NoteSignature, parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteKey, NoteSigner, verified
from audit_pipeline.trail.strict_base64 import encode
from audit_pipeline.trail.witness.cosigner import Cosigner
from audit_pipeline.trail.witness.request import MAX_BODY_BYTES, MAX_HASHES, AddCheckpoint
from audit_pipeline.trail.witness.state import WitnessState
from audit_pipeline.trail.witness.witness_key import make_witness_key, read_witness_key

NOW = 1679315147
LOG = GrownLog()
WITNESS = NoteSigner.generate("example.com/w1", COSIGNATURE)


@pytest.fixture
def state(tmp_path):
    with WitnessState.open(tmp_path / "state", WITNESS.key) as opened:
        yield opened


def cosigner(state, *logs):
    return Cosigner(WITNESS, logs or (LOG.signer.key,), state, lambda: NOW)


@pytest.fixture
def witness(state):
    return cosigner(state)


@pytest.fixture
def at_five(witness):
    """A witness that has cosigned five entries."""
    assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
    return witness


def cosignature(answer, checkpoint):
    assert (answer.status, answer.body.count(b"\n")) == (200, 1)
    line = NoteSignature.parse(answer.body.decode().removesuffix("\n"))
    assert verified(Note(checkpoint.text, (line,)), [WITNESS.key]) == (WITNESS.key,)
    return line


# What is cosigned


def test_a_log_is_cosigned_as_it_comes_first_and_as_it_grows(witness):
    old = 0
    for size in (1, 2, 5, 8, 13, 20):
        answer = witness.add_checkpoint(LOG.request(old, size))
        assert cosignature(answer, LOG.checkpoint(size)).signature[:8] == NOW.to_bytes(8)
        old = size


def test_every_growth_from_every_size_is_cosigned(tmp_path):
    for old, new in combinations_with_replacement(range(12), 2):
        with WitnessState.open(tmp_path / f"{old}-{new}", WITNESS.key) as state:
            witness = cosigner(state)
            witness.add_checkpoint(LOG.request(0, old))
            assert witness.add_checkpoint(LOG.request(old, new)).status == 200


def test_the_same_checkpoint_is_cosigned_again(at_five):
    # Its answer may not have arrived.
    cosignature(at_five.add_checkpoint(LOG.request(5, 5)), LOG.checkpoint(5))


def test_an_empty_log_is_cosigned_as_an_empty_one(witness):
    assert witness.add_checkpoint(LOG.request(0, 0)).status == 200
    assert witness.add_checkpoint(LOG.request(0, 3)).status == 200


def test_a_checkpoint_with_lines_of_others_is_cosigned_whole(witness, state):
    text = Checkpoint(LOG.signer.key.name, LOG.head(3), ("extension",)).to_text()
    note = Note(text, (NoteSigner.generate("other").sign(text), LOG.signer.sign(text)))
    cosignature(witness.add_checkpoint(AddCheckpoint(0, (), note).to_bytes()), note)
    kept = state.recall(LOG.signer.key.name).note
    assert [line.name for line in kept.signatures] == ["example.com/log", "example.com/w1"]


def test_two_logs_are_two_histories(state):
    other = GrownLog(NoteSigner.generate("example.com/other"))
    witness = cosigner(state, LOG.signer.key, other.signer.key)
    assert witness.add_checkpoint(LOG.request(0, 5)).status == 200
    assert witness.add_checkpoint(other.request(0, 3)).status == 200
    assert witness.add_checkpoint(LOG.request(5, 6)).status == 200


MONKEYS = "monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT"
MONKEYS_AT_5 = (
    "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— monkeys "
    "202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY=\n"
).encode()
MONKEYS_AT_8 = (
    "monkeys\n8\nV8K9aklZ4EPB+RMOk1/8VsJUdFZR77GDtZUQq84vSbo=\n\n— monkeys "
    "202ffoUEboiQYpHzICeaFmoy3RNviHTpAxYrq/eO4QQVQMvu9UebKBMX2MJC76NLthZaKsnKbCA8GxrjePZhvDCH7Ag=\n"
).encode()
MONKEYS_FROM_5_TO_8 = [
    "b9e1d62618f7fee8034e4c5010f727ab24d8e4705cb296c374bf2025a87a10d2",
    "aac66cd7a79ce4012d80762fe8eec3a77f22d1ca4145c3f4cee022e7efcd599d",
    "89d0f753f66a290c483b39cd5e9eafb12021293395fad3d4a2ad053cfbcfdc9e",
    "29e40bb79c966f4c6fe96aff6f30acfce5f3e8d84c02215175d6e018a5dee833",
]


def test_a_log_that_another_implementation_made_is_cosigned(state):
    # github.com/transparency-dev/witness, witness_test.go.
    witness = cosigner(state, NoteKey.parse(MONKEYS))
    proof = "".join(f"{encode(bytes.fromhex(each))}\n" for each in MONKEYS_FROM_5_TO_8).encode()
    assert witness.add_checkpoint(b"old 0\n" + proof + b"\n" + MONKEYS_AT_5).status == 422
    assert witness.add_checkpoint(b"old 0\n\n" + MONKEYS_AT_5).status == 200
    assert witness.add_checkpoint(b"old 2\n" + proof + b"\n" + MONKEYS_AT_8).status == 409
    assert witness.add_checkpoint(b"old 5\n\n" + MONKEYS_AT_8).status == 422
    assert witness.add_checkpoint(b"old 8\n" + proof + b"\n" + MONKEYS_AT_5).status == 400
    assert witness.add_checkpoint(b"old 5\n" + proof + b"\n" + MONKEYS_AT_8).status == 200


# What is not


@pytest.mark.parametrize("old", [0, 3, 6])
def test_a_stale_size_is_told_the_one_that_was_cosigned(at_five, old):
    answer = at_five.add_checkpoint(LOG.request(old, 8))
    assert (answer.status, answer.body, answer.content_type) == (409, b"5\n", "text/x.tlog.size")


def test_an_old_size_above_the_checkpoints_is_malformed(at_five):
    request = AddCheckpoint(5, (), LOG.checkpoint(3)).to_bytes()
    assert at_five.add_checkpoint(request).status == 400


@pytest.mark.parametrize(
    "path",
    [(), LOG.proof(5, 8)[:-1], (*LOG.proof(5, 8), bytes(32)), LOG.proof(5, 8)[::-1], LOG.proof(4, 8), (bytes(32),)],
    ids=count(),
)
def test_a_proof_that_does_not_hold_gets_no_cosignature(at_five, state, path):
    answer = at_five.add_checkpoint(AddCheckpoint(5, path, LOG.checkpoint(8)).to_bytes())
    assert answer.status == 422
    assert state.recall("example.com/log").head.size == 5


def test_a_proof_from_nothing_has_to_be_empty(witness):
    assert witness.add_checkpoint(AddCheckpoint(0, (bytes(32),), LOG.checkpoint(5)).to_bytes()).status == 422


def test_an_empty_log_has_one_root_only(witness):
    false = sign_checkpoint(LOG.signer, TreeHead(0, "ab" * 32))
    assert witness.add_checkpoint(AddCheckpoint(0, (), false).to_bytes()).status == 422
    assert LOG.head(0).root == EMPTY_ROOT.hex()


@pytest.mark.parametrize("forked_at", range(5))
@pytest.mark.parametrize("size", [5, 6, 8, 20])
def test_a_fork_by_whoever_holds_the_logs_key_gets_no_cosignature(at_five, forked_at, size):
    fork = GrownLog(LOG.signer, forked_at)
    assert at_five.add_checkpoint(fork.request(5, size)).status == 422
    mixed = AddCheckpoint(5, LOG.proof(5, size), fork.checkpoint(size)).to_bytes()
    assert at_five.add_checkpoint(mixed).status == 422


def test_a_log_cut_off_gets_no_cosignature(at_five):
    assert at_five.add_checkpoint(LOG.request(3, 3)).status == 409
    assert at_five.add_checkpoint(LOG.request(0, 3)).status == 409


def test_an_unknown_log_is_not_found(witness):
    other = GrownLog(NoteSigner.generate("example.com/unknown"))
    assert witness.add_checkpoint(other.request(0, 3)).status == 404


def test_a_log_signed_by_another_key_is_forbidden(witness):
    twin = GrownLog(NoteSigner.generate(LOG.signer.key.name))
    assert witness.add_checkpoint(twin.request(0, 3)).status == 403


def test_a_false_signature_of_the_logs_key_is_forbidden(witness):
    note = LOG.checkpoint(3)
    line = note.signatures[0]
    false = NoteSignature(line.name, line.key_id, line.signature[::-1])
    for signatures in ((false,), (line, false)):
        request = AddCheckpoint(0, (), Note(note.text, signatures)).to_bytes()
        assert witness.add_checkpoint(request).status == 403


def test_who_may_not_ask_learns_no_size(at_five):
    twin = GrownLog(NoteSigner.generate(LOG.signer.key.name))
    assert b"5" not in at_five.add_checkpoint(twin.request(0, 8)).body


REQUEST = LOG.request(5, 8)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        REQUEST.removeprefix(b"old 5\n"),
        REQUEST.replace(b"old 5", b"old"),
        REQUEST.replace(b"old 5", b"old  5"),
        REQUEST.replace(b"old 5", b"old 05"),
        REQUEST.replace(b"old 5", b"old -5"),
        REQUEST.replace(b"old 5", b"old 5 "),
        REQUEST.replace(b"old 5", b"Old 5"),
        REQUEST.replace(b"old 5", f"old {MAX_SIZE + 1}".encode()),
        REQUEST.replace(b"old 5\n", b"old 5\n!!!\n"),
        REQUEST.replace(b"old 5\n", b"old 5\nAAAA\n"),
        REQUEST.replace(b"old 5\n", b"old 5\n" + f"{encode(bytes(32))}\n".encode() * MAX_HASHES),
        REQUEST.replace(b"\n\nexample", b"\nexample"),
        REQUEST.replace(b"\n", b"\r\n"),
        REQUEST[:-1],
        REQUEST + b"\n",
        REQUEST.replace(b"\n8\n", b"\n08\n"),
        REQUEST.replace(b"\n8\n", b"\n\n"),
        b"x" * (MAX_BODY_BYTES + 1),
    ],
    ids=count(),
)
def test_what_is_no_request_is_malformed(at_five, body):
    assert at_five.add_checkpoint(body).status == 400


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_are_refused(body):
    try:
        assert AddCheckpoint.parse(body).to_bytes() == body
    except RejectedError as error:
        assert error.code in {"witness.malformed", "note.malformed"}


@given(st.integers(0, len(REQUEST) - 1), st.integers(0, 255))
def test_a_request_changed_in_one_byte_is_no_request_or_another(place, value):
    changed = REQUEST[:place] + bytes([value]) + REQUEST[place + 1 :]
    try:
        assert AddCheckpoint.parse(changed).to_bytes() == changed
    except RejectedError as error:
        assert error.code in {"witness.malformed", "note.malformed"}


HISTORIES = [LOG, *(GrownLog(LOG.signer, forked_at) for forked_at in (0, 3, 9))]
ASKED = st.tuples(st.sampled_from(HISTORIES), st.sampled_from(HISTORIES), st.integers(0, 12), st.integers(0, 12))


@settings(max_examples=50, deadline=None)
@given(st.lists(ASKED, max_size=15))
def test_whatever_is_asked_in_whatever_order_what_was_cosigned_is_one_history(asked):
    """Four histories under one key, each with its own proofs or with another's, from the right size or from another."""
    with tempfile.TemporaryDirectory() as folder, WitnessState.open(Path(folder), WITNESS.key) as state:
        witness, cosigned, last = cosigner(state), [], 0
        for log, prover, guess, size in asked:
            for old in (guess, last):
                path = prover.proof(min(old, size), size)
                if witness.add_checkpoint(AddCheckpoint(old, path, log.checkpoint(size)).to_bytes()).status == 200:
                    cosigned.append((log, size))
                    last = size
    for (earlier, before), (later, after) in combinations(cosigned, 2):
        assert before <= after
        assert later.head(before) == earlier.head(before)


# What it remembers


def test_what_is_answered_was_remembered_before(witness, state, monkeypatch):
    monkeypatch.setattr(WitnessState, "record", lambda *given: (_ for _ in ()).throw(ToolError("x.y", "full")))
    with pytest.raises(ToolError):
        witness.add_checkpoint(LOG.request(0, 5))
    assert state.recall("example.com/log") is None


def test_a_witness_that_starts_again_knows_what_it_cosigned(tmp_path):
    with WitnessState.open(tmp_path / "state", WITNESS.key) as state:
        cosigner(state).add_checkpoint(LOG.request(0, 5))
    with WitnessState.open(tmp_path / "state", WITNESS.key) as state:
        assert cosigner(state).add_checkpoint(LOG.request(0, 8)).body == b"5\n"
        assert cosigner(state).add_checkpoint(GrownLog(LOG.signer, 2).request(5, 8)).status == 422


def test_two_witnesses_do_not_share_a_memory(tmp_path):
    with WitnessState.open(tmp_path / "state", WITNESS.key), pytest.raises(ToolError) as caught:
        WitnessState.open(tmp_path / "state", WITNESS.key)
    assert caught.value.code == "witness.in-use"
    WitnessState.open(tmp_path / "state", WITNESS.key).__exit__(None, None, None)


@pytest.mark.parametrize("content", [b"", b"x", LOG.checkpoint(2).to_bytes()], ids=count())
def test_a_damaged_memory_is_not_an_empty_one(at_five, tmp_path, content):
    (file,) = (tmp_path / "state").glob("*.checkpoint")
    file.write_bytes(content)
    with pytest.raises(ToolError) as caught:
        at_five.add_checkpoint(LOG.request(0, 8))
    assert caught.value.code == "witness.state-unreadable"
    assert caught.value.where == str(file)


def test_a_memory_that_cannot_be_written_gives_no_cosignature(witness, tmp_path):
    (tmp_path / "state" / f"{sha256(b'example.com/log').hexdigest()}.checkpoint.new").mkdir()
    with pytest.raises(ToolError) as caught:
        witness.add_checkpoint(LOG.request(0, 5))
    assert caught.value.code == "witness.state-unwritten"


def test_a_memory_that_can_be_kept_nowhere_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "missing" / "state"):
        with pytest.raises(InputError) as caught:
            WitnessState.open(place, WITNESS.key)
        assert caught.value.code == "witness.state"


def test_the_newest_checkpoint_can_be_had_with_both_signatures(at_five):
    answer = at_five.newest(sha256(b"example.com/log").hexdigest())
    note = parse_note(answer.body)
    assert verified(note, [LOG.signer.key, WITNESS.key]) == (LOG.signer.key, WITNESS.key)
    assert at_five.newest("0" * 64).status == 404


def test_of_many_who_ask_at_once_for_different_sizes_one_is_cosigned(witness, state):
    answers = {}

    def ask(size):
        answers[size] = witness.add_checkpoint(LOG.request(0, size))

    threads = [threading.Thread(target=ask, args=(size,)) for size in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    (cosigned,) = [size for size, answer in answers.items() if answer.status == 200]
    assert state.recall("example.com/log").head == LOG.head(cosigned)
    assert {answer.body for answer in answers.values() if answer.status == 409} == {f"{cosigned}\n".encode()}


# Its key


def test_a_witnesss_key_is_made_once_and_read_back(tmp_path):
    made = make_witness_key(tmp_path / "w.skey", "example.com/w1")
    assert read_witness_key(tmp_path / "w.skey").key == made.key
    assert made.key.kind == COSIGNATURE
    with pytest.raises(InputError) as caught:
        make_witness_key(tmp_path / "w.skey", "example.com/w1")
    assert caught.value.code == "witness.key-exists"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb"])
def test_a_name_that_no_line_could_hold_is_refused(tmp_path, name):
    with pytest.raises(InputError) as caught:
        make_witness_key(tmp_path / "w.skey", name)
    assert caught.value.code == "witness.name"
    assert list(tmp_path.iterdir()) == []


def test_a_missing_key_says_how_one_is_made(tmp_path):
    with pytest.raises(InputError) as caught:
        read_witness_key(tmp_path / "w.skey")
    assert caught.value.code == "witness.key-missing"
    assert "audit log witness new" in caught.value.hint
