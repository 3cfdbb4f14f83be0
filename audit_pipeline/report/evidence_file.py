"""`evidence.json` as others read it: its published JSON Schema, and the way back from a file to `Evidence`."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from pydantic import ValidationError

from audit_pipeline.errors import InputError
from audit_pipeline.evidence import Evidence

SCHEMA_VERSION = 1
_LARGEST = (1 << 63) - 1
_HINT = "give the evidence.json of a run folder as `audit ship` or `audit evaluate` wrote it"


def evidence_schema() -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) that every evidence.json written by this version satisfies."""
    schema = Evidence.model_json_schema(mode="serialization", by_alias=True)
    head = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:audit-pipeline:evidence:{SCHEMA_VERSION}",
    }
    return head | schema


@dataclass(frozen=True)
class EvidenceFile:
    """An evidence.json as it was read: its bytes, what they say, and that as a value."""

    raw: bytes
    document: dict[str, Any]
    """The file's own JSON values; a field that came later than the file is not in it."""
    value: Evidence


def load_evidence(path: Path) -> Evidence:
    """The value of an evidence.json. Raises as `read_evidence` does."""
    return read_evidence(path).value


def read_evidence(path: Path) -> EvidenceFile:
    """Read an evidence.json strictly: no unknown keys, no double keys, no NaN, nothing converted on the way.

    Raises:
        InputError: `evidence.missing`, `evidence.corrupt` (not JSON), `evidence.foreign` (some other JSON),
            `evidence.newer` (written by a later version) or `evidence.invalid` (with the key that is wrong).
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise InputError(
            "evidence.missing", f"cannot be read: {error.strerror or error}", where=str(path), hint=_HINT
        ) from error
    document = _parse(raw, path)
    _check_kind(document, path)
    try:
        return EvidenceFile(raw, document, Evidence.model_validate_json(raw, strict=True))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        key = ".".join(map(str, first["loc"])) or "document"
        raise InputError(
            "evidence.invalid",
            f"{key}: {first['msg']} ({error.error_count()} in all)",
            where=str(path),
            hint="the file was changed or damaged; take the run's folder from where it was archived",
        ) from error


def _parse(raw: bytes, path: Path) -> Any:
    try:
        return json.loads(
            raw.decode(),
            object_pairs_hook=_no_double_keys,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_bounded,
        )
    except (ValueError, RecursionError) as error:
        raise InputError("evidence.corrupt", f"not readable as JSON: {error}", where=str(path), hint=_HINT) from error


def _no_double_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        raise ValueError("a key stands twice in one object")
    return document


def _finite(digits: str) -> float:
    if not math.isfinite(number := float(digits)):
        raise ValueError(f"{digits} is beyond a double")
    return number


def _bounded(digits: str) -> int:
    if not -_LARGEST <= (number := int(digits)) <= _LARGEST:
        raise ValueError(f"an integer of {len(digits)} digits is beyond 64 bits")
    return number


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def _check_kind(document: Any, path: Path) -> None:
    version = document.get("schema_version") if isinstance(document, dict) else None
    if isinstance(version, bool) or not isinstance(version, int):
        raise InputError("evidence.foreign", "JSON, but not the evidence of a run", where=str(path), hint=_HINT)
    if version > SCHEMA_VERSION:
        raise InputError(
            "evidence.newer",
            f"written in evidence version {version}; this tool reads up to {SCHEMA_VERSION}",
            where=str(path),
            hint="read it with the version of audit-pipeline named in its run.tool",
        )
