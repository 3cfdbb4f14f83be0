"""What a bound of epsilon comes to under a policy's rule, and against a claim."""

from __future__ import annotations

import pytest

from audit_pipeline.measurement import Measured, NotMeasurable, Outcome
from audit_pipeline.policy.privacy import CanariesRule
from audit_pipeline.privacy.judge_canaries import judge_canaries, judge_claim
from audit_pipeline.privacy.one_run import ceiling, epsilon_lower_bound, guesses_for
from audit_pipeline.privacy_part import CanariesPart, PrivacyBudget


def part(right: float, canaries: int = 1000, model: str = "device", signal: str = "output", delta: float = 0.0):
    guesses = guesses_for(canaries)
    correct = round(right * guesses)
    return CanariesPart(
        model=model,
        signal=signal,
        record_sha256="0" * 64,
        canaries=canaries,
        guesses=guesses,
        correct=correct,
        level=0.9875,
        delta=delta,
        epsilon=epsilon_lower_bound(canaries, guesses, correct, delta=delta, level=0.9875),
        ceiling=ceiling(canaries, guesses, delta=delta, level=0.9875),
    )


def rule(limit: float) -> CanariesRule:
    return CanariesRule(attack="canaries", record="canaries.json", max_epsilon=limit)


def test_a_bound_above_the_limit_fails() -> None:
    finding = judge_canaries(
        rule(2.0), "privacy[1]", [part(0.5), part(0.99, signal="logits"), part(0.5, model="float")]
    )
    assert finding.outcome is Outcome.FAIL
    assert isinstance(finding.value, Measured)
    assert finding.value.estimate > 2
    assert (finding.id, finding.rule, finding.limit) == ("privacy.canaries.epsilon:overall", "privacy[1]", 2.0)
    assert "device model's logits" in finding.reason
    assert finding.reason.endswith("the float model gives 0.000")


def test_a_bound_below_a_limit_that_could_have_been_reached_passes_and_promises_nothing() -> None:
    finding = judge_canaries(rule(2.0), "privacy[0]", [part(0.55)])
    assert finding.outcome is Outcome.PASS
    assert "guarantees nothing" in finding.reason


@pytest.mark.parametrize(
    ("limit", "canaries", "words"),
    [
        (5.5, 1000, "it takes about 1,200 canaries"),
        (0.1, 1000, "it takes about 4,100 canaries"),
        (1.0, 20, "it takes about 110 canaries"),
        (12.0, 1000, "no number of canaries would show it"),
    ],
)
def test_a_bound_below_a_limit_that_was_out_of_reach_decides_nothing(limit: float, canaries: int, words: str) -> None:
    finding = judge_canaries(rule(limit), "privacy[0]", [part(0.5, canaries)])
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert words in finding.reason


def test_what_the_float_model_alone_tells_does_not_fail_the_device() -> None:
    finding = judge_canaries(rule(1.0), "privacy[0]", [part(0.5), part(1.0, model="float")])
    assert finding.outcome is Outcome.PASS


def test_without_an_audit_there_is_no_answer_but_its_reason() -> None:
    finding = judge_canaries(rule(1.0), "privacy[0]", [], ["the record was lost"])
    assert finding.outcome is Outcome.INCONCLUSIVE
    assert isinstance(finding.value, NotMeasurable)
    assert "the record was lost" in finding.reason


def test_a_claim_is_refuted_by_any_model_and_signal() -> None:
    claim = PrivacyBudget(epsilon=1.0, delta=1e-5, unit="people")
    parts = [part(0.5, delta=1e-5), part(0.95, model="float", delta=1e-5)]
    finding = judge_claim(claim, "privacy[0]", parts)
    assert finding.outcome is Outcome.FAIL
    assert "(1, 1e-05)-differential privacy of people" in finding.reason
    assert finding.id == "privacy.claim.epsilon:overall"


def test_a_claim_that_is_not_refuted_stands_and_the_reason_says_whether_it_could_have_been() -> None:
    claim = PrivacyBudget(epsilon=1.0, delta=0.0)
    finding = judge_claim(claim, "privacy[0]", [part(0.6)])
    assert (finding.outcome, "guarantees nothing" in finding.reason) == (Outcome.PASS, True)
    finding = judge_claim(PrivacyBudget(epsilon=9.0, delta=1e-5), "privacy[0]", [part(1.0, delta=1e-5)])
    assert (finding.outcome, "no number of canaries" in finding.reason) == (Outcome.PASS, True)


def test_a_claim_is_only_held_against_bounds_at_its_own_delta() -> None:
    finding = judge_claim(PrivacyBudget(epsilon=1.0, delta=1e-5), "privacy[0]", [part(1.0, delta=0.0)])
    assert finding.outcome is Outcome.INCONCLUSIVE


def test_a_model_that_says_the_same_of_every_canary_passes_nothing() -> None:
    silent = part(0.5).model_copy(update={"distinct": 1})
    assert judge_canaries(rule(2.0), "privacy[0]", [silent]).outcome is Outcome.INCONCLUSIVE
    told = part(0.5, signal="logits").model_copy(update={"distinct": 200})
    assert judge_canaries(rule(2.0), "privacy[0]", [silent, told]).outcome is Outcome.PASS


def test_counts_decide_and_not_the_bound_that_is_written_beside_them() -> None:
    """The gate draws findings again from evidence that somebody may have changed."""
    untrue = part(0.99).model_copy(update={"epsilon": 0.1})
    assert judge_canaries(rule(2.0), "privacy[0]", [untrue, part(0.5, signal="logits")]).outcome is Outcome.FAIL
