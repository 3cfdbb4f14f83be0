"""Other people's libraries read what is written here: securesystemslib, in-toto-attestation and model_signing.

Each is also shown the same with something altered, and must refuse that: who accepts everything proves nothing.
"""

from __future__ import annotations

import base64
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from audit_pipeline.seal.keys.forms import SignerPublic, fingerprint
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.model_signing import sign_model
from benchmarks.seal_material import SUITES, Run, ship
from benchmarks.table import Row


def rows() -> list[Row]:
    """Which share of genuine material each accepts, and of altered material refuses."""
    runs = [ship(suite, Signer.of(suite.signing_key()), suite.device_key()) for suite in SUITES]
    return [
        _row("securesystemslib: signatures of verdict and release", [_envelopes(run) for run in runs]),
        _row("in-toto-attestation: statements of verdict and release", [_statements(run) for run in runs]),
        _row("model_signing: signature of the model", [_model(run) for run in runs]),
    ]


def _row(what: str, held: list[bool]) -> Row:
    return Row(f"{what}, accepted, altered ones refused", sum(held) / len(held), "", at_least=1)


def _envelopes(run: Run) -> bool:
    return all(
        _signed(envelope, run.signer.public) and not _signed(_altered(envelope), run.signer.public)
        for envelope in (run.verdict, run.release)
    )


def _signed(envelope: bytes, key: SignerPublic) -> bool:
    from securesystemslib.dsse import Envelope
    from securesystemslib.exceptions import VerificationError
    from securesystemslib.signer import SSlibKey

    try:
        found = Envelope.from_dict(json.loads(envelope)).verify([SSlibKey.from_crypto(key, keyid=fingerprint(key))], 1)
    except VerificationError:
        return False
    return set(found) == {fingerprint(key)}


def _altered(envelope: bytes) -> bytes:
    """An envelope whose payload lacks its last byte."""
    document = json.loads(envelope)
    document["payload"] = base64.b64encode(base64.b64decode(document["payload"])[:-1]).decode()
    return json.dumps(document).encode()


def _statements(run: Run) -> bool:
    payloads = [base64.b64decode(json.loads(envelope)["payload"]) for envelope in (run.verdict, run.release)]
    return all(
        _is_statement(payload) and not _is_statement(payload.replace(b"in-toto.io/Statement/v1", b"in-toto.io/v0"))
        for payload in payloads
    )


def _is_statement(payload: bytes) -> bool:
    from google.protobuf import json_format
    from in_toto_attestation.v1 import statement, statement_pb2

    try:
        statement.Statement.copy_from_pb(json_format.Parse(payload, statement_pb2.Statement())).validate()
    except ValueError:
        return False
    return True


def _model(run: Run) -> bool:
    signer = Signer.of(generate_private_key(SECP256R1()))
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        model, signature, key = (folder / part for part in ("model.tflite", "model.sig", "key.pub.pem"))
        key.write_bytes(signer.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
        signature.write_bytes(sign_model(run.model, model.name, signer))

        def accepted(content: bytes) -> bool:
            model.write_bytes(content)
            return _holds(lambda: _verify(model, signature, key))

        return accepted(run.model) and not accepted(run.model[:-1])


def _verify(model: Path, signature: Path, key: Path) -> None:
    from model_signing.verifying import Config

    Config().use_elliptic_key_verifier(public_key=key).verify(model, signature)


def _holds(check: Callable[[], None]) -> bool:
    try:
        check()
    except ValueError:
        return False
    return True
