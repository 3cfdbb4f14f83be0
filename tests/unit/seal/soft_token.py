"""A software token for tests: SoftHSM with keys of its own, in a folder of its own."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit_pipeline.seal.keys.pkcs11 import open_module

PIN = b"83920174"
_OFFICER_PIN = "50617283"
_MODULES = (
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
)
MODULE = next((path for path in _MODULES if Path(path).exists()), None)


def why_not() -> str | None:
    """Why there can be no token here; None where there can."""
    if MODULE is None or shutil.which("softhsm2-util") is None:
        return "needs SoftHSM: apt-get install softhsm2"
    try:
        import pkcs11  # noqa: F401
    except ImportError:
        return "needs python-pkcs11: pip install 'audit-pipeline[pkcs11]'"
    return None


needs_token = pytest.mark.skipif(why_not() is not None, reason=why_not() or "")


@dataclass(frozen=True)
class SoftToken:
    """A token that was just initialised; empty."""

    conf: Path
    label: str

    def uri(self, key: str = "object=release") -> str:
        return f"pkcs11:token={self.label};{key}?module-path={MODULE}"

    def session(self) -> Any:
        """A session that may write."""
        import pkcs11

        open_module(Path(str(MODULE)))
        return pkcs11.lib(str(MODULE)).get_token(token_label=self.label).open(rw=True, user_pin=PIN.decode())

    def make(self, curve: str, label: str, key_id: bytes) -> None:
        """Make a key pair in the token: `p256`, `p384`, or `ed25519`."""
        from pkcs11 import Attribute, KeyType, Mechanism
        from pkcs11.util.ec import encode_named_curve_parameters

        edwards = curve == "ed25519"
        names = {"p256": "secp256r1", "p384": "secp384r1", "ed25519": "1.3.101.112"}
        with self.session() as session:
            parameters = session.create_domain_parameters(
                KeyType.EC_EDWARDS if edwards else KeyType.EC,
                {Attribute.EC_PARAMS: encode_named_curve_parameters(names[curve])},
                local=True,
            )
            mechanism = Mechanism.EC_EDWARDS_KEY_PAIR_GEN if edwards else Mechanism.EC_KEY_PAIR_GEN
            parameters.generate_keypair(mechanism=mechanism, store=True, label=label, id=key_id)


def soft_token(folder: Path) -> Iterator[SoftToken]:
    """A token while a test runs; SoftHSM reads its configuration when the library is loaded."""
    import pkcs11

    tokens, conf = folder / "tokens", folder / "softhsm2.conf"
    tokens.mkdir()
    conf.write_text(f"directories.tokendir = {tokens}\nobjectstore.backend = file\nlog.level = ERROR\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SOFTHSM2_CONF", str(conf))
        command = ["softhsm2-util", "--init-token", "--free", "--label", "audit"]
        pins = ["--so-pin", _OFFICER_PIN, "--pin", PIN.decode()]
        subprocess.run([*command, *pins], check=True, capture_output=True)
        pkcs11.unload(str(MODULE))
        yield SoftToken(conf, "audit")
        pkcs11.unload(str(MODULE))
