"""A path that is no run's folder is told apart from one that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from audit_pipeline.errors import InputError
from audit_pipeline.gate.judge import require_run


@pytest.mark.parametrize(("name", "what"), [("", "no evidence.json"), ("mistyped", "no such folder")])
def test_what_is_wrong_with_the_path_is_said(tmp_path: Path, name: str, what: str) -> None:
    with pytest.raises(InputError, match=what) as caught:
        require_run(tmp_path / name)
    assert caught.value.code == "gate.not-a-run"
