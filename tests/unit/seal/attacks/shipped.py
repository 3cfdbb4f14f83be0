"""What a run of `audit ship` leaves, made small and fast for each choice of algorithms."""

from __future__ import annotations

import dataclasses
import random
from dataclasses import dataclass
from typing import Literal

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import RecipientPrivate, SignerPrivate, fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.settings import Binding, SealSettings
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.version import ImageVersion

_MODEL_BYTES = 300
_NAMES = {"ed25519": "Ed25519", "p256": "P-256", "x25519": "X25519"}


@dataclass(frozen=True)
class Suite:
    """One choice of algorithms."""

    signature: Literal["ed25519", "p256"] = "ed25519"
    encryption: Literal["x25519", "p256"] = "x25519"
    aes_bits: Literal[128, 256] = 128

    def __str__(self) -> str:
        return f"{_NAMES[self.signature]}, {_NAMES[self.encryption]}, AES-{self.aes_bits}"

    def signing_key(self) -> SignerPrivate:
        """A new key that signs."""
        return Ed25519PrivateKey.generate() if self.signature == "ed25519" else generate_private_key(SECP256R1())

    def device_key(self) -> RecipientPrivate:
        """A new key that receives."""
        return X25519PrivateKey.generate() if self.encryption == "x25519" else generate_private_key(SECP256R1())


USUAL = Suite()
P256 = Suite("p256", "p256")
SUITES = tuple(
    Suite(signature, encryption, aes_bits)
    for signature in ("ed25519", "p256")
    for encryption in ("x25519", "p256")
    for aes_bits in (128, 256)
)


@dataclass(frozen=True)
class Run:
    """What one run of `audit ship` leaves, and the keys behind it."""

    signer: Signer
    recipient: RecipientPrivate
    settings: SealSettings
    model: bytes
    policy: bytes
    verdict: bytes
    image: bytes
    release: bytes

    @property
    def image_sha256(self) -> str:
        """Digest of the image."""
        return sha256_hex(self.image)


@dataclass(frozen=True)
class Says:
    """What a verdict says, where that is not what was sealed."""

    outcome: str = "PASS"
    model: bytes | None = None
    also: bytes | None = None
    """Another model beside the first."""
    policy: bytes | None = None
    log_root: str | None = None


def ship(
    suite: Suite,
    signer: Signer,
    recipient: RecipientPrivate,
    *,
    number: int = 1,
    counter: int = 7,
    size: int = _MODEL_BYTES,
    says: Says = Says(),
) -> Run:
    """A run: model and policy are drawn from its number."""
    model = random.Random(number).randbytes(size)
    policy = b"version: 1\nname: wearable\n# %d\n" % number
    settings = SealSettings(ImageVersion(1, number, 0), counter, suite.aes_bits)
    log_root = sha256_hex(b"log %d" % number)
    payload = make_statement(
        [Subject("model.tflite", sha256_hex(says.model or model)), *_also(says)],
        VERDICT_TYPE,
        {
            "verdict": {"outcome": says.outcome},
            "policy": {"sha256": sha256_hex(says.policy or policy)},
            "trail": {"origin": "attacks", "size": 9, "root": says.log_root or log_root},
            "waivers": [],
            "approvals": [],
        },
    )
    binding = Binding(sha256_hex(payload), sha256_hex(policy), 9, log_root)
    image = build(model, signer=signer, recipient=recipient.public_key(), settings=settings, binding=binding)
    run = Run(signer, recipient, settings, model, policy, dsse.sign(payload, [signer]), image, b"")
    return dataclasses.replace(run, release=release_of(run, image))


def _also(says: Says) -> list[Subject]:
    return [Subject("other.tflite", sha256_hex(says.also))] if says.also else []


def release_of(run: Run, image: bytes) -> bytes:
    """The release that a run's signer gives an image of it."""
    sealed = read(image)
    files = {"firmware.bin": image, "model.tflite": run.model, "policy.yaml": run.policy}
    predicate = {
        "run": "a-run",
        "verdict": {"sha256": sealed.verdict_sha256},
        "image": {
            "sha256": sha256_hex(image),
            "version": str(sealed.version),
            "security_counter": sealed.security_counter,
            "device": None,
            "device_class": fingerprint(run.recipient.public_key()),
            "signer": sealed.key_hash,
            "recipient": fingerprint(run.recipient.public_key()),
        },
    }
    subjects = [Subject(name, sha256_hex(data)) for name, data in files.items()]
    return dsse.sign(make_statement(subjects, RELEASE_TYPE, predicate), [run.signer])
