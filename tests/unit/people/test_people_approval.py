"""Approvals count by distinct key bytes in the role they were given in, for one run, and never the author's."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from people_samples import (
    MODEL,
    NOW,
    OTHER_RUN,
    OTHER_VERDICT,
    RUN,
    VERDICT,
    approval_body,
    entries_of,
    signer,
)
from pydantic import ValidationError

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.people.approval import APPROVAL_TYPE, Approval, approvals_of, missing_approvals
from audit_pipeline.people.authors import authors, without_authors
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint, spki
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.statement import Subject, make_statement
from audit_pipeline.seal.verify import Trust
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.signed_entry import sign_entry


def who(*names: str) -> tuple[SignerPublic, ...]:
    return tuple(signer(name).public for name in names)


APPROVERS = {"clinical-safety": who("doctor", "nurse"), "data-protection": who("guardian")}


def print_of(name: str) -> str:
    return fingerprint(signer(name).public)


def read(*bodies: dict[str, Any], run: str = RUN, excluded: frozenset[str] = frozenset()) -> Any:
    entries = entries_of(*(("approval", body) for body in bodies), run=run)
    return approvals_of(entries, VERDICT, APPROVERS, excluded, "audit.db")


def code_of(*bodies: dict[str, Any], run: str = RUN) -> str:
    with pytest.raises(RejectedError) as caught:
        read(*bodies, run=run)
    assert caught.value.where == f"audit.db, entry {len(bodies) - 1}"
    return caught.value.code


def test_approvals_count_by_role() -> None:
    found = read(approval_body("doctor"), approval_body("guardian", "data-protection"), approval_body("nurse"))
    assert found == {
        "clinical-safety": (print_of("doctor"), print_of("nurse")),
        "data-protection": (print_of("guardian"),),
    }


def test_other_entries_of_the_run_are_passed_over() -> None:
    entries = entries_of(("verdict", {"outcome": "PASS"}), ("approval", approval_body("doctor")))
    assert approvals_of(entries, VERDICT, APPROVERS, frozenset(), "audit.db") == {
        "clinical-safety": (print_of("doctor"),)
    }


def test_one_person_who_approves_twice_is_one() -> None:
    assert read(approval_body("doctor"), approval_body("doctor", reason="again")) == {
        "clinical-safety": (print_of("doctor"),)
    }


def test_one_key_in_two_encodings_under_two_names_is_one() -> None:
    public = signer("doctor").public
    assert isinstance(public, EllipticCurvePublicKey)
    compressed = load_der_public_key(_compressed(public))
    assert isinstance(compressed, EllipticCurvePublicKey)
    approvers = {"clinical-safety": (public, compressed)}
    entries = entries_of(("approval", approval_body("doctor")), ("approval", approval_body("doctor", reason="more")))
    assert approvals_of(entries, VERDICT, approvers, frozenset(), "x") == {"clinical-safety": (print_of("doctor"),)}


def _compressed(public: EllipticCurvePublicKey) -> bytes:
    """SubjectPublicKeyInfo with a compressed point: other bytes than `spki` gives, the same key."""
    prefix = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200")
    der = prefix + public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert der != spki(public)
    return der


def test_an_author_counts_for_nothing() -> None:
    assert read(approval_body("doctor"), excluded=frozenset({print_of("doctor")})) == {}


def test_authors_are_the_policys_and_all_that_sign_the_release() -> None:
    one, two, three = who("image", "verdict", "release")
    trust = Trust(image=(one,), verdict=Quorum((two,)), release=Quorum((three,)), waiver=None)
    expected = {print_of(name) for name in ("image", "verdict", "release", "writer")}
    assert authors(print_of("writer"), trust) == expected
    assert authors(None, trust) == expected - {print_of("writer")}


def test_authors_leave_a_quorum_and_with_too_few_left_there_is_none() -> None:
    quorum = Quorum(who("doctor", "nurse", "guardian"), threshold=2)
    assert without_authors(None, frozenset()) is None
    left = without_authors(quorum, frozenset({print_of("nurse")}))
    assert left is not None
    assert left.keys == who("doctor", "guardian")
    assert without_authors(quorum, frozenset({print_of("nurse"), print_of("doctor")})) is None


def test_who_is_in_no_role_or_in_another_counts_for_nothing() -> None:
    assert read(approval_body("stranger"), approval_body("doctor", "data-protection")) == {}


def test_a_role_that_nobody_fills_counts_for_nothing() -> None:
    assert read(approval_body("doctor", "astrology")) == {}


def test_an_approval_of_another_run_that_was_copied_in_is_refused() -> None:
    foreign = approval_body("doctor", run=OTHER_RUN, verdict=OTHER_VERDICT)
    assert code_of(foreign) == "approval.other-run"
    assert code_of(approval_body("doctor"), run=OTHER_RUN) == "approval.other-run"
    assert code_of(approval_body("doctor", verdict=OTHER_VERDICT)) == "approval.other-run"


def test_an_approval_of_two_runs_at_once_is_refused() -> None:
    said = Approval(run=RUN, role="clinical-safety", reason="both", at=NOW, email_sha256=None)
    subjects = [Subject("verdict.dsse.json", OTHER_VERDICT), Subject("model.tflite", VERDICT)]
    payload = make_statement(subjects, APPROVAL_TYPE, said.model_dump(mode="json"))
    assert code_of(sign_entry(payload, signer("doctor"), APPROVAL_TYPE)) == "approval.other-run"


@pytest.mark.parametrize(
    "changed", [{"reason": "read every page"}, {"role": "data-protection"}, {"sha256": "00" * 32}, {"note": "added"}]
)
def test_a_readable_copy_that_differs_from_what_was_signed_is_refused(changed: dict[str, str]) -> None:
    assert code_of(approval_body("doctor") | changed) == "approval.copy"


def test_a_copy_without_a_value_that_was_signed_is_refused() -> None:
    body = approval_body("doctor")
    del body["reason"]
    assert code_of(body) == "approval.copy"


def test_an_entry_in_the_name_of_another_key_is_refused() -> None:
    assert code_of(approval_body("stranger") | {"signer": print_of("doctor")}) == "approval.signature"


def test_an_entry_whose_statement_was_altered_with_its_copy_is_refused() -> None:
    body = approval_body("doctor")
    envelope = json.loads(body["envelope"])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    statement["predicate"]["reason"] = "altered"
    payload = canonical_json(statement)
    envelope["payload"] = base64.b64encode(payload).decode()
    altered = {"envelope": canonical_json(envelope).decode(), "sha256": sha256_hex(payload), "reason": "altered"}
    assert code_of(body | altered) == "approval.signature"


@pytest.mark.parametrize("missing", ["envelope", "sha256", "signer"])
def test_an_entry_without_its_statement_is_refused(missing: str) -> None:
    assert code_of(approval_body("doctor") | {missing: None}) == "approval.entry"


def test_an_entry_with_no_envelope_in_it_is_refused() -> None:
    assert code_of(approval_body("doctor") | {"envelope": "{}"}) == "attestation.envelope"


def test_a_statement_of_another_kind_is_no_approval() -> None:
    payload = make_statement([Subject("verdict.dsse.json", VERDICT)], "https://example.com/other", {"role": "x"})
    body = sign_entry(payload, signer("doctor"), "https://example.com/other")
    assert code_of(body) == "attestation.predicate-type"


@pytest.mark.parametrize("changed", [{"at": "2026-05-04T12:00:00"}, {"role": ""}, {"more": 1}, {"email_sha256": "a@b"}])
def test_an_approval_is_read_strictly(changed: dict[str, Any]) -> None:
    said = {"run": RUN, "role": "clinical-safety", "reason": "x", "at": NOW, "email_sha256": None} | changed
    payload = make_statement([Subject("verdict.dsse.json", VERDICT)], APPROVAL_TYPE, said)
    assert code_of(sign_entry(payload, signer("doctor"), APPROVAL_TYPE)) == "approval.format"
    with pytest.raises(ValidationError):
        Approval.model_validate(said)


def test_what_is_missing_is_counted_by_role() -> None:
    given = {"clinical-safety": ("a",), "data-protection": ("b", "c")}
    demanded = {"clinical-safety": 2, "data-protection": 1, "quality": 1}
    assert missing_approvals(demanded, given) == {"clinical-safety": 1, "quality": 1}
    assert missing_approvals({}, given) == {}


def test_the_payload_names_verdict_and_model() -> None:
    said = Approval(run=RUN, role="clinical-safety", reason="x", at=NOW, email_sha256=None)
    statement = json.loads(run_payload(APPROVAL_TYPE, said, verdict_sha256=VERDICT, model_sha256=MODEL))
    assert {each["name"]: each["digest"]["sha256"] for each in statement["subject"]} == {
        "verdict.dsse.json": VERDICT,
        "model.tflite": MODEL,
    }


def test_an_entry_is_read_back_from_its_canonical_bytes() -> None:
    (entry,) = entries_of(("approval", approval_body("doctor")))
    again = Entry.parse(entry.canonical)
    assert approvals_of([again], VERDICT, APPROVERS, frozenset(), "x") == {"clinical-safety": (print_of("doctor"),)}


def test_an_approval_whose_text_was_taken_out_counts_for_nothing_and_stops_nothing() -> None:
    (entry,) = entries_of(("approval", approval_body("doctor")))
    (later,) = entries_of(("approval", approval_body("nurse")))
    assert approvals_of([entry.taken_out(), later], VERDICT, APPROVERS, frozenset(), "x") == {
        "clinical-safety": (print_of("nurse"),)
    }
