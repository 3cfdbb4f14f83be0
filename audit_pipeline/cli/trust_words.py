"""The words of `audit keys trust init`: ROLE=N, ROLE=KEY.pub.pem, public keys by their files, and verifier keys."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from audit_pipeline.errors import InputError

if TYPE_CHECKING:
    from audit_pipeline.seal.keys.forms import SignerPublic
    from audit_pipeline.seal.trust.schema import Log, RoleName


def public_keys(paths: Iterable[Path]) -> dict[str, SignerPublic]:
    """Public keys, each under the name of its file.

    Raises:
        InputError: `trust.name-taken`, or a key cannot be read.
    """
    from audit_pipeline.seal.keys.load import load_signer_public

    found: dict[str, SignerPublic] = {}
    for path in paths:
        name = name_of(path)
        if name in found:
            raise InputError("trust.name-taken", f"two keys of one role are called {name!r}", where=str(path))
        found[name] = load_signer_public(path)
    return found


def name_of(path: Path) -> str:
    """What a key is called by its file: `doctor` for `keys/doctor.pub.pem`."""
    return path.name.removesuffix(".pem").removesuffix(".pub")


def thresholds(given: Iterable[str]) -> dict[RoleName, int]:
    """How many must sign, by role.

    Raises:
        InputError: `trust.threshold`.
    """
    from audit_pipeline.seal.trust.schema import ROLES

    found: dict[RoleName, int] = {}
    for text in given:
        word, _, number = text.partition("=")
        role = next((role for role in ROLES if role == word), None)
        if role is None or not number.isdecimal() or len(number) > 3:
            raise InputError(
                "trust.threshold", f"{text[:64]!r} is not ROLE=N", where="--threshold", hint="such as waiver=2"
            )
        found[role] = int(number)
    return found


def approvers(given: Iterable[str]) -> dict[str, dict[str, SignerPublic]]:
    """Public keys by the role that they approve in.

    Raises:
        InputError: `trust.approver`, or as `public_keys`.
    """
    found: dict[str, list[Path]] = {}
    for text in given:
        role, equals, path = text.partition("=")
        if not (role and equals and path):
            raise InputError(
                "trust.approver",
                f"{text[:64]!r} is not ROLE=KEY",
                where="--approver",
                hint="such as clinical-safety=doctor.pub.pem",
            )
        found.setdefault(role, []).append(Path(path))
    return {role: public_keys(paths) for role, paths in found.items()}


def log(key: str | None, witnesses: list[str], threshold: int | None) -> Log | None:
    """The log whose checkpoints are believed, with its witnesses; None where none is given.

    Args:
        key: the log's verifier key, or a file that holds it.
        witnesses: theirs.
        threshold: how many of them must cosign; None for more than half.

    Raises:
        InputError: `trust.log`, witnesses of no log, or a number of no witnesses, or names or numbers
            that no trust file holds; or as `read_vkey`.
    """
    from pydantic import ValidationError

    from audit_pipeline.cli.log_trust_option import read_vkey
    from audit_pipeline.seal.trust.schema import Log, Witnesses

    if key is None:
        if witnesses or threshold is not None:
            raise InputError("trust.log", "there are witnesses of no log", hint="give the log's key with --log-key")
        return None
    if threshold is not None and not witnesses:
        raise InputError(
            "trust.log", "there are no witnesses to be counted", where="--witnesses", hint="give --witness"
        )
    keys = tuple(read_vkey(each, "--witness").to_vkey() for each in witnesses)
    own = read_vkey(key, "--log-key").to_vkey()
    try:
        seen = Witnesses(keys=keys, threshold=threshold or len(keys) // 2 + 1) if keys else None
        return Log(key=own, witnesses=seen)
    except ValidationError:
        raise InputError(
            "trust.log", "a trust file has keys with names of 255 printable ASCII characters at most, and 64 witnesses"
        ) from None
