"""Whatever an entry holds, it counts as it was signed, is clearly refused, or is nobody's word; a withdrawal counts."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from people_samples import RUN, VERDICT, approval_body, entries_of, signer

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import AuditError
from audit_pipeline.people.approval import approvals_of
from audit_pipeline.people.incident import incidents_of
from audit_pipeline.people.revocation import revocation_of
from audit_pipeline.people.waivers import waivers_in
from audit_pipeline.seal.keys.forms import fingerprint

BODY = approval_body("doctor")
GIVEN = {"clinical-safety": (fingerprint(signer("doctor").public),)}
APPROVERS = {"clinical-safety": (signer("doctor").public, signer("nurse").public)}

text = st.text(st.characters(codec="utf-8"), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | text,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=6,
)


def count(body: dict[str, Any]) -> Any:
    return approvals_of(entries_of(("approval", body)), VERDICT, APPROVERS, frozenset(), "x")


@settings(max_examples=300)
@given(key=st.sampled_from(sorted(BODY)) | text, value=values)
def test_no_other_value_beside_the_envelope_counts(key: str, value: Any) -> None:
    body = BODY | {key: value}
    try:
        found = count(body)
    except AuditError as error:
        assert error.code.split(".")[0] in {"approval", "attestation"}
    else:
        assert found == (GIVEN if body == BODY else {})


@settings(max_examples=300)
@given(data=st.data())
def test_no_other_byte_in_the_payload_counts(data: st.DataObject) -> None:
    envelope = json.loads(BODY["envelope"])
    payload = bytearray(base64.b64decode(envelope["payload"]))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    envelope["payload"] = base64.b64encode(payload).decode()
    body = BODY | {"envelope": canonical_json(envelope).decode(), "sha256": sha256_hex(bytes(payload))}
    try:
        predicate = json.loads(payload)["predicate"]
        body = {**predicate, "envelope": body["envelope"], "sha256": body["sha256"], "signer": body["signer"]}
    except (ValueError, TypeError, KeyError):
        pass
    try:
        assert count(body) == {}
    except AuditError as error:
        assert error.code.split(".")[0] in {"approval", "attestation"}


keys = st.sampled_from(["envelope", "sha256", "signer", "reason", "kind"]) | text


@settings(max_examples=200)
@given(body=st.dictionaries(keys, values, max_size=5))
def test_whatever_the_body_there_is_no_other_error(body: dict[str, Any]) -> None:
    with pytest.raises(AuditError) as waiver:
        waivers_in(entries_of(("waiver", body)))
    with pytest.raises(AuditError) as incident:
        incidents_of(entries_of(("incident", body)), RUN)
    assert {each.value.code.split(".")[0] for each in (waiver, incident)} <= {"waiver", "incident", "attestation"}
    assert revocation_of(entries_of(("revocation", body)), RUN) is not None
