"""What stands in the way of a seal: keys, a full disk, a kill. Nothing is half there, and nothing secret is told."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sealing_worlds import Line
from small_world import CHEAP, PASSPHRASE, World, carry_out, ticking

from audit_pipeline.errors import ExitCode, InputError
from audit_pipeline.evidence import Evidence
from audit_pipeline.gate.judge import gate
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.load import load_signer_public, new_key
from audit_pipeline.ship import Shipped, ship
from audit_pipeline.trail.log import Trail

MAKER, DEVICE = "signer: maker.key.pem", "recipient: device.pub.pem"

KILLED = """
import os, sys
from pathlib import Path
from audit_pipeline.trail.log import Trail
from sealing_worlds import Line
from small_world import World

append, when = Trail.append, sys.argv[2]

def dying(trail, kind, *args, **more):
    if kind == "seal" and when == "before":
        os._exit(9)
    receipt = append(trail, kind, *args, **more)
    if kind == "seal":
        os._exit(9)
    return receipt

Trail.append = dying
folder = Path(sys.argv[1])
world = World(folder, Path(sys.argv[4]), folder / "policy.yaml", folder / "none", folder / "none")
Line(world, Path(sys.argv[3])).ship("cut", 5)
"""


@pytest.fixture(scope="module")
def keys(world: World) -> Path:
    """Beside the world's own keys some of other kinds."""
    new_key("p256", world.folder / "both", PASSPHRASE, log2_n=CHEAP)
    open_key = world.folder / "open.key.pem"
    open_key.write_bytes((world.folder / "maker.key.pem").read_bytes())
    open_key.chmod(0o644)
    return world.folder


@pytest.mark.parametrize(
    ("named", "code"),
    [
        (f"{MAKER}, recipient: nobody.pub.pem", "keys.not-found"),
        (f"{MAKER}, recipient: maker.pub.pem", "keys.wrong-kind"),
        (f"{MAKER}, recipient: device.key.pem", "keys.private-where-public"),
        (f"signer: maker.pub.pem, {DEVICE}", "keys.public-where-private"),
        (f"signer: device.key.pem, {DEVICE}", "keys.wrong-kind"),
        (f"signer: open.key.pem, {DEVICE}", "keys.readable-by-others"),
        (f"signer: model.h5, {DEVICE}", "keys.not-pem"),
        ("signer: both.key.pem, recipient: both.pub.pem", "seal.one-key-two-roles"),
        (f"{MAKER}, {DEVICE}, model_signer: maker.key.pem", "keys.wrong-kind"),
        (f"{MAKER}, {DEVICE}, model_signer: nobody.key.pem", "keys.not-found"),
        (f"{MAKER}, {DEVICE}, device: {{vendor: Example}}", "seal.vendor-form"),
        (f"signer: 'pkcs11:token=none;object=x?module-path=/nowhere.so', {DEVICE}", "signer."),
    ],
)
def test_keys_that_cannot_be_used_stop_before_any_work(
    world: World, keys: Path, tmp_path: Path, named: str, code: str
) -> None:
    with pytest.raises(InputError) as caught:
        Line(world, tmp_path).ship("stopped", 1, keys=named)
    assert caught.value.code.startswith(code)
    assert caught.value.exit_code == ExitCode.INPUT
    told = " ".join(map(str, caught.value.to_json().values()))
    assert PASSPHRASE.decode() not in told
    assert (keys / "maker.key.pem").read_text().splitlines()[2] not in told
    assert not (tmp_path / "audit.db").exists()
    assert list((tmp_path / "reports").iterdir()) == []


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_kill_as_the_seal_is_logged_leaves_no_run_and_a_trail_that_holds(
    world: World, sealed: Shipped, tmp_path: Path, when: str
) -> None:
    """A counter that was logged is spent, though nobody has the image; one that was not is free."""
    finished = str(sealed.folder / "model.tflite")  # whose sealing needs no TensorFlow
    command = [sys.executable, "-c", KILLED, str(world.folder), when, str(tmp_path), finished]
    done = subprocess.run(command, cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    assert done.returncode == 9, done.stderr
    assert not [path for path in (tmp_path / "reports").iterdir() if not path.name.startswith(".")]
    with Trail.open(tmp_path / "audit.db", create=False) as trail:
        trail.verify()
        kinds = [entry.kind for entry in trail.entries("cut")]
    assert kinds[-1] == ("verdict" if when == "before" else "seal")
    line = Line(world, tmp_path)
    if when == "before":
        assert line.ship("again", 5).evidence.seal is not None
    else:
        with pytest.raises(InputError) as caught:
            line.ship("again", 5)
        assert caught.value.code == "seal.counter-not-risen"


def test_the_gate_takes_a_refusal_whose_evidence_is_older_than_a_field(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its file does not have the field, and what was signed and logged of it stays what it was."""
    to_json = Evidence.to_json

    def older(evidence: Evidence) -> dict[str, object]:
        return {key: item for key, item in to_json(evidence).items() if key != "exemplars"}

    with monkeypatch.context() as earlier:
        earlier.setattr(Evidence, "to_json", older)
        request = world.request("older", tmp_path)
        policy = world.folder / "older.yaml"
        policy.write_text(world.policy.read_text().replace("min: 0.6", "min: 0.9999"))
        shipped = carry_out(replace(request, policy=policy))
    assert b"exemplars" not in (shipped.folder / "evidence.json").read_bytes()
    assert gate(shipped.folder, str(tmp_path / "audit.db"), world.demands()).evidence.verdict.outcome == "FAIL"


def test_a_key_that_the_trail_knows_as_revoked_signs_nothing(world: World, tmp_path: Path) -> None:
    def working(step: str, _: float) -> None:
        assert step.startswith("reading")

    key = fingerprint(load_signer_public(world.signer_public))
    said = {"name": "small", "serial": 2, "sha256": "0" * 64, "before_sha256": None, "revoked": [key]}
    with Trail.open(tmp_path / "audit.db") as trail:
        trail.append("keys", run="keys:small", at="2026-03-04T05:06:07Z", body={"trust": said})
    request = world.request("stolen", tmp_path)
    with pytest.raises(InputError) as caught:
        ship(request, now=ticking(), passphrase=lambda _: PASSPHRASE, progress=working)
    assert (caught.value.code, caught.value.exit_code) == ("seal.signer-revoked", 2)
    assert "of 2026-03-04" in caught.value.what
    assert key[:16] in caught.value.what
    with Trail.open(tmp_path / "audit.db", create=False) as trail:
        assert list(trail.entries("stolen")) == []
    assert not (request.reports / "stolen").exists()
