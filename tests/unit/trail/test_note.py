"""Signed notes against the published examples, and against whatever somebody may send."""

from __future__ import annotations

import base64
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.trail.note import MAX_NOTE_BYTES, MAX_SIGNATURES, Note, NoteSignature, parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, ED25519, NoteKey, NoteSigner, verified

# golang.org/x/mod/sumdb/note, package documentation.
GO_SKEY = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
GO_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
GO_TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
GO_NOTE = (
    f"{GO_TEXT}\n— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
# C2SP signed-note, "Verifier keys" and the note at its head.
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()
POEM = (
    "Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n\n"
    "— quasimodo.example/salvatore "
    "NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=\n"
).encode()
# github.com/transparency-dev/formats, note_cosigv1_test.go.
COSIGNATURE_VKEY = "remora.n621.de+da77ade7+BOvN63jn/bLvkieywe8R6UYAtVtNbZpXh34x7onlmtw2"
COSIGNATURE_LINE = (
    "— w ZGhGuQAAAABm/qTPeyKXD+R2rzyQsxPiP8mXum7qq/iF0u4vanlqJyocWODBt97w9uL+8qT7S5gxEHWWOworDcFiEBYJXORmnFBOBA=="
)

TEXT = "example.com/log\n3\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
LOG = NoteSigner.generate("example.com/log")
WITNESS = NoteSigner.generate("example.com/w1", COSIGNATURE)


def signed(*signers, text=TEXT, seconds=1679315147):
    return Note(text, tuple(signer.sign(text, seconds=seconds) for signer in signers))


def code(error, function, *given, **named):
    with pytest.raises(error) as caught:
        function(*given, **named)
    return caught.value.code


def test_the_example_of_the_go_library_is_signed_to_the_byte():
    signer = NoteSigner.parse(GO_SKEY)
    assert signed(signer, text=GO_TEXT).to_bytes() == GO_NOTE
    assert signer.key.to_vkey() == GO_VKEY
    assert signer.to_skey() == GO_SKEY


@pytest.mark.parametrize(("note", "vkey"), [(GO_NOTE, GO_VKEY), (SPEC_NOTE, SPEC_VKEY)])
def test_the_published_examples_hold(note, vkey):
    key = NoteKey.parse(vkey)
    assert verified(parse_note(note), [key]) == (key,)
    assert key.to_vkey() == vkey


def test_a_text_with_an_empty_line_ends_at_the_last_one():
    note = parse_note(POEM)
    assert note.text.endswith("di sole:\n\ned è subito sera.\n")
    assert [line.name for line in note.signatures] == ["quasimodo.example/salvatore"]
    assert note.to_bytes() == POEM


def test_a_published_cosignature_key_and_the_time_in_a_published_cosignature_are_read():
    assert NoteKey.parse(COSIGNATURE_VKEY).kind == COSIGNATURE
    assert int.from_bytes(NoteSignature.parse(COSIGNATURE_LINE).signature[:8]) == 1727964367


def test_a_cosignature_signs_two_lines_and_the_text():
    line = signed(WITNESS).signatures[0]
    message = f"cosignature/v1\ntime 1679315147\n{TEXT}".encode()
    plain = NoteSigner("example.com/w1", WITNESS._private)
    assert line.signature == (1679315147).to_bytes(8, "big") + plain._private.sign(message)
    assert WITNESS.key.holds(TEXT, line)


@pytest.mark.parametrize("seconds", [0, 1 << 63])
def test_a_cosignature_without_a_time_or_with_one_past_all_times_does_not_hold(seconds):
    assert not WITNESS.key.holds(TEXT, WITNESS.sign(TEXT, seconds=seconds))


def test_the_time_of_a_cosignature_is_signed():
    line = WITNESS.sign(TEXT, seconds=1000)
    later = NoteSignature(line.name, line.key_id, (1001).to_bytes(8, "big") + line.signature[8:])
    assert not WITNESS.key.holds(TEXT, later)


def test_lines_of_unknown_keys_say_nothing():
    note = signed(NoteSigner.generate("example.com/other"), LOG)
    assert verified(note, [LOG.key]) == (LOG.key,)
    assert verified(note, [WITNESS.key]) == ()


def test_a_line_that_names_a_known_key_and_is_not_its_spoils_the_note():
    good = signed(LOG)
    bad = NoteSignature(LOG.key.name, LOG.key.key_id, bytes(64))
    assert code(RejectedError, verified, good.joined([bad]), [LOG.key]) == "note.signature"
    assert code(RejectedError, verified, Note(TEXT + "more\n", good.signatures), [LOG.key]) == "note.signature"


def test_a_key_of_another_name_or_id_is_another_key():
    other = NoteKey("example.com/elsewhere", LOG.key.public)
    assert other.key_id != LOG.key.key_id
    assert verified(signed(LOG), [other]) == ()
    assert verified(signed(LOG), [NoteKey(LOG.key.name, LOG.key.public, COSIGNATURE)]) == ()


def test_one_key_under_two_names_counts_once():
    twin = NoteSigner("example.com/twin", WITNESS._private, COSIGNATURE)
    assert len(verified(signed(WITNESS, twin), [WITNESS.key, twin.key])) == 1


def test_more_signatures_are_joined_of_each_key_the_last():
    log, earlier, later = signed(LOG), signed(WITNESS, seconds=1), signed(WITNESS, seconds=2)
    joined = log.joined(earlier.signatures).joined(later.signatures)
    assert joined.signatures == (*log.signatures, *later.signatures)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"text\n",
        b"text\n\n",
        GO_NOTE[:-1],
        GO_NOTE + b"\n",
        GO_NOTE + b"more\n",
        GO_NOTE.replace(b"\n", b"\r\n"),
        GO_NOTE.replace(b"cryptography", b"crypto\tgraphy"),
        GO_NOTE.replace(b"cryptography", b"crypto\x00graphy"),
        GO_NOTE.replace(b"cryptography", b"crypto\xffgraphy"),
        GO_NOTE.replace("— ".encode(), b"- "),
        GO_NOTE.replace("— ".encode(), "—".encode()),
        GO_NOTE.replace(b"PeterNeumann", b""),
        GO_NOTE.replace(b"PeterNeumann", b"Peter+Neumann"),
        GO_NOTE.replace(b"PeterNeumann", "Peter\u00a0Neumann".encode()),
        GO_NOTE.replace(b"PeterNeumann", b"Peter Neumann"),
        GO_NOTE.replace(b"x08go/", b"x08go_"),
        GO_NOTE.replace(b"JnAM=", b"JnAM"),
        GO_NOTE.replace(b"JnAM=", b"JnAM=="),
        GO_NOTE.replace(b"JnAM=", b"JnAN="),
        "text\n\n— name AAAA\n".encode(),
        "text\n\n— name AAAAAA==\n".encode(),
        b"x" * MAX_NOTE_BYTES + GO_NOTE,
        b"text\n\n" + "— name AAAAAAA=\n".encode() * (MAX_SIGNATURES + 1),
    ],
    ids=count(),
)
def test_what_is_no_note_is_refused(content):
    assert code(RejectedError, parse_note, content) == "note.malformed"


def test_a_note_may_carry_the_sixteen_signatures_that_readers_must_take():
    signers = [NoteSigner.generate(f"example.com/{number}") for number in range(16)]
    note = parse_note(signed(*signers).to_bytes())
    assert len(verified(note, [signer.key for signer in signers])) == 16


@given(st.binary(max_size=300))
def test_any_bytes_are_a_note_or_are_refused(content):
    try:
        note = parse_note(content)
    except RejectedError as error:
        assert error.code == "note.malformed"
    else:
        assert note.to_bytes() == content


@given(st.integers(0, len(SPEC_NOTE) - 1), st.integers(0, 255))
def test_a_note_changed_in_one_byte_is_refused_or_not_signed(place, value):
    key = NoteKey.parse(SPEC_VKEY)
    changed = SPEC_NOTE[:place] + bytes([value]) + SPEC_NOTE[place + 1 :]
    try:
        assert verified(parse_note(changed), [key]) == () or changed == SPEC_NOTE
    except RejectedError as error:
        assert error.code in {"note.malformed", "note.signature"}


NAMES = st.text(st.characters(exclude_characters="+", exclude_categories=["Cc", "Cs", "Z"]), min_size=1, max_size=20)
TEXTS = st.text(st.one_of(st.just("\n"), st.characters(exclude_categories=["Cc", "Cs"])), max_size=60).map(
    "{}\n".format
)


@given(TEXTS, st.lists(st.tuples(NAMES, st.sampled_from([ED25519, COSIGNATURE])), min_size=1, max_size=4))
def test_what_is_signed_is_read_back_and_holds(text, names):
    signers = [NoteSigner.generate(name, kind) for name, kind in names]
    note = signed(*signers, text=text)
    assert parse_note(note.to_bytes()) == note
    assert verified(note, [NoteKey.parse(signer.key.to_vkey()) for signer in signers]) == tuple(
        signer.key for signer in signers
    )
    assert [NoteSigner.parse(signer.to_skey()).key for signer in signers] == [signer.key for signer in signers]


def vkey_of(blob, name="n", key_id=None):
    import hashlib

    key_id = key_id or hashlib.sha256(name.encode() + b"\n" + blob).hexdigest()[:8]
    return f"{name}+{key_id}+{base64.b64encode(blob).decode()}"


@pytest.mark.parametrize(
    "vkey",
    [
        "",
        "name",
        "name+00000000",
        "name+00000000+",
        GO_VKEY.replace("c74f20a3", "C74F20A3"),
        GO_VKEY.replace("c74f20a3", "c74f20a4"),
        GO_VKEY.replace("PeterNeumann", "PeterNewmann"),
        f" {GO_VKEY}",
        f"{GO_VKEY}\n",
        GO_SKEY,
        vkey_of(b"\x02" + bytes(32)),
        vkey_of(b"\x06" + bytes(1312)),
        vkey_of(b"\x01" + bytes(31)),
        vkey_of(b"\x01" + bytes(33)),
        vkey_of(b"\x01" + LOG.key.public, name=""),
        vkey_of(b"\x01" + LOG.key.public, name="a b"),
        # Points of low order, whose signatures everybody can make, and a point written a second way.
        vkey_of(b"\x01" + bytes(32)),
        vkey_of(b"\x04" + b"\x01" + bytes(31)),
        vkey_of(b"\x04" + b"\xec" + b"\xff" * 30 + b"\x7f"),
        vkey_of(b"\x01" + b"\xf0" + b"\xff" * 30 + b"\x7f"),
    ],
    ids=count(),
)
def test_what_is_no_verifier_key_is_refused(vkey):
    assert code(InputError, NoteKey.parse, vkey) == "note.vkey"


@pytest.mark.parametrize(
    "skey", ["", GO_VKEY, GO_SKEY.replace("c74f20a3", "c74f20a4"), GO_SKEY[:-4], GO_SKEY.replace("+AYEK", "+AyEK")]
)
def test_a_damaged_private_key_is_refused_and_never_repeated(skey):
    with pytest.raises(InputError) as caught:
        NoteSigner.parse(skey)
    assert caught.value.code == "note.skey"
    assert "audit log witness new" in caught.value.hint
    assert caught.value.__cause__ is None
    assert "EKFALVFGyNhPJEMzD1QIDr" not in f"{caught.value} {caught.value.hint}"
