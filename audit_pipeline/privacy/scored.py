"""Everything an attack was scored on, of rows or of people: the material of a threshold, a rate and an area."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from audit_pipeline.privacy.attacks.catalogue import BY_SHADOWS, SHARED
from audit_pipeline.privacy.attacks.shared import is_shared, share, within_people
from audit_pipeline.privacy.pseudo_targets import pseudo_scores, target_scores
from audit_pipeline.privacy.shadow_table import Codes, Mask, Scores, ShadowTable
from audit_pipeline.privacy.versions import combine
from audit_pipeline.privacy_part import Attack


@dataclass(frozen=True)
class Scored:
    """Scores of n units (rows, or people)."""

    pseudo: Scores
    """[K, n] under every shadow, by other shadows."""
    inside: Mask
    """[K, n] whether the shadow was trained on the unit."""
    target: Scores
    """[n] under the target, by all shadows."""
    member: Mask
    """[n] whether the target was trained on the unit."""
    people: Codes | None
    """[n] number of the person; None where nobody is named, or where the units are the people."""

    def only(self, mask: Mask) -> Scored:
        """Some of the units."""
        people = None if self.people is None else self.people[mask]
        return Scored(self.pseudo[:, mask], self.inside[:, mask], self.target[mask], self.member[mask], people)


def attacks_on(table: ShadowTable) -> tuple[Attack, ...]:
    """The attacks that can be told apart on a table, the strongest at few shadows first.

    Args:
        table: of rows, or of people; nothing is shared where nobody has two.
    """
    return (*BY_SHADOWS, *(SHARED if is_shared(table.people) else ()))


def scored(tables: Sequence[ShadowTable], attack: Attack) -> Scored:
    """Score every unit by one attack, every shadow in turn as the target before the target itself.

    Args:
        tables: of the models that the attacker holds, of the same units and shadows: one, or several whose scores are
            then combined as the shadows teach.
        attack: by its name.
    """
    alone = [_scored(table, attack) for table in tables]
    if len(alone) == 1:
        return alone[0]
    pseudo, target = combine([one.pseudo for one in alone], [one.target for one in alone], tables[0].inside)
    return replace(alone[0], pseudo=pseudo, target=target)


def _scored(table: ShadowTable, attack: Attack) -> Scored:
    if attack in SHARED and table.people is not None:
        return _shared(_scored(table, SHARED[attack]), table.people)
    return Scored(
        pseudo=pseudo_scores(table, attack),
        inside=table.inside,
        target=target_scores(table, attack),
        member=table.member,
        people=table.people,
    )


def _shared(alone: Scored, people: Codes) -> Scored:
    correlation = within_people(alone.pseudo, alone.inside, people)
    target = share(alone.target[None], people, correlation)[0]
    return replace(alone, pseudo=share(alone.pseudo, people, correlation), target=target)
