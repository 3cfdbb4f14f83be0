"""`audit log verify`, `consistency` and `anchor`: the log held against what its keeper does not hold."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from log_world import Audit, add, doctor, parsed

from audit_pipeline.cli.main import main
from audit_pipeline.seal.keys.load import new_key
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_key import make_log_key
from audit_pipeline.trail.place import KEY_VARIABLE


def test_verify_says_what_was_checked_and_what_was_not(at: Path, audit: Audit) -> None:
    code, out, _ = audit("verify")
    vkey = (at / "log.vkey").read_text().strip()
    assert code == 0
    assert "5 entries, every hash recomputed and equal" in out
    assert f"checkpoint of 5 entries signed by {vkey}" in out
    assert "could have rewritten" in out


def test_verify_holds_the_log_against_a_key_and_a_checkpoint_from_elsewhere(at: Path, audit: Audit) -> None:
    result = parsed(audit, "verify", "--checkpoint", "old.txt", "--log-key", "log.vkey")
    assert (result["pinned_size"], result["signed_size"], result["size"]) == (2, 5, 5)
    assert {check["state"] for check in result["checks"]} == {"passed"}


def test_verify_refuses_another_logs_key_and_another_logs_checkpoint(at: Path, audit: Audit) -> None:
    add("other.db")
    with Trail.open("other.db") as other:
        identity, note = other.log(), other.checkpoint()
    assert identity is not None and note is not None
    (at / "other.txt").write_bytes(note)
    assert parsed(audit, "verify", "--log-key", identity.vkey, code=1) == "trail.other-log"
    assert parsed(audit, "verify", "--checkpoint", "other.txt", code=1) == "checkpoint.unsigned"


def test_verify_names_the_entry_that_was_changed(at: Path, audit: Audit) -> None:
    doctor("""UPDATE entry SET canonical = replace(canonical, 'FAIL', 'PASS') WHERE "index" = 1""")
    code, out, err = audit("verify")
    assert (code, out) == (1, "") and "entry 1 was changed" in err


def test_verify_refuses_a_log_that_was_rewritten_with_its_own_key(at: Path, audit: Audit) -> None:
    for suffix in ("", ".key.checkpoint", "-wal", "-shm"):
        Path(f"audit.db{suffix}").unlink(missing_ok=True)
    for number in range(5):
        add("audit.db", f"forged-{number}")
    assert audit("verify")[0] == 0
    assert parsed(audit, "verify", "--checkpoint", "old.txt", code=1) == "trail.rewritten"
    assert parsed(audit, "consistency", "old.txt", code=1) == "proof.consistency"
    before = Path("old.txt").read_bytes()
    assert parsed(audit, "anchor", "old.txt", code=1) == "trail.rewritten"
    assert Path("old.txt").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--witnesses", "1"), "log.witnesses"),
        (("--log-key", "absent.vkey"), "log.unreadable"),
        (("--log-key", "old.txt"), "note.vkey"),
        (("--witness", "log.vkey"), "witness.key"),
        (("--checkpoint", "."), "log.unreadable"),
        (("--checkpoint", "absent.txt"), "log.unreadable"),
        (("--log-key", "name+00000000+AAAA"), "note.vkey"),
    ],
)
def test_verify_refuses_options_that_cannot_be_used(
    arguments: tuple[str, ...], error: str, at: Path, audit: Audit
) -> None:
    assert parsed(audit, "verify", *arguments, code=2) == error


def test_a_trail_from_before_there_were_keys_verifies_and_says_that_nothing_is_signed(at: Path, audit: Audit) -> None:
    doctor("DELETE FROM checkpoint", "DELETE FROM log")
    code, out, _ = audit("verify")
    assert code == 0 and "no checkpoint was signed yet" in out
    assert "none yet" in audit("show")[1]
    for arguments in (("--log-key", "log.vkey"), ("--checkpoint", "old.txt")):
        assert parsed(audit, "verify", *arguments, code=1) == "trail.unsigned"
    assert parsed(audit, "prove", "1", "--out", "p", code=1) == "trail.unsigned"
    assert parsed(audit, "anchor", "a.txt", code=1) == "trail.unsigned"
    assert parsed(audit, "export", "out", code=1) == "trail.unsigned"
    assert not Path("p").exists() and not Path("a.txt").exists() and not Path("out").exists()


def test_consistency_proves_that_the_log_only_grew(at: Path, audit: Audit) -> None:
    result = parsed(audit, "consistency", "old.txt", "--log-key", "log.vkey")
    assert (result["old"]["size"], result["new"]["size"], result["holds"]) == (2, 5, True)
    code, out, _ = audit("consistency", "old.txt")
    assert code == 0 and "5 entries extends the checkpoint of 2" in out


def test_an_older_database_does_not_extend_a_newer_checkpoint(at: Path, audit: Audit) -> None:
    shutil.copy("audit.db", "older.db")
    add("audit.db")
    assert audit("anchor", "new.txt")[0] == 0
    assert parsed(audit, "consistency", "new.txt", "--trail", "older.db", code=1) == "trail.rolled-back"
    assert parsed(audit, "anchor", "new.txt", "--trail", "older.db", code=1) == "trail.rewritten"
    assert parsed(audit, "verify", "--checkpoint", "new.txt", "--trail", "older.db", code=1) == "trail.rewritten"


def test_an_anchor_moves_forward_only(at: Path, audit: Audit) -> None:
    assert parsed(audit, "anchor", "a.txt")["before_size"] is None
    first = Path("a.txt").read_bytes()
    assert parsed(audit, "anchor", "a.txt")["before_size"] == 5
    assert Path("a.txt").read_bytes() == first
    add("audit.db")
    assert "moved on from one of 5" in audit("anchor", "a.txt")[1]
    with Trail.open("audit.db", create=False) as trail:
        assert Path("a.txt").read_bytes() == trail.checkpoint()


def test_an_anchor_never_replaces_what_is_no_checkpoint_of_this_log(at: Path, audit: Audit) -> None:
    Path("notes.md").write_text("# Notes\n")
    assert parsed(audit, "anchor", "notes.md", code=1) == "note.malformed"
    assert "next: a checkpoint's file is written by `audit log anchor`" in audit("anchor", "notes.md")[2]
    assert Path("notes.md").read_text() == "# Notes\n"
    assert parsed(audit, "anchor", "absent/a.txt", code=2) == "output.no-place"


# what the log's key remembers


def test_an_older_copy_in_the_newest_ones_place_is_known_by_what_the_key_remembers(at: Path, audit: Audit) -> None:
    shutil.copy("audit.db", "older.db")
    add("audit.db")
    assert parsed(audit, "verify")["remembered_size"] == 6
    for suffix in ("-wal", "-shm"):
        Path(f"audit.db{suffix}").unlink(missing_ok=True)
    shutil.copy("older.db", "audit.db")
    assert parsed(audit, "verify", code=1) == "trail.rewritten"
    assert parsed(audit, "anchor", "a.txt", code=1) == "trail.rewritten"


def test_a_copy_without_the_key_verifies_without_what_it_remembers(at: Path, audit: Audit) -> None:
    shutil.copy("audit.db", "copy.db")
    assert parsed(audit, "verify", "--trail", "copy.db")["remembered_size"] is None


def test_the_memory_of_another_logs_key_beside_a_log_is_refused_and_elsewhere_says_nothing(
    at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch
) -> None:
    add("other.db")
    monkeypatch.setenv(KEY_VARIABLE, "other.db.key")
    assert parsed(audit, "verify")["remembered_size"] is None
    monkeypatch.delenv(KEY_VARIABLE)
    shutil.copy("other.db.key.checkpoint", "audit.db.key.checkpoint")
    assert parsed(audit, "verify", code=1) == "trail.memory"


# a trust file


def test_a_trust_file_says_whose_log_it_must_be(at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    trust = trust_file(monkeypatch, Path("log.vkey").read_text().strip())
    result = parsed(audit, "verify", *trust)
    assert {"state": "passed", "what": "the key is the one that was given"} in result["checks"]
    other = trust_file(monkeypatch, make_log_key(at / "other.key").key.to_vkey(), name="other")
    assert parsed(audit, "verify", *other, code=1) == "trail.other-log"


def trust_file(monkeypatch: pytest.MonkeyPatch, vkey: str, name: str = "wearable") -> tuple[str, ...]:
    """A trust file that names a log, as options."""
    monkeypatch.setenv("AUDIT_PASSPHRASE", "secret")
    for key in ("root", "release"):
        if not Path(f"{key}.pub.pem").exists():
            new_key("ed25519", Path(key), b"secret", log2_n=14)
    made = ("--image", "release.pub.pem", "--verdict", "release.pub.pem", "--release", "release.pub.pem")
    init = ("keys", "trust", "init", f"{name}.yaml", "--name", name, "--expires", "2099-01-01T00:00:00Z")
    trail = ("--trail", "keys.db")
    for command in (
        (*init, "--root", "root.pub.pem", *made, "--log-key", vkey, *trail),
        ("keys", "trust", "sign", f"{name}.yaml", "--key", "root.key.pem", *trail),
    ):
        with pytest.raises(SystemExit) as caught:
            main(list(command))
        assert caught.value.code == 0
    return "--trust", f"{name}.yaml", "--root", "root.pub.pem"
