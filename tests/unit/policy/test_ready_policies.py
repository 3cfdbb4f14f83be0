from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest
from ruamel.yaml import YAML

from audit_pipeline.policy.boards import BOARDS
from audit_pipeline.policy.load import load_policy, policy_schema

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


def test_every_ready_policy_is_listed_in_the_readme() -> None:
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert len(READY) == 3
    assert all(f"({path.name})" in readme for path in READY)


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
