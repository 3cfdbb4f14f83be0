"""What `imgtool verify` says of a file."""

from __future__ import annotations

import contextlib
import io
import tempfile
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from audit_pipeline.seal.keys.forms import SignerPublic


def imgtool_answer(image: bytes, key: SignerPublic) -> str:
    """`OK`, its word for a refusal, or the exception it ends in."""
    from imgtool.image import Image

    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        Path(file.name).write_bytes(image)
        try:
            with contextlib.redirect_stdout(io.StringIO()):
                result = Image.verify(file.name, _key(key))[0]
        except Exception as error:
            return f"{type(error).__module__}.{type(error).__name__}".removeprefix("builtins.")
    return "OK" if result.name == "OK" else str(result.name).lower().replace("_", " ")


def _key(key: SignerPublic) -> Any:
    from imgtool.keys import ECDSA256P1Public, Ed25519Public

    return Ed25519Public(key) if isinstance(key, Ed25519PublicKey) else ECDSA256P1Public(key)
