"""`predictions.npz`: what a run's device said of every row of the evaluation split, so that runs can be compared later.

It holds scores and how to read them: no inputs, labels, groups or people. Whoever has the data set can put them beside
its rows again; the file says where, seen from the run's folder, the data set's manifest was.
"""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from audit_pipeline.canonical import canonical_json
from audit_pipeline.errors import InputError
from audit_pipeline.measurement import Part
from audit_pipeline.npz import NpzArrays
from audit_pipeline.predictions import Predictions, Score, Task

_ABOUT = "about"
_SCORES = "scores"


def _relative(path: str) -> str:
    if not path or "\0" in path or PurePosixPath(path).is_absolute():
        raise ValueError("must be a relative path")
    return path


class _About(Part):
    """How the scores are to be read, as JSON beside them."""

    version: Literal[1] = 1
    step: float = Field(ge=0)
    made_by: str
    task: Task
    threshold: float | None
    score: Score
    manifest: Annotated[str, AfterValidator(_relative)] | None


@dataclass(frozen=True)
class KeptPredictions:
    """Predictions that a run kept, and where its data set was."""

    predictions: Predictions
    manifest: str | None
    """The manifest's path from the run's folder, with `/`; None where none could be given."""


def predictions_to_npz(kept: KeptPredictions) -> bytes:
    """The bytes of a .npz file; equal predictions give equal bytes."""
    said = kept.predictions
    about = _About(
        step=said.step,
        made_by=said.made_by,
        task=said.task,
        threshold=said.threshold,
        score=said.score,
        manifest=kept.manifest,
    )
    raw = canonical_json(about.model_dump(mode="json"))
    stream = BytesIO()
    np.savez_compressed(stream, allow_pickle=False, scores=said.scores, about=np.frombuffer(raw, dtype=np.uint8))
    return stream.getvalue()


def load_predictions(path: Path) -> KeptPredictions:
    """Read what `predictions_to_npz` gave, without pickle and without trusting it.

    Raises:
        InputError: `predictions.missing`, or `predictions.damaged` where it is anything else.
    """
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise InputError(
            "predictions.missing",
            "this run kept no predictions",
            where=str(path),
            hint="its device could not run the model, or an earlier version made it: ship or evaluate it again",
        ) from error
    try:
        return _parse(NpzArrays(raw))
    except (ValueError, KeyError) as error:
        what = str(error).splitlines()[0]
        raise InputError(
            "predictions.damaged",
            f"not the predictions of a run: {what}",
            where=str(path),
            hint="take the run's folder from where it was archived",
        ) from error


def _parse(columns: NpzArrays) -> KeptPredictions:
    if set(columns.names) != {_SCORES, _ABOUT}:
        raise ValueError(f"it holds {', '.join(columns.names)[:80]}")
    scores, about = columns.numbers((_SCORES, _ABOUT))
    said = _About.model_validate_json(about.tobytes(), strict=True)
    return KeptPredictions(
        Predictions(_checked(scores), said.step, said.made_by, said.task, said.threshold, said.score), said.manifest
    )


def _checked(scores: NDArray[np.generic]) -> NDArray[np.float32]:
    if scores.dtype != np.float32 or scores.ndim != 2:
        raise ValueError(f"its scores are {scores.dtype} of shape {scores.shape}")
    finite = np.isfinite(scores).all(axis=1)
    if not finite.all():
        raise ValueError(f"{int((~finite).sum())} rows have NaN or infinite scores, the first is {np.argmin(finite)}")
    return np.asarray(scores, dtype=np.float32)
