from __future__ import annotations

import json
from typing import Any

import pytest
from google.protobuf import json_format
from in_toto_attestation.v1 import statement as in_toto
from in_toto_attestation.v1 import statement_pb2

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.statement import (
    RELEASE_TYPE,
    STATEMENT_TYPE,
    VERDICT_TYPE,
    Subject,
    make_statement,
    read_statement,
)

SUBJECTS = [Subject("model.tflite", "ab" * 32), Subject("evidence.json", "cd" * 32)]
PREDICATE = {"verdict": {"outcome": "PASS"}, "findings": [{"estimate": 0.5, "note": "für alle"}], "waivers": []}


def code_of(payload: bytes, predicate_type: str = VERDICT_TYPE) -> str:
    with pytest.raises(RejectedError) as caught:
        read_statement(payload, predicate_type, where="test")
    assert caught.value.where == "test"
    return caught.value.code


def altered(**changed: Any) -> bytes:
    return canonical_json(json.loads(make_statement(SUBJECTS, VERDICT_TYPE, PREDICATE)) | changed)


def test_a_statement_reads_back() -> None:
    read = read_statement(make_statement(SUBJECTS, VERDICT_TYPE, PREDICATE), VERDICT_TYPE, where="test")
    assert list(read.subjects) == SUBJECTS
    assert read.predicate == PREDICATE
    assert read.value("verdict", "outcome") == "PASS"
    assert read.speaks_of("cd" * 32) and not read.speaks_of("ef" * 32)


def test_equal_predicates_give_equal_bytes() -> None:
    backwards = dict(reversed(PREDICATE.items()))
    assert make_statement(SUBJECTS, VERDICT_TYPE, backwards) == make_statement(SUBJECTS, VERDICT_TYPE, PREDICATE)


def test_in_toto_attestation_parses_and_validates_it() -> None:
    assert in_toto.STATEMENT_TYPE_URI == STATEMENT_TYPE
    parsed = json_format.Parse(make_statement(SUBJECTS, VERDICT_TYPE, PREDICATE), statement_pb2.Statement())
    statement = in_toto.Statement.copy_from_pb(parsed)
    statement.validate()
    assert statement.pb.predicate_type == VERDICT_TYPE
    assert [(item.name, item.digest["sha256"]) for item in statement.pb.subject] == [
        (subject.name, subject.sha256) for subject in SUBJECTS
    ]
    assert json_format.MessageToDict(statement.pb.predicate) == PREDICATE


@pytest.mark.parametrize(
    ("subjects", "predicate"),
    [
        ([], PREDICATE),
        (SUBJECTS, {}),
        ([Subject("m", "AB" * 32)], PREDICATE),
        ([Subject("m", "ab")], PREDICATE),
        (SUBJECTS, {"value": float("nan")}),
    ],
)
def test_a_statement_that_says_nothing_certain_is_not_made(subjects: list[Subject], predicate: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        make_statement(subjects, VERDICT_TYPE, predicate)


def test_another_kind_of_statement_is_rejected() -> None:
    assert code_of(make_statement(SUBJECTS, VERDICT_TYPE, PREDICATE), RELEASE_TYPE) == "attestation.predicate-type"


@pytest.mark.parametrize(
    "changed",
    [
        {"_type": "https://in-toto.io/Statement/v0.1"},
        {"extra": 1},
        {"predicate": []},
        {"subject": []},
        {"subject": {}},
        {"subject": [{"name": "m", "digest": {"sha1": "ab"}}]},
        {"subject": [{"name": "m", "digest": {"sha256": "ab"}}]},
        {"subject": [{"digest": {"sha256": "ab" * 32}}]},
    ],
)
def test_what_is_no_statement_is_rejected(changed: dict[str, Any]) -> None:
    assert code_of(altered(**changed)) == "attestation.statement"


@pytest.mark.parametrize("payload", [b"", b"{", b'{"_type":1,"_type":2}', b"\xff"])
def test_what_is_not_strict_json_is_rejected(payload: bytes) -> None:
    assert code_of(payload) == "attestation.json"


@pytest.mark.parametrize("path", [("policy",), ("verdict", "outcome", "more"), ("waivers", "x")])
def test_a_missing_value_is_named(path: tuple[str, ...]) -> None:
    read = read_statement(make_statement(SUBJECTS, VERDICT_TYPE, PREDICATE), VERDICT_TYPE, where="test")
    with pytest.raises(RejectedError, match=r"\.".join(path)):
        read.value(*path)
