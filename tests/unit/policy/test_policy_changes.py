"""The difference of two policies: each limit goes its own way, and rules are known by what they are about."""

from __future__ import annotations

import copy
import json
import random
from typing import Any

import pytest

from audit_pipeline.canonical import canonical_json
from audit_pipeline.policy.changes import asked_by, policy_edits, rules_of

POLICY: dict[str, Any] = {
    "version": 1,
    "name": "small",
    "human_centred": {
        "intended_use": "tests",
        "affected": ["testers"],
        "worst_error": {"class": "V", "kind": "missed", "harms": "testers"},
        "responsible": {"false_alarm": "a", "missed_alarm": "b"},
        "oversight": {"who_can_stop": "c", "how_to_appeal": "d"},
        "never_record": ["names", "places"],
        "author": {"role": "e", "key": "0" * 64},
    },
    "data": {"manifest": "data/set.yaml"},
    "target": {"board": "rp2040", "ram_kib": 100},
    "compress": {"recipe": [{"quantize": {"scheme": "int8"}}], "seed": 0},
    "fairness": [
        {"metric": "recall", "class": "V", "min": 0.5, "groups": ["overall", "sex"]},
        {"metric": "recall", "class": "V", "max_drop": 0.05, "groups": ["overall", "sex*age_band"]},
        {"metric": "false_alarm_rate", "max": 0.2, "groups": ["overall"]},
        {"metric": "false_alarm_rate", "max_rise": 0.02, "groups": ["overall"]},
        {"metric": "accuracy", "max_gap": 0.1, "groups": ["sex"]},
    ],
    "privacy": [
        {"attack": "membership", "fpr": 0.01, "max_tpr": 0.05, "groups": ["overall", "sex"]},
        {"attack": "blob_scan", "max_hits": 1},
    ],
    "statistics": {"confidence": 0.95, "min_group_size": 30, "min_people": 8},
    "on_inconclusive": "block",
    "approvals": {"clinical-safety": 2},
    "seal": {"signer": "keys/a.pem", "recipient": "b.pem", "security_counter": 1, "version": "1.0.0"},
}


def changed(way: str, value: Any) -> dict[str, Any]:
    """The policy with one value replaced, or taken out where it is None."""
    policy = copy.deepcopy(POLICY)
    *above, last = (int(step) if step.isdigit() else step for step in way.split("/"))
    place: Any = policy
    for step in above:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    return policy


def told(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, tuple[str, ...], str]]:
    return [(edit.path, edit.groups, edit.effect) for edit in policy_edits(asked_by(before), asked_by(after))]


LIMITS = [
    ("fairness/0/min", 0.4, "fairness.recall[V].min", ("overall", "sex")),
    ("fairness/1/max_drop", 0.06, "fairness.recall[V].max_drop", ("overall", "sex*age_band")),
    ("fairness/2/max", 0.3, "fairness.false_alarm_rate.max", ("overall",)),
    ("fairness/3/max_rise", 0.03, "fairness.false_alarm_rate.max_rise", ("overall",)),
    ("fairness/4/max_gap", 0.2, "fairness.accuracy.max_gap", ("sex",)),
    ("fairness/4", None, "fairness.accuracy.max_gap", ("sex",)),
    ("fairness/0/groups", ["overall"], "fairness.recall[V].min", ("sex",)),
    ("privacy/0/max_tpr", 0.06, "privacy.membership.max_tpr", ("overall", "sex")),
    ("privacy/0/fpr", 0.001, "privacy.membership.fpr", ("overall", "sex")),
    ("privacy/0/groups", ["sex"], "privacy.membership.max_tpr", ("overall",)),
    ("privacy/1/max_hits", 2, "privacy.blob_scan.max_hits", ("overall",)),
    ("privacy/1", None, "privacy.blob_scan.max_hits", ("overall",)),
    ("statistics/confidence", 0.9, "statistics.confidence", ()),
    ("statistics/min_group_size", 20, "statistics.min_group_size", ()),
    ("statistics/min_people", 1, "statistics.min_people", ()),
    ("approvals/clinical-safety", 1, "approvals.clinical-safety", ()),
    ("approvals/clinical-safety", None, "approvals.clinical-safety", ()),
    ("approvals", None, "approvals.clinical-safety", ()),
    ("target/ram_kib", 120, "target.ram_kib", ()),
    ("target/ram_kib", None, "target.ram_kib", ()),
    ("human_centred/never_record", ["names"], "human_centred.never_record", ()),
]


@pytest.mark.parametrize(("way", "value", "path", "groups"), LIMITS)
def test_every_limit_has_a_looser_way_and_back_is_tighter(
    way: str, value: Any, path: str, groups: tuple[str, ...]
) -> None:
    looser = changed(way, value)
    assert told(POLICY, looser) == [(path, groups, "loosened")]
    assert told(looser, POLICY) == [(path, groups, "tightened")]


STRONG = {
    **POLICY,
    "privacy": {
        "training": "train:shadow",
        "shadows": 16,
        "most_rows": 20000,
        "seed": 0,
        "rules": [
            {"attack": "membership", "attacker": "shadows", "unit": "rows", "fpr": 0.01, "max_tpr": 0.05},
            {"attack": "membership", "attacker": "shadows", "unit": "people", "fpr": 0.1, "max_tpr": 0.3},
            {
                "attack": "membership",
                "attacker": "shadows",
                "unit": "rows",
                "beside": "float",
                "fpr": 0.01,
                "max_tpr": 0.1,
            },
            {"attack": "disparity", "fpr": 0.1, "max_gap": 0.1, "groups": ["sex"]},
            {"attack": "attribute", "column": "sex", "max_gain": 0.1},
            {"attack": "canaries", "record": "canaries.json", "max_epsilon": 2.0},
        ],
    },
}


@pytest.mark.parametrize(
    ("way", "value", "path"),
    [
        ("rules/0/max_tpr", 0.06, "privacy.membership.shadows.max_tpr"),
        ("rules/0/fpr", 0.001, "privacy.membership.shadows.fpr"),
        ("rules/1/max_tpr", 0.4, "privacy.membership.shadows.people.max_tpr"),
        ("rules/1", None, "privacy.membership.shadows.people.max_tpr"),
        ("rules/2/max_tpr", 0.4, "privacy.membership.shadows.beside[float].max_tpr"),
        ("rules/3/max_gap", 0.2, "privacy.disparity.max_gap"),
        ("rules/4/max_gain", 0.2, "privacy.attribute[sex].max_gain"),
        ("rules/5/max_epsilon", 3.0, "privacy.canaries.max_epsilon"),
        ("rules/5", None, "privacy.canaries.max_epsilon"),
        ("shadows", 4, "privacy.shadows"),
    ],
)
def test_a_strong_attacker_is_loosened_and_tightened_rule_by_rule(way: str, value: Any, path: str) -> None:
    looser = copy.deepcopy(STRONG)
    *above, last = (int(step) if step.isdigit() else step for step in way.split("/"))
    place: Any = looser["privacy"]
    for step in above:
        place = place[step]
    if value is None:
        del place[last]
    else:
        place[last] = value
    assert [(edit, effect) for edit, _, effect in told(STRONG, looser)] == [(path, "loosened")]
    assert [(edit, effect) for edit, _, effect in told(looser, STRONG)] == [(path, "tightened")]


def test_a_weak_attacker_in_a_strong_ones_place_is_looser() -> None:
    weaker = copy.deepcopy(STRONG)
    rules = weaker["privacy"]["rules"]
    rules[0] = {"attack": "membership", "attacker": "losses", "unit": "rows", "fpr": 0.01, "max_tpr": 0.05}
    effects = {path: effect for path, _, effect in told(STRONG, weaker)}
    assert effects == {
        "privacy.membership.shadows.max_tpr": "loosened",
        "privacy.membership.max_tpr": "tightened",
    }


def test_other_training_is_another_attacker() -> None:
    other = copy.deepcopy(STRONG)
    other["privacy"]["training"] = {"epochs": 3}
    assert told(STRONG, other) == [("privacy.training", (), "other")]


def test_what_an_older_version_wrote_of_the_weak_attacker_is_no_change() -> None:
    said_more = copy.deepcopy(POLICY)
    said_more["privacy"][0] |= {"attacker": "losses", "unit": "rows"}
    assert told(POLICY, said_more) == []


@pytest.mark.parametrize(
    ("way", "value", "path"),
    [
        ("human_centred/responsible/missed_alarm", "the operator", "human_centred.responsible.missed_alarm"),
        ("human_centred/author/key", None, "human_centred.author.key"),
        ("human_centred/never_record", ["faces"], "human_centred.never_record"),
        ("compress/seed", 7, "compress.seed"),
        ("compress", None, "compress"),
        ("target/board", "esp32-s3", "target.board"),
    ],
)
def test_what_is_no_limit_is_told_as_another_change(way: str, value: Any, path: str) -> None:
    assert (path, (), "other") in told(POLICY, changed(way, value))


def test_a_setting_of_a_step_is_told_by_itself_and_other_steps_as_another_recipe() -> None:
    [edit] = policy_edits(asked_by(POLICY), asked_by(changed("compress/recipe/0/quantize/scheme", "int16x8")))
    assert (edit.path, edit.before, edit.after) == ("compress.recipe[0].quantize.scheme", "int8", "int16x8")
    other = changed("compress/recipe", [{"distill": {"epochs": 2}}])
    [edit] = policy_edits(asked_by(POLICY), asked_by(other))
    assert (edit.path, edit.after) == ("compress.recipe", [{"distill": {"epochs": 2}}])


def test_another_board_is_told_with_the_memory_that_it_brings() -> None:
    wider = told(changed("target/ram_kib", None), changed("target", {"board": "nucleo-l4r5zi"}))
    assert ("target.ram_kib", (), "loosened") in wider
    assert ("target.board", (), "other") in wider


def test_what_names_files_or_keys_is_not_compared() -> None:
    assert told(POLICY, changed("seal/security_counter", 2)) == []
    assert told(POLICY, changed("data/manifest", "other.yaml")) == []


def test_the_order_of_rules_and_of_columns_is_no_change() -> None:
    other = copy.deepcopy(POLICY)
    random.Random(0).shuffle(other["fairness"])
    other["privacy"].reverse()
    assert told(POLICY, other) == []
    assert told(POLICY, changed("fairness/1/groups", ["age_band*sex", "overall"])) == []


def test_a_rule_cut_into_two_is_no_change() -> None:
    other = changed("fairness/0/groups", ["overall"])
    other["fairness"].append({**POLICY["fairness"][0], "groups": ["sex"]})
    assert told(POLICY, other) == []


def test_another_kind_of_limit_is_a_rule_dropped_and_a_rule_added() -> None:
    other = copy.deepcopy(POLICY)
    other["fairness"][1] = {"metric": "recall", "class": "S", "max_drop": 0.05, "groups": ["overall"]}
    assert told(POLICY, other) == [
        ("fairness.recall[V].max_drop", ("overall", "sex*age_band"), "loosened"),
        ("fairness.recall[S].max_drop", ("overall",), "tightened"),
    ]


def test_limits_of_membership_at_several_rates_are_told_apart_by_the_rate() -> None:
    two = copy.deepcopy(POLICY)
    two["privacy"].append({"attack": "membership", "fpr": 0.1, "max_tpr": 0.3, "groups": ["overall"]})
    looser = copy.deepcopy(two)
    looser["privacy"][2]["max_tpr"] = 0.4
    assert told(two, looser) == [("privacy.membership[fpr 0.1].max_tpr", ("overall",), "loosened")]
    assert ("privacy.membership[fpr 0.1].max_tpr", ("overall",), "tightened") in told(POLICY, two)


def test_a_statistic_that_an_older_version_did_not_know_is_no_change() -> None:
    assert told(changed("statistics/min_people", None), POLICY) == []


def test_what_was_loosened_stands_first() -> None:
    other = changed("fairness/0/min", 0.6)
    other["privacy"][0]["max_tpr"], other["compress"]["seed"] = 0.5, 1
    assert [effect for _, _, effect in told(POLICY, other)] == ["loosened", "tightened", "other"]


def test_an_edit_gives_both_values() -> None:
    [edit] = policy_edits(POLICY, changed("fairness/0/min", 0.25))
    assert (edit.before, edit.after) == (0.5, 0.25)
    [gone] = policy_edits(POLICY, changed("fairness/4", None))
    assert (gone.before, gone.after) == (0.1, None)


def test_a_policy_read_back_from_canonical_json_gives_the_same_edits() -> None:
    """The gate compares what it reads from files with what the run had in memory."""
    other = changed("human_centred/oversight", {"how_to_appeal": "x", "who_can_stop": "y"})
    again = [json.loads(canonical_json(each)) for each in (POLICY, other)]
    assert policy_edits(POLICY, other) == policy_edits(*again)


def test_the_trail_keeps_what_a_policy_asks_and_no_way_to_a_file() -> None:
    rules = rules_of(changed("data", {"manifest": "/home/somebody/set.yaml", "lawful_basis_required": True}))
    assert rules["data"] == {"lawful_basis_required": True}
    assert set(rules) == set(POLICY) - {"version", "name", "human_centred", "seal"}
    assert "data" not in rules_of(POLICY)
