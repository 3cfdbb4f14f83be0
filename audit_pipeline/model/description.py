"""What a Keras file says of itself, read without Keras: the architecture as JSON, and the loss it was trained with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from audit_pipeline.errors import InputError

MAX_JSON_BYTES = 16 << 20
"""Longest architecture that is read: three orders of magnitude above any model for a microcontroller."""


@dataclass(frozen=True)
class Description:
    """The architecture of one Keras 2 model, not yet found harmless."""

    config: dict[str, Any]
    """`class_name` and `config`, as Keras serialises a model."""
    loss: Any
    """The compiled loss as Keras serialises it: a name, an object, or None where the model was not compiled."""


def parse_json(text: str | bytes, what: str, where: str) -> dict[str, Any]:
    """Parse a JSON object out of a model file.

    Raises:
        InputError: `model.corrupt`: too long, no JSON, nested too deep, or not an object.
    """
    if len(text) > MAX_JSON_BYTES:
        raise corrupt(f"{what} is longer than {MAX_JSON_BYTES >> 20} MiB", where)
    try:
        value = json.loads(text, object_hook=_plain)
    except (ValueError, RecursionError) as error:
        raise corrupt(f"{what} is not valid JSON ({error})", where) from error
    if not isinstance(value, dict):
        raise corrupt(f"{what} is not a JSON object", where)
    return value


def _plain(value: dict[str, Any]) -> Any:
    """A tuple or shape that a SavedModel writes as an object, as the list that .h5 and .keras write."""
    return value["items"] if value.get("class_name") in ("__tuple__", "TensorShape") and "items" in value else value


def require_keras_2(version: Any, where: str) -> None:
    """Refuse what another major version of Keras saved.

    Args:
        version: as the file states it; bytes, a string, or None.
        where: the file's name.

    Raises:
        InputError: `model.keras-3` or `model.keras-version`.
    """
    text = version.decode(errors="replace") if isinstance(version, bytes) else str(version or "")
    if text.startswith("3."):
        raise InputError(
            "model.keras-3",
            f"the model was saved by Keras {text}; only Keras 2 models can be read yet",
            where=where,
            hint="build it again with tf_keras (pip install tf_keras, import tf_keras instead of keras), "
            "copy the weights with set_weights(get_weights()), and save that as .h5",
        )
    if not text.startswith("2."):
        raise InputError(
            "model.keras-version",
            f"the model was saved by Keras {text}" if text else "the file does not say which Keras saved it",
            where=where,
            hint="load it with tf_keras and save it again as .h5",
        )


def corrupt(what: str, where: str) -> InputError:
    """The error for a damaged file."""
    return InputError("model.corrupt", what, where=where, hint="save the model again, or copy it again in full")
