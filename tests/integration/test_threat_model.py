"""What the threat model promises stands in the program, and the tests that show it exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCUMENTS = ("docs/threat-model.md", "signing/README.md")
STAGES = (
    "approval|attestation|gate|image|keys|model|policy|proof|redaction|release|seal|signer|trail|trust|verdict|"
    "waiver|witness"
)


def python_text(folder: str) -> str:
    return "\n".join(path.read_text() for path in sorted((ROOT / folder).rglob("*.py")))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_error_code_that_is_promised_is_one(name: str) -> None:
    program = python_text("audit_pipeline")
    codes = set(re.findall(rf"`((?:{STAGES})\.[a-z0-9]+(?:-[a-z0-9]+)*)`", (ROOT / name).read_text()))
    codes = {code for code in codes if not code.endswith((".sig", ".tflite", ".yaml", ".dsse"))}
    assert len(codes) > 5
    assert [code for code in sorted(codes) if not stands_in(code, program)] == []


def stands_in(code: str, program: str) -> bool:
    # Where a stage puts the prefix before the rest, the rest stands there alone, or the whole in a docstring.
    return any(text in program for text in (f'"{code}"', f'"{code.split(".")[1]}"', f"`{code}`"))


def test_every_test_that_is_named_exists() -> None:
    document = (ROOT / "docs/threat-model.md").read_text()
    tests = python_text("tests")
    named = set(re.findall(r"`(test_[a-z0-9_]+)`", document))
    assert len(named) > 15
    assert [name for name in sorted(named) if f"def {name}(" not in tests] == []
    for path in re.findall(r"`(tests/[a-z0-9_/]+\.py)`", document):
        assert (ROOT / path).is_file(), path
