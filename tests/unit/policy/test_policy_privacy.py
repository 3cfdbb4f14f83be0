"""The two forms of the privacy section, and what is refused in either, at its line."""

from __future__ import annotations

from pathlib import Path

import pytest
from human_answers import human_centred

from audit_pipeline.errors import InputError
from audit_pipeline.policy.load import load_policy, policy_schema
from audit_pipeline.policy.privacy import MembershipRule, PrivacySection, Release, rules_of

HEAD = (
    """\
version: 1
name: forms
"""
    + human_centred("a")
    + """\
data: {manifest: set.yaml}
target: {board: rp2040}
fairness: [{metric: accuracy, min: 0.5}]
"""
)
LINES = HEAD.count("\n")


def load(tmp_path: Path, privacy: str) -> PrivacySection | tuple[object, ...]:
    (tmp_path / "fair.yaml").write_text(HEAD + privacy)
    return load_policy(tmp_path / "fair.yaml").value.privacy


def complaint(tmp_path: Path, privacy: str) -> str:
    with pytest.raises(InputError) as caught:
        load(tmp_path, privacy)
    return str(caught.value).replace(str(tmp_path) + "/", "")


def test_a_list_is_rules_and_an_object_holds_them(tmp_path: Path) -> None:
    rule = "{attack: membership, max_tpr: 0.1}"
    listed = load(tmp_path, f"privacy: [{rule}]\n")
    section = load(tmp_path, f"privacy:\n  rules: [{rule}]\n")
    assert isinstance(section, PrivacySection)
    assert section.rules == listed


@pytest.mark.parametrize(
    "form", [{"privacy": [{"attack": "blob_scan"}]}, {"privacy": {"rules": [{"attack": "blob_scan"}]}}]
)
def test_rules_of_a_document_are_found_in_either_form(form: dict[str, object]) -> None:
    assert rules_of(form) == [{"attack": "blob_scan"}]


SHADOWS = "{attack: membership, attacker: shadows, max_tpr: 0.1}"


@pytest.mark.parametrize(
    ("privacy", "line", "said"),
    [
        ("privacy: 5\n", 1, "privacy: must be a list, not 5"),
        (f"privacy:\n  - {SHADOWS}\n", 1, "privacy: shadow models need an object with training and rules"),
        (f"privacy:\n  rules:\n    - {SHADOWS}\n", 1, "privacy: shadow models need training: module:function"),
        ("privacy:\n  shadows: 3\n  rules: [{attack: blob_scan}]\n", 2, "privacy.shadows: must be at least 4, not 3"),
        ("privacy:\n  shadow: 4\n  rules: [{attack: blob_scan}]\n", 2, "unknown key, did you mean shadows?"),
        ("privacy:\n  training: {epochs: 2}\n", 1, "privacy.rules: missing key"),
        ("privacy:\n  training: train\n  rules: [{attack: blob_scan}]\n", 2, 'as in "train:shadow"'),
        ("privacy:\n  training: {epochs: 0}\n  rules: [{attack: blob_scan}]\n", 2, "privacy.training.epochs: must be"),
        ("privacy:\n  rules:\n    - {attack: membersip, max_tpr: 0.1}\n", 3, "did you mean membership?"),
        (
            "privacy:\n  rules:\n    - {attack: membership, max_tpr: 2}\n",
            3,
            "privacy.rules[0].max_tpr: must be at most 1",
        ),
        ("privacy:\n  - {attack: membership, max_tpr: 0.1, unit: people}\n", 2, "need attacker: shadows"),
        ("privacy:\n  - {attack: attribute, column: overall, max_gain: 0.1}\n", 2, "which overall is not"),
        (
            "privacy:\n  training: a:b\n  rules:\n"
            "    - {attack: membership, attacker: shadows, max_tpr: 0.1, beside: {recipe: [{fine_tune: {}}]}}\n",
            4,
            "privacy.rules[0].beside: the recipe must quantize exactly once",
        ),
    ],
)
def test_what_is_wrong_is_told_once_at_its_line(tmp_path: Path, privacy: str, line: int, said: str) -> None:
    told = complaint(tmp_path, privacy)
    assert told.startswith(f"fair.yaml:{LINES + line}: ")
    assert said in told
    assert told.count("fair.yaml:") == 1


def test_another_release_is_known_by_its_recipe(tmp_path: Path) -> None:
    section = load(
        tmp_path,
        "privacy:\n  training: a:b\n  rules:\n"
        "    - {attack: membership, attacker: shadows, max_tpr: 0.1, beside: float}\n"
        "    - {attack: membership, attacker: shadows, max_tpr: 0.1, beside: {recipe: [{quantize: {}}]}}\n"
        "    - {attack: membership, attacker: shadows, max_tpr: 0.1,\n"
        "       beside: {recipe: [{quantize: {scheme: int16x8}}]}}\n",
    )
    assert isinstance(section, PrivacySection)
    words = [rule.other_version for rule in section.rules if isinstance(rule, MembershipRule)]
    assert words[0] == "the float model"
    assert len(set(words)) == 3
    release = section.rules[1].beside  # type: ignore[union-attr]
    assert isinstance(release, Release)
    document = release.model_dump(mode="json", exclude_none=True)
    assert Release.digest_of(document) == release.digest


def test_both_forms_are_in_the_schema() -> None:
    forms = policy_schema()["properties"]["privacy"]["oneOf"]
    assert {form.get("type", "object") for form in forms} == {"array", "object"}
