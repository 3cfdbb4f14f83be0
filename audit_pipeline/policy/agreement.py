"""Whether a policy speaks of the classes and groups that a population has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from audit_pipeline.data.population import Population
from audit_pipeline.policy.schema import OVERALL, FairnessRule, MembershipRule, Policy, PrivacyRule
from audit_pipeline.spelling import did_you_mean
from audit_pipeline.strict_yaml import Loc

Disagreement = tuple[Loc, str, str]
"""Where it stands in the policy, its kind (last part of an error's code), and what it is."""


def disagreements(policy: Policy, population: Population) -> list[Disagreement]:
    """Classes and group columns of the rules that the population has not, and rules that are given twice."""
    return [
        *_unknown_classes(policy, population),
        *_unknown_groups(policy, sorted(population.evaluation.groups)),
        *_repeated(policy),
    ]


def _unknown_classes(policy: Policy, population: Population) -> Iterator[Disagreement]:
    named: list[tuple[Loc, str]] = [
        (("human_centred", "worst_error", "class"), policy.human_centred.worst_error.class_)
    ]
    for index, rule in enumerate(policy.fairness):
        if rule.class_ is not None:
            named.append((("fairness", index, "class"), rule.class_))
        elif rule.metric.endswith("alarm_rate") and not population.alarm_classes:
            text = f"{rule.metric} needs a class, or alarm_classes in the manifest"
            yield ("fairness", index, "metric"), "no-alarm-class", text
    for loc, name in named:
        if name not in population.classes:
            known = f"{did_you_mean(name, population.classes)}; there are {', '.join(population.classes)}"
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
    for section in ("fairness", "privacy"):
        for index, rule in enumerate(getattr(policy, section)):
            for number, spec in enumerate(_groups(rule)):
                yield (section, index, "groups", number), spec


def _groups(rule: FairnessRule | PrivacyRule) -> tuple[str, ...]:
    return rule.groups if isinstance(rule, FairnessRule | MembershipRule) else (OVERALL,)


def _repeated(policy: Policy) -> Iterator[Disagreement]:
    """The same question asked twice of the same groups: two limits would stand against each other."""
    first: dict[tuple[object, ...], str] = {}
    for section in ("fairness", "privacy"):
        for index, rule in enumerate(getattr(policy, section)):
            for number, spec in enumerate(_groups(rule)):
                question = (*_question(rule), frozenset(spec.split("*")))
                loc: Loc = (section, index, "groups", number)
                if question in first:
                    yield loc, "duplicate-rule", f"{first[question]} already asks this of {spec}"
                first.setdefault(question, f"{section}[{index}]")


def _question(rule: FairnessRule | PrivacyRule) -> tuple[object, ...]:
    if isinstance(rule, FairnessRule):
        return (rule.metric, rule.class_, rule.limit[0])
    return (rule.attack, rule.fpr) if isinstance(rule, MembershipRule) else (rule.attack,)
