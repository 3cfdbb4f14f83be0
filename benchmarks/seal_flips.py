"""Every bit of an image inverted and every length of it cut, in all eight choices of algorithms.

The verifier has public keys and the release attestation, and no secret. A refusal counts where it says where; any other
exception counts as none.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context

from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.verify import Companions, Trust, verify
from benchmarks.seal_material import SUITES, Suite, ship
from benchmarks.table import Row

_MODEL_BYTES = 2048
_PROCESSES = 3


@dataclass(frozen=True)
class Tally:
    """What became of the altered images of one choice of algorithms."""

    suite: Suite
    image_bytes: int
    altered: int
    refused: int


def rows() -> list[Row]:
    """The size of the smallest image, and the share that was refused for each choice."""
    with ProcessPoolExecutor(_PROCESSES, mp_context=get_context("spawn")) as pool:
        tallies = list(pool.map(tally, SUITES))
    smallest = min(each.image_bytes for each in tallies)
    return [
        Row("flips and truncations: smallest image", smallest, "B", at_least=2048),
        Row(
            "flips and truncations: images in all", sum(each.altered for each in tallies), "", at_least=8 * 9 * smallest
        ),
        *(
            Row(f"flips and truncations refused, {each.suite}", each.refused / each.altered, "", at_least=1)
            for each in tallies
        ),
    ]


def tally(suite: Suite) -> Tally:
    """Alter one image in every way and count."""
    run = ship(suite, Signer.of(suite.signing_key()), suite.device_key(), size=_MODEL_BYTES)
    trust, companions = Trust.one(run.signer.public), Companions(release=run.release)
    altered = refused = 0
    for image in _altered(run.image):
        altered += 1
        try:
            verify(image, trust=trust, companions=companions)
        except RejectedError as error:
            refused += error.where is not None
        except Exception as error:
            print(f"{suite}: {type(error).__name__}: {error}")
    return Tally(suite, len(run.image), altered, refused)


def _altered(image: bytes) -> Iterator[bytes]:
    for bit in range(8 * len(image)):
        changed = bytearray(image)
        changed[bit // 8] ^= 1 << bit % 8
        yield bytes(changed)
    for length in range(len(image)):
        yield image[:length]
