"""What a sealed run leaves for others to check: image, attestations, summary and the model's own signature."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from google.protobuf import json_format
from in_toto_attestation.v1 import statement as in_toto
from in_toto_attestation.v1 import statement_pb2
from sealing_worlds import WRIST, Line, wrist_keys
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey
from small_world import PASSPHRASE, World, trail_of

from audit_pipeline.canonical import sha256_file, sha256_hex
from audit_pipeline.gate.judge import gate
from audit_pipeline.seal.decrypt import open_model
from audit_pipeline.seal.keys.load import load_recipient, load_signer_public
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.settings import class_uuid, vendor_uuid
from audit_pipeline.seal.verify import Trust
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.log import Trail

ATTESTATIONS = ("verdict.dsse.json", "release.dsse.json", "svr.dsse.json")


@pytest.fixture(scope="module")
def wrist(world: World, tmp_path_factory: pytest.TempPathFactory) -> Shipped:
    """Sealed for a device of P-256, AES-256 and a bootloader that compares vendor, class and dependency."""
    line = Line(world, tmp_path_factory.mktemp("wrist"))
    return line.ship("wrist", 1, keys=wrist_keys(world.folder), device=WRIST)


def statement(run: Shipped, name: str) -> Any:
    envelope = Envelope.from_dict(json.loads((run.folder / name).read_bytes()))
    return json.loads(envelope.payload)


def test_the_image_is_what_its_device_asks_for(world: World, wrist: Shipped) -> None:
    image = read((wrist.folder / "firmware.bin").read_bytes())
    assert (image.signature_kind, image.recipient_kind, image.aes_bits) == ("p256", "p256", 256)
    assert image.vendor_id == vendor_uuid("wearables.example.com")
    assert image.class_id == class_uuid("wearables.example.com", "wrist-2")
    assert image.dependency is not None
    assert (image.dependency.image, str(image.dependency.version)) == (1, "2.0.0")
    model = open_model(image, load_recipient(world.folder / "wrist-device.key.pem", PASSPHRASE))
    assert model == (wrist.folder / "model.tflite").read_bytes()


def test_the_image_names_the_log_as_it_was_after_the_findings(wrist: Shipped) -> None:
    image, position = read((wrist.folder / "firmware.bin").read_bytes()), wrist.evidence.trail
    assert position is not None
    assert (image.log_size, image.log_root) == (position.size, position.root)


def test_the_gate_takes_it(world: World, wrist: Shipped) -> None:
    trust = Trust.one(load_signer_public(world.folder / "wrist-maker.pub.pem"))
    gated = gate(wrist.folder, trail_of(wrist), world.demands(trust=trust))
    assert gated.evidence == wrist.evidence


@pytest.mark.parametrize("name", ATTESTATIONS)
@pytest.mark.parametrize("maker", ["maker", "wrist-maker"])
def test_securesystemslib_and_in_toto_verify_every_attestation(
    world: World, wrist: Shipped, sealed: Shipped, name: str, maker: str
) -> None:
    run = wrist if maker == "wrist-maker" else sealed
    envelope = Envelope.from_dict(json.loads((run.folder / name).read_bytes()))
    (keyid,) = envelope.signatures
    public = load_pem_public_key((world.folder / f"{maker}.pub.pem").read_bytes())
    assert envelope.verify([SSlibKey.from_crypto(public, keyid=keyid)], 1)
    found = json_format.Parse(envelope.payload, statement_pb2.Statement())
    in_toto.Statement.copy_from_pb(found).validate()


def test_model_signing_verifies_the_model(world: World, wrist: Shipped) -> None:
    pytest.importorskip("model_signing")
    arguments = [wrist.folder / "model.tflite", "--signature", wrist.folder / "model.sig"]
    key = ["--public_key", world.folder / "wrist-maker.pub.pem"]
    command = [sys.executable, "-m", "model_signing", "verify", "key", *map(str, [*arguments, *key])]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_without_a_key_of_p256_the_model_has_no_signature_of_its_own(sealed: Shipped) -> None:
    assert not (sealed.folder / "model.sig").exists()
    assert sealed.evidence.seal is not None
    assert sealed.evidence.seal.model_signer is None


def test_the_verdict_says_all_that_a_release_stands_on(world: World, wrist: Shipped) -> None:
    verdict = statement(wrist, "verdict.dsse.json")
    model = sha256_file(wrist.folder / "model.tflite")
    assert verdict["subject"] == [{"name": "model.tflite", "digest": {"sha256": model}}]
    said = verdict["predicate"]
    assert said["source"] == {"file": "model.h5", "sha256": sha256_file(world.model)}
    assert said["baseline"] is None
    assert said["policy"]["sha256"] == sha256_file(wrist.folder / "policy.yaml")
    assert said["data"]["sha256"] == wrist.evidence.data.sha256
    assert said["verdict"]["outcome"] == "PASS"
    assert (said["waivers"], said["approvals"]) == ([], [])
    assert said["tool"].startswith("audit ")
    assert {"tensorflow", "tflite-micro", "imgtool", "cryptography"} <= said["libraries"].keys()
    assert said["trail"]["size"] == 5
    measured = [finding for finding in said["findings"] if finding["stage"] == "fairness"]
    assert {tuple(finding["group"]["values"]) for finding in measured} == {(), ("female",), ("male",)}
    assert all(finding["value"]["interval"]["low"] <= finding["value"]["estimate"] for finding in measured)


def test_the_release_names_every_file_and_the_image_in_full(wrist: Shipped) -> None:
    release = statement(wrist, "release.dsse.json")
    named = {subject["name"]: subject["digest"]["sha256"] for subject in release["subject"]}
    lying = {path.name: sha256_file(path) for path in wrist.folder.iterdir() if path.name != "release.dsse.json"}
    assert named == lying
    payload = Envelope.from_dict(json.loads((wrist.folder / "verdict.dsse.json").read_bytes())).payload
    seal = wrist.evidence.seal
    assert seal is not None
    assert release["predicate"] == {
        "run": "wrist",
        "verdict": {"sha256": sha256_hex(payload)},
        "image": {
            "sha256": named["firmware.bin"],
            "version": "1.0.1",
            "security_counter": 1,
            "device": {
                "vendor": "wearables.example.com",
                "class": "wrist-2",
                "depends_on": {"image": 1, "version": "2.0.0"},
            },
            "device_class": "wearables.example.com/wrist-2",
            "signer": seal.signer,
            "recipient": seal.recipient,
        },
    }


def test_the_summary_names_what_passed_and_nothing_that_was_not_asked(wrist: Shipped) -> None:
    summary = statement(wrist, "svr.dsse.json")
    assert [subject["name"] for subject in summary["subject"]] == ["firmware.bin", "model.tflite"]
    assert summary["predicateType"] == "https://in-toto.io/attestation/svr/v0.1"
    assert summary["predicate"]["properties"] == [
        "AUDIT_VERDICT_PASS",
        "AUDIT_DEVICE_PASS",
        "AUDIT_FAIRNESS_PASS",
        "AUDIT_PRIVACY_PASS",
        "AUDIT_POLICY_REGISTERED_FIRST",
    ]


def test_a_refusal_has_a_verdict_and_nothing_that_could_pass_for_a_release(refused: Shipped) -> None:
    assert statement(refused, "verdict.dsse.json")["predicate"]["verdict"]["outcome"] == "FAIL"
    for name in ("firmware.bin", "release.dsse.json", "svr.dsse.json", "model.sig"):
        assert not (refused.folder / name).exists()


def test_the_trail_tells_releases_apart_by_device_class(wrist: Shipped, sealed: Shipped) -> None:
    assert sealed.evidence.seal is not None
    for run, expected in ((wrist, "wearables.example.com/wrist-2"), (sealed, sealed.evidence.seal.recipient)):
        with Trail.open(run.folder.parent.parent / "audit.db", create=False) as trail:
            (entry,) = trail.entries(kind="seal")
        assert entry.body["device_class"] == expected


def test_the_reports_show_the_seal(wrist: Shipped) -> None:
    for name in ("report.html", "report.md"):
        text = (wrist.folder / name).read_text()
        assert "signed with ECDSA P-256, encrypted with ECIES-P256 and AES-256-CTR" in text
        assert "wrist-2" in text


def test_nothing_secret_is_in_the_folder(world: World, wrist: Shipped) -> None:
    secrets = [PASSPHRASE, (world.folder / "wrist-maker.key.pem").read_bytes()]
    for path in Path(wrist.folder).iterdir():
        content = path.read_bytes()
        assert not any(secret in content for secret in secrets)
