"""Sign with a key that another machine keeps: a signing service, and the few lines that make a `Signer` of it.

The service stands for AWS KMS, Google Cloud KMS, Azure Key Vault or a company's own: it is a process of its own, holds
the key, and signs SHA-256 digests for whoever shows a token. Nothing here is known to it but 32 bytes. In one terminal,
beside a P-256 key that `audit keys new release --kind p256` made:

    export SERVICE_TOKEN=… AUDIT_PASSPHRASE=…
    python cloud_signer.py serve release.key.pem                      # prints where it listens

and in another, where there is the public key only:

    export SERVICE_TOKEN=…
    python cloud_signer.py seal http://127.0.0.1:… release.pub.pem device.pub.pem model.tflite policy.yaml OUT

With AWS the whole callback is

    how = {"KeyId": …, "MessageType": "DIGEST", "SigningAlgorithm": "ECDSA_SHA_256"}
    lambda digest: kms.sign(Message=digest, **how)["Signature"]
"""

from __future__ import annotations

import argparse
import base64
import hmac
import json
import os
import sys
import urllib.request
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import AuditError, ToolError
from audit_pipeline.seal import dsse
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import SignerPublic
from audit_pipeline.seal.keys.load import load_recipient_public, load_signer, load_signer_public
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.settings import Binding, SealSettings
from audit_pipeline.seal.statement import VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.version import ImageVersion

DIGEST_BYTES = 32
LARGEST_ANSWER = 4096
PATIENCE_SECONDS = 10
NO_LOG = "0" * 64
"""Root of a log that there is none of; `seal_by_hand.py` keeps one."""


def serve(signer: Signer, token: str) -> None:
    """Answer `POST /sign` with a signature over the digest in it, until the process is ended."""

    class Service(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            shown = self.headers.get("Authorization", "")
            if not hmac.compare_digest(shown.encode(), f"Bearer {token}".encode()):
                self.answer(401, {})
                return
            try:
                asked = json.loads(self.rfile.read(min(int(self.headers["Content-Length"]), 1024)))
                digest = base64.b64decode(asked["digest"], validate=True)
            except (KeyError, TypeError, ValueError):
                digest = b""
            if len(digest) != DIGEST_BYTES:
                self.answer(400, {})
                return
            self.answer(200, {"signature": base64.b64encode(signer.sign_hash(digest)).decode()})

        def answer(self, code: int, content: dict[str, str]) -> None:
            body = json.dumps(content).encode()
            self.send_response(code)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep quiet: what is signed is the caller's to log."""

    with HTTPServer(("127.0.0.1", 0), Service) as service:
        print(f"http://127.0.0.1:{service.server_port}", flush=True)
        service.serve_forever()


def cloud_signer(service: str, token: str, public: SignerPublic) -> Signer:
    """A signer whose key is kept by a service.

    The public key comes from a file and not from the service: `Signer` checks each signature against it, so a service
    that was exchanged for another is noticed before anything is written.
    """

    def sign_digest(digest: bytes) -> bytes:
        body = json.dumps({"digest": base64.b64encode(digest).decode()}).encode()
        request = urllib.request.Request(f"{service}/sign", body, {"Authorization": f"Bearer {token}"})
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_SECONDS) as answer:
                return base64.b64decode(json.loads(answer.read(LARGEST_ANSWER))["signature"], validate=True)
        except (OSError, KeyError, TypeError, ValueError) as error:
            raise ToolError(
                "signer.service",
                f"the signing service gave no signature ({type(error).__name__})",
                where=service,
                hint="check that it runs and that SERVICE_TOKEN is its token",
            ) from None

    return Signer(public, sign_digest)


def seal(signer: Signer, device: Path, model: Path, policy: Path, out: Path) -> None:
    """Sign a verdict and seal a model under it; no finding is behind it, so this is no release."""
    tflite, policy_sha256 = model.read_bytes(), sha256_hex(policy.read_bytes())
    verdict = make_statement(
        [Subject(model.name, sha256_hex(tflite))],
        VERDICT_TYPE,
        {"policy": {"sha256": policy_sha256}, "verdict": {"outcome": "PASS"}, "trail": {"size": 1, "root": NO_LOG}},
    )
    image = build(
        tflite,
        signer=signer,
        recipient=load_recipient_public(device),
        settings=SealSettings(version=ImageVersion.parse("1.0.0"), security_counter=1),
        binding=Binding(sha256_hex(verdict), policy_sha256, 1, NO_LOG),
    )
    envelope = dsse.sign(verdict, [signer])
    out.mkdir()
    (out / "verdict.dsse.json").write_bytes(envelope)
    (out / "firmware.bin").write_bytes(image)
    print(f"sealed {len(tflite)} bytes of model in {len(image)} bytes of image: {out}/")


def main() -> None:
    """Read the arguments, serve or seal, and leave with the exit code of `audit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    serving = commands.add_parser("serve")
    serving.add_argument("key", type=Path)
    sealing = commands.add_parser("seal")
    sealing.add_argument("service")
    for name in ("signer", "device", "model", "policy", "out"):
        sealing.add_argument(name, type=Path)
    given = parser.parse_args()
    token = os.environ["SERVICE_TOKEN"]
    try:
        if given.command == "serve":
            serve(load_signer(given.key, os.environb[b"AUDIT_PASSPHRASE"]), token)
        else:
            signer = cloud_signer(given.service, token, load_signer_public(given.signer))
            seal(signer, given.device, given.model, given.policy, given.out)
    except AuditError as error:
        print(f"{error} [{error.code}]\n{error.hint or ''}", file=sys.stderr)
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
