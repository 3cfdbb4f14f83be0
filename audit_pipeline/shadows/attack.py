"""Every attack with shadow models that a policy's rules ask for, each made once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from audit_pipeline.policy.privacy import DisparityRule, MembershipRule, PrivacyRule, Release
from audit_pipeline.privacy.before_after import exposure_changes
from audit_pipeline.privacy.disparity import disparities
from audit_pipeline.privacy.membership_by_shadows import membership_across_versions, membership_by_shadows
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import DisparityPart, ExposureChange, MembershipPart, Signal
from audit_pipeline.shadows.material import Material


@dataclass(frozen=True)
class ShadowAttacks:
    """What the attacks gave, as evidence holds it."""

    membership: tuple[MembershipPart, ...]
    disparities: tuple[DisparityPart, ...]
    changes: tuple[ExposureChange, ...]


def attack_with_shadows(material: Material, rules: Sequence[PrivacyRule], level: float, seed: int) -> ShadowAttacks:
    """Attack; what two rules ask for is done once.

    Args:
        material: what the attacker holds.
        rules: the policy's; those that need no shadow models are passed over.
        level: two-sided confidence level.
        seed: of every resampling.
    """
    of_membership = [rule for rule in rules if isinstance(rule, MembershipRule) and rule.attacker == "shadows"]
    of_disparity = [rule for rule in rules if isinstance(rule, DisparityRule)]
    made = dict.fromkeys(part for rule in of_membership for part in _membership(material, rule, level))
    specs_at = _specs_by_rate(of_membership)
    return ShadowAttacks(
        membership=tuple(made),
        disparities=tuple(
            part
            for rule in of_disparity
            for part in disparities(material.tables, rule.groups, rule.fpr, rule.max_gap, level, seed)
        ),
        changes=tuple(
            part
            for fpr, specs in specs_at.items()
            for part in exposure_changes(material.tables, specs, fpr, level, seed)
        ),
    )


def _specs_by_rate(rules: Sequence[MembershipRule]) -> dict[float, tuple[str, ...]]:
    specs: dict[float, tuple[str, ...]] = {}
    for rule in rules:
        specs[rule.fpr] = tuple(dict.fromkeys((*specs.get(rule.fpr, ()), *rule.groups)))
    return specs


def _membership(material: Material, rule: MembershipRule, level: float) -> Iterator[MembershipPart]:
    if rule.other_version is None:
        yield from membership_by_shadows(material.tables, rule.groups, rule.fpr, rule.unit, level)
        return
    for signal, held in _held(material, rule):
        yield from membership_across_versions(held, signal, rule.other_version, rule.groups, rule.fpr, rule.unit, level)


def _held(material: Material, rule: MembershipRule) -> Iterator[tuple[Signal, tuple[ShadowTable, ShadowTable]]]:
    """The release and the other version, by every signal that both have."""
    for (model, signal), table in material.tables.items():
        if model != "device":
            continue
        if isinstance(rule.beside, Release):
            other = material.releases.get(rule.beside, {}).get(signal)
        else:
            other = material.tables.get(("float", signal))
        if other is not None:
            yield signal, (table, other)
