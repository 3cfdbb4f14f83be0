"""Stage 7: every attack that a policy asks for, made on one candidate.

An attack that cannot be made is no error: why not stands in the evidence, and its rules stay without an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from audit_pipeline.answers import Answers, answers
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import from_tflite
from audit_pipeline.inputs import Inputs
from audit_pipeline.policy.privacy import (
    AttributeRule,
    CanariesRule,
    MembershipRule,
    PrivacyRule,
    PrivacySection,
    needs_shadows,
)
from audit_pipeline.predictions import Predictions
from audit_pipeline.privacy.attribute import attribute
from audit_pipeline.privacy.canaries.record import check_belongs, read_record
from audit_pipeline.privacy.canaries.scoring import audit_canaries
from audit_pipeline.privacy.membership import membership
from audit_pipeline.privacy_part import AttributePart, CanariesPart, MembershipPart, PrivacyPart, ShadowsPart
from audit_pipeline.progress import Progress
from audit_pipeline.search.around import Around
from audit_pipeline.shadows.asked import ask_device, ask_float
from audit_pipeline.shadows.attack import ShadowAttacks, attack_with_shadows
from audit_pipeline.shadows.material import attack_material, find_training, recipe_of
from audit_pipeline.shadows.pool import Unattackable

_Side = tuple[Literal["float", "device"], Predictions, Predictions]
"""A model, and what it says of members and of others."""
_NO_SHADOWS = ShadowAttacks((), (), ())


@dataclass(frozen=True)
class Attacks:
    """What all attacks gave, under the names that `Evidence` has for it."""

    membership: tuple[MembershipPart, ...]
    privacy: PrivacyPart | None
    """None where the weak attack was all that was asked for."""


def attack(inputs: Inputs, candidate: Candidate, evaluated: Answers, progress: Progress, around: Around) -> Attacks:
    """Make every attack of the policy.

    Args:
        inputs: policy, population and float model.
        candidate: what is attacked; one that the device can run.
        evaluated: what float model and device say of the evaluation split.
        progress: told how far each step is.
        around: where shadows are kept, how many processes train them, and whether the policy's code may be run.

    Raises:
        InputError: something that an attack needs was given and is wrong.
    """
    rules = inputs.policy.value.privacy_rules
    sides: tuple[_Side, ...] = ()
    if any(_needs_training_split(rule) for rule in rules):
        trained = answers(inputs, candidate, inputs.population.train, "training split", progress)
        sides = _sides(trained, evaluated)
    weak = tuple(_weak(inputs, candidate, sides))
    if all(_is_weak(rule) for rule in rules):
        return Attacks(weak, None)
    shadows, strong, reasons = _by_shadows(inputs, candidate, progress, around)
    part = PrivacyPart(
        shadows=shadows,
        disparities=strong.disparities,
        changes=strong.changes,
        attributes=tuple(_attributes(inputs, candidate, sides)),
        canaries=tuple(_canaries(inputs, candidate)),
        reasons=reasons,
    )
    return Attacks((*weak, *strong.membership), part)


def check_attacks(inputs: Inputs, *, allow_code: bool) -> None:
    """Find out, before hours of work, whether every attack of the policy has what it needs. No code is run.

    Args:
        inputs: policy, population and float model.
        allow_code: whether the training function that the policy may name would be run.

    Raises:
        InputError: `privacy.*` or `canaries.*`: a training function that is not there or not allowed, a finished
            .tflite of which nobody says how it was made, or canaries that were planted in other data.
    """
    section = _shadows_of(inputs)
    if section is not None:
        find_training(inputs, section, allow_code=allow_code)
        if inputs.source.is_finished:
            recipe_of(inputs, from_tflite(inputs.source))
    for rule, place in _canaries_of(inputs):
        check_belongs(read_record(inputs.policy.path.parent / rule.record), inputs.population, place)


def _shadows_of(inputs: Inputs) -> PrivacySection | None:
    """The section that says how shadow models are trained, where a rule needs them."""
    section = inputs.policy.value.privacy
    return section if isinstance(section, PrivacySection) and any(map(needs_shadows, section.rules)) else None


def _canaries_of(inputs: Inputs) -> Iterator[tuple[CanariesRule, str]]:
    """The rules on canaries, and where each names its record."""
    policy = inputs.policy
    for number, rule in enumerate(policy.value.privacy_rules):
        if isinstance(rule, CanariesRule):
            yield rule, policy.where((*policy.value.privacy_place, number, "record"))


def _needs_training_split(rule: PrivacyRule) -> bool:
    return isinstance(rule, AttributeRule) or (isinstance(rule, MembershipRule) and rule.attacker == "losses")


def _is_weak(rule: PrivacyRule) -> bool:
    return rule.attack == "blob_scan" or (isinstance(rule, MembershipRule) and rule.attacker == "losses")


def _sides(trained: Answers, evaluated: Answers) -> tuple[_Side, ...]:
    device: _Side = ("device", trained.after, evaluated.after)
    if trained.before is None or evaluated.before is None:
        return (device,)
    return ("float", trained.before, evaluated.before), device


def _weak(inputs: Inputs, candidate: Candidate, sides: Sequence[_Side]) -> Iterator[MembershipPart]:
    population, policy = inputs.population, inputs.policy.value
    rules = [rule for rule in policy.privacy_rules if isinstance(rule, MembershipRule) and rule.attacker == "losses"]
    for fpr, specs in _asked(rules).items():
        for model, members, others in sides:
            yield from membership(
                model,
                members,
                others,
                population.train,
                population.evaluation,
                specs,
                fpr,
                candidate.part.seed,
                policy.statistics.confidence,
            )


def _asked(rules: Sequence[MembershipRule]) -> dict[float, tuple[str, ...]]:
    """Group specs by false-positive rate, so that no attack runs twice."""
    asked: dict[float, tuple[str, ...]] = {}
    for rule in rules:
        asked[rule.fpr] = tuple(dict.fromkeys((*asked.get(rule.fpr, ()), *rule.groups)))
    return asked


def _by_shadows(
    inputs: Inputs, candidate: Candidate, progress: Progress, around: Around
) -> tuple[ShadowsPart | None, ShadowAttacks, tuple[str, ...]]:
    section = _shadows_of(inputs)
    if section is None:
        return None, _NO_SHADOWS, ()
    material = attack_material(
        inputs,
        candidate,
        section,
        jobs=around.jobs,
        cache=around.cache,
        allow_code=around.allow_code,
        progress=progress,
    )
    if isinstance(material, Unattackable):
        return None, _NO_SHADOWS, (material.reason,)
    level = inputs.policy.value.statistics.confidence
    made = attack_with_shadows(material, section.rules, level, section.seed)
    return material.part, made, material.notes


def _attributes(inputs: Inputs, candidate: Candidate, sides: Sequence[_Side]) -> Iterator[AttributePart]:
    population, policy = inputs.population, inputs.policy.value
    for rule in policy.privacy_rules:
        if isinstance(rule, AttributeRule):
            for model, members, others in sides:
                yield from attribute(
                    model,
                    members,
                    others,
                    population.train,
                    population.evaluation,
                    rule.column,
                    seed=candidate.part.seed,
                    level=policy.statistics.confidence,
                )


def _canaries(inputs: Inputs, candidate: Candidate) -> Iterator[CanariesPart]:
    population, source = inputs.population, inputs.float_model
    claim = population.part.differential_privacy
    for rule, place in _canaries_of(inputs):
        canaries = read_record(inputs.policy.path.parent / rule.record)
        check_belongs(canaries, population, place)
        on_device = ask_device(candidate.tflite, canaries.rows, population.reading)
        on_float = {} if source is None else ask_float(source, canaries.rows, population.reading)
        yield from audit_canaries(
            canaries,
            {("device", signal): phi for signal, phi in on_device.items()}
            | {("float", signal): phi for signal, phi in on_float.items()},
            level=inputs.policy.value.statistics.confidence,
            delta=0.0 if claim is None else claim.delta,
        )
