"""Policy files: read, resolved to the board and the files they name, and held against a population."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

from pydantic import ValidationError

from audit_pipeline.data.population import Population
from audit_pipeline.policy.agreement import disagreements
from audit_pipeline.policy.boards import Board, find_board
from audit_pipeline.policy.schema import Policy, RecordedPolicy, Target
from audit_pipeline.strict_yaml import Loaded, Loc, Problem, load, refuse

KeyPlace: TypeAlias = Path | str
"""Where a private key is: a file, or a token by its `pkcs11:` URI."""

_STAGE = "policy"
_PKCS11 = "pkcs11:"


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy that is valid in itself, and what it refers to. Paths are as they follow from the policy's own."""

    file: Loaded[Policy]
    board: Board
    """The target: a known board with the policy's own limits, or a device known by its limits alone."""
    manifest: Path
    signer: KeyPlace | None
    """None where nothing is to be sealed."""
    model_signer: KeyPlace | None
    """None where the policy names none."""
    recipient: Path | None

    @property
    def path(self) -> Path:
        """The policy file."""
        return self.file.path

    @property
    def raw(self) -> bytes:
        """Its exact bytes."""
        return self.file.raw

    @property
    def sha256(self) -> str:
        """Digest of its exact bytes."""
        return self.file.sha256

    @property
    def value(self) -> Policy:
        """What it says."""
        return self.file.value

    def where(self, loc: Loc) -> str:
        """The place of a value as an error shows it: `fair.yaml:14`."""
        return self.file.where(loc)


def load_policy(path: Path) -> LoadedPolicy:
    """Read a policy file. The files it names are not opened.

    Raises:
        InputError: it cannot be read, is not a valid policy, or names an unknown board.
    """
    return _resolved(load(path, Policy, _STAGE))


def load_recorded_policy(path: Path) -> LoadedPolicy:
    """Read the policy in a run's folder, which may be of a version that asked fewer questions.

    Raises:
        InputError: as `load_policy`.
    """
    return _resolved(load(path, RecordedPolicy, _STAGE))


def says_the_same(policy: LoadedPolicy, document: Mapping[str, Any]) -> bool:
    """Whether a policy that was read for the record is the one that evidence shows as JSON values.

    Values are compared, not texts: what has a default now may not be written out where an older version wrote it.
    """
    try:
        return RecordedPolicy.model_validate_json(json.dumps(document)) == policy.value
    except ValidationError:
        return False


def _resolved(file: Loaded[Any]) -> LoadedPolicy:
    policy, folder = file.value, file.path.parent
    return LoadedPolicy(
        file=file,
        board=_board(policy.target, file.where(("target", "board"))),
        manifest=folder / policy.data.manifest,
        signer=_key_place(policy.seal.signer, folder) if policy.seal else None,
        model_signer=_key_place(policy.seal.model_signer, folder) if policy.seal else None,
        recipient=folder / policy.seal.recipient if policy.seal else None,
    )


def _key_place(named: str | None, folder: Path) -> KeyPlace | None:
    if named is None or named.startswith(_PKCS11):
        return named
    return folder / named


def _board(target: Target, where: str) -> Board:
    own = {key: limit for key in ("flash_kib", "ram_kib") if (limit := getattr(target, key)) is not None}
    if target.board is None:
        return Board(id="custom", name="custom device", mcu="not named", source="the policy's own limits", **own)
    known = find_board(target.board, where)
    if not own:
        return known
    kept = f"{', '.join(own)} from the policy; else {known.source}" if len(own) == 1 else "the policy's own limits"
    return replace(known, **own, source=kept)


def check_against(loaded: LoadedPolicy, population: Population) -> None:
    """Check that every class and group of the rules exists, and that no rule is given twice.

    Raises:
        InputError: one does not; every problem is told with its line.
    """
    found = disagreements(loaded.value, population)
    if found:
        problems = [Problem(loaded.file.line(loc), loc, kind, text) for loc, kind, text in found]
        refuse(str(loaded.path), _STAGE, problems, hint=f"compare the policy with {loaded.manifest}")


def policy_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of a policy file, as `policies/policy.schema.json` holds it."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:audit-pipeline:policy:1",
        **Policy.model_json_schema(by_alias=True),
    }
