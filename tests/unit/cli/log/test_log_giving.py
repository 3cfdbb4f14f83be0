"""`audit log prove`, `check-proof`, `export` and `witness`: what others are given, and where the trail is."""

from __future__ import annotations

from pathlib import Path

import pytest
from log_world import RUN, Audit, add, doctor, parsed

from audit_pipeline.cli.trail_place import place
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_key import make_log_key
from audit_pipeline.trail.place import KEY_VARIABLE, Place
from audit_pipeline.trail.witness.server import WitnessServer
from audit_pipeline.trail.witness.witness_key import make_witness_key


def test_a_proof_is_checked_with_nothing_but_a_key(at: Path, audit: Audit, tmp_path: Path) -> None:
    code, out, _ = audit("prove", "first", "--out", "first.tlog-proof")
    assert code == 0 and "entry 1 of run first" in out
    vkey = (at / "log.vkey").read_text().strip()
    for name in [path.name for path in at.iterdir() if path.name.startswith("audit.db")]:
        Path(name).unlink()
    result = parsed(audit, "check-proof", "first.tlog-proof", "--log-key", vkey)
    assert (result["holds"], result["index"], result["entry"]["body"]) == (True, 1, {"outcome": "FAIL"})
    assert Path("first.tlog-proof").read_text().startswith("c2sp.org/tlog-proof@v1\n")


def test_a_run_is_proven_by_its_seal_then_its_verdict_then_its_last_entry(at: Path, audit: Audit) -> None:
    assert parsed(audit, "prove", RUN, "--out", "p")["index"] == 3
    with Trail.open("audit.db") as trail:
        trail.append("seal", RUN, "2026-05-06T00:00:00Z", {"version": "1"})
        trail.append("incident", RUN, "2026-05-06T00:00:00Z", {})
        trail.append("policy", "begun", "2026-05-06T00:00:00Z", {})
    assert parsed(audit, "prove", RUN, "--out", "p")["index"] == 5
    assert parsed(audit, "prove", "begun", "--out", "p")["index"] == 7


def test_a_proof_that_was_altered_or_is_another_logs_does_not_hold(at: Path, audit: Audit) -> None:
    audit("prove", "1", "--out", "p")
    whole = Path("p").read_bytes()
    for changed in (whole.replace(b"index 1", b"index 2"), b"", whole[:-5], whole.replace(b"extra ", b"extra AAAA")):
        Path("p").write_bytes(changed)
        assert audit("check-proof", "p", "--log-key", "log.vkey")[0] == 1
    Path("p").write_bytes(whole)
    key = make_log_key(at / "other.key").key.to_vkey()
    assert parsed(audit, "check-proof", "p", "--log-key", key, code=1) == "checkpoint.unsigned"


def test_a_proof_without_its_entry_is_checked_with_the_entrys_bytes(at: Path, audit: Audit) -> None:
    audit("prove", "1", "--out", "p")
    with Trail.open("audit.db", create=False) as trail:
        Path("entry.json").write_bytes(trail.entry(1).canonical)
        Path("other.json").write_bytes(trail.entry(2).canonical)
    lines = Path("p").read_text().split("\n")
    Path("p").write_text("\n".join(line for line in lines if not line.startswith("extra ")))
    assert parsed(audit, "check-proof", "p", "--log-key", "log.vkey", code=1) == "proof.no-entry"
    assert parsed(audit, "check-proof", "p", "--log-key", "log.vkey", "--entry", "entry.json")["holds"]
    assert audit("check-proof", "p", "--log-key", "log.vkey", "--entry", "other.json")[0] == 1


def test_a_proof_is_never_given_out_of_a_tree_that_was_changed(at: Path, audit: Audit) -> None:
    doctor("""UPDATE entry SET nodes = replace(nodes, substr(nodes, 1, 8), '00000000')""")
    assert parsed(audit, "prove", "1", "--out", "p", code=1) == "proof.inclusion"
    assert not Path("p").exists()


def test_a_proof_goes_nowhere_that_is_not_there(at: Path, audit: Audit) -> None:
    assert parsed(audit, "prove", "1", "--out", "absent/p", code=2) == "output.no-place"
    assert parsed(audit, "check-proof", "absent", "--log-key", "log.vkey", code=2) == "log.unreadable"


def test_a_witness_is_asked_and_its_cosignature_stays_with_the_log(
    at: Path, audit: Audit, witness: tuple[str, str]
) -> None:
    url, vkey = witness
    assert parsed(audit, "verify", "--witness", vkey, code=1) == "witness.missing"
    result = parsed(audit, "witness", "ask", url, "--witness", vkey)
    assert (result["size"], result["names"], result["checked"]) == (5, ["example.com/w1"], True)
    assert parsed(audit, "verify", "--witness", vkey)["cosigned_by"] == [vkey]
    audit("prove", "1", "--out", "p", "--witness", vkey)
    proof = ("check-proof", "p", "--log-key", "log.vkey", "--witness", vkey)
    assert parsed(audit, *proof)["cosigned_by"] == ["example.com/w1"]


def test_entries_after_the_cosigned_checkpoint_are_counted(at: Path, audit: Audit, witness: tuple[str, str]) -> None:
    url, vkey = witness
    audit("witness", "ask", url)
    add("audit.db")
    result = parsed(audit, "verify", "--witness", vkey)
    assert (result["signed_size"], result["size"]) == (5, 6)
    assert "1 entry came after it" in audit("verify", "--witness", vkey)[1]


def test_a_cosignature_that_nobody_checked_is_said_to_be(at: Path, audit: Audit, witness: tuple[str, str]) -> None:
    code, _, err = audit("witness", "ask", witness[0])
    assert code == 0 and "nobody checked" in err


def test_a_witness_that_is_down_or_another_leaves_the_log_as_it_was(
    at: Path, audit: Audit, witness: tuple[str, str]
) -> None:
    other = make_witness_key(at / "w2.key", "example.com/w2").key.to_vkey()
    with Trail.open("audit.db", create=False) as trail:
        before = trail.checkpoint()
    assert parsed(audit, "witness", "ask", witness[0], "--witness", other, code=1) == "witness.cosignature"
    assert parsed(audit, "witness", "ask", "http://127.0.0.1:9", code=4) == "witness.down"
    assert parsed(audit, "witness", "ask", "127.0.0.1:9", code=2) == "witness.url"
    with Trail.open("audit.db", create=False) as trail:
        assert trail.checkpoint() == before


def test_a_witnesss_key_is_made_once(at: Path, audit: Audit) -> None:
    code, out, _ = audit("witness", "new", "w.key", "--name", "example.com/w1")
    assert code == 0 and out.startswith("example.com/w1+")
    assert Path("w.key").stat().st_mode & 0o777 == 0o600
    assert parsed(audit, "witness", "new", "w.key", "--name", "example.com/w1", code=2) == "witness.key-exists"
    assert parsed(audit, "witness", "new", "w3.key", "--name", "a b", code=2) == "witness.name"
    assert parsed(audit, "witness", "new", "absent/w.key", "--name", "w", code=2) == "output.no-place"


def test_a_name_is_printed_as_it_is(at: Path, audit: Audit) -> None:
    assert audit("witness", "new", "w.key", "--name", "example.com/[red]w1[/]")[1].startswith("example.com/[red]w1[/]+")


def test_a_witness_serves_until_it_is_stopped(at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    def stopped(self: WitnessServer, poll_interval: float = 0.5) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(WitnessServer, "serve_forever", stopped)
    audit("witness", "new", "w.key", "--name", "example.com/w1")
    serve = ("witness", "serve", "--key", "w.key", "--state", "s", "--listen", "127.0.0.1:0", "--log")
    code, out, _ = audit(*serve, "log.vkey")
    assert code == 0 and "at http://127.0.0.1:" in out
    assert parsed(audit, *serve, parsed(audit, *serve, "log.vkey")["vkey"], code=2) == "witness.log"


def test_an_export_is_told_with_the_key_that_goes_another_way(at: Path, audit: Audit) -> None:
    code, out, _ = audit("export", "out")
    assert code == 0
    assert (at / "log.vkey").read_text().strip() in out
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "CHECK.md",
        "check.py",
        "checkpoint.txt",
        "entries.jsonl",
    ]
    assert parsed(audit, "export", "out.tar")["size"] == 5
    assert parsed(audit, "export", "out", code=2) == "export.exists"
    assert parsed(audit, "export", "out.zip", code=2) == "export.form"


@pytest.mark.parametrize(
    "arguments",
    [
        ("list",),
        ("show",),
        ("show", "first"),
        ("verify",),
        ("prove", "1", "--out", "p"),
        ("consistency", "c.txt"),
        ("anchor", "a.txt"),
        ("export", "out"),
        ("witness", "ask", "http://127.0.0.1:9"),
    ],
)
def test_every_command_says_where_no_trail_is_and_leaves_nothing(
    arguments: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, audit: Audit
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.txt").write_text("")
    assert parsed(audit, *arguments, code=2) == "trail.absent"
    assert [path.name for path in tmp_path.iterdir()] == ["c.txt"]


def test_the_logs_key_is_taken_from_the_environment(at: Path, audit: Audit, monkeypatch: pytest.MonkeyPatch) -> None:
    key = at / "kept" / "log.key"
    key.parent.mkdir()
    for suffix in ("", ".checkpoint"):
        Path(f"audit.db.key{suffix}").rename(f"{key}{suffix}")
    assert audit("verify")[0] == 0
    monkeypatch.setenv(KEY_VARIABLE, str(key))
    add(place("audit.db"))
    assert parsed(audit, "verify")["signed_size"] == 6
    assert place("x.db") == Place("x.db", key)
    monkeypatch.setenv(KEY_VARIABLE, "")
    assert place("x.db") == Place("x.db")


def test_no_message_shows_the_password_of_an_address() -> None:
    for url in ("postgresql://u:s3cret@host/db", "postgresql://u:s3@cret@h/db", "postgresql://h/db?password=s3cret"):
        assert "s3" not in str(Place(url))
    assert str(Place("dir/audit?.db")) == "dir/audit?.db"
