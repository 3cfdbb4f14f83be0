"""What the tests of keys share: a passphrase, a cheap guess, and the code that a call fails with."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.errors import AuditError
from audit_pipeline.seal.keys.pem import PemBlock, write_pem

PASSPHRASE = b"correct horse battery staple"
CHEAP = 14
"""log2 of scrypt's N; 16 MiB and a twentieth of a second."""


def code_of(call: Callable[..., Any], *args: Any, **named: Any) -> str:
    with pytest.raises(AuditError) as caught:
        call(*args, **named)
    return caught.value.code


def private_file(path: Path, label: str, content: bytes) -> Path:
    """A PEM file that only its owner may read."""
    path.touch(0o600)
    path.write_bytes(write_pem(PemBlock(label, content)))
    return path
