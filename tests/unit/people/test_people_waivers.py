"""The signatures of one waiver are brought together from their entries, and nothing else is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from people_samples import MODEL, POLICY, entries_of, signer

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.people.waivers import waivers_in
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.statement import Subject, make_statement
from audit_pipeline.seal.waiver import WAIVER_TYPE, WaivedPolicy, Waiver, waiver_payload
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.signed_entry import sign_entry


def payload(*, model: str = MODEL, policy: str = POLICY, limit: float = 0.1) -> bytes:
    waiver = Waiver(
        policy=WaivedPolicy(sha256=policy),
        rule="fairness[0]",
        group="sex=female",
        limit=limit,
        reason="no other model fits",
        issued="2026-05-01T00:00:00Z",
        expires="2026-08-01T00:00:00Z",
    )
    return waiver_payload(waiver, Subject("model.tflite", model))


def signed(by: str, content: bytes | None = None) -> tuple[Any, dict[str, Any]]:
    return "waiver", sign_entry(content or payload(), signer(by), WAIVER_TYPE)


def envelopes(entries: Sequence[Entry]) -> list[bytes]:
    return [found.envelope for found in waivers_in(entries)]


def test_two_signatures_of_one_payload_become_one_envelope() -> None:
    (envelope,) = envelopes(entries_of(signed("doctor"), signed("guardian")))
    quorum = Quorum((signer("doctor").public, signer("guardian").public), threshold=2)
    assert dsse.verify(envelope, quorum, where="test") == payload()


def test_a_signature_that_is_entered_again_stays_one() -> None:
    (envelope,) = envelopes(entries_of(signed("guardian"), signed("guardian")))
    assert envelope == dsse.sign(payload(), [signer("guardian")])


def test_each_says_which_model_and_policy_it_is_for() -> None:
    found = waivers_in(
        entries_of(signed("doctor", payload(model="cc" * 32)), signed("doctor", payload(policy="dd" * 32)))
    )
    assert [(each.model_sha256, each.waiver.policy.sha256) for each in found] == [
        ("cc" * 32, POLICY),
        (MODEL, "dd" * 32),
    ]


def test_each_waiver_is_listed_with_who_signed_it() -> None:
    other = payload(limit=0.2)
    found = waivers_in(entries_of(signed("doctor"), signed("nurse", other), signed("nurse"), ("verdict", {})))
    assert [(each.sha256, each.waiver.limit, len(each.signed)) for each in found] == [
        (sha256_hex(payload()), 0.1, 2),
        (sha256_hex(other), 0.2, 1),
    ]


@pytest.mark.parametrize("changed", [{"limit": 0.2}, {"expires": "2026-09-01T00:00:00Z"}, {"limit": 1}])
def test_an_entry_whose_copy_differs_is_refused(changed: dict[str, Any]) -> None:
    kind, body = signed("doctor", payload(limit=1.0))
    with pytest.raises(RejectedError) as caught:
        envelopes(entries_of((kind, body | changed)))
    assert caught.value.code == "waiver.copy"


def test_a_waiver_in_another_form_is_refused() -> None:
    content = make_statement([Subject("model.tflite", MODEL)], WAIVER_TYPE, {"limit": 0.1})
    with pytest.raises(RejectedError) as caught:
        envelopes(entries_of(signed("doctor", content)))
    assert caught.value.code == "waiver.format"


def test_a_waiver_of_two_models_is_refused() -> None:
    values = {
        "policy": {"sha256": POLICY},
        "rule": "fairness[0]",
        "group": "overall",
        "limit": 0.1,
        "reason": "x",
        "issued": "2026-05-01T00:00:00Z",
        "expires": "2026-08-01T00:00:00Z",
    }
    subjects = [Subject("model.tflite", MODEL), Subject("other.tflite", "cc" * 32)]
    content = make_statement(subjects, WAIVER_TYPE, values)
    with pytest.raises(RejectedError) as caught:
        envelopes(entries_of(signed("doctor", content)))
    assert caught.value.code == "waiver.model"


def test_envelopes_of_different_payloads_are_not_merged() -> None:
    envelopes = [dsse.sign(payload(limit=limit), [signer("doctor")]) for limit in (0.1, 0.2)]
    with pytest.raises(RejectedError, match="several payloads"):
        dsse.merged(envelopes, where="test")


def test_a_signature_whose_text_was_taken_out_is_gone() -> None:
    first, second = entries_of(signed("doctor"), signed("guardian"))
    assert envelopes([first.taken_out(), second]) == [dsse.sign(payload(), [signer("guardian")])]
