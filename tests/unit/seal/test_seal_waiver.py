from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import VERDICT_TYPE, Statement, Subject, make_statement, read_statement
from audit_pipeline.seal.waiver import (
    WAIVER_TYPE,
    WaivedPolicy,
    Waiver,
    check_waivers,
    waiver_payload,
)

MODEL, POLICY = "aa" * 32, "bb" * 32
NOW = "2026-05-04T12:00:00Z"
GUARDIAN, DOCTOR = Signer.of(Ed25519PrivateKey.generate()), Signer.of(generate_private_key(SECP256R1()))
BOTH = Quorum((GUARDIAN.public, DOCTOR.public), threshold=2)
FINDING = {"rule": "fairness[0]", "group": {"by": ["sex", "age"], "values": ["female", "65-119"]}, "outcome": "FAIL"}


def waiver(**changed: Any) -> Waiver:
    values: dict[str, Any] = {
        "policy": WaivedPolicy(sha256=POLICY),
        "rule": "fairness[0]",
        "group": "sex=female, age=65-119",
        "limit": 0.08,
        "reason": "no other model fits the device; both clinics were told",
        "issued": "2026-05-01T00:00:00Z",
        "expires": "2026-08-01T00:00:00Z",
    }
    return Waiver(**values | changed)


def payload(value: Waiver | None = None, model: str = MODEL) -> bytes:
    return waiver_payload(value or waiver(), Subject("model.tflite", model))


def signed(content: bytes, signers: Sequence[Signer] = (GUARDIAN, DOCTOR)) -> bytes:
    return dsse.sign(content, signers)


def verdict(*payloads: bytes, findings: Sequence[Any] = (FINDING,), waivers: Any = None) -> Statement:
    listed = [{"sha256": sha256_hex(content)} for content in payloads] if waivers is None else waivers
    predicate = {"verdict": {"outcome": "PASS"}, "waivers": listed, "findings": list(findings)}
    statement = make_statement([Subject("model.tflite", MODEL)], VERDICT_TYPE, predicate)
    return read_statement(statement, VERDICT_TYPE, where="verdict attestation")


def check(given_under: Statement, *envelopes: bytes, quorum: Quorum | None = BOTH, now: str | None = NOW) -> Any:
    return check_waivers(given_under, envelopes, quorum, model_sha256=MODEL, policy_sha256=POLICY, now=now)


def code_of(given_under: Statement, *envelopes: bytes, quorum: Quorum | None = BOTH, now: str = NOW) -> str:
    with pytest.raises(RejectedError) as caught:
        check(given_under, *envelopes, quorum=quorum, now=now)
    assert caught.value.where
    return caught.value.code


def test_a_waiver_of_two_people_holds() -> None:
    content = payload()
    (waived,) = check(verdict(content), signed(content))
    assert waived.waiver == waiver()
    assert waived.sha256 == sha256_hex(content)


def test_without_waivers_neither_keys_nor_time_are_asked_for() -> None:
    assert check(verdict(), quorum=None, now=None) == ()


def test_a_verdict_from_before_there_were_waivers_has_none() -> None:
    statement = make_statement([Subject("model.tflite", MODEL)], VERDICT_TYPE, {"verdict": {"outcome": "PASS"}})
    assert check(read_statement(statement, VERDICT_TYPE, where="test"), quorum=None, now=None) == ()


def test_with_waivers_the_time_must_be_given() -> None:
    with pytest.raises(ValueError, match="time"):
        check(verdict(payload()), signed(payload()), now=None)


def test_they_come_back_in_the_order_of_the_verdict() -> None:
    first, second = payload(), payload(waiver(limit=0.1))
    both = check(verdict(first, second), signed(second), signed(first))
    assert [waived.waiver.limit for waived in both] == [0.08, 0.1]


def test_the_group_of_everybody_has_a_name() -> None:
    content = payload(waiver(group="overall"))
    finding = FINDING | {"group": {"by": [], "values": []}}
    assert check(verdict(content, findings=[finding]), signed(content))


def test_one_person_is_not_enough() -> None:
    content = payload()
    assert code_of(verdict(content), signed(content, [GUARDIAN])) == "waiver.signature"


def test_one_key_that_signs_twice_is_one_person() -> None:
    content = payload()
    assert code_of(verdict(content), signed(content, [DOCTOR, DOCTOR])) == "waiver.signature"


def test_a_stranger_does_not_count() -> None:
    content = payload()
    stranger = Signer.of(Ed25519PrivateKey.generate())
    assert code_of(verdict(content), signed(content, [GUARDIAN, stranger])) == "waiver.signature"


def test_nobody_is_trusted_without_keys() -> None:
    content = payload()
    assert code_of(verdict(content), signed(content), quorum=None) == "waiver.untrusted"


def test_a_waiver_that_the_verdict_lists_must_be_shown() -> None:
    first, second = payload(), payload(waiver(limit=0.1))
    assert code_of(verdict(first, second), signed(first)) == "waiver.missing"
    assert code_of(verdict(first), quorum=None) == "waiver.missing"


def test_a_waiver_that_the_verdict_does_not_list_is_no_help() -> None:
    first, second = payload(), payload(waiver(limit=0.1))
    assert code_of(verdict(first), signed(first), signed(second)) == "waiver.unlisted"
    assert code_of(verdict(), signed(first)) == "waiver.unlisted"


def test_the_same_waiver_twice_is_refused() -> None:
    content = payload()
    assert code_of(verdict(content), signed(content), signed(content)) == "waiver.twice"


def test_a_waiver_for_another_model_is_refused() -> None:
    content = payload(model="cc" * 32)
    assert code_of(verdict(content), signed(content)) == "waiver.model"


def test_a_waiver_for_this_model_and_another_is_refused() -> None:
    subjects = [Subject("model.tflite", MODEL), Subject("other.tflite", "cc" * 32)]
    content = make_statement(subjects, WAIVER_TYPE, waiver().model_dump(mode="json"))
    assert code_of(verdict(content), signed(content)) == "waiver.model"


def test_a_waiver_under_another_policy_is_refused() -> None:
    content = payload(waiver(policy=WaivedPolicy(sha256="dd" * 32)))
    assert code_of(verdict(content), signed(content)) == "waiver.policy"


@pytest.mark.parametrize(
    "changed",
    [{"rule": "fairness[1]"}, {"group": "sex=male"}, {"group": "sex=female"}, {"group": "overall"}],
)
def test_a_waiver_of_something_that_was_not_found_is_refused(changed: dict[str, str]) -> None:
    content = payload(waiver(**changed))
    assert code_of(verdict(content), signed(content)) == "waiver.finding"


@pytest.mark.parametrize("finding", [None, {}, FINDING | {"group": {"by": ["sex"], "values": ["a", "b"]}}])
def test_a_verdict_with_malformed_findings_has_nothing_to_waive(finding: Any) -> None:
    content = payload()
    assert code_of(verdict(content, findings=[finding]), signed(content)) == "waiver.finding"


def test_an_expired_waiver_that_is_shown_again_is_refused() -> None:
    content = payload()
    assert check(verdict(content), signed(content), now="2026-07-31T23:59:59Z")
    assert code_of(verdict(content), signed(content), now="2026-08-01T00:00:00Z") == "waiver.expired"


def test_a_waiver_of_tomorrow_is_refused() -> None:
    content = payload()
    assert check(verdict(content), signed(content), now="2026-05-01T00:00:00Z")
    assert code_of(verdict(content), signed(content), now="2026-04-30T23:59:59Z") == "waiver.not-yet"


def test_a_waiver_lasts_half_a_year_at_most() -> None:
    issued = datetime(2026, 5, 1)
    longest = f"{issued + timedelta(days=180):%Y-%m-%dT%H:%M:%SZ}"
    longer = f"{issued + timedelta(days=180, seconds=1):%Y-%m-%dT%H:%M:%SZ}"
    content = payload(waiver(expires=longest))
    assert check(verdict(content), signed(content))
    for expires in (longer, "2026-05-01T00:00:00Z", "2026-04-01T00:00:00Z"):
        content = payload(waiver(expires=expires))
        assert code_of(verdict(content), signed(content)) == "waiver.too-long"


@pytest.mark.parametrize(
    "changed",
    [
        {"limit": "0.08"},
        {"limit": True},
        {"limit": None},
        {"expires": "2026-08-01T00:00:00+02:00"},
        {"expires": "2026-08-01"},
        {"expires": "2026-13-01T00:00:00Z"},
        {"reason": ""},
        {"reason": "two\nlines"},
        {"reason": "left\u202eright"},
        {"policy": {}},
        {"policy": {"sha256": POLICY.upper()}},
        {"approved_by": "somebody"},
    ],
)
def test_a_waiver_is_read_strictly(changed: dict[str, Any]) -> None:
    predicate = waiver().model_dump(mode="json") | changed
    content = make_statement([Subject("model.tflite", MODEL)], WAIVER_TYPE, predicate)
    assert code_of(verdict(content), signed(content)) == "waiver.format"


def test_another_attestation_is_no_waiver() -> None:
    content = make_statement([Subject("model.tflite", MODEL)], VERDICT_TYPE, waiver().model_dump(mode="json"))
    assert code_of(verdict(content), signed(content)) == "attestation.predicate-type"


@pytest.mark.parametrize(
    "waivers",
    [{}, "x", [1], [{}], [{"sha256": 1}], [{"sha256": "AA" * 32}], [{"sha256": MODEL}, {"sha256": MODEL}]],
)
def test_a_verdict_lists_waivers_by_distinct_digests(waivers: Any) -> None:
    assert code_of(verdict(waivers=waivers), signed(payload())) == "waiver.listing"


def test_no_bytes_but_an_envelope_are_read() -> None:
    for envelope in (b"", b"{}", canonical_json({"payload": "", "payloadType": "x", "signatures": []})):
        assert code_of(verdict(payload()), envelope) == "waiver.signature"
