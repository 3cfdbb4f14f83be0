"""`audit log redact` and `clock`: a text is gone from the files and its reason stays; a clock that was ahead."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from log_world import Audit, add, parsed

from audit_pipeline.cli import log_redact
from audit_pipeline.seal.keys.load import new_key
from audit_pipeline.trail.log import Trail

SECRET = "Ada Lovelace, ward 7"
NOW = "2026-05-07T00:00:00Z"


@pytest.fixture
def key(log_keys: Path, log_at: Path) -> str:
    """A reviewer's key, in the folder with the trail."""
    for path in log_keys.iterdir():
        (log_at / path.name).write_bytes(path.read_bytes())
        (log_at / path.name).chmod(0o600)
    return "reviewer.key.pem"


@pytest.fixture(scope="session")
def log_keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("reviewer")
    new_key("ed25519", folder / "reviewer", b"secret", log2_n=14)
    return folder


@pytest.fixture
def log_at(at: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the trail, with an entry that holds what it should not."""
    monkeypatch.setenv("AUDIT_PASSPHRASE", "secret")
    monkeypatch.setattr(log_redact, "now", lambda: NOW)
    with Trail.open("audit.db") as trail:
        trail.append("incident", "first", "2026-05-06T00:00:00Z", {"kind": "missed-alarm", "reason": SECRET})
    return at


def bytes_beside(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name.startswith("audit.db"))


def redacted(audit: Audit, *arguments: str) -> dict[str, object]:
    """The result of `redact`, which says on stderr what it is about to do."""
    code, out, err = audit("redact", *arguments, "--json")
    assert code == 0 and "goes for good" in err
    result: dict[str, object] = json.loads(out)
    return result


def test_a_text_is_taken_out_of_the_files_and_the_log_still_holds(log_at: Path, audit: Audit, key: str) -> None:
    assert audit("anchor", "before.txt")[0] == 0
    assert SECRET.encode() in bytes_beside(log_at)
    result = redacted(audit, "5", "--reason", "a name", "--key", key)
    assert (result["redacted"], result["entry"]) == (5, 6)
    assert SECRET.encode() not in bytes_beside(log_at)
    assert parsed(audit, "verify", "--checkpoint", "before.txt", "--log-key", "log.vkey")["size"] == 7
    assert "1 entry without text, each with a signed reason" in audit("verify")[1]


def test_what_was_taken_out_is_told_as_that(log_at: Path, audit: Audit, key: str) -> None:
    audit("redact", "5", "--reason", "a name", "--key", key)
    assert "incident: its text was taken out" in audit("list")[1]
    assert "text of entry 5 (incident of run first) taken out: a name" in " ".join(audit("show", "first")[1].split())
    assert "its text was taken out" in audit("show", "5")[1]
    entry = parsed(audit, "list", "--kind", "incident")["entries"][0]
    assert (entry["redacted"], entry["body"]) == (True, {})


def test_an_export_without_a_text_still_checks_itself(log_at: Path, audit: Audit, key: str) -> None:
    audit("redact", "5", "--reason", "a name", "--key", key)
    audit("export", "out")
    command = [sys.executable, "-I", "out/check.py", "--log-key", Path("log.vkey").read_text().strip()]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
    entries = Path("out/entries.jsonl").read_text()
    left = json.loads(entries.splitlines()[5])
    assert SECRET not in entries and left["kind"] == "incident" and "body" not in left and "salt" not in left


def test_an_export_under_a_checkpoint_from_before_a_text_was_taken_out_is_refused(
    log_at: Path, audit: Audit, key: str, witness: tuple[str, str]
) -> None:
    url, vkey = witness
    audit("witness", "ask", url)
    audit("redact", "5", "--reason", "a name", "--key", key)
    assert parsed(audit, "export", "out", "--witness", vkey, code=1) == "export.redacted-since"
    assert not Path("out").exists()
    audit("witness", "ask", url)
    assert parsed(audit, "export", "out", "--witness", vkey)["size"] == 7


def test_a_proof_of_an_entry_without_text_is_checked_by_who_still_has_it(log_at: Path, audit: Audit, key: str) -> None:
    with Trail.open("audit.db", create=False) as trail:
        Path("kept.json").write_bytes(trail.entry(5).canonical)
    audit("redact", "5", "--reason", "a name", "--key", key)
    assert "taken out" in audit("prove", "5", "--out", "p")[1]
    assert parsed(audit, "check-proof", "p", "--log-key", "log.vkey")["entry"]["redacted"]
    whole = parsed(audit, "check-proof", "p", "--log-key", "log.vkey", "--entry", "kept.json")
    assert whole["entry"]["body"]["reason"] == SECRET


def test_how_a_run_stands_names_what_has_no_text_any_more(log_at: Path, audit: Audit, key: str) -> None:
    with Trail.open("audit.db") as trail:
        trail.append("incident", "first", NOW, {"kind": "false-alarm", "group": "sex=male", "reason": "rang"})
        trail.append("revocation", "first", NOW, {"reason": SECRET})
    audit("redact", "5", "--reason", "a name", "--key", key)
    audit("redact", "7", "--reason", "a name", "--key", key)
    standing = parsed(audit, "show", "first")["standing"]
    assert standing["incidents"] == "false-alarm for sex=male by nobody; entry 5, its text was taken out"
    assert standing["outcome"] == "withdrawn: its text was taken out"
    assert audit("show", "99")[2].endswith("next: `audit log list` shows those that there are; the first is 0\n")


def test_what_may_not_be_taken_out_is_refused_before_a_passphrase(
    log_at: Path, audit: Audit, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    audit("redact", "5", "--reason", "a name", "--key", key)
    monkeypatch.delenv("AUDIT_PASSPHRASE")
    size = parsed(audit, "list")["size"]
    refused = ("5", "redaction.gone"), ("6", "redaction.kind"), ("1", "redaction.kind"), ("99", "trail.no-such-entry")
    for index, code in refused:
        assert parsed(audit, "redact", index, "--reason", "x", "--key", key, code=2) == code
    assert parsed(audit, "redact", "0", "--reason", "x", "--key", "absent.key.pem", code=2) == "keys.not-found"
    assert parsed(audit, "list")["size"] == size


def test_a_reason_of_two_lines_is_refused_and_nothing_is_taken_out(log_at: Path, audit: Audit, key: str) -> None:
    code, _, err = audit("redact", "5", "--reason", "one\ntwo", "--key", key)
    assert code == 2 and "redaction.reason" in err
    assert SECRET.encode() in bytes_beside(log_at)


def test_a_log_takes_entries_again_once_its_clock_is_set_back(log_at: Path, audit: Audit) -> None:
    add("audit.db", at="2027-05-06T00:00:00Z")
    with Trail.open("audit.db") as trail, pytest.raises(Exception, match="this clock says"):
        trail.append("verdict", "later", NOW, {})
    code, out, _ = audit("clock", "--reason", "it was a year ahead")
    assert code == 0 and "2026-05-07 00:00:00Z, not 2027-05-06 00:00:00Z" in out
    add("audit.db", at="2026-05-07T00:00:01Z")
    assert audit("verify")[0] == 0
    assert "clock set back from 2027-05-06T00:00:00Z: it was a year ahead" in " ".join(audit("list")[1].split())


def test_a_clock_that_is_right_is_not_corrected(log_at: Path, audit: Audit) -> None:
    assert parsed(audit, "clock", "--reason", "why not", code=2) == "clock.right"
    add("audit.db", at="2027-05-06T00:00:00Z")
    for reason in ("", " ", "one\ntwo", "x" * 5000):
        assert parsed(audit, "clock", "--reason", reason, code=2) == "clock.reason"
    Trail.open("empty.db").close()
    assert parsed(audit, "clock", "--reason", "r", "--trail", "empty.db", code=2) == "clock.right"
