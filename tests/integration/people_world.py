"""The small world with people: who approves, who waives, who wrote the policy, and what they enter or forge."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from small_world import PASSPHRASE, POLICY, TODAY, World, copy_trail

from audit_pipeline import run_folder
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import AuditError
from audit_pipeline.gate.demands import Demands
from audit_pipeline.gate.judge import Gated, gate
from audit_pipeline.people.approval import APPROVAL_TYPE, Approval
from audit_pipeline.people.revocation import REVOCATION_TYPE, Revocation
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.load import load_signer
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import Subject
from audit_pipeline.seal.verify import Trust
from audit_pipeline.seal.waiver import WAIVER_TYPE, WaivedPolicy, Waiver, waiver_payload
from audit_pipeline.ship import Shipped
from audit_pipeline.trail.kind import Kind
from audit_pipeline.trail.log import Trail
from audit_pipeline.trail.place import Address
from audit_pipeline.trail.signed_entry import sign_entry
from audit_pipeline.waived_release import Released, WaivedRequest, release_waived

RULE = "fairness[1]"
"""Accuracy of everybody, which the hard policy asks too much of."""
SOON, THEN = "2026-01-02T00:00:00Z", "2026-01-03T00:00:00Z"
"""After the runs, when people decide; and when a release is made of that."""
ENDS = "2026-06-01T00:00:00Z"


@cache
def person(name: str) -> Signer:
    """The same key for the same name."""
    return Signer.of(Ed25519PrivateKey.generate())


@cache
def opened(path: Path) -> Signer:
    """A key behind the passphrase, which is slow to open by design."""
    return load_signer(path, PASSPHRASE)


def policy_text(*, floor: str = "0.6") -> str:
    """The small world's policy, with an author and two who must approve."""
    author = f'author: {{role: "the tester", key: {fingerprint(person("author").public)}}}'
    assert 'author: {role: "the tester"}' in POLICY
    text = POLICY.replace('author: {role: "the tester"}', author).replace("min: 0.6", f"min: {floor}")
    return text + "approvals: {clinical: 1, privacy: 1}\n"


def trust(maker: Signer) -> Trust:
    """The maker signs what is released; two of three may waive, and so may the author, who then does not count."""
    waivers = tuple(person(name).public for name in ("ann", "bob", "eve", "author"))
    key = maker.public
    return Trust((key,), Quorum((key,)), Quorum((key,)), Quorum(waivers, 2))


APPROVERS = {"clinical": ("carl", "cleo", "author"), "privacy": ("dora",)}


@dataclass
class Case:
    """A run in a copy of its trail, and what people do to both."""

    world: World
    run: Shipped
    place: Path
    policy: Path
    trail: Address = ""
    """a copy of the run's own where none is given"""

    def __post_init__(self) -> None:
        self.trail = self.trail or copy_trail(self.run, self.place)

    @property
    def maker(self) -> Signer:
        return opened(self.world.folder / "maker.key.pem")

    def demands(self, **more: Any) -> Demands:
        approvers = {role: tuple(person(name).public for name in names) for role, names in APPROVERS.items()}
        return Demands(**{"trust": trust(self.maker), "now": TODAY, "approvers": approvers, **more})

    def gate(self, folder: Path | None = None, **more: Any) -> Gated:
        return gate(folder or self.run.folder, self.trail, self.demands(**more))

    def refusal(self, folder: Path | None = None, **more: Any) -> str:
        with pytest.raises(AuditError) as caught:
            self.gate(folder, **more)
        return caught.value.code

    def enter(self, kind: Kind, body: dict[str, Any], *, run: str | None = None, at: str = SOON) -> int:
        with Trail.open(self.trail) as trail:
            return trail.append(kind, run=run or self.run.evidence.run.id, at=at, body=body).entry.index

    def approve(self, by: str, role: str, *, run: Shipped | Released | None = None, at: str = THEN) -> int:
        """An approval as somebody with a key could enter it, whether or not it counts."""
        of = run or self.run
        name, model = of.evidence.run.id, of.evidence.candidate.sha256
        approval = Approval(run=name, role=role, reason="read the report", at=at, email_sha256=None)
        payload = run_payload(APPROVAL_TYPE, approval, verdict_sha256=verdict_sha256(of.folder), model_sha256=model)
        return self.enter("approval", sign_entry(payload, person(by), APPROVAL_TYPE), run=name, at=at)

    def approve_all(self, run: Shipped | Released | None = None) -> None:
        self.approve("carl", "clinical", run=run)
        self.approve("dora", "privacy", run=run)

    def waiver(self, **changes: Any) -> bytes:
        """The payload of a waiver of the broken rule."""
        model = changes.pop("model", self.run.evidence.candidate.sha256)
        policy = changes.pop("policy", self.run.evidence.policy.sha256)
        values: dict[str, Any] = {
            "rule": RULE,
            "group": "overall",
            "limit": 0.5,
            "reason": "a better sensor is on its way",
        }
        values |= {"issued": SOON, "expires": ENDS, "policy": WaivedPolicy(sha256=policy)}
        waiver = Waiver.model_validate(values | changes)
        return waiver_payload(waiver, Subject(run_folder.MODEL, model))

    def sign_waiver(self, payload: bytes, *names: str, at: str = SOON) -> None:
        for name in names:
            self.enter("waiver", sign_entry(payload, person(name), WAIVER_TYPE), at=at)

    def waive(self, *names: str, **changes: Any) -> str:
        payload = self.waiver(**changes)
        self.sign_waiver(payload, *(names or ("ann", "bob")))
        return sha256_hex(payload)

    def revoke(self, run: Shipped | Released, by: str = "carl", at: str = "2026-01-05T00:00:00Z") -> None:
        name = run.evidence.run.id
        said = Revocation(run=name, reason="it missed an alarm", at=at)
        payload = run_payload(
            REVOCATION_TYPE, said, verdict_sha256="0" * 64, model_sha256=run.evidence.candidate.sha256
        )
        self.enter("revocation", sign_entry(payload, person(by), REVOCATION_TYPE), run=name, at=at)

    def release(self, name: str = "released", *, at: str = THEN, **more: Any) -> Released:
        reports = self.place / "reports"
        request = WaivedRequest(self.run.folder, name, self.policy, reports, self.trail)
        return release_waived(
            request, self.demands(**{"now": at, **more}), now=lambda: at, passphrase=lambda _: PASSPHRASE
        )

    def entries(self, run: str) -> list[str]:
        with Trail.open(self.trail, create=False) as trail:
            return [entry.kind for entry in trail.entries(run)]


def verdict_sha256(folder: Path) -> str:
    """Digest of what the verdict of a run says, which approvals are over."""
    return sha256_hex(dsse.unverified_payload((folder / run_folder.VERDICT).read_bytes(), where="verdict"))


def one_key_for_all(demands: Demands, key: Signer) -> Demands:
    """Demands in which one person has the keys of everything."""
    only = (key.public,)
    trust = Trust(only, Quorum(only), Quorum(only), Quorum(only))
    return dataclasses.replace(demands, trust=trust, approvers=dict.fromkeys(APPROVERS, only))
