"""What scripts rely on: exit codes, the two streams, and JSON wherever it is asked for."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from audit_pipeline.cli.boundary import run_guarded, stop_like_the_keyboard
from audit_pipeline.cli.console import printable
from audit_pipeline.cli.main import app, main


def run(*arguments: str) -> int:
    with pytest.raises(SystemExit) as caught:
        main(list(arguments))
    assert isinstance(caught.value.code, int)
    return caught.value.code


def commands(group: object, prefix: tuple[str, ...] = ()) -> list[tuple[tuple[str, ...], object]]:
    found = []
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        if hasattr(command, "commands"):
            found += commands(command, (*prefix, name))
        else:
            found.append(((*prefix, name), command))
    return found


def test_every_command_is_there() -> None:
    names = {" ".join(name) for name, _ in commands(typer.main.get_command(app))}
    assert names == {
        "ship",
        "evaluate",
        "compress",
        "privacy",
        "canaries plant",
        "gate",
        "diff",
        "verify",
        "inspect",
        "approve",
        "waive",
        "incident",
        "revoke",
        "release",
        "keys new",
        "keys fingerprint",
        "keys export",
        "keys list",
        "keys rotate",
        "keys revoke",
        "keys trust init",
        "keys trust sign",
        "keys trust renew",
        "log list",
        "log show",
        "log prove",
        "log check-proof",
        "log consistency",
        "log anchor",
        "log redact",
        "log clock",
        "log witness new",
        "log witness serve",
        "log witness ask",
        "log export",
        "log verify",
        "report",
        "schema",
        "demo",
        "init",
    }


def test_every_command_takes_json() -> None:
    for name, command in commands(typer.main.get_command(app)):
        options = {option for parameter in command.params for option in parameter.opts}  # type: ignore[attr-defined]
        assert "--json" in options, name


def test_a_trust_file_is_offered_instead_of_a_key_only_where_a_key_can_be_given() -> None:
    for name, command in commands(typer.main.get_command(app)):
        helps = {option: each.help for each in command.params for option in each.opts if hasattr(each, "help")}  # type: ignore[attr-defined]
        if "instead" in (helps.get("--trust") or ""):
            assert {"--signer", "--log-key"} & set(helps), name


@pytest.mark.parametrize("arguments", [["log", "verify", "--root", "root.pub.pem"], ["release", ".", "-p", "p.yaml"]])
def test_nobody_is_sent_to_an_option_that_the_command_has_not(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "evidence.json").touch()
    assert run(*arguments) == 2
    told = capsys.readouterr().err
    assert "trust.choose" in told and "--signer" not in told


@pytest.mark.parametrize(
    ("arguments", "command"),
    [
        (["nonsense"], "audit"),
        (["gate"], "audit gate"),
        (["log", "verify", "--checkpont", "x"], "audit log verify"),
        (["keys", "trust", "sing"], "audit keys trust"),
    ],
)
def test_who_mistypes_is_sent_to_the_help_of_that_command(
    arguments: list[str], command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*arguments) == 2
    assert f"see `{command} --help`" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["ship"],
        ["ship", "model.h5", "--polcy", "fair.yaml"],
        ["schema", "nonsense"],
        ["ship", "no-model.h5", "--policy", "no-policy.yaml"],
        ["gate", "no-run", "--signer", "no-key.pem"],
        ["diff", "no-run", "no-run"],
        ["verify", "no-image.bin", "--signer", "no-key.pem"],
        ["inspect", "no-file"],
        ["report", "no-run"],
        ["approve", "no-run", "--role", "quality", "--reason", "read it", "--key", "no-key.pem"],
        ["waive", "no-run"],
        ["incident", "no-run", "--kind", "false-alarm", "--group", "overall", "--reason", "rang"],
        ["revoke", "no-run", "--reason", "burns", "--key", "no-key.pem"],
        ["log", "--trail", "no-trail.db"],
        ["log", "verify", "--trail", "no-trail.db"],
        ["keys", "fingerprint", "no-key.pem"],
        ["keys", "list"],
        ["keys", "revoke", "release", "--reason", "stolen"],
        ["keys", "trust", "sign", "no-trust.yaml", "--key", "no-key.pem"],
    ],
)
def test_bad_arguments_exit_2_and_say_why_on_stderr(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(*arguments) == 2
    streams = capsys.readouterr()
    assert streams.out == ""
    assert streams.err.startswith("error: ")
    assert "Traceback" not in streams.err
    assert list(tmp_path.iterdir()) == []


def test_an_error_is_json_where_json_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments in (["log", "--trail", "none.db", "--json"], ["ship", "--json"]):
        assert run(*arguments) == 2
        streams = capsys.readouterr()
        assert json.loads(streams.out)["error"]["exit_code"] == 2
        assert streams.err == ""


def test_a_defect_exits_4_and_keeps_its_traceback_off_the_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("audit_pipeline.report.evidence_file.load_evidence", lambda _: 1 / 0)
    assert run("report", str(tmp_path)) == 4
    streams = capsys.readouterr()
    assert "Traceback" not in streams.out + streams.err
    assert "ZeroDivisionError" in next(tmp_path.glob("audit-*.traceback")).read_text()


@pytest.mark.parametrize("command", ["inspect", "gate", "report", "init", "compress"])
def test_an_impossible_path_is_the_users_error(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    more = {"gate": ["--signer", "key.pem"], "compress": ["--random-calibration"]}.get(command, [])
    assert run(command, "x" * 5000, *more) == 2
    assert "defect" not in capsys.readouterr().err


def test_a_result_nobody_could_read_is_not_a_pass(tmp_path: Path) -> None:
    for where in (["sh", "-c", 'exec "$@" >/dev/full', "sh"], ["sh", "-c", 'exec "$@" --json >/dev/full', "sh"]):
        done = subprocess.run(
            [*where, sys.executable, "-m", "audit_pipeline", "schema", "boards"], capture_output=True, check=False
        )
        assert done.returncode == 4
        assert b"Traceback" not in done.stderr


def test_being_stopped_by_the_keyboard_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def stopped(_: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("audit_pipeline.report.evidence_file.load_evidence", stopped)
    assert run("report", str(tmp_path), "--json") == 4
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


def test_being_stopped_by_ci_is_told_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    before = signal.getsignal(signal.SIGTERM)
    try:
        stop_like_the_keyboard()
        assert run_guarded(lambda: signal.raise_signal(signal.SIGTERM), as_json=True) == 4
    finally:
        signal.signal(signal.SIGTERM, before)
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "interrupted"


def test_no_message_steers_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("inspect", "no\x1b]0;owned\x07\x9b31m.h5") == 2
    assert not set(capsys.readouterr().err) & {"\x1b", "\x07", "\x9b"}


@pytest.mark.parametrize("control", ["\x1b", "\r", "\x9b", "\u202e", "\u2066", "\u200f", "\u2028"])
def test_no_text_is_shown_in_another_order_than_it_has(control: str) -> None:
    assert printable(f"run {control}SSAP") == "run \N{REPLACEMENT CHARACTER}SSAP"
    assert printable("one\ttwo\nüber") == "one\ttwo\nüber"


def test_help_answers_without_loading_the_pipeline() -> None:
    program = (
        "import sys\n"
        "from audit_pipeline.cli.main import main\n"
        "try: main(['--help'])\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'numpy', 'pydantic', 'pandas', 'sqlalchemy', 'cryptography'} & set(sys.modules)\n"
        "    assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Exit codes" in done.stdout


def test_no_colour_where_there_is_no_terminal() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "audit_pipeline", "ship", "m.h5", "-p", "p.yaml"], capture_output=True, check=False
    )
    assert done.returncode == 2
    assert b"\x1b[" not in done.stderr + done.stdout
