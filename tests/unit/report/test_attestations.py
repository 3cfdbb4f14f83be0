from __future__ import annotations

import json
from typing import Any

import pytest
from report_sample import make_evidence

from audit_pipeline.attestations import release_payload, summary_payload, verdict_agrees, verdict_payload
from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.measurement import Outcome
from audit_pipeline.seal.statement import VERDICT_TYPE, Statement, Subject, read_statement

PASSED = make_evidence(Outcome.PASS).to_json()
FAILED = make_evidence(Outcome.FAIL).to_json()


def verdict(of: dict[str, Any] = PASSED, **changed: Any) -> Statement:
    document = json.loads(verdict_payload(of))
    document["predicate"] = {key: item for key, item in (document["predicate"] | changed).items() if item != "absent"}
    return read_statement(canonical_json(document), VERDICT_TYPE, where="test")


def test_a_verdict_agrees_with_its_own_evidence_before_and_after_sealing() -> None:
    assert verdict_agrees(verdict(), PASSED)
    assert verdict_agrees(verdict(), {**PASSED, "seal": None})
    assert verdict_payload({**PASSED, "seal": None}) == verdict_payload(PASSED)


def test_it_agrees_with_no_other() -> None:
    assert not verdict_agrees(verdict(), FAILED)
    other = {**PASSED, "run": {**PASSED["run"], "created": "2026-01-01T00:00:00Z"}}
    assert not verdict_agrees(verdict(), other)


@pytest.mark.parametrize("key", ["baseline", "waivers", "approvals"])
def test_an_older_verdict_is_silent_of_what_came_later(key: str) -> None:
    assert verdict_agrees(verdict(**{key: "absent"}), PASSED)


@pytest.mark.parametrize("key", ["findings", "verdict", "evidence", "policy", "candidate", "trail", "libraries"])
def test_no_verdict_is_silent_of_the_rest(key: str) -> None:
    assert not verdict_agrees(verdict(**{key: "absent"}), PASSED)


@pytest.mark.parametrize(
    "changed", [{"waivers": [{"sha256": "a" * 64}]}, {"remark": "all is well"}, {"approvals": None}]
)
def test_a_verdict_that_says_more_does_not_agree(changed: dict[str, Any]) -> None:
    assert not verdict_agrees(verdict(**changed), PASSED)


def test_a_verdict_under_waivers_lists_them() -> None:
    waived = {**PASSED, "waivers": [{"sha256": "a" * 64, "rule": "fairness[0]"}]}
    assert verdict(waived).predicate["waivers"] == [{"sha256": "a" * 64}]
    assert verdict_agrees(verdict(waived), waived)
    for silent in ("absent", []):
        assert not verdict_agrees(verdict(waived, waivers=silent), waived)


def test_true_is_not_one() -> None:
    evidence = {**PASSED, "trail": {**PASSED["trail"], "policy_index": 1}}
    assert verdict_agrees(verdict(evidence), evidence)
    assert not verdict_agrees(verdict(evidence, trail={**evidence["trail"], "policy_index": True}), evidence)


def test_a_verdict_of_another_model_does_not_agree() -> None:
    said = verdict()
    other = Statement((Subject("model.tflite", "0" * 64),), said.predicate_type, said.predicate, said.where)
    assert not verdict_agrees(other, PASSED)


def test_evidence_from_before_a_field_came_keeps_its_own_digest() -> None:
    older = {key: item for key, item in FAILED.items() if key not in ("exemplars", "baseline")}
    said = json.loads(verdict_payload(older))["predicate"]
    assert said["evidence"]["sha256_without_seal"] == sha256_hex(canonical_json(older))
    assert verdict_agrees(verdict(older), older)


def test_a_summary_names_only_stages_that_passed_whole() -> None:
    assert properties(PASSED)[0] == "AUDIT_VERDICT_PASS"
    silent = [finding for finding in PASSED["findings"] if finding["stage"] != "privacy"]
    assert "AUDIT_PRIVACY_PASS" not in properties({**PASSED, "findings": silent})
    mixed = [{**PASSED["findings"][0], "outcome": "INCONCLUSIVE"}, *PASSED["findings"][1:]]
    assert f"AUDIT_{mixed[0]['stage'].upper()}_PASS" not in properties({**PASSED, "findings": mixed})
    assert "AUDIT_POLICY_REGISTERED_FIRST" not in properties({**PASSED, "trail": None})


def properties(evidence: dict[str, Any]) -> list[str]:
    found: list[str] = json.loads(summary_payload(evidence))["predicate"]["properties"]
    return found


def test_only_a_sealed_run_has_a_release_and_a_summary() -> None:
    with pytest.raises(ValueError, match="sealed run"):
        release_payload(FAILED, {"model.tflite": b""})
    with pytest.raises(ValueError, match="sealed run"):
        summary_payload(FAILED)
