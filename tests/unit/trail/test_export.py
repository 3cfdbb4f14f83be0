"""An export of the log: whole or not there, and checked by its own checker with a bare Python and nothing else."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tarfile
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit_pipeline.errors import AuditError, InputError, RejectedError, ToolError
from audit_pipeline.trail import bundle
from audit_pipeline.trail.checkpoint import sign_checkpoint
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.export import export
from audit_pipeline.trail.kind import KEPT_KINDS, Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.log_trust import LogTrust, Pinned
from audit_pipeline.trail.merkle import TreeHead
from audit_pipeline.trail.note import parse_note
from audit_pipeline.trail.note_key import COSIGNATURE, NoteKey, NoteSigner
from audit_pipeline.trail.signer_file import read_signer
from audit_pipeline.trail.witnesses import WitnessQuorum

AT = "2026-05-04T12:00:00Z"
CHECK = Path(bundle.__file__).with_name("check.py")


@pytest.fixture(scope="module")
def checker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("exported_check", CHECK)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A log of eleven entries that one of two witnesses cosigned, the checkpoint it had at seven, and its export."""
    folder = tmp_path_factory.mktemp("log")
    with Trail.open(folder / "audit.db") as trail:
        for number in range(11):
            trail.append(
                "incident",
                f"run-{number % 2}",
                AT,
                {"number": number, "word": "naïve ‖ \u2028", "limit": number * 1e-7},
            )
            if number == 6:
                (folder / "seven.txt").write_bytes(trail.checkpoint() or b"")
        for name in ("w1", "w2"):
            witness = NoteSigner.generate(f"example.com/{name}", COSIGNATURE)
            (folder / name).write_text(witness.key.to_vkey())
            if name == "w1":
                note = parse_note(trail.checkpoint() or b"")
                trail.add_cosignatures(note.joined([witness.sign(note.text, seconds=1_780_000_000)]).to_bytes())
        identity = trail.log()
        assert identity is not None
        (folder / "log").write_text(identity.vkey)
        export(trail, folder / "export", LogTrust())
    return folder


@pytest.fixture
def work(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "work"))


@pytest.fixture
def check(work: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run the exported checker in another folder, isolated from everything but Python's own library."""

    def run(*arguments: str, key: str | None = None) -> subprocess.CompletedProcess[str]:
        vkey = key or (work / "log").read_text()
        command = [sys.executable, "-I", "-S", str(work / "export" / "check.py"), "--log-key", vkey, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, cwd=work.parent, env={})

    return run


def entries_of(work: Path) -> list[bytes]:
    return (work / "export" / "entries.jsonl").read_bytes().splitlines(keepends=True)


def test_a_bundle_holds_the_entries_the_checkpoint_the_checker_and_how_to_use_it(work: Path) -> None:
    names = sorted(path.name for path in (work / "export").iterdir())
    assert names == ["CHECK.md", "check.py", "checkpoint.txt", "entries.jsonl"]
    with Trail.open(work / "audit.db", create=False) as trail:
        assert [line.rstrip(b"\n") for line in entries_of(work)] == [entry.canonical for entry in trail.entries()]
        assert (work / "export" / "checkpoint.txt").read_bytes() == trail.checkpoint()
    how_to = (work / "export" / "CHECK.md").read_text()
    assert (work / "log").read_text() in how_to and '`{"body":…,"salt":…}`' in how_to
    assert (work / "export" / "check.py").read_bytes() == CHECK.read_bytes()


def test_the_checker_is_short_enough_to_be_read_and_needs_nothing() -> None:
    lines = CHECK.read_text().splitlines()
    assert len(lines) < 170
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported <= {*sys.stdlib_module_names, "__future__"}


def test_the_checker_says_that_a_good_bundle_holds(work: Path, check: Callable[..., object]) -> None:
    done = check("--witness", (work / "w1").read_text(), "--checkpoint", str(work / "seven.txt"))
    assert (done.returncode, done.stderr) == (0, "")  # type: ignore[attr-defined]
    assert done.stdout.startswith("holds: 11 entries, root ")  # type: ignore[attr-defined]


HOW = ("edited", "removed", "doubled", "swapped", "text taken out")


def altered(lines: list[bytes], number: int, how: str) -> list[bytes]:
    other, line = (number + 1) % len(lines), lines[number]
    match how:
        case "edited":
            return [*lines[:number], line.replace(b'"word":"na', b'"word":"Na'), *lines[number + 1 :]]
        case "removed":
            return [*lines[:number], *lines[number + 1 :]]
        case "doubled":
            return [*lines[:number], line, *lines[number:]]
        case "swapped":
            swapped = list(lines)
            swapped[number], swapped[other] = lines[other], line
            return swapped
    left = Entry.parse(line.rstrip(b"\n")).taken_out()
    return [*lines[:number], left.canonical + b"\n", *lines[number + 1 :]]


@pytest.mark.parametrize("how", HOW)
def test_the_checker_refuses_any_change_of_any_entry(how: str, work: Path, checker: ModuleType) -> None:
    given = Namespace(log_key=(work / "log").read_text(), witness=[], witnesses=None, checkpoint=None)
    whole = entries_of(work)
    assert checker.check(work / "export", given).startswith("holds")
    for number in range(len(whole)):
        (work / "export" / "entries.jsonl").write_bytes(b"".join(altered(whole, number, how)))
        with pytest.raises((ValueError, KeyError, TypeError)):
            checker.check(work / "export", given)


@pytest.mark.parametrize("kind", sorted(KEPT_KINDS))
def test_the_checker_refuses_a_verdict_without_its_text_though_an_entry_took_it_out(
    kind: Kind, tmp_path: Path, checker: ModuleType
) -> None:
    """Whoever may write can enter such a redaction; no root changes by what then goes from the bundle."""
    with Trail.open(tmp_path / "audit.db") as trail:
        told = trail.append(kind, "run", AT, {"outcome": "FAIL", "index": 9, "leaf_hash": ""}).entry
        trail.append("redaction", "run", AT, {"index": told.index, "leaf_hash": told.leaf_hash.hex()})
        identity = trail.log()
        export(trail, tmp_path / "export", LogTrust())
    assert identity is not None
    given = Namespace(log_key=identity.vkey, witness=[], witnesses=None, checkpoint=None)
    lines = (tmp_path / "export" / "entries.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "export" / "entries.jsonl").write_bytes(b"".join([told.header + b"\n", *lines[1:]]))
    with pytest.raises(ValueError, match="ever loses it"):
        checker.check(tmp_path / "export", given)


def test_what_does_not_hold_is_said_in_one_line(
    work: Path, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (work / "export" / "entries.jsonl").write_bytes(b"".join(altered(entries_of(work), 4, "edited")))
    done = check()
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("does not hold: 11 entries give the root ")


@pytest.mark.parametrize("content", [b"", b"\n", b"{}\n" * 11, b"[]\n" * 11, b"7\n" * 11, b"\xff\n" * 11, b"[" * 9999])
def test_the_checker_refuses_what_is_no_log_without_a_traceback(
    content: bytes, work: Path, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    (work / "export" / "entries.jsonl").write_bytes(content)
    done = check()
    assert done.returncode == 1
    assert done.stderr.startswith("does not hold: ")


def test_the_checker_refuses_another_key_a_bad_key_and_a_checkpoint_that_another_key_signed(
    work: Path, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    mine = NoteKey.parse((work / "log").read_text())
    other = NoteSigner(mine.name, Ed25519PrivateKey.generate())
    for key in (other.key.to_vkey(), (work / "w1").read_text(), "word", f"{mine.to_vkey()}A"):
        assert check(key=key).returncode == 1
    content = (work / "export" / "checkpoint.txt").read_bytes()
    head = TreeHead(11, hashlib.sha256(b"x").hexdigest())
    for changed in (content.replace(b"\n11\n", b"\n10\n"), b"", b"\n\n", sign_checkpoint(other, head).to_bytes()):
        (work / "export" / "checkpoint.txt").write_bytes(changed)
        assert check().returncode == 1


def test_the_checker_counts_witnesses_by_their_keys(
    work: Path, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    first, second = (work / "w1").read_text(), (work / "w2").read_text()
    one = NoteKey.parse(first)
    renamed = NoteKey("example.com/other", one.public, COSIGNATURE).to_vkey()
    assert check("--witness", first, "--witness", second, "--witnesses", "1").returncode == 0
    assert check("--witness", second).returncode == 1
    assert check("--witness", first, "--witness", second).returncode == 1
    assert check("--witness", first, "--witness", first).returncode == 1
    assert check("--witness", first, "--witness", renamed, "--witnesses", "2").returncode == 1
    assert check("--witness", (work / "log").read_text()).returncode == 1


def test_the_checker_refuses_a_log_that_does_not_extend_the_checkpoint_that_was_kept(
    work: Path, check: Callable[..., subprocess.CompletedProcess[str]]
) -> None:
    signer = read_signer(work / "audit.db.key", kind=1)
    for head in (TreeHead(7, "ab" * 32), TreeHead(12, "ab" * 32)):
        (work / "other.txt").write_bytes(sign_checkpoint(signer, head).to_bytes())
        assert "does not extend" in check("--checkpoint", str(work / "other.txt")).stderr
    assert check("--checkpoint", str(work / "absent.txt")).returncode == 1


def test_the_checkers_ed25519_is_ed25519(checker: ModuleType) -> None:
    # RFC 8032, section 7.1, test 3
    public = bytes.fromhex("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025")
    signature = bytes.fromhex(
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"
    )
    assert checker.holds(public, b"\xaf\x82", signature)
    assert not checker.holds(public, b"\xaf\x83", signature)


def test_the_checkers_ed25519_agrees_with_openssl_on_good_and_on_altered_signatures(checker: ModuleType) -> None:
    order = 2**252 + 27742317777372353535851937790883648493
    for seed in range(8):
        private = Ed25519PrivateKey.from_private_bytes(bytes([seed]) * 32)
        public, message = private.public_key().public_bytes_raw(), bytes(range(seed))
        good = private.sign(message)
        scalar = int.from_bytes(good[32:], "little")
        tried = [good, good[:63], good + b"\0", good[:32] + (scalar + order).to_bytes(32, "little"), bytes(64), b""]
        tried += [good[:at] + bytes([good[at] ^ 1 << at % 8]) + good[at + 1 :] for at in range(0, 64, 7)]
        for signature in tried:
            assert _holds(checker, public, message, signature) == _openssl_holds(public, message, signature)


def _holds(checker: ModuleType, public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        return bool(checker.holds(public, message, signature))
    except ValueError:
        return False


def _openssl_holds(public: bytes, message: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def test_a_tar_holds_the_same_and_the_same_log_gives_the_same_bytes(work: Path) -> None:
    with Trail.open(work / "audit.db", create=False) as trail:
        for name in ("one.tar", "two.tar"):
            export(trail, work / name, LogTrust())
    assert (work / "one.tar").read_bytes() == (work / "two.tar").read_bytes()
    with tarfile.open(work / "one.tar") as archive:
        assert {member.name for member in archive} == {f"audit-log/{path.name}" for path in (work / "export").iterdir()}
        archive.extractall(work / "unpacked", filter="data")
    for path in (work / "export").iterdir():
        assert (work / "unpacked" / "audit-log" / path.name).read_bytes() == path.read_bytes()


def test_only_what_was_signed_is_exported(work: Path) -> None:
    with Trail.open(work / "audit.db", create=False) as trail:
        held = LogTrust(witnesses=WitnessQuorum((NoteKey.parse((work / "w1").read_text()),), 1))
    with Trail.open(work / "audit.db") as trail:
        trail.append("findings", "late", AT, {})
        assert export(trail, work / "cosigned", held).checkpoint.head.size == 11
        assert export(trail, work / "all", LogTrust()).checkpoint.head.size == 12
    assert (work / "cosigned" / "entries.jsonl").read_bytes() == (work / "export" / "entries.jsonl").read_bytes()


def refused(work: Path, place: Path, trust: LogTrust | None = None) -> AuditError:
    before = sorted(work.rglob("*"))
    with Trail.open(work / "audit.db", create=False) as trail, pytest.raises(AuditError) as caught:
        export(trail, place, trust or LogTrust())
    assert sorted(work.rglob("*")) == before
    return caught.value


@pytest.mark.parametrize("body", [{}, {"index": "0"}, {"index": None}, {"index": 0}])
def test_what_somebody_enters_as_a_redaction_that_is_none_keeps_nobody_from_exporting(
    body: dict[str, object], work: Path
) -> None:
    witness = NoteSigner.generate("example.com/w3", COSIGNATURE)
    with Trail.open(work / "audit.db") as trail:
        note = parse_note(trail.checkpoint() or b"")
        trail.add_cosignatures(note.joined([witness.sign(note.text, seconds=1_780_000_000)]).to_bytes())
        trail.append("redaction", "run-0", AT, body)
        trust = LogTrust(witnesses=WitnessQuorum((witness.key,), 1))
        assert export(trail, work / "again", trust).checkpoint.head.size == 11


def test_what_is_there_is_never_overwritten(work: Path) -> None:
    (work / "empty").mkdir()
    (work / "dangling").symlink_to(work / "nowhere")
    for name in ("export", "empty", "log", "dangling"):
        error = refused(work, work / name)
        assert (type(error), error.code) == (InputError, "export.exists")


def test_a_place_that_cannot_be_is_refused(work: Path) -> None:
    assert refused(work, work / "absent" / "export").code == "export.no-folder"
    assert refused(work, work / "log.tar.gz").code == "export.form"


def test_a_log_that_does_not_hold_is_not_exported(work: Path) -> None:
    signer = read_signer(work / "audit.db.key", kind=1)
    other = sign_checkpoint(signer, TreeHead(7, "ab" * 32)).to_bytes()
    error = refused(work, work / "new", LogTrust(pinned=Pinned(other, "other.txt")))
    assert (type(error), error.code) == (RejectedError, "trail.rewritten")


def test_a_log_that_was_never_signed_is_not_exported(tmp_path: Path) -> None:
    Trail.open(tmp_path / "audit.db").close()
    assert refused(tmp_path, tmp_path / "new").code == "trail.unsigned"


def test_a_failing_disk_leaves_nothing_behind(work: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "link", full)
    error = refused(work, work / "new.tar")
    assert (type(error), error.code) == (ToolError, "export.write-failed")


def test_the_root_that_the_checker_computes_is_the_logs(checker: ModuleType, made: Path) -> None:
    with Trail.open(made / "audit.db", create=False) as trail:
        leaves = [entry.leaf_hash for entry in trail.entries()]
        for size in range(12):
            assert checker.root_of(leaves[:size]).hex() == trail.root_at(size).root
        checkpoint = (made / "export" / "checkpoint.txt").read_text().split("\n")
    assert base64.b64decode(checkpoint[2]) == checker.root_of(leaves)
