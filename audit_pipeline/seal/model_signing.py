"""The OpenSSF Model Signing signature beside a .tflite, for registries and loaders that look for one.

The format is that of the library `model_signing` 1.1 for one file and one P-256 key: a Sigstore bundle v0.3 around a
DSSE envelope around an in-toto statement, whose predicate lists the digest of every file of the model. It is written
here because the library brings Sigstore with it; the tests have the library verify what this writes. Nothing here
relies on it when an image is judged: that it belongs to a release is for the release attestation to say.
"""

from __future__ import annotations

import hashlib
import json

from cryptography.hazmat.primitives import serialization

from audit_pipeline.canonical import canonical_json, sha256_hex
from audit_pipeline.errors import InputError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.forms import kind_of
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import Subject, make_statement

MEDIA_TYPE = "application/vnd.dev.sigstore.bundle.v0.3+json"
PREDICATE_TYPE = "https://model_signing/signature/v1.0"

_WHOLE_MODEL = "."
"""The name of a model's only file, where the model is that file (its path relative to the model's)."""


def sign_model(model: bytes, name: str, signer: Signer) -> bytes:
    """The signature, to be written to a file beside the model: `model_signing verify key` accepts it.

    Args:
        model: the model's file.
        name: the file's name; informative, another name does not break the signature.
        signer: of a P-256 key. The library knows no Ed25519.

    Raises:
        InputError: `keys.wrong-kind`.
        ToolError: the signer failed (see `Signer.sign`).
    """
    if kind_of(signer.public) != "p256":
        raise InputError(
            "keys.wrong-kind",
            "a model is signed with a P-256 key, and this is an Ed25519 key",
            hint="make one with `audit keys new NAME --kind p256`",
        )
    envelope = json.loads(dsse.sign(_statement(model, name), [signer]))
    for signature in envelope["signatures"]:
        signature["keyid"] = ""
    return canonical_json(
        {
            "mediaType": MEDIA_TYPE,
            "verificationMaterial": {"publicKey": {"hint": _hint(signer)}, "tlogEntries": []},
            "dsseEnvelope": envelope,
        }
    )


def _statement(model: bytes, name: str) -> bytes:
    """The statement about one file. Its subject is the digest over all files' digests, here of one."""
    digest = hashlib.sha256(model).digest()
    predicate = {
        "serialization": {"method": "files", "hash_type": "sha256", "allow_symlinks": False, "ignore_paths": []},
        "resources": [{"name": _WHOLE_MODEL, "algorithm": "sha256", "digest": digest.hex()}],
    }
    return make_statement([Subject(name, sha256_hex(digest))], PREDICATE_TYPE, predicate)


def _hint(signer: Signer) -> str:
    """By what the library finds the key: SHA-256 over its PEM text, unlike a fingerprint, which is over the DER."""
    pem = signer.public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return sha256_hex(pem)
