"""What the attacker with shadow models holds when the attacks begin: tables of φ, for every model and signal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.canonical import canonical_json
from audit_pipeline.compress.candidate import Candidate
from audit_pipeline.compress.recipe import compress
from audit_pipeline.errors import InputError
from audit_pipeline.inputs import Inputs
from audit_pipeline.memory import open_memory
from audit_pipeline.policy.privacy import (
    AttributeRule,
    DisparityRule,
    MembershipRule,
    PrivacySection,
    Release,
)
from audit_pipeline.policy.recipe import Compress
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.privacy.shadow_table import ShadowTable
from audit_pipeline.privacy_part import ShadowsPart, Signal
from audit_pipeline.progress import Progress, silent
from audit_pipeline.shadows.bench import Asked, Bench, digests_of
from audit_pipeline.shadows.halves import halves
from audit_pipeline.shadows.pool import Pool, Unattackable, pool
from audit_pipeline.shadows.run import run
from audit_pipeline.shadows.tables import table_maker
from audit_pipeline.shadows.training import Retraining, TrainingCode, training_code

CODE = (
    *("compress", "data", "device", "model", "policy", "shadows", "strict_yaml"),
    *("privacy/__init__.py", "privacy/signals.py"),
)
"""What a shadow, and what it gives away, follows from."""

Kind = Literal["float", "device"]


@dataclass(frozen=True)
class Material:
    """Tables of the same rows in the same order."""

    tables: Mapping[tuple[Kind, Signal], ShadowTable]
    """None of `float` where there is no float model, none of `logits` where the output is the logits."""
    releases: Mapping[Release, Mapping[Signal, ShadowTable]]
    """By a rule's `beside`: the other release on the device."""
    part: ShadowsPart
    notes: tuple[str, ...]


def attack_material(
    inputs: Inputs,
    candidate: Candidate,
    section: PrivacySection,
    *,
    jobs: int = 2,
    cache: Path | None = None,
    allow_code: bool = False,
    progress: Progress = silent,
) -> Material | Unattackable:
    """Train shadows, compress them as the target was, and ask them and the target about the same rows.

    Equal arguments give equal tables on the same machine and library versions, in one process or several, with a cache
    or without, in one go or after a kill.

    Args:
        inputs: the target's policy, population and float model.
        candidate: the target on the device; one that tflite-micro runs.
        section: the policy's.
        jobs: processes.
        cache: folder that remembers shadows; it holds models of the training people and is to be as private as they.
        allow_code: whether the training function beside the policy may be run.
        progress: told how far the work is.

    Raises:
        InputError: `privacy.*`: shadows cannot be trained or compressed as the policy says.
        ToolError: `privacy.shadow-crashed`.
    """
    training = find_training(inputs, section, allow_code=allow_code)
    recipe = recipe_of(inputs, candidate)
    releases = tuple(dict.fromkeys(_releases(section)))
    attacked = pool(inputs.population, section.most_rows, section.seed)
    if isinstance(attacked, Unattackable):
        return attacked
    inside = halves(attacked.units, attacked.rows.y, section.shadows, section.seed)
    bench = _bench(inputs, attacked, inside, training, (recipe, *_recipes(releases, recipe.seed)), section, cache)
    targets = _targets(inputs, candidate, bench, progress)
    if _says_nothing(targets[0], attacked.rows.y[attacked.attacked]):
        return Unattackable(f"the model gives one and the same answer to all {len(attacked.attacked)} rows")
    shadows = run(bench, jobs, progress)
    makes = table_maker(attacked, inside, _specs(section))
    tables: dict[tuple[Kind, Signal], ShadowTable] = {}
    if inputs.float_model is not None:
        before = makes([shadow.before for shadow in shadows], bench.float_asked(inputs.float_model))
        tables = {("float", signal): table for signal, table in before.items()}
    after = [makes([shadow.after[place] for shadow in shadows], target) for place, target in enumerate(targets)]
    tables |= {("device", signal): table for signal, table in after[0].items()}
    return Material(
        tables, dict(zip(releases, after[1:], strict=True)), _part(training, attacked, section), attacked.notes
    )


def _bench(
    inputs: Inputs,
    attacked: Pool,
    inside: NDArray[np.bool_],
    training: Retraining | TrainingCode,
    recipes: tuple[Compress, ...],
    section: PrivacySection,
    cache: Path | None,
) -> Bench:
    part, data = inputs.source.part, replace(inputs.population.development, train=attacked.rows)
    folder = inputs.policy.path.parent
    return Bench(
        training=training,
        like=inputs.float_model,
        shapes=(part.input_shape, part.output_shape),
        data=data,
        inside=inside,
        attacked=attacked.attacked,
        recipes=recipes,
        folder=folder,
        seed=section.seed,
        memory=open_memory(cache, CODE),
        digests=digests_of(data, attacked.attacked, recipes, folder),
    )


def find_training(inputs: Inputs, section: PrivacySection, *, allow_code: bool) -> Retraining | TrainingCode:
    """How shadows are to be trained; asked before any work starts, it refuses what cannot be.

    Raises:
        InputError: `privacy.code-not-allowed`, `privacy.training-function` or `privacy.no-architecture`.
    """
    where = inputs.policy.where(("privacy", "training"))
    if isinstance(section.training, str):
        return training_code(section.training, inputs.policy.path.parent, allow_code=allow_code, where=where)
    assert section.training is not None, "a section with rules that need shadows has training"  # noqa: S101
    if inputs.float_model is None:
        raise InputError(
            "privacy.no-architecture",
            "a .tflite cannot be trained again, and settings need the architecture that they train",
            where=where,
            hint="give the float model by --baseline, or privacy.training: module:function",
        )
    return Retraining(inputs.float_model, section.training)


def recipe_of(inputs: Inputs, candidate: Candidate) -> Compress:
    """The recipe that made the target: the policy's, or the one that a search chose.

    Raises:
        InputError: `privacy.no-recipe`: a finished .tflite, of which nobody says how it was made.
    """
    search = candidate.part.search
    if search is not None:
        chosen = next(trial.recipe for trial in search.trials if trial.chosen)
        return Compress.model_validate_json(canonical_json({"recipe": chosen, "seed": candidate.part.seed}))
    section = inputs.policy.value.compress
    if section is None or section.recipe is None:
        raise InputError(
            "privacy.no-recipe",
            "shadow models are compressed as the target was, and nothing says how this .tflite was made",
            where=str(inputs.source.path),
            hint="add the recipe that made it to the policy: compress: {recipe: …}",
        )
    return section


def _releases(section: PrivacySection) -> Iterator[Release]:
    for rule in section.rules:
        if isinstance(rule, MembershipRule) and isinstance(rule.beside, Release):
            yield rule.beside


def _recipes(releases: Sequence[Release], seed: int) -> Iterator[Compress]:
    return (Compress(recipe=release.recipe, seed=seed) for release in releases)


def _targets(inputs: Inputs, candidate: Candidate, bench: Bench, progress: Progress) -> tuple[Asked, ...]:
    """What the target gives away, and each other release of its source."""
    asked = [bench.device_asked(candidate.tflite)]
    for recipe in bench.recipes[1:]:
        if inputs.float_model is None:
            raise InputError(
                "privacy.no-architecture",
                "another release cannot be made without the float model",
                where=str(inputs.source.path),
                hint="give it by --baseline",
            )
        made = compress(inputs.float_model, recipe, inputs.population.development, progress, folder=bench.folder)
        asked.append(bench.device_asked(made.tflite))
    return tuple(asked)


def _says_nothing(target: Asked, y: NDArray[np.int64]) -> bool:
    """Whether all rows of a class get the same answer."""
    return all(len(np.unique(phi[y == each])) == 1 for phi in target.phi.values() for each in np.unique(y))


def _specs(section: PrivacySection) -> list[str]:
    """Every group spec that a rule names, and everybody."""
    specs = [OVERALL]
    for rule in section.rules:
        if isinstance(rule, MembershipRule | DisparityRule):
            specs += rule.groups
        elif isinstance(rule, AttributeRule):
            specs.append(rule.column)
    return list(dict.fromkeys(specs))


def _part(training: Retraining | TrainingCode, attacked: Pool, section: PrivacySection) -> ShadowsPart:
    subjects = attacked.rows.subjects
    return ShadowsPart(
        count=section.shadows,
        training=training.said,
        training_sha256=training.sha256,
        rows=len(attacked.attacked),
        members=int(attacked.member[attacked.attacked].sum()),
        subjects=None if subjects is None else len(np.unique(subjects[attacked.attacked])),
        halves_of="people" if attacked.named else "rows",
        seed=section.seed,
    )
