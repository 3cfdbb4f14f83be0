"""`audit init` gives a policy that is refused until its questions are answered."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.cli.init import init
from audit_pipeline.errors import InputError
from audit_pipeline.policy.load import load_policy


def test_the_new_policy_is_refused_for_its_empty_answers_alone(tmp_path: Path) -> None:
    init(tmp_path)
    with pytest.raises(InputError) as caught:
        load_policy(tmp_path / "fair.yaml")
    complaints = str(caught.value).splitlines()
    assert complaints
    assert all("human_centred." in line for line in complaints)


def test_the_new_policy_loads_once_answered(tmp_path: Path) -> None:
    init(tmp_path)
    path = tmp_path / "fair.yaml"
    text = path.read_text().replace('""', '"an answer"').replace(": []", ': ["an answer"]')
    path.write_text(text)
    assert load_policy(path).value.name == "my-device"


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "fair.yaml").write_text("mine")
    with pytest.raises(InputError, match=r"fair\.yaml would be overwritten"):
        init(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["fair.yaml"]
    assert (tmp_path / "fair.yaml").read_text() == "mine"
