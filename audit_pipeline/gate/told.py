"""What the gate tells of a run that holds: what was checked, what nobody asked for, and what one should know besides.

Silence would be read as a yes. A reviewer has to see that no witness was asked, or that the policy demands no approval.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.trail import Logged
from audit_pipeline.gate.waivers import waiver_warnings
from audit_pipeline.measurement import Outcome


@dataclass(frozen=True)
class Told:
    """Three lists, in words."""

    checks: tuple[str, ...]
    """what was checked, in order"""
    not_demanded: tuple[str, ...]
    """what could have been asked for and was not, so that nothing shows whether it holds"""
    warnings: tuple[str, ...]
    """what somebody should know though nothing is wrong"""


def tell(evidence: Evidence, logged: Logged, approved: Mapping[str, tuple[str, ...]], demands: Demands) -> Told:
    """What there is to tell.

    Args:
        evidence: of the run.
        logged: what the trail has of it.
        approved: fingerprints of those who approved, by role.
        demands: what was asked for.
    """
    return Told(
        (*_of_the_run(evidence), *_of_the_log(evidence, logged, demands), *_of_people(evidence, approved)),
        tuple(_not_demanded(evidence, approved, demands)),
        (*_gone(logged), *waiver_warnings(evidence, logged, demands)),
    )


def _gone(logged: Logged) -> Iterator[str]:
    if not logged.history:
        yield "the text of an earlier policy was taken out of the log: what this one changed is the run's own word"
    if logged.lost is not None:
        said = f"run {logged.lost} sealed a newer image and broke off, by the entry right after it"
        yield f"{said}: where somebody has that image, it is the one to release"


def _of_the_run(evidence: Evidence) -> Iterator[str]:
    yield "evidence, policy and model are the bytes that their digests name"
    yield "the findings follow from their numbers and the policy's limits, the verdict from the findings"
    yield "the verdict attestation is signed and says what the evidence says"
    if evidence.seal:
        yield "the image is signed, bound to this verdict, policy, model and log, and released byte for byte"
    else:
        yield "there is no image, as it must be"


def _of_the_log(evidence: Evidence, logged: Logged, demands: Demands) -> Iterator[str]:
    log, asked = logged.log, demands.log
    yield "the trail holds this run's entries and no others, the policy's before the findings'"
    if evidence.seal:
        yield "no newer release for this class of device is in the trail"
    if log.signed is not None:
        whose = "the log's key that was given" if asked.key else "the key that the log names itself"
        yield f"a checkpoint of {log.signed.head.size} entries, all of this run's among them, is signed by {whose}"
    if asked.witnesses is not None:
        names = ", ".join(key.name for key in log.cosigned)
        yield f"{names} cosigned it; {asked.witnesses.threshold} of {len(asked.witnesses.keys)} witnesses must"
    if log.pinned is not None:
        covers = "" if log.pinned.head.size >= logged.size else ", before this run ended"
        yield f"the log extends the checkpoint of {log.pinned.head.size} entries that was kept elsewhere{covers}"


def _of_people(evidence: Evidence, approved: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    yield "nobody has withdrawn the run"
    if evidence.origin is not None:
        measured = evidence.origin.run.id
        yield f"nothing was measured again: run {measured} was, and its policy stands before its findings as well"
    for part in evidence.waivers:
        yield (
            f"{part.rule} for {part.group} is waived to {part.limit:g} until {part.expires}, signed by "
            f"{len(part.approvers)} who may, before the verdict"
        )
    for role, keys in approved.items():
        yield f"approved by {len(keys)} of {role}, none of them its author"


def _not_demanded(evidence: Evidence, approved: Mapping[str, tuple[str, ...]], demands: Demands) -> Iterator[str]:
    log = demands.log
    if log.key is None:
        yield "whose key signs the log: whoever holds the database could have made another (--log-key)"
    if log.witnesses is None:
        yield "a witness: whoever holds the log's key could show you another log than others see (--witness)"
    if log.pinned is None:
        yield "a checkpoint that was kept elsewhere: an older copy of the whole log would look as good (--checkpoint)"
    if demands.policy is None:
        yield "which policy it should have been judged by: the run's own was taken (--policy)"
    if not approved and evidence.verdict.outcome is Outcome.PASS:
        yield "approvals: the policy demands none"
