"""A run that failed, the people around it with their keys, the real commands, and what one person alone can forge."""

from __future__ import annotations

import contextlib
import io
import json
import os
import runpy
import shutil
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat, PublicFormat

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.cli.clock import now
from audit_pipeline.cli.main import main
from audit_pipeline.people.approval import APPROVAL_TYPE, Approval
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.load import load_signer
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import Subject
from audit_pipeline.seal.waiver import WAIVER_TYPE, WaivedPolicy, Waiver, waiver_payload
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.signed_entry import sign_entry

EXAMPLE = Path(__file__).parents[3] / "examples" / "human-centred"
FAILED, RELEASED = "spring", "autumn"
RULE, GROUP, ENOUGH = "fairness[1]", "sex=female", 0.75
_PASSPHRASE = "only for these tests"
_SIGNING = ("design", "release", "clinician", "regulator", "safety", "ombud", "root")


@dataclass(frozen=True)
class Scene:
    """A folder with everything in it."""

    folder: Path

    @classmethod
    def set(cls, folder: Path) -> Scene:
        """Ship the example's model under its policy, which it breaks."""
        os.environ["AUDIT_PASSPHRASE"] = _PASSPHRASE
        runpy.run_path(str(EXAMPLE / "material.py"))["make"](folder)
        scene = cls(folder)
        (folder / "keys").mkdir()
        for name in _SIGNING:
            write_key(scene.key(name), Ed25519PrivateKey.generate())
        write_key(scene.key("solo"), generate_private_key(SECP256R1()))
        write_key(scene.key("device"), X25519PrivateKey.generate())
        author = scene.ask("keys", "fingerprint", scene.public("design"))[1]["fingerprint"]
        policy = (EXAMPLE / "policy.yaml").read_text().replace("AUTHOR", author)
        scene.policy.write_text(policy)
        code, _ = scene.ask("ship", folder / "model.h5", "--policy", scene.policy, "--run", FAILED, *scene.places)
        assert code == 1, "it was to fail"
        scene.believe()
        (folder / "log.vkey").write_text(scene.ask("log", "show", "--trail", scene.trail)[1]["vkey"])
        return scene

    def copied(self, folder: Path) -> Scene:
        """The same in another place, to be spoilt."""
        shutil.copytree(self.folder, folder)
        return Scene(folder)

    @property
    def policy(self) -> Path:
        """That the run was judged by."""
        return self.folder / "policy.yaml"

    @property
    def trail(self) -> Path:
        """Of all runs."""
        return self.folder / "audit.db"

    @property
    def trust(self) -> tuple[str, ...]:
        """Options for the trust file, as a reviewer gives them: the root comes from elsewhere."""
        return ("--trust", str(self.folder / "trust.yaml"), "--root", str(self.public("root")))

    @property
    def places(self) -> tuple[str, ...]:
        """Options for where runs and entries go."""
        return ("--trail", str(self.trail), "--reports", str(self.folder / "reports"))

    def run(self, name: str = FAILED) -> Path:
        """A run's folder."""
        return self.folder / "reports" / name

    def key(self, name: str) -> Path:
        """Somebody's private key."""
        return self.folder / "keys" / f"{name}.key.pem"

    def public(self, name: str) -> Path:
        """Somebody's public key."""
        return self.folder / "keys" / f"{name}.pub.pem"

    def ask(self, *words: object) -> tuple[int, dict[str, Any]]:
        """Run a command as it is typed: its exit code and what it says as JSON."""
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                main([*map(str, words), "--json"])
                code: Any = 0
            except SystemExit as end:
                code = end.code or 0
        assert isinstance(code, int)
        text = out.getvalue()
        return code, json.loads(text) if text.strip() else {}

    def believe(self, waivers: tuple[str, ...] = ("safety", "ombud"), *more: str) -> int:
        """Write a trust file and sign it with the root; the exit code of the first step that failed."""
        for name in ("trust.yaml", "trust.dsse.json"):
            (self.folder / name).unlink(missing_ok=True)
        roles = [word for role in ("image", "verdict", "release") for word in (f"--{role}", self.public("release"))]
        waiving = [word for name in waivers for word in ("--waiver", self.public(name))]
        approving = [f"clinical={self.public('clinician')}", f"regulatory={self.public('regulator')}"]
        code, _ = self.ask(
            *(
                "keys",
                "trust",
                "init",
                self.folder / "trust.yaml",
                "--name",
                f"trust-{len(list(self.folder.iterdir()))}",
            ),
            *("--expires", "2099-01-01T00:00:00Z", "--root", self.public("root"), *roles, *waiving),
            *(word for each in approving for word in ("--approver", each)),
            *("--trail", self.trail, *more),
        )
        sign = ("keys", "trust", "sign", self.folder / "trust.yaml", "--key", self.key("root"), "--trail", self.trail)
        return code or self.ask(*sign)[0]

    def waive(self, by: str, **changes: Any) -> int:
        """`audit waive` of the broken rule by one person."""
        said = {"rule": RULE, "group": GROUP, "limit": ENOUGH, "expires": self.in_days(90), **changes}
        options = [word for name, value in said.items() for word in (f"--{name}", value)]
        words = ("waive", self.run(), *options, "--reason", "a study is under way", "--key", self.key(by))
        return self.ask(*words, "--trail", self.trail, *self.trust)[0]

    def cosign(self, by: str) -> int:
        """`audit waive --cosign` of every waiver that there is."""
        listed = self.ask("waive", self.run(), "--trail", self.trail, *self.trust)[1].get("waivers", [])
        words = ("--key", self.key(by), "--trail", self.trail, *self.trust)
        codes = [self.ask("waive", self.run(), "--cosign", each["sha256"], *words)[0] for each in listed]
        return max(codes, default=2)

    def waive_by_two(self, **changes: Any) -> int:
        """As it is meant."""
        return self.waive("safety", **changes) or self.cosign("ombud")

    def release(self, name: str = RELEASED, **paths: Path) -> int:
        """`audit release` of the failed run."""
        policy = paths.get("policy", self.policy)
        return self.ask("release", self.run(), "--policy", policy, "--run", name, *self.places, *self.trust)[0]

    def approve(self, by: str, role: str, name: str = RELEASED) -> int:
        """`audit approve` by one person."""
        words = ("approve", self.run(name), "--role", role, "--reason", "read", "--key", self.key(by))
        return self.ask(*words, "--trail", self.trail, *self.trust)[0]

    def approve_by_all(self, name: str = RELEASED) -> int:
        """As it is meant."""
        return self.approve("clinician", "clinical", name) or self.approve("regulator", "regulatory", name)

    def gate(self, folder: Path) -> tuple[int, dict[str, Any]]:
        """`audit gate`, as the release job has it."""
        words = ("gate", folder, "--policy", self.policy, "--trail", self.trail, *self.trust)
        return self.ask(*words, "--log-key", self.folder / "log.vkey")

    def enter(self, kind: Kind, body: dict[str, Any], run: str = FAILED) -> None:
        """Enter something past the commands, as whoever holds the log's key can."""
        with Trail.open(self.trail) as trail:
            trail.append(kind, run=run, at=now(), body=body)

    def signer(self, name: str) -> Signer:
        """Somebody's key, opened."""
        return load_signer(self.key(name), _PASSPHRASE.encode())

    def evidence(self, name: str = FAILED) -> dict[str, Any]:
        """Of a run."""
        document: dict[str, Any] = json.loads((self.run(name) / "evidence.json").read_text())
        return document

    def forge_waiver(self, *by: str, **changes: Any) -> None:
        """Enter a waiver with fields that the command refuses, rightly signed by these people."""
        payload = self.waiver_payload(**changes)
        for name in by:
            self.enter("waiver", sign_entry(payload, self.signer(name), WAIVER_TYPE))

    def waiver_payload(self, **changes: Any) -> bytes:
        """What a waiver's signers sign."""
        evidence = self.evidence()
        model = changes.pop("model", evidence["candidate"]["sha256"])
        policy = WaivedPolicy(sha256=changes.pop("policy", evidence["policy"]["sha256"]))
        values = {"rule": RULE, "group": GROUP, "limit": ENOUGH, "reason": "as agreed", "policy": policy}
        dates = {"issued": now(), "expires": self.in_days(90)}
        return waiver_payload(Waiver.model_validate({**values, **dates, **changes}), Subject("model.tflite", model))

    def forge_approval(self, by: str, role: str, **changes: Any) -> None:
        """Enter an approval of the release that the command refuses, signed by this key."""
        self.enter(
            "approval", sign_entry(self.approval_payload(role, **changes), self.signer(by), APPROVAL_TYPE), RELEASED
        )

    def approval_payload(self, role: str, **changes: Any) -> bytes:
        """What an approver signs."""
        envelope = (self.run(RELEASED) / "verdict.dsse.json").read_bytes()
        verdict = changes.pop("verdict", sha256_hex(dsse.unverified_payload(envelope, where="verdict")))
        values = {"run": RELEASED, "role": role, "reason": "read", "at": now(), "email_sha256": None, **changes}
        model = self.evidence()["candidate"]["sha256"]
        return run_payload(APPROVAL_TYPE, Approval.model_validate(values), verdict_sha256=verdict, model_sha256=model)

    @staticmethod
    def in_days(days: float) -> str:
        """A moment from now, UTC, to the second."""
        return (datetime.now(UTC) + timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_key(path: Path, private: Any) -> None:
    """A private key in PKCS#8, which opens faster than the tool's own form, and its public key beside it."""
    encryption = BestAvailableEncryption(_PASSPHRASE.encode())
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption))
    path.chmod(0o600)
    public = private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.with_name(path.name.replace(".key.", ".pub.")).write_bytes(public)
