"""The gate and `audit verify` by a signed trust file: who signed, in which role, and whether it is the newest."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_world import World, copy_trail

from audit_pipeline.cli.clock import now
from audit_pipeline.cli.main import main
from audit_pipeline.seal.keys.forms import SignerPublic
from audit_pipeline.seal.keys.load import load_signer_public
from audit_pipeline.seal.keys.public_key import write_public
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.changes import Rotation, first_trust
from audit_pipeline.ship import Shipped
from audit_pipeline.trust_log import begin, change, sign

ROOT, OTHER = (Signer.of(Ed25519PrivateKey.generate()) for _ in range(2))


class Gate:
    """A copy of the sealed run's trail, and a trust file in it."""

    def __init__(self, run: Shipped, maker: SignerPublic, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.run, self.maker, self.folder, self.capsys = run.folder, maker, folder, capsys
        self.trust, self.trail = folder / "trust.yaml", copy_trail(run, folder)
        (folder / "root.pub.pem").write_bytes(write_public(ROOT.public))

    def begin(self, *, verdict: SignerPublic | None = None) -> None:
        maker = {"maker": self.maker}
        verdicts = {"judge": verdict} if verdict else maker
        roles = {"root": {"root": ROOT.public}, "image": maker, "verdict": verdicts, "release": maker}
        begin(self.trust, first_trust("small", "2099-01-01T00:00:00Z", roles, {}), trail=self.trail, at=now())
        sign(self.trust, ROOT, trail=self.trail, at=now())

    def ask(self, *arguments: str, by: Path | None = None) -> tuple[int, dict[str, Any]]:
        roots = ("--trust", str(self.trust), "--root", str(self.folder / "root.pub.pem"))
        with pytest.raises(SystemExit) as caught:
            main([*arguments, *(("--signer", str(by)) if by else roots), "--json"])
        assert isinstance(caught.value.code, int)
        return caught.value.code, json.loads(self.capsys.readouterr().out)

    def gate(self) -> tuple[int, dict[str, Any]]:
        return self.ask("gate", str(self.run), "--trail", self.trail)

    def verify(self, *more: str) -> tuple[int, dict[str, Any]]:
        return self.ask("verify", str(self.run / "firmware.bin"), *more)


@pytest.fixture
def gate(world: World, sealed: Shipped, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Gate:
    return Gate(sealed, load_signer_public(world.signer_public), tmp_path, capsys)


def test_a_release_of_trusted_keys_passes_beside_the_entries_of_keys(gate: Gate) -> None:
    gate.begin()
    code, result = gate.gate()
    assert (code, result["released"]) == (0, True)
    assert result["checks"][0].startswith("trust file small, serial 1, ")
    assert gate.verify("--trail", gate.trail)[0] == 0


def test_verifying_without_a_trail_says_that_a_newer_trust_file_would_not_be_known(gate: Gate) -> None:
    gate.begin()
    code, result = gate.verify()
    assert code == 0
    assert (result["checks"][0]["name"], result["checks"][0]["state"]) == ("trust-file", "not-checked")


def test_a_key_signs_only_what_its_role_says(gate: Gate) -> None:
    gate.begin(verdict=OTHER.public)
    for code, result in (gate.gate(), gate.verify()):
        assert (code, result["error"]["code"]) == (1, "attestation.signature")


def test_a_release_of_a_revoked_key_is_refused_and_the_old_trust_file_with_it(gate: Gate) -> None:
    gate.begin()
    old = {path: path.read_bytes() for path in (gate.trust, gate.folder / "trust.dsse.json")}
    change(gate.trust, Rotation("maker", "next", OTHER.public, "stolen"), trail=gate.trail, at=now())
    assert gate.gate()[1]["error"]["code"] == "trust.unsigned"
    sign(gate.trust, ROOT, trail=gate.trail, at=now())
    assert gate.gate()[1]["error"]["code"] == "attestation.signature"
    assert gate.verify()[1]["error"]["code"] == "image.wrong-signer"
    for path, content in old.items():
        path.write_bytes(content)
    code, result = gate.gate()
    assert (code, result["error"]["code"]) == (1, "trust.rolled-back")
    assert gate.verify("--trail", gate.trail)[1]["error"]["code"] == "trust.rolled-back"


def test_a_revoked_key_that_is_simply_given_is_refused_by_whoever_has_the_trail(gate: Gate, world: World) -> None:
    gate.begin()
    image, key = str(gate.run / "firmware.bin"), world.signer_public
    for arguments in (("gate", str(gate.run)), ("verify", image)):
        assert gate.ask(*arguments, "--trail", gate.trail, by=key)[0] == 0
    change(gate.trust, Rotation("maker", "next", OTHER.public, "stolen"), trail=gate.trail, at=now())
    for arguments in (("gate", str(gate.run)), ("verify", image)):
        code, result = gate.ask(*arguments, "--trail", gate.trail, by=key)
        assert (code, result["error"]["code"]) == (1, "trust.revoked")
    assert gate.ask("verify", image, by=key)[0] == 0


def test_another_file_of_the_same_roots_is_refused_where_the_trail_knows_the_right_one(gate: Gate) -> None:
    gate.begin()
    maker = {"maker": gate.maker}
    roles = {"root": {"root": ROOT.public}, "image": maker, "verdict": maker, "release": maker}
    other, elsewhere = gate.folder / "other" / "trust.yaml", str(gate.folder / "other.db")
    other.parent.mkdir()
    begin(other, first_trust("lax", "2099-01-01T00:00:00Z", roles, {}), trail=elsewhere, at=now())
    sign(other, ROOT, trail=elsewhere, at=now())
    gate.trust = other
    assert gate.verify()[0] == 0
    for code, result in (gate.gate(), gate.verify("--trail", gate.trail)):
        assert (code, result["error"]["code"]) == (1, "trust.unlogged")
