from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from audit_pipeline.data.population import Population, Split
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import DataPart
from audit_pipeline.policy.load import LoadedPolicy, check_against

Read = Callable[..., LoadedPolicy]


def population(*, alarm_classes: tuple[str, ...] = ("V",)) -> Population:
    split = Split(
        x=np.zeros((1, 1), dtype=np.float32),
        y=np.zeros(1, dtype=np.int64),
        groups={"sex": np.array(["F"]), "age_band": np.array(["0-44"])},
        subjects=None,
    )
    part = DataPart(
        name="d",
        description="d",
        source="s",
        synthetic=True,
        sha256="0" * 64,
        classes=("N", "V"),
        alarm_classes=alarm_classes,
        splits=(),
    )
    return Population(part=part, train=split, calibration=split, evaluation=split)


def complaint(loaded: LoadedPolicy, **kind: tuple[str, ...]) -> str:
    with pytest.raises(InputError) as caught:
        check_against(loaded, population(**kind))
    return str(caught.value).replace(str(loaded.path), "fair.yaml")


def test_a_policy_of_known_classes_and_groups_agrees(read_policy: Read) -> None:
    rules = "  - {metric: accuracy, max_drop: 0.1, groups: [overall, sex, age_band, sex*age_band]}\n"
    check_against(read_policy(rules + "privacy: [{attack: membership, max_tpr: 0.1, groups: [sex]}]"), population())


def test_an_unknown_class_of_a_rule_is_told_at_its_line(read_policy: Read) -> None:
    loaded = read_policy("  - metric: recall\n    class: v\n    max_drop: 0.1\n")
    assert complaint(loaded) == (
        "fair.yaml:16: fairness[1].class: the data set has no class v, did you mean V?; there are N, V"
    )


def test_the_class_of_the_worst_error_must_exist(read_policy: Read) -> None:
    loaded = read_policy(worst_error="  worst_error: {class: W, kind: missed, harms: x}")
    assert "fair.yaml:6: human_centred.worst_error.class: the data set has no class W" in complaint(loaded)


def test_people_that_the_data_do_not_name_cannot_be_protected(read_policy: Read) -> None:
    recipe = "[{train_private: {noise: 1, delta: 1.0e-5, unit: people}}, {quantize: {}}]"
    said = complaint(read_policy(f"compress:\n  recipe: {recipe}\n"))
    assert said.startswith("fair.yaml:16: compress.recipe[0].train_private.unit: the data set does not say whose rows")


@pytest.mark.parametrize(
    ("recipe", "place"),
    [
        ("[{fine_tune: {label_smoothing: 0.1}}, {quantize: {}}]", "recipe[0].fine_tune.label_smoothing: a model for"),
        ("[{quantize: {aware: {label_smoothing: 0.1}}}]", "recipe[0].quantize.aware.label_smoothing: a model for"),
        (
            "[{quantize: {outputs: {top: 1}}}]",
            "recipe[0].quantize.outputs.top: a model for regression has no top class",
        ),
    ],
)
def test_protections_of_labels_need_labels(read_policy: Read, recipe: str, place: str) -> None:
    people = population()
    numbers = replace(people, part=people.part.model_copy(update={"task": "regression"}))
    with pytest.raises(InputError) as caught:
        check_against(read_policy(f"compress: {{recipe: {recipe}}}"), numbers)
    assert place in str(caught.value)


@pytest.mark.parametrize(
    ("section", "place"),
    [
        ("{recipe: [{fine_tune: {balance: sx}}, {quantize: {}}]}", "compress.recipe[0].fine_tune.balance"),
        ("{recipe: [{prune_neurons: {ratio: 0.5, groups: sex*sx}}, {quantize: {}}]}", "recipe[0].prune_neurons.groups"),
        ("{recipe: [{quantize: {aware: {balance: sx}}}]}", "compress.recipe[0].quantize.aware.balance"),
        ("{recipe: [{quantize: {scheme: mixed, lift: 2, groups: sx}}]}", "compress.recipe[0].quantize.groups"),
        ("{search: {groups: sx}}", "compress.search.groups"),
    ],
)
def test_an_unknown_group_of_a_recipe_or_search_is_told(read_policy: Read, section: str, place: str) -> None:
    said = complaint(read_policy(f"compress: {section}\n"))
    assert f"{place}: the data set has no group column sx, did you mean sex?" in said


def test_an_unknown_group_column_is_told_even_inside_an_intersection(read_policy: Read) -> None:
    loaded = read_policy("  - {metric: accuracy, min: 0.1, groups: [overall, sex*age]}\n")
    assert complaint(loaded).startswith("fair.yaml:15: fairness[1].groups[1]: the data set has no group column age")


def test_groups_of_privacy_rules_are_checked_too(read_policy: Read) -> None:
    loaded = read_policy("privacy:\n  - {attack: membership, max_tpr: 0.1, groups: [six]}")
    assert "fair.yaml:16: privacy[0].groups[0]: the data set has no group column six, did you mean sex?" in complaint(
        loaded
    )


STRONG = """\
privacy:
  training: {epochs: 2, balance: sx}
  rules:
    - {attack: disparity, max_gap: 0.1, groups: [six]}
    - {attack: attribute, max_gain: 0.1, column: sey}
    - attack: membership
      attacker: shadows
      max_tpr: 0.1
      beside: {recipe: [{fine_tune: {balance: saxe}}, {quantize: {}}]}
    - {attack: membership, attacker: shadows, max_tpr: 0.1}
    - {attack: membership, attacker: shadows, max_tpr: 0.1, unit: people}
    - {attack: membership, attacker: shadows, max_tpr: 0.2}
"""


def test_every_rule_of_a_section_is_held_against_the_data(read_policy: Read) -> None:
    said = complaint(read_policy(STRONG))
    for place in (
        "fair.yaml:16: privacy.training.balance: the data set has no group column sx",
        "fair.yaml:18: privacy.rules[0].groups[0]: the data set has no group column six",
        "fair.yaml:19: privacy.rules[1].column: the data set has no group column sey",
        "privacy.rules[2].beside.recipe[0].fine_tune.balance: the data set has no group column saxe",
        "privacy.rules[3] already asks this of overall",
    ):
        assert place in said
    assert said.count("already asks") == 1


def test_overall_is_not_part_of_an_intersection(read_policy: Read) -> None:
    loaded = read_policy("  - {metric: accuracy, min: 0.1, groups: [sex*overall]}\n")
    assert "no group column overall" in complaint(loaded)


def test_a_column_is_not_cut_by_itself(read_policy: Read) -> None:
    loaded = read_policy("  - {metric: accuracy, min: 0.1, groups: [sex*sex]}\n")
    assert "sex*sex names a column twice" in complaint(loaded)


@pytest.mark.parametrize(
    "rules",
    [
        "  - {metric: recall, class: V, min: 0.4}\n",
        "  - {metric: recall, class: V, min: 0.4, groups: [sex, overall]}\n",
        "  - {metric: accuracy, min: 0.4, groups: [sex*age_band, age_band*sex]}\n",
        "privacy: [{attack: blob_scan}, {attack: blob_scan, max_hits: 1}]\n",
        "privacy: [{attack: membership, max_tpr: 0.1}, {attack: membership, max_tpr: 0.2}]\n",
    ],
)
def test_the_same_question_is_not_asked_twice_of_the_same_group(read_policy: Read, rules: str) -> None:
    assert "already asks this of" in complaint(read_policy(rules))


@pytest.mark.parametrize(
    "rules",
    [
        "  - {metric: recall, class: V, max_drop: 0.4}\n",
        "  - {metric: recall, class: V, min: 0.4, groups: [sex]}\n",
        "  - {metric: recall, class: N, min: 0.4}\n",
        "privacy: [{attack: membership, max_tpr: 0.1}, {attack: membership, fpr: 0.05, max_tpr: 0.2}]\n",
    ],
)
def test_different_questions_stand_side_by_side(read_policy: Read, rules: str) -> None:
    check_against(read_policy(rules), population())


def test_an_alarm_rate_without_a_class_needs_alarm_classes(read_policy: Read) -> None:
    loaded = read_policy("  - {metric: false_alarm_rate, max: 0.1}\n")
    check_against(loaded, population())
    assert "needs a class, or alarm_classes in the manifest" in complaint(loaded, alarm_classes=())


def test_all_disagreements_are_told_at_once(read_policy: Read) -> None:
    loaded = read_policy(
        "  - {metric: recall, class: X, min: 0.4, groups: [zz]}\n",
        worst_error="  worst_error: {class: Y, kind: missed, harms: x}",
    )
    assert len(complaint(loaded).splitlines()) == 3


def test_data_without_a_lawful_basis_are_refused_where_the_policy_asks_for_one(read_policy: Read) -> None:
    loaded = read_policy(data="data: {manifest: data/set.yaml, lawful_basis_required: true}")
    assert complaint(loaded) == (
        "fair.yaml:11: data.lawful_basis_required: the data set names no lawful_basis, which this policy asks for"
    )
    check_against(read_policy(), population())
    lawful = population()
    part = lawful.part.model_copy(update={"lawful_basis": "consent"})
    check_against(loaded, replace(lawful, part=part))
