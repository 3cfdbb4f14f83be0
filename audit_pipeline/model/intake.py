"""Intake: a model file becomes a `SourceModel` once everything in it was looked at and found harmless.

What a file is, its first bytes say; a name that says otherwise is refused, because Keras goes by the name.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Literal

from audit_pipeline import tflite
from audit_pipeline.canonical import sha256_file
from audit_pipeline.errors import InputError
from audit_pipeline.evidence import SourcePart
from audit_pipeline.model import hdf5, keras_zip, saved_model
from audit_pipeline.model.architecture import measure
from audit_pipeline.model.description import Description
from audit_pipeline.model.finished import inspect_tflite
from audit_pipeline.model.keras3 import in_keras_2
from audit_pipeline.model.layers import check_architecture
from audit_pipeline.model.source import SourceModel, input_fields

Format = Literal["keras-h5", "keras-zip", "savedmodel", "tflite"]

_SUFFIXES: dict[Format, tuple[str, ...]] = {
    "keras-h5": (".h5", ".hdf5"),
    "keras-zip": (".keras",),
    "tflite": (".tflite",),
}
_READERS: dict[Format, Callable[[Path], Description]] = {
    "keras-h5": hdf5.describe_hdf5,
    "keras-zip": keras_zip.describe_keras_zip,
    "savedmodel": saved_model.describe_saved_model,
}


def inspect_model(path: Path) -> SourceModel:
    """Inspect a trained model without running or deserialising anything in it.

    Args:
        path: .h5 or .keras of Keras 2 or 3, a SavedModel folder of Keras 2, or a finished int8 .tflite.

    Raises:
        InputError: it cannot be read, is damaged, is not supported, or holds something unsafe.
    """
    kind = _format(path)
    if kind == "tflite":
        return SourceModel(path, inspect_tflite(path))
    description = describe(path, kind)
    layers, inputs, output_shape = measure(description, str(path))
    part = SourcePart(
        file=path.name,
        format=kind,
        sha256=digest(path),
        size_bytes=sum(file.stat().st_size for file in _files(path)),
        parameters=sum(layer.parameters for layer in layers),
        **input_fields(inputs),
        output_shape=output_shape,
        layers=layers,
    )
    return SourceModel(path, part)


def describe(path: Path, kind: Format) -> Description:
    """Read a Keras model's architecture, check every part of it, and say it in the words of Keras 2.

    Raises:
        InputError: as `inspect_model`.
    """
    description, where = _READERS[kind](path), str(path)
    check_architecture(description.config, where)
    if not description.weighs:
        raise InputError(
            "model.no-weights",
            "the file holds an architecture without weights",
            where=where,
            hint="train the model and save it whole: model.save('model.keras')",
        )
    if description.saved_by == 3:
        description = replace(description, config=in_keras_2(description.config, where))
        check_architecture(description.config, where)
    return description


def digest(path: Path) -> str:
    """SHA-256 of a model's file, or over all files of its folder."""
    return saved_model.folder_sha256(path) if path.is_dir() else sha256_file(path)


def _files(path: Path) -> list[Path]:
    return saved_model.folder_files(path) if path.is_dir() else [path]


def _format(path: Path) -> Format:
    if path.is_dir():
        if (path / saved_model.GRAPH).is_file():
            return "savedmodel"
        raise _unknown(f"the folder has no {saved_model.GRAPH}", path)
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise InputError(
            "model.unreadable", f"the model cannot be read ({error.strerror})", where=str(path), hint="check the path"
        ) from error
    if not head:
        raise _unknown("the file is empty", path)
    kind: Format
    if head == hdf5.SIGNATURE:
        kind = "keras-h5"
    elif head.startswith(keras_zip.SIGNATURE):
        kind = "keras-zip"
    elif head[4:8] == tflite.IDENTIFIER:
        kind = "tflite"
    else:
        raise _unknown("the file is none of the supported formats", path)
    if path.suffix.lower() not in _SUFFIXES[kind]:
        raise InputError(
            "model.wrong-suffix",
            f"the content is {kind}, the name ends in {path.suffix or 'nothing'}",
            where=str(path),
            hint=f"rename it to end in {_SUFFIXES[kind][0]}",
        )
    return kind


def _unknown(what: str, path: Path) -> InputError:
    return InputError(
        "model.unknown-format",
        what,
        where=str(path),
        hint="give a Keras .h5 or .keras, a SavedModel folder of Keras 2, or an int8 .tflite",
    )
