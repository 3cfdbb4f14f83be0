"""Check a run's attestations with securesystemslib and in-toto-attestation, without a line of `audit`.

Run it as `python read_attestations.py RUN SIGNER.pub.pem`.
"""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf.json_format import Parse
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementPb
from securesystemslib.dsse import Envelope
from securesystemslib.signer import SSlibKey


def main(run: Path, signer: Path) -> None:
    """Verify each envelope, validate its statement, and hold its subjects against the files of the run."""
    public = load_pem_public_key(signer.read_bytes())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = SSlibKey.from_crypto(public, keyid=hashlib.sha256(der).hexdigest())
    for name in ("verdict.dsse.json", "svr.dsse.json", "release.dsse.json"):
        envelope = Envelope.from_dict(json.loads((run / name).read_text()))
        envelope.verify([key], 1)
        statement = Parse(envelope.payload, StatementPb())
        Statement.copy_from_pb(statement).validate()
        for subject in statement.subject:
            if hashlib.sha256((run / subject.name).read_bytes()).hexdigest() != subject.digest["sha256"]:
                sys.exit(f"{name} is about another {subject.name}")
        print(f"{name:<20} signed, {statement.predicate_type}, {len(statement.subject)} subjects as they lie here")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
