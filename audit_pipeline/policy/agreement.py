"""Whether a policy speaks of the classes and groups that a population has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit_pipeline.data.population import Population
from audit_pipeline.measurement import Scale
from audit_pipeline.policy.catalogue import METRICS, Speaks
from audit_pipeline.policy.compress_agreement import impossible_steps
from audit_pipeline.policy.privacy import (
    AttributeRule,
    DisparityRule,
    MembershipRule,
    PrivacyRule,
    PrivacySection,
    Release,
)
from audit_pipeline.policy.recipe import group_specs as compress_specs
from audit_pipeline.policy.schema import FairnessRule, Policy
from audit_pipeline.policy.steps import Training
from audit_pipeline.policy.terms import OVERALL
from audit_pipeline.predictions import Task
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Loc, dotted

Disagreement = tuple[Loc, str, str]
"""Where it stands in the policy, its kind (last part of an error's code), and what it is."""


def disagreements(policy: Policy, population: Population) -> list[Disagreement]:
    """Classes and group columns of the rules that the population has not, and rules that are given twice."""
    return [
        *_unlawful(policy, population),
        *_impossible_metrics(policy, population),
        *_impossible_steps(policy, population),
        *_unknown_classes(policy, population),
        *_unknown_groups(policy, sorted(population.evaluation.groups)),
        *_repeated(policy),
    ]


def _unlawful(policy: Policy, population: Population) -> Iterator[Disagreement]:
    if policy.data.lawful_basis_required and population.part.lawful_basis is None:
        text = "the data set names no lawful_basis, which this policy asks for"
        yield ("data", "lawful_basis_required"), "no-lawful-basis", text


def _impossible_metrics(policy: Policy, population: Population) -> Iterator[Disagreement]:
    """Rules on metrics that these data cannot have, and a worst error that a model of this task cannot make."""
    task = population.task
    for index, rule in enumerate(policy.fairness):
        kind = METRICS[rule.metric]
        loc: Loc = ("fairness", index, "metric")
        if task not in kind.tasks:
            fitting = ", ".join(name for name, other in METRICS.items() if task in other.tasks)
            yield loc, "metric-of-other-task", f"{rule.metric} is no metric of {task}; there are {fitting}"
        elif kind.speaks is Speaks.ALARMS and rule.class_ is None and not population.alarm_classes:
            yield loc, "no-alarm-class", f"{rule.metric} needs a class, or alarm_classes in the manifest"
        elif kind.scale is Scale.PER_HOUR and population.row_seconds is None:
            yield loc, "no-row-time", f"{rule.metric} needs the time that a row covers: row_seconds in the manifest"
    worst = policy.human_centred.worst_error
    if task is Task.REGRESSION and (worst.class_ is not None or worst.kind in ("missed", "false")):
        text = "a model that estimates a number errs too_high or too_low, and of no class"
        yield ("human_centred", "worst_error", "kind"), "worst-error", text
    elif task is not Task.REGRESSION and (worst.class_ is None or worst.kind not in ("missed", "false")):
        yield ("human_centred", "worst_error", "kind"), "worst-error", "name a class, and whether it is missed or false"


def _impossible_steps(policy: Policy, population: Population) -> Iterator[Disagreement]:
    if policy.compress is not None:
        for place, kind, text in impossible_steps(policy.compress, population):
            yield ("compress", *place), kind, text


def _unknown_classes(policy: Policy, population: Population) -> Iterator[Disagreement]:
    named: list[tuple[Loc, str | None]] = [
        (("human_centred", "worst_error", "class"), policy.human_centred.worst_error.class_)
    ]
    named += [(("fairness", index, "class"), rule.class_) for index, rule in enumerate(policy.fairness)]
    for loc, name in named:
        if name is not None and name not in population.classes:
            known = f"{did_you_mean(name, population.classes)}; there are {', '.join(population.classes) or 'none'}"
            yield loc, "unknown-class", f"the data set has no class {name}{known}"


def _unknown_groups(policy: Policy, columns: Sequence[str]) -> Iterator[Disagreement]:
    for loc, spec in _specs(policy):
        parts = spec.split("*")
        unknown = [part for part in parts if part not in columns and spec != OVERALL]
        for part in unknown:
            known = f"{did_you_mean(part, columns)}; there are {', '.join((OVERALL, *columns))}"
            yield loc, "unknown-group", f"the data set has no group column {part}{known}"
        if len(set(parts)) < len(parts):
            yield loc, "duplicate-group", f"{spec} names a column twice"


def _specs(policy: Policy) -> Iterator[tuple[Loc, str]]:
    for section, rules in _sections(policy):
        for index, rule in enumerate(rules):
            yield from (((*section, index, *place), spec) for place, spec in _specs_of(rule))
    if isinstance(policy.privacy, PrivacySection) and isinstance(policy.privacy.training, Training):
        yield ("privacy", "training", "balance"), policy.privacy.training.balance
    if policy.compress is not None:
        yield from ((("compress", *place), spec) for place, spec in compress_specs(policy.compress))


def _specs_of(rule: FairnessRule | PrivacyRule) -> Iterator[tuple[Loc, str]]:
    yield from ((("groups", number), spec) for number, spec in enumerate(_groups(rule)))
    if isinstance(rule, AttributeRule):
        yield ("column",), rule.column
    if isinstance(rule, MembershipRule) and isinstance(rule.beside, Release):
        yield from ((("beside", *place), spec) for place, spec in compress_specs(rule.beside.section(0)))


def _sections(policy: Policy) -> tuple[tuple[Loc, Sequence[FairnessRule | PrivacyRule]], ...]:
    return (("fairness",), policy.fairness), (policy.privacy_place, policy.privacy_rules)


def _groups(rule: FairnessRule | PrivacyRule) -> tuple[str, ...]:
    return rule.groups if isinstance(rule, FairnessRule | MembershipRule | DisparityRule) else (OVERALL,)


def _repeated(policy: Policy) -> Iterator[Disagreement]:
    """The same question asked twice of the same groups: two limits would stand against each other."""
    first: dict[tuple[object, ...], str] = {}
    for section, rules in _sections(policy):
        for index, rule in enumerate(rules):
            for number, spec in enumerate(_groups(rule)):
                question = (*_question(rule), frozenset(spec.split("*")))
                loc: Loc = (*section, index, "groups", number)
                if question in first:
                    yield loc, "duplicate-rule", f"{first[question]} already asks this of {spec}"
                first.setdefault(question, dotted((*section, index)))


def _question(rule: FairnessRule | PrivacyRule) -> tuple[object, ...]:
    if isinstance(rule, FairnessRule):
        return (rule.metric, rule.class_, rule.limit[0])
    if isinstance(rule, MembershipRule):
        return (rule.attack, rule.attacker, rule.unit, rule.other_version, rule.fpr)
    if isinstance(rule, DisparityRule):
        return (rule.attack, rule.fpr)
    return (rule.attack, rule.column) if isinstance(rule, AttributeRule) else (rule.attack,)
