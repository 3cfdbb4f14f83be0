"""Three readers of the same images: imgtool, our verifier, and the C verifier that a device runs.

Random models, versions, counters, vendors, classes and dependencies over all eight choices of algorithms. Each image is
shown as it was made, and with five random changes, one at a time. imgtool cannot decrypt: it is given the image with
its payload decrypted in place. It does not look at most of an image, so of altered ones it is only asked that it never
refuses what the other two let pass.
"""

from __future__ import annotations

import random
import tempfile
from dataclasses import dataclass, replace
from pathlib import Path

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import RecipientPrivate
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.settings import Binding, Dependency, SealSettings
from audit_pipeline.seal.verify import Trust, verify
from audit_pipeline.seal.version import ImageVersion
from benchmarks.seal_material import (
    SUITES,
    Opening,
    Suite,
    build_verifier,
    decrypted,
    imgtool_answer,
    lacking_for_host,
)
from benchmarks.table import Row

_EACH = 80
_CHANGES = 5
_SEED = 20261123
_LARGEST_MODEL = 6000
_U32 = 1 << 32


@dataclass(frozen=True)
class Shown:
    """An image, and the keys that it is opened with."""

    image: bytes
    signer: Signer
    recipient: RecipientPrivate


@dataclass(frozen=True)
class Answers:
    """What the three say of one image: `ok` or a code, and imgtool's own word."""

    audit: str
    device: str
    imgtool: str

    @property
    def let_pass(self) -> bool:
        """Whether either of the two that look at everything lets the image pass."""
        return "ok" in (self.audit, self.device)


def rows() -> list[Row]:
    """Whether the three agree.

    Raises:
        SystemExit: this machine cannot build the C verifier.
    """
    rng = random.Random(_SEED)
    made = [_sealed(suite, rng) for suite in SUITES for _ in range(_EACH)]
    changed = [replace(each, image=_altered(each.image, rng)) for each in made for _ in range(_CHANGES)]
    genuine, altered = answers(made), answers(changed)
    accepted = sum(each == Answers("ok", "ok", "OK") for each in genuine)
    refused = sum(not each.let_pass for each in altered)
    one_code = sum(each.audit == each.device for each in altered)
    lax = sum(each.let_pass and each.imgtool != "OK" for each in altered)
    return [
        Row("random images, all algorithm pairs", len(genuine), "", at_least=500),
        Row("of them accepted by imgtool, audit and the C verifier", accepted / len(genuine), "", at_least=1),
        Row("altered images", len(altered), "", at_least=_CHANGES * 500),
        Row("altered ones refused by audit and the C verifier", refused / len(altered), "", at_least=1),
        Row("altered ones refused by both with one code", one_code / len(altered), "", at_least=1),
        Row("altered ones that imgtool alone refuses", lax, "", at_most=0),
    ]


def answers(shown: list[Shown]) -> list[Answers]:
    """What the three say of images."""
    lacking = lacking_for_host()
    if lacking is not None:
        raise SystemExit(f"the C verifier cannot be built: {lacking}")
    with tempfile.TemporaryDirectory() as folder:
        device = build_verifier(Path(folder))
        said = device.statuses([Opening(each.image, each.signer.public, each.recipient) for each in shown])
    return [Answers(_audit(each), word, _imgtool(each)) for each, word in zip(shown, said, strict=True)]


def _audit(shown: Shown) -> str:
    try:
        verify(shown.image, trust=Trust.one(shown.signer.public), recipient=shown.recipient)
    except RejectedError as error:
        return error.code
    return "ok"


def _imgtool(shown: Shown) -> str:
    try:
        clear = decrypted(shown.image, shown.recipient)
    except RejectedError:
        clear = shown.image
    return imgtool_answer(clear, shown.signer.public)


def _sealed(suite: Suite, rng: random.Random) -> Shown:
    signer, recipient = Signer.of(suite.signing_key()), suite.device_key()
    binding = Binding(
        rng.randbytes(32).hex(), rng.randbytes(32).hex(), rng.randrange(1, 1 << 40), rng.randbytes(32).hex()
    )
    image = build(
        rng.randbytes(rng.randint(1, _LARGEST_MODEL)),
        signer=signer,
        recipient=recipient.public_key(),
        settings=_settings(suite, rng),
        binding=binding,
    )
    return Shown(image, signer, recipient)


def _settings(suite: Suite, rng: random.Random) -> SealSettings:
    vendor = rng.choice((None, "wearables.example.com"))
    return SealSettings(
        version=_version(rng),
        security_counter=rng.randrange(_U32),
        aes_bits=suite.aes_bits,
        vendor=vendor,
        device_class=rng.choice((None, "wrist-2")) if vendor else None,
        dependency=rng.choice((None, Dependency(rng.randrange(256), _version(rng)))),
    )


def _version(rng: random.Random) -> ImageVersion:
    return ImageVersion(rng.randrange(256), rng.randrange(256), rng.randrange(1 << 16), rng.randrange(_U32))


def _altered(image: bytes, rng: random.Random) -> bytes:
    """One change of one kind, which leaves other bytes than before."""
    at, some = rng.randrange(len(image)), rng.randbytes(rng.randint(1, 40))
    match rng.randrange(5):
        case 0:
            return image[:at] + bytes([image[at] ^ 1 << rng.randrange(8)]) + image[at + 1 :]
        case 1:
            return image[:at]
        case 2:
            return image[:at] + some + image[at:]
        case 3:
            return image + some
        case _:
            # Where the fields are dense: behind the payload and in the header.
            near = rng.choice((rng.randrange(32), len(image) - 1 - rng.randrange(400) % len(image)))
            return image[:near] + bytes([image[near] ^ rng.randint(1, 255)]) + image[near + 1 :]
