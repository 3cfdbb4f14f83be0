"""Keras models in the .keras format: a zip of config.json, metadata.json and model.weights.h5, and nothing else."""

from __future__ import annotations

import io
import zipfile
import zlib
from pathlib import Path

from audit_pipeline.model.description import MAX_JSON_BYTES, Description, corrupt, keras_version, parse_json
from audit_pipeline.model.hdf5 import MAX_WEIGHT_BYTES, check_weights, refused

SIGNATURE = b"PK\x03\x04"
"""First bytes of a zip file that holds something."""

_LIMITS = {"config.json": MAX_JSON_BYTES, "metadata.json": MAX_JSON_BYTES, "model.weights.h5": MAX_WEIGHT_BYTES}


def describe_keras_zip(path: Path) -> Description:
    """Inspect a .keras model and read its architecture.

    Raises:
        InputError: damaged, of an unknown Keras, or holding what no model needs.
    """
    where = str(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, where)
    except (OSError, zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError) as error:
        raise corrupt(f"the .keras file is damaged or cut short ({error})", where) from error
    metadata = parse_json(members["metadata.json"], "metadata.json", where)
    saved_by = keras_version(metadata.get("keras_version"), where)
    config = parse_json(members["config.json"], "config.json", where)
    weighs = check_weights(io.BytesIO(members["model.weights.h5"]), f"{where}:model.weights.h5")
    compiled = config.pop("compile_config", None) or {}
    return Description(config, compiled.get("loss") if isinstance(compiled, dict) else None, saved_by, weighs)


def _members(archive: zipfile.ZipFile, where: str) -> dict[str, bytes]:
    """The three members, each read up to its limit: what a zip says of its sizes is not trusted."""
    names = archive.namelist()
    if len(names) != len(set(names)):
        raise refused("member", "the zip names a member twice", where)
    for name in names:
        if name not in _LIMITS:
            raise refused("member", f"the zip holds {name!r}, which is no part of a model", where)
    members = {}
    for name, limit in _LIMITS.items():
        if name not in names:
            raise corrupt(f"the .keras file has no {name}", where)
        with archive.open(name) as stream:
            members[name] = stream.read(limit + 1)
        if len(members[name]) > limit:
            raise refused("size", f"{name} unpacks to more than {limit >> 20} MiB", where)
    return members
