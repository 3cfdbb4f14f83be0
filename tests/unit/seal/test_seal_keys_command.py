"""`audit keys new` and `fingerprint` at the command line."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from key_samples import PASSPHRASE

from audit_pipeline.cli.main import main
from audit_pipeline.seal.keys import load as keys


def audit(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(argument) for argument in arguments])
    return int(left.value.code or 0)


def passphrase_descriptor() -> str:
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE + b"\n")
    os.close(writing)
    return str(reading)


def test_a_new_pair_is_told_as_json_and_opens(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = ("keys", "new", tmp_path / "device", "--kind", "p256", "--json", "--passphrase-fd")
    assert audit(*command, passphrase_descriptor()) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["kind"] == "p256"
    keys.load_recipient(Path(told["private"]), PASSPHRASE)
    assert audit("keys", "fingerprint", told["public"]) == 0
    assert capsys.readouterr().out.split() == ["p256", told["fingerprint"]]
    assert audit(*command, passphrase_descriptor()) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "keys.exists"


def test_an_unknown_kind_is_a_usage_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit("keys", "new", tmp_path / "release", "--kind", "rsa") == 2
    assert "x25519" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


SLOW = """
import sys, time
from audit_pipeline.cli.main import main
from audit_pipeline.seal.keys import key_file

def slow(*arguments):
    print("writing", flush=True)
    time.sleep(30)
key_file._link = slow
main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_command_that_is_stopped_while_it_writes_leaves_nothing(tmp_path: Path, number: signal.Signals) -> None:
    command = [sys.executable, "-c", SLOW, "keys", "new", str(tmp_path / "release")]
    environment = {**os.environ, "AUDIT_PASSPHRASE": PASSPHRASE.decode()}
    streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=environment, text=True, **streams) as running:
        assert running.stdout is not None
        assert running.stdout.readline() == "writing\n"
        running.send_signal(number)
        _, told = running.communicate(timeout=20)
    assert running.returncode == (-9 if number == signal.SIGKILL else 4)
    assert ("interrupted" in told) == (number != signal.SIGKILL)
    assert PASSPHRASE.decode() not in told
    assert list(tmp_path.iterdir()) == []


def test_two_commands_for_one_name_make_one_pair(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "audit_pipeline", "keys", "new", str(tmp_path / "release")]
    environment = {**os.environ, "AUDIT_PASSPHRASE": PASSPHRASE.decode()}
    both = [subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL) for _ in range(2)]
    assert sorted(running.wait(timeout=60) for running in both) == [0, 2]
    opened = keys.load_signer(tmp_path / "release.key.pem", PASSPHRASE)
    assert keys.fingerprint(opened.public) == keys.fingerprint(keys.load_signer_public(tmp_path / "release.pub.pem"))
