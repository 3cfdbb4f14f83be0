"""Checkpoints: the text of C2SP tlog-checkpoint, and whose signature makes one."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit_pipeline.errors import RejectedError
from audit_pipeline.trail.checkpoint import MAX_SIZE, Checkpoint, sign_checkpoint, signed_checkpoint
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import Note, parse_note
from audit_pipeline.trail.note_key import NoteKey, NoteSigner

# C2SP tlog-checkpoint, its example; nobody published the key.
SPEC_TEXT = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
# github.com/transparency-dev/witness, witness_test.go.
MONKEYS = NoteKey.parse("monkeys+db4d9f7e+AULaJMvTtDLHPUcUrjdDad9vDlh/PTfC2VV60JUtCfWT")
MONKEYS_AT_5 = (
    "monkeys\n5\n41smjBUiAU70EtKlT6lIOIYtRTYxYXsDB+XHfcvu/BE=\n\n— monkeys "
    "202fftzGl3LVoqjXfwCFZZXs8I+5G22+Ek2K0AOyBuSJ/8/CZawNF+6fNlTKOCd622pbzJNkkJFWuw9DbicZCkEx9AY=\n"
).encode()

LOG = NoteSigner.generate("example.com/log")
HEAD = TreeHead(3, "ab" * 32)


def code(function, *given):
    with pytest.raises(RejectedError) as caught:
        function(*given)
    return caught.value.code


def test_the_example_of_the_specification_is_read_and_written():
    checkpoint = Checkpoint.parse(SPEC_TEXT)
    assert checkpoint.origin == "example.com/behind-the-sofa"
    assert checkpoint.head.size == 20852163
    assert checkpoint.to_text() == SPEC_TEXT


def test_a_checkpoint_that_another_implementation_signed_holds():
    checkpoint = signed_checkpoint(parse_note(MONKEYS_AT_5), MONKEYS)
    root = "e35b268c1522014ef412d2a54fa94838862d453631617b0307e5c77dcbeefc11"
    assert checkpoint == Checkpoint("monkeys", TreeHead(5, root))


def test_lines_that_another_log_adds_stay():
    text = SPEC_TEXT + "extension\n"
    assert Checkpoint.parse(text).extensions == ("extension",)
    assert Checkpoint.parse(text).to_text() == text


def test_a_signed_head_is_read_back():
    note = parse_note(sign_checkpoint(LOG, HEAD).to_bytes())
    assert signed_checkpoint(note, LOG.key) == Checkpoint("example.com/log", HEAD)


def test_another_key_of_the_same_name_has_signed_nothing():
    twin = NoteSigner.generate(LOG.key.name)
    assert code(signed_checkpoint, sign_checkpoint(LOG, HEAD), twin.key) == "checkpoint.unsigned"


def test_a_log_signs_its_own_origin_only():
    text = Checkpoint("example.com/other", HEAD).to_text()
    assert code(signed_checkpoint, Note(text, (LOG.sign(text),)), LOG.key) == "checkpoint.other-log"


@pytest.mark.parametrize(
    "text",
    [
        "\n",
        "origin\n",
        "origin\n3\n",
        SPEC_TEXT.replace("\n", "\n\n"),
        SPEC_TEXT + "\n",
        SPEC_TEXT + "more\n\n",
        "\n" + SPEC_TEXT,
        SPEC_TEXT.replace("20852163", "020852163"),
        SPEC_TEXT.replace("20852163", "-1"),
        SPEC_TEXT.replace("20852163", "+1"),
        SPEC_TEXT.replace("20852163", " 1"),
        SPEC_TEXT.replace("20852163", "1_0"),
        SPEC_TEXT.replace("20852163", "٣"),
        SPEC_TEXT.replace("20852163", "1e3"),
        SPEC_TEXT.replace("20852163", ""),
        SPEC_TEXT.replace("20852163", str(MAX_SIZE + 1)),
        SPEC_TEXT.replace("20852163", "9" * 100_000),
        SPEC_TEXT.replace("2I=", "2J="),
        SPEC_TEXT.replace("CsUYapGG", "CsUY"),
        SPEC_TEXT.replace("CsUY", "CsU-"),
    ],
    ids=count(),
)
def test_what_is_no_checkpoint_is_refused(text):
    assert code(Checkpoint.parse, text) == "checkpoint.malformed"


@given(st.text(max_size=80))
def test_any_text_is_a_checkpoint_or_is_refused(text):
    try:
        assert Checkpoint.parse(text + "\n").to_text() == text + "\n"
    except RejectedError as error:
        assert error.code == "checkpoint.malformed"


@given(st.integers(0, MAX_SIZE), st.binary(min_size=32, max_size=32))
def test_any_head_is_written_and_read_back(size, root):
    checkpoint = Checkpoint("example.com/log", TreeHead(size, root.hex()))
    assert Checkpoint.parse(checkpoint.to_text()) == checkpoint
