"""TLVs: of an area's entries every type, length, order and number, with all sizes right; and what lies behind them.

Half of the images are signed again after they were altered, and judged with a release of their own bytes, so that the
values in them are compared and not only their signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal.verify import verify
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.forge import in_the_clear, resigned
from benchmarks.fuzz.image_edits import Pieces, edit_pieces
from benchmarks.fuzz.samples import Genuine, genuine, trust
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.targets.images import codes as codes_of_images
from benchmarks.fuzz.watch import Watch, require


def target() -> Target:
    """However the entries are altered and signed again, what is accepted holds the model and verdict it should."""
    return Target(tuple(each.image for each in genuine()), alter, _judge, _codes())


def _codes() -> frozenset[str]:
    of_sizes = {"image.truncated", "image.trailing-bytes", "image.tlv-overrun", "image.area-size"}  # they fit here
    of_statements = {"verdict.outcome", "verdict.digest", "release.image", "release.recipient"}  # they are genuine here
    compared = {code for code in codes_of(["attested", "verify"]) if code.startswith(("release.", "verdict."))}
    return (codes_of_images() | codes_of(["decrypt"]) | compared) - of_sizes - of_statements


def alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Edits of a genuine image's pieces, every other time signed again."""
    sealed, other = draw.choice(genuine()), draw.choice(genuine())
    signs = draw.random() < 0.5
    pieces, donor = (in_the_clear(each) if signs else Pieces.of(each.image) for each in (sealed, other))
    for _ in range(draw.choice((1, 1, 2))):
        pieces = edit_pieces(draw, pieces, donor)
    return resigned(sealed, pieces) if signs else pieces.whole()


def _judge(watch: Watch, data: bytes) -> None:
    found = watch.ask(lambda: verify(data, trust=trust()))
    if found is not None:
        # Whose it claims to be: every sample's ciphertext is its own.
        start = found.sealed.parsed.payload[:16]
        for sealed in genuine():
            if Pieces.of(sealed.image).payload[:16] == start:
                _judge_as(watch, data, sealed)


def _judge_as(watch: Watch, data: bytes, sealed: Genuine) -> None:
    """Ask as the sample's recipient, with a release of the altered bytes that says what the sample's says."""
    release = sealed.release.replace(sha256_hex(sealed.image).encode(), sha256_hex(data).encode())
    companions = sealed.with_payloads(sealed.verdict, release)
    report = watch.ask(lambda: verify(data, trust=trust(), companions=companions, recipient=sealed.recipient))
    if report is not None:
        held, own = report.sealed, Pieces.of(sealed.image)
        require(held.model_sha256 == sha256_hex(sealed.model), "an image with another model is accepted")
        require(held.verdict_sha256 == sha256_hex(sealed.verdict), "an image under another verdict is accepted")
        require(held.policy_sha256.encode() in sealed.verdict, "an image under another policy is accepted")
        require(own.protected == Pieces.of(data).protected, "an image with other protected values is accepted")
