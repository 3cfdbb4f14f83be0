"""Results of trials that nobody carried out."""

from __future__ import annotations

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import CandidatePart, Footprint
from audit_pipeline.search.score import Score
from audit_pipeline.search.space import Proposal
from audit_pipeline.search.trial import Made, Result


def made_up(
    one: Proposal,
    *,
    flash: int,
    violation: float | None,
    arena: int = 1,
    macs: int = 1,
    fits: bool = True,
    number: int = 1,
    epochs: int = 1,
    reason: str = "",
) -> Result:
    tflite = f"{one} {flash}".encode()
    candidate = CandidatePart(sha256=sha256_hex(tflite), size_bytes=flash, zipped_bytes=1, seed=0, steps=())
    footprint = Footprint(
        board="b",
        board_source="s",
        flash_bytes=flash,
        flash_limit=1000,
        arena_bytes=arena,
        arena_limit=1000,
        macs=macs,
        operators=(),
        fits=fits,
    )
    score = None
    if violation is not None:
        score = Score(
            violation=violation,
            keeps_rules=violation <= 0,
            worst_rule="fairness.accuracy.min:overall",
            worst_drop=violation,
            worst_group=None,
        )
    made = Made(tflite=tflite, candidate=candidate, footprint=footprint)
    return Result(one, one.recipe(1), number, epochs, made, score, reason)
