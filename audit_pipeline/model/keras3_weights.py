"""The weights of Keras 3 files, carried over into a Keras 2 model number by number.

A .keras file keeps them by the place of each layer in the model: `layers/conv1d_1/vars/0` is the first weight of the
second Conv1D, whatever the layers are called. An .h5 keeps a list for each layer of the outermost model, by its name:
first what is trained, then what is not, of all the layers within it.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from audit_pipeline.errors import InputError
from audit_pipeline.model.layers import MODELS

_Config = dict[str, Any]
_Place = tuple[str, Any]
"""Where a .keras file keeps the weights of a layer, and the tf_keras layer."""

_PARTS_OF_ATTENTION = ("query_dense", "key_dense", "value_dense", "output_dense")


def carry_over(model: Any, config: _Config, path: Path, kind: Literal["keras-h5", "keras-zip"]) -> None:
    """Put the weights of a Keras 3 file that was inspected into a tf_keras model.

    Args:
        model: built of `config`; its weights are replaced.
        config: the architecture in the words of Keras 2, its layers in the file's order.
        path: the file.
        kind: its format.

    Raises:
        InputError: `model.keras-3-weights`: the file holds other weights than the architecture has.
        KeyError, OSError, ValueError: the file is damaged.
    """
    import h5py

    if kind == "keras-h5":
        with h5py.File(path, "r") as file:
            _from_lists(model, config, file["model_weights"], str(path))
    else:
        with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5")), "r") as file:
            _from_places(model, config, file, str(path))
    for layer in model._flatten_layers():
        if hasattr(layer, "finalize_state"):  # Normalization divides by what it keeps beside its weights
            layer.finalize_state()


def _from_places(model: Any, config: _Config, file: Any, where: str) -> None:
    for place, layer in _places(model, config, ""):
        group = file.get(f"{place}/vars", {})
        arrays = [np.asarray(group[str(number)]) for number in range(len(group))]
        _assign(layer.weights, arrays, f"{layer.name!r} ({place})", where)


def _from_lists(model: Any, config: _Config, groups: Any, where: str) -> None:
    for said in config["config"]["layers"]:
        name = said["config"]["name"]
        inside = [layer for _, layer in _within(model.get_layer(name), said, "")] if _is_in(model, name) else []
        variables = [variable for layer in inside for variable in layer.trainable_weights]
        variables += [variable for layer in inside for variable in layer.non_trainable_weights]
        group = groups.get(name, {})
        _assign(variables, [np.asarray(group[str(each)]) for each in _names(group)], repr(name), where)


def _is_in(model: Any, name: str) -> bool:
    """Whether a Sequential model lists the layer: it does not list its InputLayer."""
    return any(layer.name == name for layer in model.layers)


def _names(group: Any) -> list[str]:
    """Names of a layer's weights in order; a list too long for one attribute lies in several, counted from 0."""
    if not group:
        return []
    lists = [group.attrs["weight_names"]] if "weight_names" in group.attrs else []
    while not lists or f"weight_names{len(lists)}" in group.attrs:
        lists.append(group.attrs[f"weight_names{len(lists)}"])
    return [name.decode() if isinstance(name, bytes) else str(name) for each in lists for name in each]


def _places(model: Any, config: _Config, prefix: str) -> Iterator[_Place]:
    """The layers of a model that hold weights themselves, in the file's order; each class is counted by itself."""
    seen: Counter[str] = Counter()
    for said in config["config"]["layers"]:
        kind, name = _snake_case(said["class_name"]), said["config"]["name"]
        place = f"{prefix}layers/{kind}_{seen[kind]}" if seen[kind] else f"{prefix}layers/{kind}"
        seen[kind] += 1
        if _is_in(model, name):
            yield from _within(model.get_layer(name), said, place)


def _within(layer: Any, said: _Config, place: str) -> Iterator[_Place]:
    kind = type(layer).__name__
    if said["class_name"] in MODELS:
        yield from _places(layer, said, f"{place}/")
    elif kind == "Bidirectional":
        yield from _within(layer.forward_layer, said["config"]["layer"], f"{place}/forward_layer")
        yield from _within(layer.backward_layer, said["config"]["layer"], f"{place}/backward_layer")
    elif kind == "TimeDistributed":
        yield from _within(layer.layer, said["config"]["layer"], f"{place}/layer")
    elif kind == "MultiHeadAttention":
        yield from ((f"{place}/{part}", getattr(layer, f"_{part}")) for part in _PARTS_OF_ATTENTION)
    elif kind == "StackedRNNCells":
        yield from _cells(layer, place)
    elif hasattr(layer, "cell"):
        yield from _within(layer.cell, said, f"{place}/cell")
    else:
        yield place, layer


def _cells(stack: Any, place: str) -> Iterator[_Place]:
    seen: Counter[str] = Counter()
    for cell in stack.cells:
        kind = _snake_case(type(cell).__name__)
        yield (f"{place}/cells/{kind}_{seen[kind]}" if seen[kind] else f"{place}/cells/{kind}"), cell
        seen[kind] += 1


def _snake_case(name: str) -> str:
    """A class name as Keras 3 spells it in files (`keras.src.utils.naming.to_snake_case`)."""
    name = re.sub(r"\W+", "", name)
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()


def _assign(variables: list[Any], arrays: list[NDArray[Any]], layer: str, where: str) -> None:
    wanted, found = [tuple(each.shape) for each in variables], [each.shape for each in arrays]
    if wanted != found:
        raise InputError(
            "model.keras-3-weights",
            f"the file holds weights of the shapes {found or 'none'}, the layer has {wanted or 'none'}",
            where=f"{where}: layer {layer}",
            hint="load the model in a current Keras 3 and save it again, as .keras",
        )
    for variable, array in zip(variables, arrays, strict=True):
        variable.assign(array.astype(variable.dtype.as_numpy_dtype))
