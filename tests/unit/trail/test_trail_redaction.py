"""A text that is taken out: the log stands, the reason stays, and nobody else can make a text go."""

from __future__ import annotations

import json
import sqlite3

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.exc import IntegrityError

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import InputError, RejectedError, ToolError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import Subject, make_statement
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.proofs import check_inclusion
from audit_pipeline.trail.redaction import REDACTION_TYPE, read_redaction, sign_redaction
from audit_pipeline.trail.signed_entry import sign_entry

AT = "2026-05-04T12:00:00Z"
SECRET = "Ada Lovelace, born 1815"
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([7]) * 32), generate_private_key(SECP256R1())]


@pytest.fixture
def signer():
    return Signer.of(KEYS[0])


@pytest.fixture
def spoilt(filled):
    """The filled trail with one entry more, number 11, that names a person, and two after it."""
    filled.append("data", run="run-7", at=AT, body={"name": "study", "source": SECRET * 200})
    for number in (12, 13):
        filled.append("findings", run="run-7", at=AT, body={"number": number})
    return filled


def refused(attempt):
    with pytest.raises((InputError, RejectedError, ToolError)) as caught:
        attempt()
    return caught.value


@pytest.mark.parametrize("key", KEYS)
def test_the_log_stands_as_before_and_grows_by_the_reason(spoilt, key):
    before = spoilt.head()
    receipt = spoilt.redact(11, reason="a name in the source", signer=Signer.of(key), at=AT)
    assert (receipt.entry.kind, receipt.entry.run, receipt.entry.index) == ("redaction", "run-7", 14)
    assert spoilt.verify([before]) == receipt.head
    spoilt.append("findings", run="run-7", at=AT, body={})
    assert spoilt.verify([before, receipt.head]).size == 16


def test_what_is_left_of_the_entry_says_where_it_stood_and_no_more(spoilt, signer):
    before = spoilt.entry(11)
    spoilt.redact(11, reason="a name in the source", signer=signer, at=AT)
    left = spoilt.entry(11)
    assert left.redacted
    assert (left.index, left.kind, left.run, left.at, left.body) == (11, "data", "run-7", AT, {})
    assert left.leaf_hash == before.leaf_hash
    assert left.to_json()["redacted"] is True
    assert not any(entry.redacted for entry in spoilt.entries() if entry.index != 11)
    said = read_redaction(spoilt.entry(14), "trail")
    assert (said.reason, said.index, said.kind, said.run) == ("a name in the source", 11, "data", "run-7")


def test_who_still_has_the_document_can_show_that_it_was_the_one_and_nobody_guesses_it(spoilt, signer):
    before = spoilt.entry(11)
    spoilt.redact(11, reason="a name in the source", signer=signer, at=AT)
    check_inclusion(spoilt.head(), 11, Entry.parse(before.canonical).leaf_hash, spoilt.inclusion(11))
    guess = Entry.compose(11, "data", "run-7", AT, before.body)
    assert guess.leaf_hash != before.leaf_hash
    salt = json.loads(before.canonical)["salt"]
    assert salt not in spoilt.entry(11).canonical.decode()
    assert Entry.compose(11, "data", "run-7", AT, before.body, salt=bytes.fromhex(salt)) == before


def without_text(trail, rewrite, index, **changes):
    """Put an entry's header in its place, as somebody would who writes past the guards."""
    document = json.loads(trail.entry(index).taken_out().canonical) | changes
    text = canonical_json(document).decode()
    rewrite(f"""UPDATE entry SET canonical = '{text}' WHERE "index" = {index}""")


def test_a_withdrawal_cannot_be_made_to_look_like_something_else_that_was_taken_out(filled, rewrite, signer):
    """By somebody with the database and the log's key: the redaction is one that anybody could sign."""
    withdrawn = filled.append("revocation", run="run-1", at=AT, body={"reason": "it harms"}).entry
    body = sign_redaction(withdrawn, "a name", signer)
    lie = forged_predicate(body, kind="incident", run="run-0")
    filled.append("redaction", run="run-0", at=AT, body=lie)
    without_text(filled, rewrite, 11, kind="incident", run="run-0")
    rewrite("""UPDATE entry SET kind = 'incident', run = 'run-0' WHERE "index" = 11""")
    assert "entry 11 was changed" in refused(filled.verify).what


def forged_predicate(body, **changes):
    """A redaction of its own with other words, signed as well as any."""
    predicate = {key: body[key] for key in body if key not in {"envelope", "sha256", "signer"}} | changes
    payload = make_statement([Subject("entry 11", body["leaf_hash"])], REDACTION_TYPE, predicate)
    return sign_entry(payload, Signer.of(KEYS[0]), REDACTION_TYPE)


def test_an_entry_of_the_first_format_stays(filled, signer):
    first = Entry.parse(b'{"at":"2026-05-04T12:00:00Z","body":{},"format":1,"index":0,"kind":"data","run":"run-1"}')
    assert refused(lambda: sign_redaction(first, "a name", signer)).code == "redaction.format"


def test_not_a_byte_of_it_is_left_in_the_files(path, spoilt, signer):
    assert any(SECRET.encode() in file.read_bytes() for file in path.parent.iterdir())
    spoilt.redact(11, reason="a name in the source", signer=signer, at=AT)
    assert [file.name for file in path.parent.iterdir() if SECRET.encode() in file.read_bytes()] == []
    spoilt.close()
    assert [file.name for file in path.parent.iterdir() if SECRET.encode() in file.read_bytes()] == []


def test_bytes_that_another_reader_holds_are_said_to_be_left_and_go_at_the_second_time(path, spoilt, signer):
    reader = sqlite3.connect(path, isolation_level=None)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM entry").fetchone()
    with Trail.open(path, timeout_seconds=0.2) as hurried:
        error = refused(lambda: hurried.redact(11, reason="a name", signer=signer, at=AT))
    assert error.code == "trail.not-erased"
    assert spoilt.entry(11).redacted
    reader.close()
    assert refused(lambda: spoilt.redact(11, reason="a name", signer=signer, at=AT)).code == "redaction.gone"
    assert [file.name for file in path.parent.iterdir() if SECRET.encode() in file.read_bytes()] == []
    assert spoilt.verify().size == 15


@pytest.mark.parametrize("kind", ["candidate", "findings", "verdict", "seal", "aborted", "keys", "redaction"])
def test_what_the_tool_itself_goes_by_stays(trail, signer, kind):
    trail.append(kind, run="a", at=AT, body={"note": "…"})
    assert refused(lambda: trail.redact(0, reason="a name", signer=signer, at=AT)).code == "redaction.kind"
    assert trail.verify().size == 1


def test_a_revocation_without_its_text_is_still_one(trail, signer):
    trail.append("revocation", run="a", at=AT, body={"reason": SECRET})
    trail.redact(0, reason="a name", signer=signer, at=AT)
    assert [entry.kind for entry in trail.entries("a", kind="revocation")] == ["revocation"]


@pytest.mark.parametrize("reason", ["", "x" * 4001])
def test_without_a_reason_nothing_goes(filled, signer, reason):
    assert refused(lambda: filled.redact(3, reason=reason, signer=signer, at=AT)).code == "redaction.reason"
    assert filled.verify().size == 11


def test_there_is_nothing_to_take_out_of_what_is_not_there(filled, signer):
    assert refused(lambda: filled.redact(11, reason="a name", signer=signer, at=AT)).code == "trail.no-such-entry"


def test_a_signer_that_fails_leaves_the_text(filled):
    def broken(_: bytes) -> bytes:
        raise ToolError("signer.failed", "the token was drawn")

    signer = Signer(KEYS[0].public_key(), broken)
    assert refused(lambda: filled.redact(3, reason="a name", signer=signer, at=AT)).code == "signer.failed"
    assert filled.verify().size == 11
    assert filled.entry(3).body == {"number": 3}


def test_of_a_log_that_was_changed_nothing_is_taken_out(filled, rewrite, signer):
    rewrite("""UPDATE entry SET canonical = replace(canonical, '":4', '":5') WHERE "index" = 4""")
    error = refused(lambda: filled.redact(4, reason="a name", signer=signer, at=AT))
    assert "entry 4 was changed" in error.what
    assert filled.entry(4).body == {"number": 5}


@pytest.mark.parametrize(
    "statement",
    [
        """UPDATE entry SET canonical = '{"body_sha256":"00"}' WHERE "index" = 3""",
        """UPDATE entry SET kind = 'model' WHERE "index" = 11""",
        """UPDATE entry SET leaf_hash = root WHERE "index" = 11""",
        """UPDATE entry SET canonical = '{}' WHERE "index" = 11""",
        """UPDATE entry SET canonical = '{"at":"","body_sha256":"00","salt":""}' WHERE "index" = 11""",
        """UPDATE entry SET canonical = '{"body_sha256":"00"}' WHERE "index" = 14""",
        """UPDATE entry SET canonical = '{"body_sha256":"00"}'""",
    ],
)
def test_the_guard_lets_no_other_text_go(spoilt, signer, statement):
    spoilt.redact(11, reason="a name", signer=signer, at=AT)
    with pytest.raises(IntegrityError, match="append-only"), spoilt._engine.begin() as connection:
        connection.exec_driver_sql(statement)
    assert spoilt.verify().size == 15


@pytest.mark.parametrize("index", [3, 0])
def test_a_text_that_somebody_made_go_is_named(spoilt, rewrite, signer, index):
    spoilt.redact(11, reason="a name", signer=signer, at=AT)
    without_text(spoilt, rewrite, index)
    error = refused(spoilt.verify)
    assert error.code == "trail.entry-changed"
    assert f"entry {index} was changed: its text is gone" in error.what


def test_a_text_whose_reason_somebody_made_go_is_named(spoilt, rewrite, signer):
    spoilt.redact(11, reason="a name", signer=signer, at=AT)
    rewrite("""UPDATE entry SET canonical = '' WHERE "index" = 14""")
    assert "entry 11 was changed: its text is gone" in refused(spoilt.verify).what


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("""UPDATE entry SET kind = 'findings' WHERE "index" = 11""", 11),
        ("""UPDATE entry SET run = 'run-8' WHERE "index" = 11""", 11),
        ("""UPDATE entry SET at = '2027-05-04T12:00:00Z' WHERE "index" = 11""", 11),
        (
            """UPDATE entry SET leaf_hash = (SELECT e.leaf_hash FROM entry AS e WHERE e."index" = 3)
               WHERE "index" = 11""",
            11,
        ),
        ("""UPDATE entry SET nodes = '' WHERE "index" = 11""", 11),
        ("""UPDATE entry SET kind = 'findings' WHERE "index" = 14""", 14),
        ("""UPDATE entry SET canonical = replace(canonical, 'a name', 'a game') WHERE "index" = 14""", 11),
        ("""UPDATE entry SET canonical = '{"kind":"redaction"' WHERE "index" = 13""", 13),
    ],
)
def test_what_is_changed_beside_a_text_that_is_gone_is_named(spoilt, rewrite, signer, statement, named):
    spoilt.redact(11, reason="a name", signer=signer, at=AT)
    rewrite(statement)
    assert f"entry {named} was changed" in refused(spoilt.verify).what


def forged(entry: Entry, change):
    """A redaction's body after a change, made by somebody who can write to the log but has none of the keys."""
    body = sign_redaction(entry, "a name", Signer.of(KEYS[0]))
    change(body)
    return body


def _other_reason(body):
    body["reason"] = "another"


def _other_index(body):
    body["index"] = 12


def _other_signature(body):
    envelope = json.loads(body["envelope"])
    envelope["signatures"][0]["sig"] = "AAAA" + envelope["signatures"][0]["sig"][4:]
    body["envelope"] = canonical_json(envelope).decode()


def _no_signature(body):
    envelope = json.loads(body["envelope"])
    envelope["signatures"] = []
    body["envelope"] = canonical_json(envelope).decode()


def _other_key(body):
    other = Signer.of(KEYS[1])
    payload = dsse.unverified_payload(body["envelope"].encode(), where="")
    body["envelope"] = dsse.sign(payload, [other]).decode()


def _another_entrys_subject(body):
    predicate = {key: body[key] for key in body if key not in {"envelope", "sha256", "signer"}}
    payload = make_statement([Subject("entry 3", "00" * 32)], REDACTION_TYPE, predicate)
    body["envelope"] = dsse.sign(payload, [Signer.of(KEYS[0])]).decode()
    body["sha256"] = sha256_hex(payload)


@pytest.mark.parametrize(
    "change",
    [_other_reason, _other_index, _other_signature, _no_signature, _other_key, _another_entrys_subject, dict.clear],
)
def test_a_redaction_that_nobody_signed_takes_nothing_out(filled, rewrite, change):
    filled.append("redaction", run="run-1", at=AT, body=forged(filled.entry(3), change))
    filled.verify()
    without_text(filled, rewrite, 3)
    assert "entry 3 was changed: its text is gone" in refused(filled.verify).what


def test_a_redaction_takes_out_only_what_stands_before_it(filled, rewrite, signer, monkeypatch):
    salt = bytes(16)
    later = Entry.compose(12, "data", "run-0", AT, {"number": 12}, salt)
    monkeypatch.setattr("secrets.token_bytes", lambda _: salt)
    filled.append("redaction", run="run-0", at=AT, body=sign_redaction(later, "a name", signer))
    filled.append("data", run="run-0", at=AT, body={"number": 12})
    assert filled.entry(12) == later
    without_text(filled, rewrite, 12)
    assert "entry 12 was changed: its text is gone" in refused(filled.verify).what


def test_a_redaction_of_something_else_with_that_number_does_not_stand_in_the_way(filled, signer):
    other = Entry.compose(3, "data", "run-9", AT, {"number": 3})
    filled.append("redaction", run="run-9", at=AT, body=sign_redaction(other, "a name", signer))
    filled.redact(3, reason="a name", signer=signer, at=AT)
    assert filled.verify().size == 13


def test_many_texts_can_go(filled, signer):
    for index in range(11):
        filled.redact(index, reason="a name", signer=signer, at=AT)
    assert filled.verify().size == 22
    assert [entry.index for entry in filled.entries() if entry.redacted] == list(range(11))


def test_a_kind_that_is_never_redacted_and_has_no_text_is_not_read(trail, rewrite):
    trail.append("seal", run="a", at=AT, body={"security_counter": 3})
    document = json.loads(trail.entry(0).canonical)
    del document["body"], document["salt"]
    text = canonical_json(document | {"body_sha256": "00" * 32}).decode()
    rewrite(f"UPDATE entry SET canonical = '{text}'")
    assert "entry 0 was changed" in refused(lambda: list(trail.entries(kind="seal"))).what
