"""Whether canaries prove a larger epsilon than a policy allows, or than the data set's manifest claims.

FAIL: the bound lies above the limit. PASS: it does not, and a leak of twice the limit would have shown. Where it would
not have, a bound below the limit says nothing, and the finding is INCONCLUSIVE and tells how many canaries it takes. A
claim alone is only held to be refuted or not.
"""

from __future__ import annotations

from collections.abc import Sequence

from audit_pipeline.findings import Finding
from audit_pipeline.measurement import GroupKey, Measured, Outcome
from audit_pipeline.policy.privacy import CanariesRule
from audit_pipeline.privacy.finding import unanswered
from audit_pipeline.privacy.one_run import p_value
from audit_pipeline.privacy.one_run_power import BEYOND, canaries_needed, would_be_noticed
from audit_pipeline.privacy_part import CanariesPart, PrivacyBudget
from audit_pipeline.statistics.wording import number


def judge_canaries(
    rule: CanariesRule, where: str, parts: Sequence[CanariesPart], reasons: Sequence[str] = ()
) -> Finding:
    """Apply one rule to what the device tells; what the float model tells is named beside it.

    Args:
        rule: the policy's.
        where: it stands there, as `privacy[0]`.
        parts: of the rule's record, every model and signal.
        reasons: why there are none.
    """
    identifier = "privacy.canaries.epsilon:overall"
    claim = f"planted rows prove no epsilon above {rule.max_epsilon:g} by what the device tells"
    on_device = [part for part in parts if part.model == "device"]
    if not on_device:
        return unanswered(identifier, where, claim, rule.max_epsilon, reasons, GroupKey())
    worst = _worst(on_device, rule.max_epsilon)
    outcome, reason = _weigh(worst, rule.max_epsilon, f"at most {rule.max_epsilon:g} is allowed")
    on_float = [part for part in parts if part.model == "float"]
    if on_float:
        reason += f"; the float model gives {number(max(part.epsilon for part in on_float))}"
    return _finding(identifier, where, claim, worst, rule.max_epsilon, outcome, reason)


def judge_claim(
    claim: PrivacyBudget, where: str, parts: Sequence[CanariesPart], reasons: Sequence[str] = ()
) -> Finding:
    """Hold a claimed budget against the highest bound of any model and signal.

    Differential privacy outlasts whatever is done to a model later, so that a leak of the device refutes the training's
    claim as well. A canary is a row: a claim for people holds for their single rows all the more.

    The policy demands nothing here but that the manifest is not seen to be wrong, so a claim that the canaries cannot
    reach passes, and the reason says that they cannot: were it undecided, to claim nothing would be the way out.

    Args:
        claim: of the data set's manifest.
        where: the rule stands that names the record, as `privacy[0]`.
        parts: of that record, made at the claim's delta.
        reasons: why there are none.
    """
    identifier = "privacy.claim.epsilon:overall"
    budget = f"({claim.epsilon:g}, {claim.delta:g})-differential privacy of {claim.unit}"
    words = f"planted rows do not refute the manifest's claim of {budget}"
    asked = [part for part in parts if part.delta == claim.delta]
    if not asked:
        return unanswered(identifier, where, words, claim.epsilon, reasons, GroupKey())
    worst = _worst(asked, claim.epsilon)
    outcome, reason = _weigh(worst, claim.epsilon, f"the manifest claims {budget}")
    if outcome is Outcome.FAIL:
        reason += ": accounting, noise or clipping is wrong, or the model was trained in another way"
    refuted = Outcome.FAIL if outcome is Outcome.FAIL else Outcome.PASS
    return _finding(identifier, where, words, worst, claim.epsilon, refuted, reason)


def _worst(parts: Sequence[CanariesPart], limit: float) -> CanariesPart:
    """What speaks most against the limit, as all bounds hold together; of equals the most telling scores."""
    return min(parts, key=lambda part: (_p_value(part, limit), -(part.distinct or 0)))


def _p_value(part: CanariesPart, limit: float) -> float:
    """Of "epsilon is at most the limit", by the counts alone: below 1 − level where the bound lies above it."""
    return p_value(part.canaries, part.guesses, part.correct, limit, delta=part.delta)


def _weigh(part: CanariesPart, limit: float, demand: str) -> tuple[Outcome, str]:
    proven = f"an epsilon of {number(part.epsilon)} or more" if part.epsilon else "no leak"
    said = (
        f"by the {part.model} model's {part.signal}, {part.correct} of {part.guesses} guesses about {part.canaries} "
        f"canaries are right, which proves {proven} at a delta of {part.delta:g} "
        f"({part.level * 100:.4g} % confidence; all right would prove {number(part.ceiling)}); {demand}"
    )
    if _p_value(part, limit) < 1 - part.level:
        return Outcome.FAIL, said
    if part.distinct == 1:
        return Outcome.INCONCLUSIVE, f"{said}; all canaries have one and the same score, so nothing can be guessed"
    if would_be_noticed(part.canaries, part.guesses, limit, delta=part.delta, level=part.level):
        return Outcome.PASS, f"{said}; a bound from below is empirical leakage and guarantees nothing"
    needed = canaries_needed(limit, delta=part.delta, level=part.level)
    more = "no number of canaries would show it" if needed is None else f"it takes about {_rounded(needed)} canaries"
    return Outcome.INCONCLUSIVE, f"{said}; a leak of {BEYOND * limit:g} would not surely have shown: {more}"


def _rounded(count: int) -> str:
    """With two digits, upwards."""
    unit = 10 ** max(len(str(count)) - 2, 0)
    return f"{-(-count // unit) * unit:,}"


def _finding(
    identifier: str, where: str, claim: str, part: CanariesPart, limit: float, outcome: Outcome, reason: str
) -> Finding:
    return Finding(
        id=identifier,
        stage="privacy",
        rule=where,
        claim=claim,
        group=GroupKey(),
        value=Measured(estimate=part.epsilon, rows=part.canaries),
        limit=limit,
        limit_kind="at_most",
        outcome=outcome,
        reason=reason,
    )
