"""What a Keras file says of itself, read without Keras: the architecture as JSON, and the loss it was trained with."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Literal

from audit_pipeline.errors import InputError

MAX_JSON_BYTES = 16 << 20
"""Longest architecture that is read: three orders of magnitude above any model for a microcontroller."""


@dataclass(frozen=True)
class Description:
    """The architecture of one Keras model, not yet found harmless."""

    config: dict[str, Any]
    """`class_name` and `config`, as Keras serialises a model."""
    loss: Any
    """The compiled loss as Keras serialises it: a name, an object, or None where the model was not compiled."""
    saved_by: Literal[2, 3]
    """The major version of Keras that wrote the file, which says where its weights are."""
    weighs: bool
    """Whether the file holds weights, optimizer state aside."""


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


def keras_version(version: Any, where: str) -> Literal[2, 3]:
    """The major version of Keras that saved a model.

    Args:
        version: as the file states it; bytes, a string, or None.
        where: the file's name.

    Raises:
        InputError: `model.keras-version`: neither 2 nor 3, or none.
    """
    text = version.decode(errors="replace") if isinstance(version, bytes) else str(version or "")
    if text.startswith("2."):
        return 2
    if text.startswith("3."):
        return 3
    raise InputError(
        "model.keras-version",
        f"the model was saved by Keras {text[:40]}" if text else "the file does not say which Keras saved it",
        where=where,
        hint="load it with Keras 2 (tf_keras) or 3 and save it again",
    )


def corrupt(what: str, where: str) -> InputError:
    """The error for a damaged file."""
    return InputError("model.corrupt", what, where=where, hint="save the model again, or copy it again in full")
