"""A trust file that holds, its root keys, and ways to make it not hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import SignerPublic
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.trust.changes import first_trust
from audit_pipeline.seal.trust.envelope import PAYLOAD_TYPE, envelope_path
from audit_pipeline.seal.trust.file import write_text
from audit_pipeline.seal.trust.schema import TrustDocument

NOW = "2026-05-04T12:00:00Z"
EXPIRES = "2027-05-04T00:00:00Z"


@dataclass(frozen=True)
class Keys:
    roots: tuple[Signer, Signer, Signer]
    release: Signer
    approvers: tuple[Signer, Signer]
    new: Signer

    @property
    def pinned(self) -> tuple[SignerPublic, ...]:
        return tuple(root.public for root in self.roots)


@cache
def keys() -> Keys:
    one, two, release, first, second, new = (Signer.of(Ed25519PrivateKey.generate()) for _ in range(6))
    return Keys((one, two, Signer.of(generate_private_key(SECP256R1()))), release, (first, second), new)


@cache
def document() -> TrustDocument:
    """Two of three roots; one key for image, verdict and release; two of two for waivers."""
    made = keys()
    release = {"release": made.release.public}
    return first_trust(
        "wearable",
        EXPIRES,
        {
            "root": {f"root-{number}": root.public for number, root in enumerate(made.roots, 1)},
            "image": release,
            "verdict": release,
            "release": release,
            "waiver": {f"approver-{number}": key.public for number, key in enumerate(made.approvers, 1)},
        },
        {},
    )


def text() -> str:
    return write_text(document()).decode()


def put(folder: Path, content: str | None = None, signers: Sequence[Signer] | None = None) -> Path:
    """A trust file with its envelope; signed by the first two roots where nobody else is named."""
    path = folder / "trust.yaml"
    path.write_text(text() if content is None else content, encoding="utf-8")
    by = keys().roots[:2] if signers is None else signers
    if by:
        envelope_path(path).write_bytes(dsse.sign(path.read_bytes(), by, payload_type=PAYLOAD_TYPE))
    return path
