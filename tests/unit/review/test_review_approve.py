"""`audit approve`: who may, what is recorded, and what is refused before anybody types a passphrase."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from review_samples import NOW, REFUSED, RELEASED, Ward, enter_run, make_trust, released_findings

from audit_pipeline.cli import reviewer
from audit_pipeline.errors import InputError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.people.approval import approvals_of
from audit_pipeline.people.approvers import live_approvers
from audit_pipeline.review import approving
from audit_pipeline.review.approving import prepare_approval
from audit_pipeline.seal.keys.load import load_signer_public
from audit_pipeline.seal.trust.changes import Revocation
from audit_pipeline.seal.trust.file import read_trust
from audit_pipeline.seal.trust.load import load_trust
from audit_pipeline.seal.trust.schema import Log, Witnesses
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.note_key import COSIGNATURE, NoteSigner
from audit_pipeline.trust_log import change, sign
from audit_pipeline.waiver_part import WaiverPart

EMAIL = "doctor@ward.example.org"


@pytest.fixture
def words(ward: Ward) -> Callable[..., tuple[str, ...]]:
    def of(by: str, role: str = "clinical-safety", run: str = RELEASED) -> tuple[str, ...]:
        named = ("--role", role, "--reason", "read the report", "--key", ward.key(by))
        return ("approve", str(ward.run(run)), *named, *ward.believe())

    return of


def test_three_people_approve_and_each_hears_who_is_missing(audit, ward: Ward, words) -> None:
    first = audit.json(*words("doctor"))
    assert (first["role"], first["signer"]) == ("clinical-safety", ward.print_of("doctor"))
    assert first["given"] == {"clinical-safety": ["doctor"]}
    assert first["missing"] == {"clinical-safety": 1, "data-protection": 1}
    assert [f"--role {role} " in step for role, step in zip(first["missing"], first["next"], strict=True)] == [True] * 2
    second = audit.text(*words("guardian", "data-protection"))
    assert f"approved as data-protection, entry {first['entry'] + 1} of the trail" in second
    assert "clinical-safety: 1 of 2 (doctor)" in second
    assert "data-protection: 1 of 1 (guardian)" in second
    last = audit.json(*words("nurse"))
    assert last["missing"] == {}
    assert last["next"][0].startswith(f"audit gate {ward.run(RELEASED)} --trust ")


def test_what_was_entered_counts_where_it_is_read(audit, ward: Ward, words) -> None:
    digest = audit.json(*words("doctor"))["verdict_sha256"]
    approvers = live_approvers(read_trust(ward.folder / "trust.yaml").value, NOW)
    with Trail.open(ward.trail, create=False) as trail:
        trail.verify()
        entries = tuple(trail.entries(RELEASED))
    found = approvals_of(entries, digest, approvers, frozenset(), "x")
    assert found == {"clinical-safety": (ward.print_of("doctor"),)}


def test_what_is_typed_next_is_what_was_typed(audit, ward: Ward, words) -> None:
    (step, _) = audit.json(*words("doctor"))["next"]
    assert step == (
        f'audit approve {ward.run(RELEASED)} --role clinical-safety --reason "…" --key KEY '
        f"--trust {ward.folder / 'trust.yaml'} --root {ward.folder / 'root.pub.pem'} --trail {ward.trail}"
    )


def test_one_person_approves_once(audit, words) -> None:
    audit.json(*words("doctor"))
    size = audit.size()
    assert audit.error(*words("doctor")) == "approval.twice"
    assert audit.size() == size


def test_one_key_in_another_file_and_encoding_is_one_person(audit, ward: Ward, words) -> None:
    audit.json(*words("doctor"))
    public = load_signer_public(ward.folder / "doctor.pub.pem")
    assert isinstance(public, EllipticCurvePublicKey)
    (ward.folder / "twin.key.pem").write_bytes((ward.folder / "doctor.key.pem").read_bytes())
    (ward.folder / "twin.key.pem").chmod(0o600)
    assert audit.error(*words("twin")) == "approval.twice"


@pytest.mark.parametrize(
    ("by", "code"),
    [
        ("author", "approval.author"),
        ("maker", "approval.author"),
        ("stranger", "approval.not-an-approver"),
        ("guardian", "approval.not-an-approver"),
    ],
)
def test_who_made_it_and_who_is_in_no_role_or_another_does_not_approve(audit, words, by: str, code: str) -> None:
    size = audit.size()
    assert audit.error(*words(by)) == code
    assert audit.size() == size


def test_a_key_without_its_public_half_beside_it_is_judged_once_it_is_open(audit, ward: Ward, words) -> None:
    (ward.folder / "author.pub.pem").unlink()
    assert audit.error(*words("author")) == "approval.author"


def test_another_key_s_public_half_beside_it_helps_nobody(audit, ward: Ward, words) -> None:
    shutil.copy(ward.folder / "doctor.pub.pem", ward.folder / "author.pub.pem")
    assert audit.error(*words("author")) == "approval.author"


@pytest.mark.parametrize("role", ["astrology", "clinical-safty"])
def test_a_role_that_nobody_demands_is_refused(audit, words, role: str) -> None:
    error = audit.json(*words("doctor", role), code=2)["error"]
    assert error["code"] == "approval.role"
    assert "it demands clinical-safety, data-protection" in error["hint"]


def test_a_refusal_is_not_approved(audit, words) -> None:
    assert audit.error(*words("doctor", run=REFUSED)) == "approval.refused"


def test_an_approval_needs_a_trust_file(audit, ward: Ward, words) -> None:
    without = words("doctor")[: -len(ward.believe())]
    assert audit.error(*without) == "trust.no-people"


def test_a_revoked_key_approves_nothing_and_what_it_approved_counts_no_more(audit, ward: Ward, words) -> None:
    audit.json(*words("nurse"))
    trust = ward.folder / "trust.yaml"
    change(trust, Revocation("nurse", "left"), trail=str(ward.trail), at=NOW)
    sign(trust, ward.signer("root"), trail=str(ward.trail), at=NOW)
    assert audit.error(*words("nurse")) == "approval.not-an-approver"
    assert audit.json(*words("doctor"))["given"] == {"clinical-safety": ["doctor"]}


def test_a_verdict_of_another_key_is_not_approved(audit, ward: Ward, words) -> None:
    path = ward.run(RELEASED) / "verdict.dsse.json"
    envelope = json.loads(path.read_bytes())
    envelope["signatures"][0]["sig"] = "A" * 86 + "=="
    path.write_text(json.dumps(envelope))
    assert audit.error(*words("doctor"), code=1) == "attestation.signature"


def test_a_run_whose_files_were_altered_is_not_approved(audit, ward: Ward, words) -> None:
    (ward.run(RELEASED) / "model.tflite").write_bytes(b"another model")
    assert audit.error(*words("doctor"), code=1) == "gate.digest"


def test_a_run_that_the_trail_does_not_have_is_not_approved(audit, ward: Ward, words, tmp_path: Path) -> None:
    other = Ward(shutil.copytree(ward.folder, tmp_path / "other"))
    for path in (*other.folder.glob("audit.db*"), *other.folder.glob("trust.*")):
        path.unlink()
    with Trail.open(other.trail) as trail:
        enter_run(other, trail, "another", released_findings(), hits=0)
    make_trust(other)
    there = [word.replace(str(ward.folder / "trust"), str(other.folder / "trust")) for word in words("doctor")]
    assert audit.error(*there, "--trail", str(other.trail), code=1) == "trail.rewritten"


def test_another_verdict_under_the_name_of_a_run_in_the_trail_is_not_approved(
    audit, ward: Ward, words, tmp_path: Path
) -> None:
    """The same name, another verdict: what lies in the folder is not what was entered."""
    shutil.rmtree(ward.run(RELEASED))
    elsewhere = Ward(shutil.copytree(ward.folder, tmp_path / "elsewhere"))
    for path in elsewhere.folder.glob("audit.db*"):
        path.unlink()
    with Trail.open(elsewhere.trail) as trail:
        enter_run(elsewhere, trail, RELEASED, released_findings(), hits=0)
    elsewhere.run(RELEASED).rename(ward.run(RELEASED))
    assert audit.error(*words("doctor"), code=1) == "trail.rewritten"


def test_no_folder_of_a_run_is_said_to_be_none(audit, ward: Ward, words) -> None:
    assert audit.error("approve", str(ward.folder), *words("doctor")[2:]) == "gate.not-a-run"


def test_a_withdrawn_run_is_not_approved(audit, ward: Ward, words) -> None:
    audit.json("revoke", RELEASED, "--reason", "burns", "--key", ward.key("stranger"))
    assert audit.error(*words("doctor"), code=1) == "gate.revoked"


@pytest.mark.parametrize("reason", ["", "two\nlines", "left\u202eright", "x" * 4001])
def test_a_reason_is_one_line(audit, words, reason: str) -> None:
    assert audit.error(*words("doctor"), "--reason", reason) == "approval.format"


@pytest.mark.parametrize("by", ["author", "guardian", "stranger", "maker"])
def test_nobody_types_a_passphrase_for_what_is_refused(audit, words, by: str, monkeypatch) -> None:
    def asked(*_: object, **__: object) -> bytes:
        raise AssertionError("asked for a passphrase")

    monkeypatch.setattr(reviewer, "read_passphrase", asked)
    audit.error(*words(by))


def test_a_wrong_passphrase_records_nothing(audit, words, monkeypatch) -> None:
    size = audit.size()
    monkeypatch.setenv("AUDIT_PASSPHRASE", "wrong")
    assert audit.error(*words("doctor")) == "keys.wrong-passphrase"
    assert audit.size() == size


def test_an_address_is_never_stored_and_the_salt_is_the_reviewer_s(audit, ward: Ward, words) -> None:
    result = audit.json(*words("doctor"), "--email", EMAIL)
    salt = bytes.fromhex(result["email_salt"])
    assert len(salt) == 16
    assert result["email_sha256"] == hashlib.sha256(salt + EMAIL.encode()).hexdigest()
    stored = ward.bytes_of_trail()
    assert result["email_sha256"].encode() in stored
    for secret in (EMAIL.encode(), b"ward.example.org", salt, salt.hex().encode()):
        assert secret not in stored


def test_two_people_with_one_address_cannot_be_linked(audit, words) -> None:
    first = audit.json(*words("doctor"), "--email", EMAIL)
    assert first["email_sha256"] != audit.json(*words("nurse"), "--email", EMAIL)["email_sha256"]


def test_without_an_address_there_is_no_salt(audit, words) -> None:
    result = audit.json(*words("doctor"))
    assert (result["email_sha256"], result["email_salt"]) == (None, None)


@pytest.mark.parametrize("email", ["", "nobody", "@example.org", "a@", "a b@example.org", "a@b\n"])
def test_what_is_no_address_is_refused_and_not_repeated(audit, words, email: str) -> None:
    error = audit.json(*words("doctor"), "--email", email, code=2)["error"]
    assert error["code"] == "approval.email"
    assert not email or email not in error["what"]


def test_of_one_person_at_two_desks_one_approval_is_entered(ward: Ward) -> None:
    trust = load_trust(ward.folder / "trust.yaml", (load_signer_public(ward.folder / "root.pub.pem"),), NOW)
    desks = [
        prepare_approval(
            ward.run(RELEASED),
            role="clinical-safety",
            reason=reason,
            email_sha256=None,
            demands=Demands(trust.trust(), NOW, live_approvers(trust.document, NOW)),
            document=trust.document,
            trail=ward.trail,
        )
        for reason in ("here", "there")
    ]
    doctor = ward.signer("doctor")
    assert desks[0].enter(doctor, ward.trail).missing == {"clinical-safety": 1, "data-protection": 1}
    with pytest.raises(InputError) as caught:
        desks[1].enter(doctor, ward.trail)
    assert caught.value.code == "approval.twice"


def test_what_a_waiver_is_behind_is_said_before_it_is_approved(audit, ward: Ward, words, monkeypatch) -> None:
    part = WaiverPart(
        sha256="0" * 64,
        rule="fairness[0]",
        group="sex=female",
        limit=0.1,
        reason="x",
        issued=NOW,
        expires="2026-08-01T00:00:00Z",
        approvers=(),
    )
    whole = approving.read_reviewed_run

    def under_a_waiver(*given: object) -> object:
        record = whole(*given)
        evidence = record.evidence.model_copy(update={"waivers": (part,)})
        return dataclasses.replace(record, run=dataclasses.replace(record.run, evidence=evidence))

    monkeypatch.setattr(approving, "read_reviewed_run", under_a_waiver)
    assert "under a waiver of fairness[0] for sex=female up to 0.1, until 2026-08-01" in audit.text(*words("doctor"))


def test_a_run_that_the_gate_would_refuse_is_not_approved(audit, ward: Ward, words) -> None:
    (ward.run(RELEASED) / "firmware.bin").write_bytes(b"another image")
    assert audit.error(*words("doctor"), code=1).startswith("image.")


def test_the_gate_opens_once_all_have_approved(audit, ward: Ward, words) -> None:
    gate = ("gate", str(ward.run(RELEASED)), *ward.believe())
    audit.json(*words("doctor"))
    audit.json(*words("guardian", "data-protection"))
    assert audit.error(*gate, code=1) == "gate.unapproved"
    audit.json(*words("nurse"))
    assert audit.json(*gate)["released"] is True


def logged_by(ward: Ward, vkey: str) -> None:
    """A trust file that names the log's key, and a witness who has seen nothing yet."""
    for path in ward.folder.glob("trust.*"):
        path.unlink()
    witness = NoteSigner.generate("witness.example.com", COSIGNATURE).key.to_vkey()
    make_trust(ward, "with-log", Log(key=vkey, witnesses=Witnesses(keys=(witness,), threshold=1)))


def test_a_trail_that_is_not_the_trust_file_s_log_is_not_approved_on(audit, ward: Ward, words) -> None:
    logged_by(ward, NoteSigner.generate("elsewhere.example.com").key.to_vkey())
    assert audit.error(*words("doctor"), code=1) == "trail.other-log"


def test_witnesses_are_the_gate_s_to_ask_for(audit, ward: Ward, words) -> None:
    with Trail.open(ward.trail, create=False) as trail:
        identity = trail.log()
    assert identity is not None
    logged_by(ward, identity.vkey)
    assert audit.json(*words("doctor"))["entry"]
    assert audit.error("gate", str(ward.run(RELEASED)), *ward.believe(), code=1) == "witness.missing"
