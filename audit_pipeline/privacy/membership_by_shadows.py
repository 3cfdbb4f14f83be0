"""Membership attacks of whoever has trained shadow models: every attack on every signal in every group.

The threshold is set in the group on non-members of all shadows taken as targets, and then only is the target scored; so
every non-member of the target measures the false-positive rate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from audit_pipeline.measurement import GroupKey, Measured, NotMeasurable
from audit_pipeline.privacy.attacks.catalogue import BY_SHADOWS
from audit_pipeline.privacy.membership_test import certified_fpr
from audit_pipeline.privacy.rates import Side, too_few
from audit_pipeline.privacy.roc import area_under_curve, auc_interval, threshold
from audit_pipeline.privacy.scored import Scored, attacks_on, scored
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy.subjects import by_person
from audit_pipeline.privacy_part import Attack, Attacked, MembershipPart, Signal

Unit = Literal["rows", "people"]


@dataclass(frozen=True)
class Attacker:
    """What is held, and what is wanted of it."""

    model: Attacked
    signal: Signal
    tables: Sequence[ShadowTable]
    """Of the version, or versions, held."""
    beside: str | None
    """The other version in words; None where there is one only."""
    unit: Unit
    level: float
    """Two-sided confidence level of intervals."""


def membership_by_shadows(
    tables: Mapping[tuple[Literal["float", "device"], Signal], ShadowTable],
    specs: Sequence[str],
    fpr: float,
    unit: Unit,
    level: float,
) -> tuple[MembershipPart, ...]:
    """Attack every model by every signal, in every group of every spec.

    Where a group's non-members are too few to certify the false-positive rate, the part at 5 %, or else 10 %, follows.

    Args:
        tables: of each model and signal.
        specs: group specs that the tables have.
        fpr: share of non-members that may be taken for members, above 0 and below 1.
        unit: what is recognised. People cannot be where nobody is named, and the parts say so.
        level: two-sided confidence level.
    """
    return tuple(
        part
        for (model, signal), table in tables.items()
        for part in _attack(Attacker(model, signal, (table,), None, unit, level), specs, fpr)
    )


def membership_across_versions(
    held: Sequence[ShadowTable],
    signal: Signal,
    beside: str,
    specs: Sequence[str],
    fpr: float,
    unit: Unit,
    level: float,
) -> tuple[MembershipPart, ...]:
    """The same of an attacker who holds several versions of the model.

    Args:
        held: a table of each version, of the same rows and shadows.
        signal: that is read of the device.
        beside: the other version in words.
        specs: as of `membership_by_shadows`, like the rest.
        fpr: of non-members.
        unit: what is recognised.
        level: of confidence.
    """
    return tuple(_attack(Attacker("both", signal, held, beside, unit, level), specs, fpr))


def _attack(attacker: Attacker, specs: Sequence[str], fpr: float) -> Iterator[MembershipPart]:
    """Rows are scored once for all groups, people in each group by their rows in it."""
    reason = unattackable(attacker.tables[0], attacker.unit)
    for attack in _attacks(attacker):
        whole = scored(attacker.tables, attack) if reason is None and attacker.unit == "rows" else None
        for group, rows in attacker.tables[0].groups_of(specs):
            if whole is not None:
                found: Scored | NotMeasurable = whole.only(rows)
            elif reason is None and rows.any():
                found = scored([by_person(table, rows) for table in attacker.tables], attack)
            else:
                found = NotMeasurable(reason=reason or "the group has no rows", rows=int(rows.sum()))
            yield from parts_of(attacker, attack, group, fpr, found)


def _attacks(attacker: Attacker) -> tuple[Attack, ...]:
    """Where people are recognised, their rows are one to begin with."""
    return attacks_on(attacker.tables[0]) if attacker.unit == "rows" else tuple(BY_SHADOWS)


def parts_of(
    attacker: Attacker, attack: Attack, group: GroupKey, fpr: float, found: Scored | NotMeasurable
) -> Iterator[MembershipPart]:
    """What one attack on one group comes to: one part, and a second at a rate that its non-members certify if need be.

    Args:
        attacker: who attacks; `tables` is not looked at.
        attack: by its name.
        group: attacked.
        fpr: share of non-members that may be taken for members.
        found: the group's scores, or why there are none.
    """
    part = _part(attacker, attack, group, fpr, found)
    yield part
    if isinstance(part.fpr, Measured) and not isinstance(found, NotMeasurable):
        certified = certified_fpr(part)
        if certified is not None and certified != fpr:
            yield _part(attacker, attack, group, certified, found)


def _part(
    attacker: Attacker, attack: Attack, group: GroupKey, fpr: float, found: Scored | NotMeasurable
) -> MembershipPart:
    return MembershipPart(
        model=attacker.model,
        group=group,
        strength="shadows",
        attack=attack,
        signal=attacker.signal,
        unit=attacker.unit,
        beside=attacker.beside,
        fpr_target=fpr,
        **_silent(found) if isinstance(found, NotMeasurable) else _measured(found, fpr, attacker),
    )


def _silent(why: NotMeasurable) -> dict[str, Any]:
    return {"fpr": why, "tpr": why, "auc": None}


def _measured(found: Scored, fpr: float, attacker: Attacker) -> dict[str, Any]:
    """The fields of a part that one group's scores fill."""
    people = np.zeros(len(found.target), dtype=np.int64) if found.people is None else found.people
    both = Side(found.target, people, found.people is not None)
    member, other = both.only(found.member), both.only(~found.member)
    reason = too_few(member, other, attacker.unit)
    if reason is not None:
        auc = area_under_curve(member.scores, other.scores)
        return {"fpr": other.silent(reason), "tpr": member.silent(reason), "auc": auc}
    limit = threshold(found.pseudo[~found.inside], fpr)
    named = (member.people, other.people) if both.named else None
    return {
        "fpr_set": limit.fpr,
        "fpr": other.above(limit.score, attacker.level),
        "tpr": member.above(limit.score, attacker.level),
        "tpr_with_coin": limit.share_with_coin(member.scores),
        "tpr_at_own_fpr": threshold(other.scores, fpr).share_with_coin(member.scores),
        "auc": area_under_curve(member.scores, other.scores),
        "auc_interval": auc_interval(member.scores, other.scores, named, attacker.level),
    }


def unattackable(table: ShadowTable, unit: Unit) -> str | None:
    """Why no attack can be made on a table, if none can."""
    if unit == "people" and table.people is None:
        return "whose rows these are is not known: the manifest names no subject"
    if all(np.ptp(table.target[table.y == label]) == 0 for label in np.unique(table.y)):
        return "the model gives the same output for all rows"
    if table.people is not None and np.isin(table.people[table.member], table.people[~table.member]).any():
        return "people are among members and non-members"
    return None
