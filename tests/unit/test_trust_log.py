"""The trail never knows less of a trust file than the file says, whatever is cut off, full or put back."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import AuditError, InputError, RejectedError, ToolError
from audit_pipeline.run_folder import claim
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.changes import Renewal, Revocation, Rotation, first_trust
from audit_pipeline.seal.trust.envelope import envelope_path
from audit_pipeline.seal.trust.file import read_trust
from audit_pipeline.seal.trust.load import load_trust
from audit_pipeline.trail.entry import Entry
from audit_pipeline.trail.log import Trail
from audit_pipeline.trust_log import begin, change, sign
from audit_pipeline.trust_memory import log_name, recall, require_newest

ROOT, ROOT2, RELEASE, NEW = (Signer.of(Ed25519PrivateKey.generate()) for _ in range(4))
DAYS = [f"2026-05-{day:02}T12:00:00Z" for day in range(1, 10)]
REVOKE = Revocation("root-2", "lost")
ROTATE = Rotation("release", "next", NEW.public, "stolen")


class Place:
    """A trust file and its trail."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "trust.yaml"
        self.trail = str(folder / "audit.db")

    def begin(self) -> None:
        release = {"release": RELEASE.public}
        root = {"root-1": ROOT.public, "root-2": ROOT2.public}
        roles = {"root": root, "image": release, "verdict": release, "release": release}
        document = first_trust("wearable", "2027-01-01T00:00:00Z", roles, {"root": 1})
        begin(self.file, document, trail=self.trail, at=DAYS[0])

    def entries(self) -> list[Entry]:
        with Trail.open(self.trail, create=False) as trail:
            trail.verify()
            return list(trail.entries())

    def others(self) -> set[str]:
        """Files that are neither the trust file nor the trail's."""
        return {path.name for path in self.file.parent.iterdir() if not path.name.startswith("audit.db")} - {
            "trust.yaml"
        }


@pytest.fixture
def place(tmp_path: Path) -> Place:
    made = Place(tmp_path)
    made.begin()
    return made


def code_of(call, *args, **named) -> str:
    with pytest.raises(AuditError) as caught:
        call(*args, **named)
    return caught.value.code


def test_every_change_and_signature_is_an_entry_that_names_the_file(place: Place) -> None:
    sign(place.file, ROOT, trail=place.trail, at=DAYS[1])
    change(place.file, ROTATE, trail=place.trail, at=DAYS[2])
    change(place.file, REVOKE, trail=place.trail, at=DAYS[3])
    sign(place.file, ROOT, trail=place.trail, at=DAYS[4])
    entries = place.entries()
    assert [(entry.kind, entry.run, entry.body["action"], entry.body["trust"]["serial"]) for entry in entries] == [
        ("keys", "keys:wearable", "init", 1),
        ("keys", "keys:wearable", "sign", 1),
        ("keys", "keys:wearable", "rotate", 2),
        ("keys", "keys:wearable", "revoke", 3),
        ("keys", "keys:wearable", "sign", 3),
    ]
    assert entries[-1].body["trust"]["sha256"] == sha256_hex(place.file.read_bytes())
    assert entries[2].body["old"]["fingerprint"] == fingerprint(RELEASE.public)
    assert entries[2].body["new"]["fingerprint"] == fingerprint(NEW.public)
    assert entries[3].body["reason"] == "lost"
    load_trust(place.file, (ROOT.public,), DAYS[5])


def test_no_run_can_be_called_as_a_trust_file_is_in_the_trail(tmp_path: Path) -> None:
    assert code_of(claim, tmp_path, log_name("wearable")) == "run.bad-name"


def test_a_change_takes_the_signatures_away(place: Place) -> None:
    sign(place.file, ROOT, trail=place.trail, at=DAYS[1])
    change(place.file, REVOKE, trail=place.trail, at=DAYS[2])
    assert code_of(load_trust, place.file, (ROOT.public,), DAYS[3]) == "trust.unsigned"


def test_a_signed_older_file_is_refused_where_the_trail_knows_a_newer_one(place: Place) -> None:
    sign(place.file, ROOT, trail=place.trail, at=DAYS[1])
    old, signatures = place.file.read_bytes(), envelope_path(place.file).read_bytes()
    change(place.file, ROTATE, trail=place.trail, at=DAYS[2])
    place.file.write_bytes(old)
    envelope_path(place.file).write_bytes(signatures)
    believed = load_trust(place.file, (ROOT.public,), DAYS[3])
    known = recall(place.trail, "wearable")
    assert code_of(require_newest, believed.file, known) == "trust.rolled-back"
    for attempt in (
        lambda: sign(place.file, ROOT, trail=place.trail, at=DAYS[4]),
        lambda: change(place.file, REVOKE, trail=place.trail, at=DAYS[4]),
    ):
        assert code_of(attempt) == "trust.rolled-back"
    assert (place.file.read_bytes(), len(place.entries())) == (old, 3)


def test_another_file_with_the_same_serial_is_neither_believed_nor_signed(place: Place) -> None:
    place.file.write_bytes(place.file.read_bytes().replace(b"2027-01-01", b"2037-01-01"))
    assert code_of(require_newest, read_trust(place.file), recall(place.trail, "wearable")) == "trust.serial"
    assert code_of(sign, place.file, ROOT, trail=place.trail, at=DAYS[1]) == "trust.serial"
    assert not envelope_path(place.file).exists()


def test_a_change_by_hand_with_a_risen_serial_is_signed_and_remembered(place: Place) -> None:
    place.file.write_bytes(
        place.file.read_bytes().replace(b"2027-01-01", b"2028-01-01").replace(b"serial: 1", b"serial: 2")
    )
    sign(place.file, ROOT, trail=place.trail, at=DAYS[1])
    known = recall(place.trail, "wearable")
    assert known is not None
    assert (known.serial, known.sha256) == (2, sha256_hex(place.file.read_bytes()))


def test_no_later_file_brings_a_revoked_key_back(place: Place) -> None:
    first = place.file.read_bytes()
    change(place.file, REVOKE, trail=place.trail, at=DAYS[1])
    place.file.write_bytes(first.replace(b"serial: 1", b"serial: 3"))
    assert code_of(sign, place.file, ROOT, trail=place.trail, at=DAYS[2]) == "trust.revocation-lost"


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device")])
def test_a_change_that_was_cut_off_after_its_entry_is_finished_by_the_same_command(
    error: BaseException, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = place.file.read_bytes()

    def cut(*_: object) -> None:
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", cut)
        with pytest.raises((KeyboardInterrupt, ToolError)):
            change(place.file, ROTATE, trail=place.trail, at=DAYS[1])
    assert (place.file.read_bytes(), place.others()) == (before, set())
    known = recall(place.trail, "wearable")
    assert code_of(require_newest, read_trust(place.file), known) == "trust.rolled-back"
    assert code_of(change, place.file, REVOKE, trail=place.trail, at=DAYS[2]) == "trust.rolled-back"
    changed = change(place.file, ROTATE, trail=place.trail, at=DAYS[2])
    assert known is not None
    assert (changed.sha256, changed.index) == (known.sha256, known.index)
    assert sha256_hex(place.file.read_bytes()) == known.sha256
    assert changed.document.revoked[0].at == DAYS[1]
    assert len(place.entries()) == 2


def test_a_renewal_that_was_cut_off_is_finished_by_the_same_command(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign(place.file, ROOT, trail=place.trail, at=DAYS[1])
    renewal = Renewal("2028-01-01T00:00:00Z")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            change(place.file, renewal, trail=place.trail, at=DAYS[2])
    assert read_trust(place.file).value.serial == 1
    changed = change(place.file, renewal, trail=place.trail, at=DAYS[3])
    assert (changed.document.serial, changed.document.expires) == (2, "2028-01-01T00:00:00Z")
    assert not envelope_path(place.file).exists()
    assert len(place.entries()) == 3


def test_a_trail_that_cannot_be_written_leaves_the_file_as_it_was(place: Place) -> None:
    before = place.file.read_bytes()
    holder = sqlite3.connect(place.trail, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    opened = Trail.open

    def impatient(url: str, *, create: bool = True) -> Trail:
        return opened(url, create=create, timeout_seconds=0.05)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Trail, "open", impatient)
        for attempt in (
            lambda: change(place.file, REVOKE, trail=place.trail, at=DAYS[1]),
            lambda: sign(place.file, ROOT, trail=place.trail, at=DAYS[1]),
        ):
            assert code_of(attempt) == "trail.locked"
    holder.close()
    assert (place.file.read_bytes(), place.others(), len(place.entries())) == (before, set(), 1)


def test_a_full_disk_is_found_before_anything_is_entered(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = place.file.read_bytes()

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    assert code_of(change, place.file, REVOKE, trail=place.trail, at=DAYS[1]) == "trust.write-failed"
    assert (place.file.read_bytes(), place.others(), len(place.entries())) == (before, set(), 1)


def test_a_change_that_is_refused_makes_no_trail(tmp_path: Path, place: Place) -> None:
    elsewhere = tmp_path / "other.db"
    assert (
        code_of(change, place.file, Revocation("nobody", "x"), trail=str(elsewhere), at=DAYS[1]) == "trust.unknown-name"
    )
    assert not elsewhere.exists()


def test_a_first_file_overwrites_nothing_and_no_name_is_begun_twice(place: Place, tmp_path: Path) -> None:
    with pytest.raises(InputError) as refusal:
        place.begin()
    assert refusal.value.code == "trust.exists"
    place.file.write_bytes(place.file.read_bytes().replace(b"2027-01-01", b"2028-01-01"))
    other = read_trust(place.file).value
    with pytest.raises(RejectedError) as rejection:
        begin(tmp_path / "second.yaml", other, trail=place.trail, at=DAYS[1])
    assert rejection.value.code == "trust.serial"
    assert place.others() == set()


@pytest.mark.parametrize("statement", ["DELETE FROM entry WHERE kind = 'keys'", "UPDATE entry SET kind = 'data'"])
def test_a_trail_that_was_made_to_forget_is_not_asked(statement: str, place: Place) -> None:
    old = place.file.read_bytes()
    change(place.file, ROTATE, trail=place.trail, at=DAYS[1])
    place.file.write_bytes(old)
    holder = sqlite3.connect(place.trail, isolation_level=None)
    for (name,) in holder.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
        holder.execute(f"DROP TRIGGER {name}")
    holder.execute(statement)
    holder.close()
    for attempt in (
        lambda: recall(place.trail, "wearable"),
        lambda: sign(place.file, ROOT, trail=place.trail, at=DAYS[2]),
        lambda: change(place.file, REVOKE, trail=place.trail, at=DAYS[2]),
    ):
        assert code_of(attempt) == "trail.entry-changed"
    assert (place.file.read_bytes(), place.others()) == (old, set())


def test_an_entry_that_names_no_trust_file_is_not_passed_over(place: Place) -> None:
    with Trail.open(place.trail) as trail:
        trail.append("keys", run="keys:wearable", at=DAYS[1], body={"action": "rotate", "trust": {"serial": "9"}})
    assert code_of(recall, place.trail, "wearable") == "trust.entry"


def test_trust_files_of_other_names_are_not_confused(place: Place) -> None:
    with pytest.raises(RejectedError) as caught:
        recall(place.trail, "wear")
    assert caught.value.code == "trust.unlogged"
    with pytest.raises(InputError):
        recall(place.trail + ".none", "wearable")
