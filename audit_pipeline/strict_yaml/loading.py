"""From a YAML file to a validated value and the lines its parts stand on."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.strict_yaml.nodes import Node, parse
from audit_pipeline.strict_yaml.problem import Loc, refuse
from audit_pipeline.strict_yaml.wording import problems_of

LARGEST_BYTES = 1 << 18
"""Far more than a person writes, and as much as is parsed within a second."""

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Loaded(Generic[Model]):
    """A file that was read and found valid."""

    path: Path
    raw: bytes
    sha256: str
    """Of the file's exact bytes."""
    value: Model
    root: Node = field(repr=False)

    def line(self, loc: Loc) -> int:
        """The line a value stands on, counted from 1: its key's where it has one.

        A part that the file leaves out is where its nearest given ancestor is.
        """
        return self.root.line_of(loc)

    def where(self, loc: Loc) -> str:
        """The place of a value as an error shows it: `fair.yaml:14`."""
        return f"{self.path}:{self.line(loc)}"


def load(path: Path, model: type[Model], stage: str) -> Loaded[Model]:
    """Read one YAML 1.2 file as one strict model.

    Args:
        path: the file; errors name it as it is given here.
        model: what the file must hold. It is validated as JSON, so that a strict tuple takes a list.
        stage: first part of the errors' codes, as in `policy.unknown-key`.

    Raises:
        InputError: the file cannot be read, is not strict YAML, or does not fit the model; every problem has its line.
    """
    raw = _read(path, stage)
    root = parse(_decode(raw, path, stage), str(path), stage)
    try:
        value = model.model_validate_json(json.dumps(root.value))
    except ValidationError as error:
        refuse(str(path), stage, problems_of(error, root, model))
    return Loaded(path=path, raw=raw, sha256=sha256_hex(raw), value=value, root=root)


def _read(path: Path, stage: str) -> bytes:
    try:
        if path.is_dir():
            _unreadable(path, stage, "this is a folder, not a file")
        if path.exists() and not path.is_file():
            _unreadable(path, stage, "this is a pipe or a device, not a file")
        with path.open("rb") as stream:
            raw = stream.read(LARGEST_BYTES + 1)
    except FileNotFoundError:
        _unreadable(path, stage, "no such file", kind="not-found")
    except (OSError, ValueError) as error:
        _unreadable(path, stage, f"cannot be read: {getattr(error, 'strerror', None) or error}")
    if len(raw) > LARGEST_BYTES:
        _unreadable(
            path, stage, f"larger than {LARGEST_BYTES >> 10} KiB, which no file written by hand is", kind="too-large"
        )
    return raw


def _unreadable(path: Path, stage: str, what: str, kind: str = "unreadable") -> NoReturn:
    raise InputError(f"{stage}.{kind}", what, where=str(path), hint="give the path of a file that can be read")


def _decode(raw: bytes, path: Path, stage: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise InputError(
            f"{stage}.not-utf8",
            f"byte {error.start} is not UTF-8",
            where=f"{path}:{line}",
            hint="save the file as UTF-8",
        ) from error
