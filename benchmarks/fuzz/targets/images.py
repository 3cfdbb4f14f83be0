"""Whole images of all eight algorithm pairs, altered as bytes, spliced, and with sizes that do not fit."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, partial
from random import Random

from audit_pipeline.seal.describe import describe
from audit_pipeline.seal.profile import read
from audit_pipeline.seal.verify import verify
from benchmarks.fuzz.byte_edits import edit_bytes
from benchmarks.fuzz.codes import codes_of
from benchmarks.fuzz.forge import SHA256
from benchmarks.fuzz.image_edits import Pieces, edit_pieces, misfit
from benchmarks.fuzz.samples import Genuine, genuine, trust
from benchmarks.fuzz.target import Target
from benchmarks.fuzz.watch import Watch, require


def target() -> Target:
    """No image but the genuine ones is taken with its release or with the recipient's key."""
    return Target(tuple(each.image for each in genuine()), alter, judge, codes())


def codes() -> frozenset[str]:
    """What an image alone can be refused for."""
    reading = codes_of(["parse", "profile", "ecies", "image_signature"]) - {"keys.wrong-kind"}
    return reading | {"image.wrong-recipient", "image.hash", "release.image"}


def alter(draw: Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Edits of bytes, or of the pieces with one size that does not fit."""
    match draw.randrange(4):
        case 0:
            pieces = Pieces.of(draw.choice(others))
            return misfit(draw, edit_pieces(draw, pieces, Pieces.of(draw.choice(others))).whole())
        case 1:
            return _altered_within(draw, draw.choice(others))
    return edit_bytes(draw, data, others)


def _altered_within(draw: Random, image: bytes) -> bytes:
    """A byte of a field's value, or of the payload: everything still has its place."""
    pieces = Pieces.of(image)
    start = draw.choice((32, len(image) - 64, len(image) - 200, 32 + pieces.header[4]))
    at = min(len(image) - 1, start + draw.randrange(64))
    return image[:at] + bytes([image[at] ^ draw.randrange(1, 256)]) + image[at + 1 :]


def judge(watch: Watch, data: bytes) -> None:
    """Ask for the image alone; where that is not enough to refuse it, with all that belongs to it."""
    watch.ask(lambda: describe(data))
    if watch.ask(lambda: verify(data, trust=trust())) is None:
        return
    for sealed in _of_that_hash(watch, data):
        with_all = watch.ask(partial(verify, data, trust=trust(), companions=sealed.companions))
        opened = watch.ask(partial(verify, data, trust=trust(), recipient=sealed.recipient))
        require(with_all is None or data == sealed.image, "an altered image is accepted with its release")
        require(opened is None or data in _genuine_images(), "an altered image is accepted by its recipient")


@cache
def _genuine_images() -> frozenset[bytes]:
    return frozenset(each.image for each in genuine())


def _of_that_hash(watch: Watch, data: bytes) -> list[Genuine]:
    """The samples that an image which was accepted must come from: two share a hash, for different recipients."""
    sealed = watch.ask(lambda: read(data))
    found = [each for each in genuine() if sealed and Pieces.of(each.image).value(SHA256) == sealed.image_hash]
    require(bool(found), "an image with a signature of its own is accepted")
    return found
