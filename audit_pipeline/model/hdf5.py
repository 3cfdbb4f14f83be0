"""Keras models in HDF5: everything in the file is looked at with h5py before Keras opens it.

HDF5 can point to other files (external links, external storage, virtual datasets) and can hold Python objects; a
model needs none of that. The loading code of Keras follows such links without a question.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from audit_pipeline.errors import InputError
from audit_pipeline.model.description import Description, corrupt, keras_version, parse_json

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""First bytes of an HDF5 file."""

MAX_WEIGHT_BYTES = 256 << 20
"""Most bytes of weights, optimizer state included: a microcontroller's flash is a hundredth of it."""

_MAX_OBJECTS = 20_000


def describe_hdf5(path: Path) -> Description:
    """Inspect an .h5 model and read its architecture.

    Raises:
        InputError: damaged, of an unknown Keras, weights only, or holding what no model needs.
    """
    with path.open("rb") as stream:
        return _read(stream, str(path))


def _read(stream: BinaryIO, where: str) -> Description:
    import h5py

    try:
        with h5py.File(stream, "r") as file:
            weighs = _check(file, where)
            attributes = {key: _text(file, key) for key in ("keras_version", "model_config", "training_config")}
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise corrupt(f"the HDF5 file is damaged or cut short ({error})", where) from error
    if attributes["model_config"] is None:
        raise InputError(
            "model.weights-only",
            "the file holds weights without an architecture",
            where=where,
            hint="save the whole model: model.save('model.h5'), not model.save_weights",
        )
    saved_by = keras_version(attributes["keras_version"], where)
    training = parse_json(attributes["training_config"] or "{}", "training_config", where)
    config = parse_json(attributes["model_config"], "model_config", where)
    return Description(config, training.get("loss"), saved_by, weighs)


def check_weights(stream: BinaryIO, where: str) -> bool:
    """Inspect an HDF5 file of weights, as a .keras file holds one.

    Returns:
        Whether it holds any.

    Raises:
        InputError: damaged, or holding what no model needs.
    """
    import h5py

    try:
        with h5py.File(stream, "r") as file:
            return _check(file, where)
    except (OSError, RuntimeError, KeyError, ValueError, TypeError) as error:
        raise corrupt(f"the weights are damaged or cut short ({error})", where) from error


def _text(file: Any, key: str) -> str | None:
    value = file.attrs.get(key)
    return value.decode() if isinstance(value, bytes) else None if value is None else str(value)


def _check(file: Any, where: str) -> bool:
    """Look at every object, and tell whether one holds a weight of the model."""
    total, weighs = 0, False
    for count, (name, found) in enumerate(_walk(file, where)):
        if count > _MAX_OBJECTS:
            raise refused("objects", f"the file holds more than {_MAX_OBJECTS} objects", where)
        if not hasattr(found, "shape"):
            continue
        _check_dataset(name, found, where)
        total += math.prod(found.shape) * found.dtype.itemsize
        if total > MAX_WEIGHT_BYTES:
            raise refused("size", f"its weights take more than {MAX_WEIGHT_BYTES >> 20} MiB", where)
        weighs = weighs or not name.startswith("/optimizer")
    return weighs


def _walk(group: Any, where: str) -> Iterator[tuple[str, Any]]:
    """Every object by hard links only, so that nothing outside the file is opened, and none twice."""
    import h5py

    waiting, seen = [group], set()
    while waiting:
        current = waiting.pop()
        for key in current:
            name = f"{current.name.rstrip('/')}/{key}"
            link = current.get(key, getlink=True)
            if not isinstance(link, h5py.HardLink):
                kind = "an external link" if isinstance(link, h5py.ExternalLink) else "a soft link"
                raise refused("link", f"{name} is {kind}; a model file must stand alone", where)
            found = current[key]
            identity = h5py.h5o.get_info(found.id).addr
            if identity in seen:
                raise refused("link", f"{name} is linked twice", where)
            seen.add(identity)
            yield name, found
            if isinstance(found, h5py.Group):
                waiting.append(found)


def _check_dataset(name: str, dataset: Any, where: str) -> None:
    if dataset.external or dataset.is_virtual:
        raise refused("link", f"the values of {name} lie in another file; a model file must stand alone", where)
    if dataset.dtype.kind not in "fiu" or dataset.dtype.hasobject:
        raise refused("type", f"{name} holds values of type {dataset.dtype}, weights are numbers", where)


def refused(kind: str, what: str, where: str) -> InputError:
    """The error for a file that holds what no model needs."""
    return InputError(
        f"model.unsafe-{kind}", what, where=where, hint="do not open it with Keras; ask where it comes from"
    )
