"""Keras 2 models as a SavedModel folder.

A SavedModel holds a graph that may do anything TensorFlow can, files and Python calls included. That graph is searched
for such operators and then never run: the model is built again from Keras' own description of it (keras_metadata.pb),
and only the weights are read from the checkpoint beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from audit_pipeline.canonical import canonical_json, sha256_file, sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.model.description import Description, corrupt, keras_version, parse_json
from audit_pipeline.model.hdf5 import MAX_WEIGHT_BYTES, refused
from audit_pipeline.model.runtime import keras

GRAPH = "saved_model.pb"
"""The file that makes a folder a SavedModel."""

_METADATA = "keras_metadata.pb"
_MAX_FILES = 1000
_MODELS = ("_tf_keras_network", "_tf_keras_sequential")
_HARMLESS = re.compile(r"SaveV2|RestoreV2|MergeV2Checkpoints|ShardedFilename|TensorArray\w+")
"""What Keras writes into every SavedModel to load its own checkpoint, and what only sounds like a file."""

_OUTSIDE = re.compile(
    r"File|Reader|PyFunc|Print|Write|Dataset|Library|Remote|Rpc|Socket|Save|Restore|Send|Recv|Custom|Debug|LoadAndRemap"
)
"""Parts of the names of operators that reach outside the graph: ReadFile, EagerPyFunc, PrintV2, TextLineDataset…"""


def folder_files(folder: Path) -> list[Path]:
    """Every file of the folder, sorted by its path.

    Raises:
        InputError: `model.unsafe-link`, `model.unsafe-size` or `model.unsafe-objects`.
    """
    files, total = [], 0
    for path in sorted(folder.rglob("*")):
        if path.is_symlink():
            raise refused("link", f"{path.relative_to(folder)} is a symbolic link", str(folder))
        if not path.is_file():
            continue
        files.append(path)
        total += path.stat().st_size
        if total > MAX_WEIGHT_BYTES:
            raise refused("size", f"the folder holds more than {MAX_WEIGHT_BYTES >> 20} MiB", str(folder))
        if len(files) > _MAX_FILES:
            raise refused("objects", f"the folder holds more than {_MAX_FILES} files", str(folder))
    return files


def folder_sha256(folder: Path) -> str:
    """SHA-256 over the canonical JSON of each file's relative path and its SHA-256."""
    digests = {path.relative_to(folder).as_posix(): sha256_file(path) for path in folder_files(folder)}
    return sha256_hex(canonical_json(digests))


def describe_saved_model(folder: Path) -> Description:
    """Inspect a SavedModel folder and read its architecture.

    Raises:
        InputError: damaged, not saved by Keras 2, or holding operators that reach outside the graph.
    """
    where = str(folder)
    for operator, function in _operators(folder / GRAPH):
        if _OUTSIDE.search(operator) and not _HARMLESS.fullmatch(operator):
            raise refused("operator", f"{function} holds the operator {operator}, which reaches outside it", where)
    if not (folder / _METADATA).is_file():
        raise InputError(
            "model.not-keras",
            f"the SavedModel has no {_METADATA}: it was exported by Keras 3 or by another tool",
            where=where,
            hint="save the model itself, not an export of it: model.save('model.keras')",
        )
    node = _root_node(folder / _METADATA)
    metadata = parse_json(node.metadata, "its Keras description", where)
    if keras_version(metadata.get("keras_version"), where) != 2:
        raise corrupt("its Keras description names a Keras that does not write SavedModels", where)
    training = metadata.get("training_config") or {}
    loss = training.get("loss") if isinstance(training, dict) else None
    config = {"class_name": metadata.get("class_name"), "config": metadata.get("config")}
    return Description(config, loss, saved_by=2, weighs=True)


def _operators(path: Path) -> Iterator[tuple[str, str]]:
    """Every operator, and where it stands: the graph or the name of a function."""
    keras()
    from google.protobuf.message import DecodeError
    from tensorflow.core.protobuf import saved_model_pb2

    message = saved_model_pb2.SavedModel()
    try:
        message.ParseFromString(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise corrupt(f"the graph is damaged or cut short ({error})", str(path)) from error
    if not message.meta_graphs:
        raise corrupt("the SavedModel holds no graph", str(path))
    for meta in message.meta_graphs:
        yield from ((node.op, "the graph") for node in meta.graph_def.node)
        for function in meta.graph_def.library.function:
            yield from ((node.op, f"function {function.signature.name}") for node in function.node_def)


def _root_node(path: Path) -> Any:
    from google.protobuf.message import DecodeError
    from tf_keras.protobuf import saved_metadata_pb2

    message = saved_metadata_pb2.SavedMetadata()
    try:
        message.ParseFromString(path.read_bytes())
    except (DecodeError, OSError) as error:
        raise corrupt(f"Keras' description is damaged or cut short ({error})", str(path)) from error
    for node in message.nodes:
        if node.node_id == 0 and node.identifier in _MODELS:
            return node
    raise InputError(
        "model.subclassed",
        "the SavedModel holds a subclassed model, which only its own Python code can build again",
        where=str(path.parent),
        hint="build it as a Functional or Sequential model and save that",
    )
