"""What the gate asks of findings: that each is decided as its own numbers and the policy's limit decide it.

The code that decided is asked again: for the device with the model's own bytes and the board's limits, for privacy
with the attacks and the search in the evidence, for fairness with each finding's value, interval and p-value, among
all that were tested. So whoever has the key of verdicts cannot sign a PASS whose numbers break the limit, a limit of
their own, or leave a group out of a rule.

Not held, because rows and people are not in the evidence: the numbers themselves, which attacks of an attacker there
are, and of fairness a p-value against its interval (a FAIL needs one, a PASS needs the whole interval to keep the limit
whatever it is). Which groups were too small to be
compared with the others is believed as the finding tells it; where an older version does not tell, an INCONCLUSIVE of a
rule that compares groups is believed though the interval would pass.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Any

from audit_pipeline import run_folder
from audit_pipeline.device import footprint as device
from audit_pipeline.errors import RejectedError
from audit_pipeline.evaluate.judge import adjust, shows_that_it_keeps
from audit_pipeline.evaluate.questions import Smallest
from audit_pipeline.evidence import Evidence
from audit_pipeline.findings import Breach, Finding
from audit_pipeline.measurement import GroupKey, Measured, Outcome
from audit_pipeline.policy.boards import Board
from audit_pipeline.policy.privacy import PrivacySection
from audit_pipeline.policy.schema import FairnessRule, Policy, Statistics
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.privacy.judge import judge as judge_privacy


def check_findings(evidence: Evidence, policy: Policy, board: Board, flash_bytes: int) -> None:
    """Decide every finding again.

    Args:
        evidence: of the run.
        policy: that it was judged by, read from its own bytes.
        board: the policy's target, whose limits the device's findings have.
        flash_bytes: of the .tflite.

    Raises:
        RejectedError: `gate.finding`, naming the first that does not follow.
    """
    limits = {"flash_limit": board.flash_kib << 10, "arena_limit": board.ram_kib << 10}
    footprint = evidence.footprint.model_copy(update={"flash_bytes": flash_bytes, **limits})
    _compare(_of_stage(evidence, "device"), device.findings(footprint))
    _check_fairness(evidence, policy)
    _compare(_of_stage(evidence, "privacy"), _privacy(evidence, policy))


def _of_stage(evidence: Evidence, stage: str) -> list[Finding]:
    return [finding for finding in evidence.findings if finding.stage == stage]


def _compare(found: Sequence[Finding], drawn: Sequence[Finding]) -> None:
    for finding, expected in zip_longest(found, drawn):
        if finding is None:
            raise _refused(expected.id, "it follows from the evidence and the policy, and is not there")
        if expected is None or _decided(finding) != _decided(expected):
            raise _refused(finding.id, "it does not follow from what was measured and the policy's limit")


def _decided(finding: Finding) -> dict[str, Any]:
    """A finding without its words, which another version of the tool may choose otherwise."""
    return finding.model_dump(exclude={"claim": True, "reason": True, "value": {"reason"}})


def _privacy(evidence: Evidence, policy: Policy) -> tuple[Finding, ...]:
    if evidence.kernels is None:
        return ()
    for part in evidence.membership:
        if any(isinstance(rate, Measured) and rate.interval is None for rate in (part.tpr, part.fpr)):
            raise _refused("privacy.membership", "a rate of the attack has no interval")
    _check_attacker(evidence, policy)
    try:
        return judge_privacy(
            policy.privacy_rules,
            evidence.membership,
            evidence.blob_scan,
            evidence.privacy,
            claim=evidence.data.differential_privacy,
            statistics=policy.statistics,
        )
    except (ValueError, ArithmeticError) as error:
        raise _refused("privacy", "its numbers are none that an attack could have given") from error


def _check_attacker(evidence: Evidence, policy: Policy) -> None:
    """Refuse shadow models that are fewer than the policy's, or drawn by a seed that was chosen to suit."""
    made = evidence.privacy.shadows if evidence.privacy is not None else None
    asked = policy.privacy
    if made is None:
        return
    if not isinstance(asked, PrivacySection) or (made.count, made.seed) != (asked.shadows, asked.seed):
        raise _refused("privacy.membership.shadows", "the attacker's models are not those that the policy asks for")


def _check_fairness(evidence: Evidence, policy: Policy) -> None:
    findings = _of_stage(evidence, "fairness")
    found, asked = {(each.rule, each.group) for each in findings}, set(_asked(evidence, policy))
    for rule, group in sorted(asked - found, key=str):
        raise _refused(f"{rule}, {group.label}", "the policy asks for it, and it is not there")
    rules = {_place(number): rule for number, rule in enumerate(policy.fairness)}
    tests = adjust([each.breach.p if each.breach else None for each in findings], policy.statistics.confidence)
    for finding, test in zip(findings, tests, strict=True):
        if (finding.rule, finding.group) not in asked:
            raise _refused(finding.id, "the policy does not ask for it")
        fault = _fault(finding, rules[finding.rule], test, policy.statistics)
        if fault:
            raise _refused(finding.id, fault)


def _asked(evidence: Evidence, policy: Policy) -> Iterator[tuple[str, GroupKey]]:
    """Every rule with every group of the table that it names."""
    if evidence.kernels is None:
        return
    for number, rule in enumerate(policy.fairness):
        for spec in rule.groups:
            columns = () if spec == OVERALL else tuple(spec.split("*"))
            if rule.compares_groups:
                yield _place(number), GroupKey(by=columns)
            else:
                yield from ((_place(number), row.group) for row in evidence.groups if row.group.by == columns)


def _place(number: int) -> str:
    return f"fairness[{number}]"


def _fault(finding: Finding, rule: FairnessRule, test: Breach | None, statistics: Statistics) -> str | None:
    """What is wrong with a finding of fairness, in words."""
    kind, limit = rule.limit
    if (finding.limit, finding.limit_kind) != (limit, "at_least" if kind == "min" else "at_most"):
        return "its limit is not the policy's"
    if finding.breach != test:
        return "its test is not adjusted over all that were tested"
    smallest = Smallest(statistics.min_group_size, statistics.min_people)
    enough = isinstance(finding.value, Measured) and smallest.is_met_by(finding.value)
    if (test is not None) != enough:
        return f"only what has the policy's {smallest.label} behind it is tested, and all of that is"
    shown = _shown(finding, test, statistics)
    untold = rule.compares_groups and finding.left_out is None and finding.outcome is Outcome.INCONCLUSIVE
    if shown is Outcome.PASS and (finding.left_out or untold):
        shown = Outcome.INCONCLUSIVE
    if finding.outcome is not shown:
        return f"it says {finding.outcome}, its numbers and its limit say {shown}"
    return None


def _shown(finding: Finding, test: Breach | None, statistics: Statistics) -> Outcome:
    if test is None:
        return Outcome.INCONCLUSIVE
    if test.adjusted_p <= test.level:
        return Outcome.FAIL
    at_most = finding.limit_kind == "at_most"
    kept = shows_that_it_keeps(finding.limit, finding.value, statistics, at_most=at_most)
    return Outcome.PASS if kept else Outcome.INCONCLUSIVE


def _refused(name: str, what: str) -> RejectedError:
    return RejectedError(
        "gate.finding",
        f"finding {name}: {what}",
        where=run_folder.EVIDENCE,
        hint="treat the run as forged: ship again, and ask who holds the key of verdicts",
    )
