"""Whose signatures count, and how many of them are needed; keys are counted by their bytes, never by names or ids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from audit_pipeline.errors import InputError
from audit_pipeline.seal.keys.forms import SIGNER_PUBLIC, SignerPublic, require_key, spki


@dataclass(frozen=True)
class Quorum:
    """Keys, of which `threshold` distinct ones must have signed.

    Raises:
        InputError: `attestation.threshold`, which these keys could never reach, or `keys.wrong-kind`.
    """

    keys: tuple[SignerPublic, ...]
    threshold: int = 1

    def __post_init__(self) -> None:
        distinct = len(self._distinct())
        if not 1 <= self.threshold <= distinct:
            raise InputError(
                "attestation.threshold", f"{self.threshold} signatures can never come from {distinct} distinct keys"
            )

    def signed_by(self, holds: Callable[[SignerPublic], bool]) -> int:
        """Of how many distinct keys a signature holds."""
        return sum(holds(key) for key in self._distinct().values())

    def _distinct(self) -> dict[bytes, SignerPublic]:
        """Keys by their bytes: one key that is listed twice, or in two encodings, is one key."""
        return {spki(require_key(key, SIGNER_PUBLIC)): key for key in self.keys}
