"""Loading an inspected model: its architecture is built again and its weights are read; nothing else of it is used."""

from __future__ import annotations

from typing import Any

import numpy as np

from audit_pipeline.errors import InputError
from audit_pipeline.model.architecture import build
from audit_pipeline.model.description import Description, corrupt
from audit_pipeline.model.intake import describe, digest
from audit_pipeline.model.keras3_weights import carry_over
from audit_pipeline.model.runtime import quiet
from audit_pipeline.model.source import SourceModel


def load_keras(source: SourceModel) -> Any:
    """Load an inspected Keras model.

    The file is checked again: it may have changed since it was inspected.

    Returns:
        An uncompiled tf_keras model with finite weights.

    Raises:
        InputError: `model.changed`, `model.finished`, `model.corrupt`, `model.keras-3-weights` or `model.not-finite`.
    """
    description, where = loaded_description(source), str(source.path)
    model = build(description, where)
    try:
        with quiet():
            _read_weights(model, description, source)
    except InputError:
        raise
    except Exception as error:  # a damaged checkpoint or a shape that does not fit, raised as anything
        raise corrupt(f"the weights do not fit the architecture ({str(error).strip()[:300]})", where) from error
    for variable in model.weights:
        if not np.all(np.isfinite(variable.numpy())):
            raise InputError(
                "model.not-finite",
                f"the weight {variable.name} holds NaN or infinity",
                where=where,
                hint="training diverged: train again with a lower learning rate",
            )
    return model


def _read_weights(model: Any, description: Description, source: SourceModel) -> None:
    kind = source.part.format
    if description.saved_by == 3 and kind in ("keras-h5", "keras-zip"):
        carry_over(model, description.config, source.path, kind)
        return
    weights = source.path / "variables" / "variables" if kind == "savedmodel" else source.path
    status = model.load_weights(str(weights))
    if status is not None:
        status.assert_existing_objects_matched().expect_partial()


def loaded_description(source: SourceModel) -> Description:
    """The checked description of an inspected Keras model, read again from its file.

    Raises:
        InputError: `model.finished` for a .tflite, `model.changed` where the file is no longer what was inspected.
    """
    where = str(source.path)
    if source.part.format == "tflite":
        raise InputError("model.finished", "a .tflite cannot be loaded as a Keras model", where=where)
    if digest(source.path) != source.part.sha256:
        raise InputError(
            "model.changed", "the model changed on disk while it was being worked on", where=where, hint="start again"
        )
    return describe(source.path, source.part.format)
