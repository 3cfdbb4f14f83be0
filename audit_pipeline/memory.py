"""What long work remembers: every result under the digest of all that it follows from, in a folder.

A search, or the training of an attacker's models, that was killed finds its results there and goes on. A result is
never taken on trust: an entry that is not whole, that is of another question, or whose value does not have the digest
it names is as good as none, and is computed again. That guards against damage, not against somebody who writes entries
of their own: the folder is to be as private as the model.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

import audit_pipeline
from audit_pipeline.canonical import canonical_json, sha256_file, sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.measurement import Part

_LIBRARIES = (
    "tensorflow",
    "tf_keras",
    "tensorflow-model-optimization",
    "ai-edge-quantizer",
    "ai-edge-litert",
    "tflite-micro",
    "numpy",
)
_Value = TypeVar("_Value", bound=Part)


@dataclass(frozen=True)
class Memory:
    """A folder of results; without a folder every result is computed."""

    folder: Path | None
    code: tuple[str, ...] = ()
    """The packages and modules of this one, by their paths, whose code a result follows from."""

    def recall(self, question: dict[str, Any], kind: type[_Value], compute: Callable[[], _Value]) -> _Value:
        """The result of a question, from the folder where it is there, else computed and put there.

        Args:
            question: JSON value of all that the result follows from, but for the versions of the code.
            kind: what the result is.
            compute: makes it.

        Raises:
            OSError: the folder cannot be written to any more.
        """
        if self.folder is None:
            return compute()
        asked = {"question": question, "kind": kind.__name__, "made_by": made_by(self.code)}
        path = self.folder / f"{sha256_hex(canonical_json(asked))}.json"
        found = _read(path, asked, kind)
        if found is None:
            found = compute()
            _write(path, asked, found)
        return found


def open_memory(folder: Path | None, code: tuple[str, ...]) -> Memory:
    """Make sure that results can be kept, before hours of work go into them.

    Raises:
        InputError: `search.cache`: the folder cannot be made or written to.
    """
    if folder is not None:
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with tempfile.TemporaryDirectory(dir=folder, prefix=".claim-"):
                pass
        except OSError as error:
            raise InputError(
                "search.cache",
                f"the cache cannot be written to: {error.strerror}",
                where=str(folder),
                hint="give another folder with --cache, or --no-cache",
            ) from error
    return Memory(folder, code)


@cache
def made_by(code: tuple[str, ...]) -> dict[str, str]:
    """Versions of what a result is made with; of this package, the digest of the code that has a part in it."""
    root = Path(audit_pipeline.__file__).parent
    digests = {path.relative_to(root).as_posix(): sha256_file(path) for path in code_behind(root, code)}
    return {name: version(name) for name in _LIBRARIES} | {"audit-pipeline": sha256_hex(canonical_json(digests))}


def code_behind(root: Path, code: tuple[str, ...]) -> list[Path]:
    """The modules of a package's root, of these packages in it, and these modules."""
    within = (
        path for part in code for path in ([root / part] if part.endswith(".py") else (root / part).rglob("*.py"))
    )
    return [*root.glob("*.py"), *within]


def _read(path: Path, asked: dict[str, Any], kind: type[_Value]) -> _Value | None:
    try:
        entry = json.loads(path.read_bytes())
        value = entry["value"]
        if entry["asked"] != asked or entry["sha256"] != sha256_hex(canonical_json(value)):
            return None
        return kind.model_validate_json(canonical_json(value))
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return None


def _write(path: Path, asked: dict[str, Any], value: Part) -> None:
    """Write beside the place and move in, so that no reader ever meets half an entry."""
    dumped = value.model_dump(mode="json", by_alias=True)
    entry = canonical_json({"asked": asked, "sha256": sha256_hex(canonical_json(dumped)), "value": dumped})
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".entry-")
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(entry)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
