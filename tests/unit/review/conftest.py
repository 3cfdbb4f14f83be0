from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from review_samples import NOW, PASSPHRASE, Ward, make_ward

from audit_pipeline.cli import approve, incident, revoke, waive
from audit_pipeline.cli.main import main
from audit_pipeline.trail.log import Trail


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Ward:
    return make_ward(tmp_path_factory.mktemp("ward"))


@pytest.fixture
def ward(made: Ward, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_clock: Callable[[str], None]) -> Ward:
    """A release and a refusal that nobody has decided about yet."""
    folder = tmp_path / "ward"
    shutil.copytree(made.folder, folder)
    monkeypatch.setenv("AUDIT_PASSPHRASE", PASSPHRASE.decode())
    set_clock(NOW)
    return Ward(folder)


@pytest.fixture
def set_clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    def to(now: str) -> None:
        for module in (approve, waive, incident, revoke):
            monkeypatch.setattr(module, "now", lambda: now)

    return to


class Audit:
    """The command, in this process, with the ward's trail."""

    def __init__(self, ward: Ward, capsys: pytest.CaptureFixture[str]) -> None:
        self.ward, self._capsys = ward, capsys

    def text(self, *arguments: str, code: int = 0) -> str:
        trail = () if "--trail" in arguments else ("--trail", str(self.ward.trail))
        with pytest.raises(SystemExit) as caught:
            main([*arguments, *trail])
        streams = self._capsys.readouterr()
        assert caught.value.code == code, streams.out + streams.err
        assert "Traceback" not in streams.err
        return streams.out + ("" if "--json" in arguments else streams.err)

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(*arguments, "--json", code=code))
        return found

    def error(self, *arguments: str, code: int = 2) -> str:
        return str(self.json(*arguments, code=code)["error"]["code"])

    def size(self) -> int:
        with Trail.open(self.ward.trail, create=False) as trail:
            return trail.head().size


@pytest.fixture
def audit(ward: Ward, capsys: pytest.CaptureFixture[str]) -> Audit:
    return Audit(ward, capsys)
