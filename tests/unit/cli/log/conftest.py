"""A folder with a trail in it, a hand that types `audit log`, and a witness."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from log_world import ENTRIES

from audit_pipeline.cli.main import main
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import KEY_VARIABLE
from audit_pipeline.trail.witness.cosigner import Cosigner
from audit_pipeline.trail.witness.server import WitnessServer
from audit_pipeline.trail.witness.state import WitnessState
from audit_pipeline.trail.witness.witness_key import make_witness_key


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    with Trail.open(folder / "audit.db") as trail:
        for kind, run, at, body in ENTRIES:
            trail.append(kind, run, at, body)  # type: ignore[arg-type]
            if kind == "verdict" and run == "first":
                (folder / "old.txt").write_bytes(trail.checkpoint() or b"")
        identity = trail.log()
        assert identity is not None
        (folder / "log.vkey").write_text(f"{identity.vkey}\n")
    return folder


@pytest.fixture
def at(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the trail in it, to work in."""
    work = Path(shutil.copytree(made, tmp_path / "work"))
    monkeypatch.chdir(work)
    monkeypatch.delenv(KEY_VARIABLE, raising=False)
    return work


@pytest.fixture
def audit(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Type `audit log …`: exit code and both streams."""

    def ask(*arguments: str) -> tuple[int, str, str]:
        capsys.readouterr()
        with pytest.raises(SystemExit) as caught:
            main(["log", *arguments])
        assert isinstance(caught.value.code, int)
        streams = capsys.readouterr()
        return caught.value.code, streams.out, streams.err

    return ask


@pytest.fixture
def witness(at: Path) -> Iterator[tuple[str, str]]:
    """A running witness of the log: its address and its key."""
    signer = make_witness_key(at / "w.key", "example.com/w1")
    with Trail.open("audit.db", create=False) as trail:
        identity = trail.log()
    assert identity is not None
    with WitnessState.open(at / "state", signer.key) as state:
        cosigner = Cosigner(signer, [identity.key()], state, lambda: 1_780_000_000)
        server = WitnessServer(("127.0.0.1", 0), cosigner, lambda line: None)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}", signer.key.to_vkey()
        finally:
            server.shutdown()
            thread.join()
            server.server_close()
