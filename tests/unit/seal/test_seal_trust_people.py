"""Who may approve and waive, and whose log is believed: what a trust file may say of it, and what becomes of it."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from trust_samples import EXPIRES, NOW, keys

from audit_pipeline.errors import InputError
from audit_pipeline.people.approvers import live_approvers
from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint, spki
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.changes import Revocation, Rotation, TrustChange, first_trust, roles_of
from audit_pipeline.seal.trust.file import read_trust, write_text
from audit_pipeline.seal.trust.listing import listed_keys
from audit_pipeline.seal.trust.schema import Log, TrustDocument, Witnesses, checked_document
from audit_pipeline.trail.note_key import COSIGNATURE, ED25519, NoteSigner

LOG = NoteSigner.generate("log.example.com", ED25519)
WITNESSES = tuple(NoteSigner.generate(f"witness-{n}.example.com", COSIGNATURE) for n in (1, 2))
DOCTOR, NURSE, GUARDIAN, THIRD = (Signer.of(Ed25519PrivateKey.generate()) for _ in range(4))


def document(**changed: Any) -> TrustDocument:
    made = keys()
    release: Mapping[str, SignerPublic] = {"release": made.release.public}
    first = first_trust(
        "wearable",
        EXPIRES,
        {
            "root": {"root-1": made.roots[0].public},
            "image": release,
            "verdict": release,
            "release": release,
            "waiver": {"doctor": DOCTOR.public, "guardian": GUARDIAN.public, "third": THIRD.public},
        },
        {},
        {
            "clinical-safety": {"doctor": DOCTOR.public, "nurse": NURSE.public},
            "data-protection": {"guardian": GUARDIAN.public},
        },
        Log(
            key=LOG.key.to_vkey(),
            witnesses=Witnesses(keys=tuple(each.key.to_vkey() for each in WITNESSES), threshold=2),
        ),
    )
    return checked_document(first.model_dump(mode="json", exclude_none=True) | changed)


def refused(changed: TrustDocument) -> str:
    with pytest.raises(InputError) as caught:
        write_text(changed)
    return f"{caught.value.code} {caught.value.where}"


def test_what_is_written_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "trust.yaml"
    path.write_bytes(write_text(document()))
    assert read_trust(path).value == document()


def test_a_file_of_before_names_no_approver_and_no_log() -> None:
    before = document().model_dump(mode="json", exclude_none=True)
    del before["approvers"], before["log"]
    made = checked_document(before)
    assert (made.approvers, made.log) == ({}, None)
    assert live_approvers(made, NOW) == {}


def test_approvers_are_the_keys_of_each_role() -> None:
    found = live_approvers(document(), NOW)
    assert {role: [fingerprint(key) for key in keys] for role, keys in found.items()} == {
        "clinical-safety": [fingerprint(DOCTOR.public), fingerprint(NURSE.public)],
        "data-protection": [fingerprint(GUARDIAN.public)],
    }


@pytest.mark.parametrize(
    ("approvers", "code"),
    [
        ({"a": ["doktor"]}, "trust.unknown-name"),
        ({"a": ["doctor", "doctor"]}, "trust.name-twice"),
        ({"a": ["nurse", "doctor"], "b": ["guardian", "doctor"]}, "trust.two-roles"),
        ({"a": ["guardian", "release"]}, "trust.two-roles"),
        ({"a": ["guardian", "root-1"]}, "trust.two-roles"),
    ],
)
def test_a_key_approves_in_one_role_and_makes_no_release(approvers: dict[str, list[str]], code: str) -> None:
    role, names = list(approvers.items())[-1]
    assert refused(document(approvers=approvers)) == f"{code} approvers.{role}.{len(names) - 1}"


@pytest.mark.parametrize("approvers", [{"a": []}, {"A": ["doctor"]}, {"": ["doctor"]}, ["doctor"], {"a": "doctor"}])
def test_the_form_of_approvers_is_strict(approvers: Any) -> None:
    with pytest.raises(InputError, match="approvers"):
        document(approvers=approvers)


def with_keys(**changed: Mapping[str, Any]) -> dict[str, Any]:
    known = document().model_dump(mode="json", exclude_none=True)["keys"]
    return {name: key | changed.get(name, {}) for name, key in known.items()}


def test_an_approvers_key_does_not_overlap_with_its_successor() -> None:
    changed = document(keys=with_keys(nurse={"until": "2026-09-01T00:00:00Z"}))
    assert refused(changed) == "trust.until-in-quorum approvers.clinical-safety.1"


def test_a_device_key_approves_nothing() -> None:
    public = base64.b64encode(spki(X25519PrivateKey.generate().public_key())).decode()
    changed = document(keys=with_keys(nurse={"kind": "x25519", "public": public}))
    assert refused(changed) == "trust.wrong-kind approvers.clinical-safety.1"


def test_one_key_under_two_names_is_refused_wherever_it_stands() -> None:
    known = with_keys()
    assert refused(document(keys=known | {"nurse": known["doctor"]})).startswith("trust.one-key-twice keys.nurse")


def test_a_revoked_key_is_no_approver() -> None:
    revoked = [{"fingerprint": fingerprint(NURSE.public), "at": NOW, "reason": "left"}]
    assert refused(document(revoked=revoked)) == "trust.revoked approvers.clinical-safety.1"


def test_nobody_waives_alone() -> None:
    roles = document().model_dump(mode="json", exclude_none=True)["roles"]
    roles["waiver"]["threshold"] = 1
    assert refused(document(roles=roles)) == "trust.waiver-threshold roles.waiver.threshold"


def made(change: TrustChange) -> TrustDocument:
    after = change.made(document(), NOW)
    write_text(after)
    return after


def test_a_rotated_key_hands_over_what_it_approves_and_waives() -> None:
    fresh = Signer.of(Ed25519PrivateKey.generate())
    change = Rotation("doctor", "doctor-2", fresh.public, "stolen")
    after = made(change)
    assert after.approvers["clinical-safety"] == ("doctor-2", "nurse")
    assert change.said(document())["roles"] == ["waiver", "approver:clinical-safety"]
    assert fingerprint(DOCTOR.public) not in map(fingerprint, live_approvers(after, NOW)["clinical-safety"])


def test_an_approver_is_not_kept_beside_the_successor() -> None:
    fresh = Signer.of(Ed25519PrivateKey.generate())
    with pytest.raises(InputError) as caught:
        made(Rotation("nurse", "nurse-2", fresh.public, "new token", "2026-09-01T00:00:00Z"))
    assert caught.value.code == "trust.until-in-quorum"


def test_a_revoked_key_leaves_its_role_and_the_last_one_takes_the_role_with_it() -> None:
    assert made(Revocation("nurse", "left")).approvers["clinical-safety"] == ("doctor",)
    assert set(made(Revocation("guardian", "left")).approvers) == {"clinical-safety"}


def test_keys_are_listed_with_what_they_approve() -> None:
    (doctor,) = (row for row in listed_keys(document(), NOW) if row.name == "doctor")
    assert (doctor.roles, doctor.state) == (("waiver", "approver:clinical-safety"), "active")
    assert roles_of(document(), "nurse") == ["approver:clinical-safety"]


WORD = LOG.key.to_vkey()
SEEN = [each.key.to_vkey() for each in WITNESSES]


@pytest.mark.parametrize(
    ("log", "expected"),
    [
        ({"key": WORD.replace("log.", "lag.")}, "trust.log-key log.key"),
        ({"key": WORD[:-4]}, "trust.log-key log.key"),
        ({"key": SEEN[0]}, "trust.log-key log.key"),
        ({"key": WORD, "witnesses": {"keys": [SEEN[0], WORD], "threshold": 1}}, "trust.log-key log.witnesses.keys.1"),
        (
            {"key": WORD, "witnesses": {"keys": [SEEN[0], SEEN[0]], "threshold": 2}},
            "trust.one-key-twice log.witnesses.keys.1",
        ),
        ({"key": WORD, "witnesses": {"keys": SEEN, "threshold": 3}}, "trust.threshold log.witnesses.threshold"),
    ],
)
def test_keys_of_log_and_witnesses_are_of_their_kind_and_distinct(log: dict[str, Any], expected: str) -> None:
    assert refused(document(log=log)) == expected


def test_one_witness_under_two_names_counts_once() -> None:
    private = Ed25519PrivateKey.generate()
    twice = [NoteSigner(name, private, COSIGNATURE).key.to_vkey() for name in ("a", "b")]
    changed = document(log={"key": WORD, "witnesses": {"keys": twice, "threshold": 2}})
    assert refused(changed) == "trust.one-key-twice log.witnesses.keys.1"


def test_the_log_is_no_witness_of_itself() -> None:
    private = Ed25519PrivateKey.generate()
    log, witness = (NoteSigner("a", private, kind).key.to_vkey() for kind in (ED25519, COSIGNATURE))
    changed = document(log={"key": log, "witnesses": {"keys": [witness], "threshold": 1}})
    assert refused(changed) == "trust.one-key-twice log.witnesses.keys.0"


@pytest.mark.parametrize("key", ["", "a+b", "name+00000000+", "two words+00000000+AAAA", "name+0000000G+AAAA"])
def test_the_form_of_a_verifier_key_is_strict(key: str) -> None:
    with pytest.raises(InputError, match=r"log\.key|pattern"):
        document(log={"key": key})
