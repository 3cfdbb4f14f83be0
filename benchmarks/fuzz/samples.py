"""Genuine samples: an image of every pair of algorithms, with its attestations, sealed as `audit ship` seals."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from random import Random

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.ecies import unwrap
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import RecipientPrivate, fingerprint, kind_of
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.settings import AesBits, Binding, Dependency, SealSettings
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.verify import Companions, Trust
from audit_pipeline.seal.version import ImageVersion

POLICY = b"version: 1\nname: wearable\n"
_LOG_ROOT = sha256_hex(b"audit log")
_LOG_SIZE = 12
_VERSION = ImageVersion(1, 4, 0, 7)
_COUNTER = 7


def scalar(name: str) -> bytes:
    """32 bytes that are a private key; the same for the same name."""
    return hashlib.sha256(b"fuzzed " + name.encode()).digest()


def ed25519(name: str) -> Ed25519PrivateKey:
    """An Ed25519 key."""
    return Ed25519PrivateKey.from_private_bytes(scalar(name))


def x25519(name: str) -> X25519PrivateKey:
    """An X25519 key."""
    return X25519PrivateKey.from_private_bytes(scalar(name))


def p256(name: str) -> EllipticCurvePrivateKey:
    """A P-256 key."""
    return derive_private_key(int.from_bytes(scalar(name), "big") >> 1, SECP256R1())


@dataclass(frozen=True)
class Genuine:
    """A sealed model, everything that belongs to it, and the secrets behind it."""

    signer: Signer
    recipient: RecipientPrivate
    image: bytes
    model: bytes
    verdict: bytes
    """The verdict attestation's payload."""
    release: bytes
    """The release attestation's payload."""
    aes_key: bytes

    @cached_property
    def companions(self) -> Companions:
        """What is verified with the image, its envelopes signed by the image's signer."""
        return self.with_payloads(self.verdict, self.release)

    def with_payloads(self, verdict: bytes, release: bytes) -> Companions:
        """As `companions`, with other attestations signed."""
        return Companions(dsse.sign(release, [self.signer]), dsse.sign(verdict, [self.signer]), POLICY, self.model)


@cache
def genuine() -> tuple[Genuine, ...]:
    """All eight: Ed25519 or P-256 signs, X25519 or P-256 receives, AES-128 or AES-256.

    Half of them have everything that an image may have.
    """
    signers = [Signer.of(ed25519("signer")), Signer.of(p256("signer"))]
    recipients: list[RecipientPrivate] = [x25519("device"), p256("device")]
    bits: tuple[AesBits, ...] = (128, 256)
    return tuple(
        _seal(signer, recipient, aes, full=number % 2 == 0)
        for number, (signer, recipient, aes) in enumerate(product(signers, recipients, bits))
    )


@cache
def trust() -> Trust:
    """Both signers may sign anything, each alone."""
    keys = tuple({id(each.signer): each.signer.public for each in genuine()}.values())
    return Trust(keys, Quorum(keys), Quorum(keys))


def _seal(signer: Signer, recipient: RecipientPrivate, aes_bits: AesBits, *, full: bool) -> Genuine:
    # Images for two recipients share their hash and signature, so that one can be mixed with the other.
    model = Random(f"{kind_of(signer.public)} {aes_bits}").randbytes(90)
    settings = SealSettings(
        _VERSION,
        _COUNTER,
        aes_bits,
        vendor="wearables.example.com" if full else None,
        device_class="ecg-patch" if full else None,
        dependency=Dependency(1, ImageVersion(2, 0, 1)) if full else None,
    )
    verdict = verdict_of(model)
    binding = Binding(sha256_hex(verdict), sha256_hex(POLICY), _LOG_SIZE, _LOG_ROOT)
    image = build(model, signer=signer, recipient=recipient.public_key(), settings=settings, binding=binding)
    release = release_of(image, verdict, settings, recipient)
    return Genuine(signer, recipient, image, model, verdict, release, unwrap(read(image).wrapped, recipient))


def verdict_of(model: bytes) -> bytes:
    """The payload of a verdict about a model."""
    return make_statement(
        [Subject("model.tflite", sha256_hex(model))],
        VERDICT_TYPE,
        {
            "verdict": {"outcome": "PASS"},
            "policy": {"sha256": sha256_hex(POLICY)},
            "findings": [{"rule": "fairness[0]", "group": {"by": ["sex"], "values": ["female"]}, "outcome": "PASS"}],
            "waivers": [],
            "approvals": [],
            "trail": {"policy_index": 0, "size": _LOG_SIZE, "root": _LOG_ROOT},
        },
    )


def release_of(image: bytes, verdict: bytes, settings: SealSettings, recipient: RecipientPrivate) -> bytes:
    """The payload of an image's release."""
    least = settings.dependency
    device = {
        "vendor": settings.vendor,
        "class": settings.device_class,
        "depends_on": {"image": least.image, "version": str(least.version)} if least else None,
    }
    return make_statement(
        [Subject("firmware.bin", sha256_hex(image))],
        RELEASE_TYPE,
        {
            "run": "a-run",
            "verdict": {"sha256": sha256_hex(verdict)},
            "image": {
                "sha256": sha256_hex(image),
                "version": str(settings.version),
                "security_counter": settings.security_counter,
                "device": device if settings.vendor else None,
                "signer": read(image).key_hash,
                "recipient": fingerprint(recipient.public_key()),
            },
        },
    )
