"""evidence.json: what is written satisfies the schema, and only what is whole is read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from report_sample import make_evidence

from audit_pipeline.errors import InputError
from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.report.evidence_file import evidence_schema, load_evidence

PUBLISHED = Path(__file__).parents[3] / "reports" / "evidence.schema.json"


def refusal(tmp_path: Path, content: bytes) -> InputError:
    path = tmp_path / "evidence.json"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        load_evidence(path)
    assert caught.value.where == str(path)
    assert caught.value.hint
    return caught.value


def changed(**updates: Any) -> bytes:
    document = json.loads(make_evidence().canonical())
    return json.dumps(document | updates).encode()


def test_the_published_schema_is_the_one_in_the_code() -> None:
    assert json.loads(PUBLISHED.read_text()) == evidence_schema()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(evidence_schema())


def test_what_is_written_satisfies_the_schema(sample_evidence: Evidence) -> None:
    Draft202012Validator(evidence_schema()).validate(json.loads(sample_evidence.canonical()))


def test_what_is_written_is_read_back(sample_evidence: Evidence, tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(sample_evidence.canonical())
    assert load_evidence(path) == sample_evidence
    assert load_evidence(path).canonical() == path.read_bytes()


def test_a_seal_survives_the_way_there_and_back(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_bytes(make_evidence(Outcome.PASS).canonical())
    assert load_evidence(path).seal is not None


@pytest.mark.parametrize("where", ["nothing.json", "."])
def test_no_file_is_named_as_the_problem(tmp_path: Path, where: str) -> None:
    with pytest.raises(InputError) as caught:
        load_evidence(tmp_path / where)
    assert caught.value.code == "evidence.missing"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"a": NaN}',
        b'{"a": 1, "a": 2}',
        b'{"a": 1e999}',
        b'{"a": 1' + b"0" * 400 + b"}",
        b"[" * 100_000,
        make_evidence().canonical()[:-40],
    ],
    ids=["empty", "cut", "not text", "nan", "double key", "infinite", "huge", "deep", "truncated"],
)
def test_what_is_not_json_is_corrupt(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content).code == "evidence.corrupt"


@pytest.mark.parametrize(
    "content", [b"[]", b"null", b"7", b"{}", b'{"schema_version": "1"}', b'{"schema_version": true}']
)
def test_other_json_is_not_evidence(tmp_path: Path, content: bytes) -> None:
    assert refusal(tmp_path, content).code == "evidence.foreign"


def test_a_later_version_is_named(tmp_path: Path) -> None:
    error = refusal(tmp_path, changed(schema_version=2))
    assert error.code == "evidence.newer"
    assert "version 2" in error.what


@pytest.mark.parametrize(
    ("updates", "key"),
    [
        ({"extra": 1}, "extra"),
        ({"groups": "none"}, "groups"),
        ({"verdict": {"outcome": "MAYBE", "reasons": [], "counts": {}}}, "verdict.outcome"),
        ({"run": {"id": 7}}, "run.id"),
        ({"schema_version": 0}, "schema_version"),
    ],
)
def test_a_wrong_key_is_named(tmp_path: Path, updates: dict[str, Any], key: str) -> None:
    error = refusal(tmp_path, changed(**updates))
    assert error.code == "evidence.invalid"
    assert key in error.what


def test_numbers_are_not_read_from_strings(tmp_path: Path) -> None:
    document = json.loads(make_evidence().canonical())
    document["footprint"]["flash_bytes"] = "27720"
    assert refusal(tmp_path, json.dumps(document).encode()).code == "evidence.invalid"


def test_errors_do_not_repeat_what_the_file_holds(tmp_path: Path) -> None:
    assert "hunter2" not in str(refusal(tmp_path, changed(run={"id": ["hunter2"]})))
