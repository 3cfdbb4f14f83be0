from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import numpy as np
import pytest
from ruamel.yaml import YAML

from audit_pipeline.data.population import Population, Split
from audit_pipeline.evidence import DataPart
from audit_pipeline.policy.boards import BOARDS
from audit_pipeline.policy.human_centred import HumanCentred
from audit_pipeline.policy.load import LoadedPolicy, check_against, load_policy, policy_schema

FOLDER = Path(__file__).parents[3] / "policies"
READY = sorted(FOLDER.glob("*.yaml"))


def test_the_committed_schema_is_the_codes() -> None:
    committed = json.loads((FOLDER / "policy.schema.json").read_text(encoding="utf-8"))
    assert committed == policy_schema(), "write it again: audit schema policy > policies/policy.schema.json"


def test_the_schema_is_a_json_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(policy_schema())


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_a_ready_policy_is_valid_and_named_like_its_file(path: Path) -> None:
    assert load_policy(path).value.name == path.stem


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_a_ready_policy_is_valid_for_editors_too(path: Path) -> None:
    assert path.read_text(encoding="utf-8").startswith("# yaml-language-server: $schema=policy.schema.json\n")
    jsonschema.Draft202012Validator(policy_schema()).validate(YAML(typ="safe").load(path))


def test_the_policies_of_the_example_ask_the_same_of_every_group() -> None:
    """What the report of one is held against that of another has to have been asked the same; one asks an attacker."""
    folder = FOLDER.parent / "examples" / "ecg"
    policies = {name: load_policy(folder / f"{name}.yaml").value for name in ("policy", "int8", "pruned")}
    assert policies["policy"].compress is not None
    assert policies["policy"].compress.search is not None
    asked = [policy.model_dump(exclude={"name", "compress", "privacy"}) for policy in policies.values()]
    assert asked[0] == asked[1] == asked[2]


def test_every_ready_policy_is_listed_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert len(READY) == 4
    assert all(f"({path.name})" in readme for path in READY)


def population(columns: tuple[str, ...], **said: Any) -> Population:
    split = Split(
        x=np.zeros((1, 1), dtype=np.float32),
        y=np.zeros(1, dtype=np.int64),
        groups={column: np.array(["a"]) for column in columns},
        subjects=None,
    )
    part = DataPart(name="d", description="d", source="s", synthetic=True, sha256="0" * 64, splits=(), **said)
    return Population(part=part, train=split, calibration=split, evaluation=split)


HEART = {"classes": ("N", "S", "V"), "alarm_classes": ("S", "V")}
SUITS = {
    "sensor-minimal": population((), classes=("empty", "occupied"), alarm_classes=()),
    "wearable-ecg": population(("sex", "age_band"), **HEART),
    "strict-medical": population(("sex", "age_band"), classes=("normal", "alarm"), alarm_classes=("alarm",)),
    "machine-anomaly": population(
        ("machine",),
        task="anomaly",
        classes=("normal", "odd"),
        alarm_classes=("odd",),
        threshold=12.5,
        row_seconds=10.0,
    ),
}


@pytest.mark.parametrize("path", READY, ids=lambda path: path.stem)
def test_a_ready_policy_suits_the_data_it_was_written_for(path: Path) -> None:
    check_against(load_policy(path), SUITS[path.stem])


def test_the_rules_that_the_readme_gives_for_a_regression_suit_one(tmp_path: Path) -> None:
    numbers = population(("sex",), task="regression", classes=(), alarm_classes=(), unit="mg/dL")
    check_against(policy_of_the_readme("mg/dL", tmp_path), numbers)


def test_the_answers_and_approvals_that_the_readme_gives_are_valid(tmp_path: Path) -> None:
    value = policy_of_the_readme("never_record", tmp_path).value
    assert value.approvals == {"clinical-safety": 2, "data-protection": 1}
    assert value.data.lawful_basis_required


def test_the_readme_names_every_question() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert not [key for key in HumanCentred.model_fields if f"| `{key}` |" not in readme]


def policy_of_the_readme(word: str, folder: Path) -> LoadedPolicy:
    """The example that holds a word; what else a policy needs is taken from one that is ready."""
    shown = re.findall(r"```yaml\n(human_centred:.*?)```", (FOLDER / "README.md").read_text("utf-8"), re.DOTALL)
    [example] = [YAML(typ="safe").load(each) for each in shown if word in each]
    ready = YAML(typ="safe").load(FOLDER / "sensor-minimal.yaml")
    answers = ready["human_centred"] | example["human_centred"]
    (folder / "fair.yaml").write_text(json.dumps(ready | example | {"human_centred": answers}), encoding="utf-8")
    return load_policy(folder / "fair.yaml")


@pytest.mark.parametrize(
    "rule",
    [
        {"metric": "accuracy"},
        {"metric": "accuracy", "min": 0.5, "max": 0.6},
        {"metric": "accuracy", "min": None},
        {"metric": "accuracy", "min": 2},
        {"metric": "accuracy", "min": 0.5, "groups": []},
        {"metrc": "accuracy", "min": 0.5},
    ],
)
def test_editors_flag_what_the_reader_refuses(rule: dict[str, object]) -> None:
    document = YAML(typ="safe").load(FOLDER / "sensor-minimal.yaml") | {"fairness": [rule]}
    assert not jsonschema.Draft202012Validator(policy_schema()).is_valid(document)


def test_ten_boards_are_known_each_with_its_source() -> None:
    wanted = {"nucleo-l4r5zi", "nano-33-ble", "stm32f746-disco", "rp2040", "esp32-s3", "nrf52840-dk"}
    assert len(BOARDS) == 10
    assert wanted <= set(BOARDS)
    assert {64, 256} <= {board.ram_kib for board in BOARDS.values()}
    assert all(board.id == key and board.source and board.flash_kib > board.ram_kib for key, board in BOARDS.items())
