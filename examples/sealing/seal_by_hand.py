"""What `audit ship` does after a PASS, step by step, for any file: verdict, image, summary, model signature, release.

Nothing is measured here. The verdict says PASS because this script writes so, which is why `audit gate` refuses what it
makes: there is no evidence behind it. It is meant to be read, beside `README.md`, and run in an empty folder that holds
`model.tflite`, `policy.yaml` and the keys `release`, `model` and `device`.
"""

from __future__ import annotations

import argparse
import os
import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import AuditError
from audit_pipeline.rollback import device_class, require_rise
from audit_pipeline.seal import dsse
from audit_pipeline.seal.image import build
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.seal.keys.load import load_recipient_public, load_signer
from audit_pipeline.seal.model_signing import sign_model
from audit_pipeline.seal.settings import Binding, SealSettings
from audit_pipeline.seal.statement import RELEASE_TYPE, VERDICT_TYPE, Subject, make_statement
from audit_pipeline.seal.svr import svr_payload
from audit_pipeline.seal.version import ImageVersion
from audit_pipeline.trail.log import Trail

VENDOR, CLASS = "wearables.example.com", "wrist-2"


def seal(settings: SealSettings, out: Path, run: str, passphrase: bytes) -> None:
    """Seal `model.tflite` into a new folder and enter it in `audit.db`."""
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    signer = load_signer(Path("release.key.pem"), passphrase)
    model_signer = load_signer(Path("model.key.pem"), passphrase)
    recipient = load_recipient_public(Path("device.pub.pem"))
    model, policy = Path("model.tflite").read_bytes(), Path("policy.yaml").read_bytes()
    line = device_class(settings.vendor, settings.device_class, fingerprint(recipient))
    newer = partial(require_rise, of_class=line, security_counter=settings.security_counter)
    subject = Subject("model.tflite", sha256_hex(model))

    with Trail.open("audit.db") as trail:
        newer(trail.entries(kind="seal"))
        # 1. The log knows the policy before it knows any finding.
        trail.append("policy", run=run, at=now, body={"sha256": sha256_hex(policy)})
        head = trail.append("findings", run=run, at=now, body={"findings": []}).head

        # 2. The verdict, signed before there is an image.
        verdict = make_statement(
            [subject],
            VERDICT_TYPE,
            {
                "run": run,
                "policy": {"name": "by-hand", "sha256": sha256_hex(policy)},
                "findings": [],
                "verdict": {"outcome": "PASS"},
                "waivers": [],
                "approvals": [],
                "trail": {"size": head.size, "root": head.root},
            },
        )

        # 3. The image carries the digests of verdict, model and policy, and the head of the log.
        binding = Binding(sha256_hex(verdict), sha256_hex(policy), head.size, head.root)
        image = build(model, signer=signer, recipient=recipient, settings=settings, binding=binding)

        # 4. For others: a summary for policy engines, and a signature beside the model.
        summary = svr_payload(
            [Subject("firmware.bin", sha256_hex(image)), subject],
            created=now,
            properties=["AUDIT_VERDICT_PASS"],
            policy="by-hand",
            policy_sha256=sha256_hex(policy),
        )
        files = {
            "model.tflite": model,
            "policy.yaml": policy,
            "verdict.dsse.json": dsse.sign(verdict, [signer]),
            "firmware.bin": image,
            "svr.dsse.json": dsse.sign(summary, [signer]),
            "model.sig": sign_model(model, "model.tflite", model_signer),
        }

        # 5. The release names every byte of every file.
        release = make_statement(
            [Subject(name, sha256_hex(content)) for name, content in sorted(files.items())],
            RELEASE_TYPE,
            {
                "run": run,
                "verdict": {"sha256": sha256_hex(verdict)},
                "image": {
                    "sha256": sha256_hex(image),
                    "version": str(settings.version),
                    "security_counter": settings.security_counter,
                    "device": {"vendor": settings.vendor, "class": settings.device_class, "depends_on": None},
                    "device_class": line,
                    "signer": fingerprint(signer.public),
                    "recipient": fingerprint(recipient),
                },
            },
        )
        files["release.dsse.json"] = dsse.sign(release, [signer])

        # 6. Entered last; the counter is asked again in the same transaction.
        body = {
            "image_sha256": sha256_hex(image),
            "security_counter": settings.security_counter,
            "device_class": line,
            "recipient": fingerprint(recipient),
            "release_sha256": sha256_hex(files["release.dsse.json"]),
        }
        trail.append("seal", run=run, at=now, body=body, after=newer)
    out.mkdir()
    for name, content in files.items():
        (out / name).write_bytes(content)
    print(f"sealed {len(model)} bytes of model in {len(image)} bytes of image: {out}/")


def main() -> None:
    """Read the arguments, seal, and leave with the exit code of `audit`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to make; its name is the run's")
    parser.add_argument("--version", default="1.4.0")
    parser.add_argument("--counter", type=int, required=True)
    given = parser.parse_args()
    settings = SealSettings(
        version=ImageVersion.parse(given.version),
        security_counter=given.counter,
        vendor=VENDOR,
        device_class=CLASS,
    )
    try:
        seal(settings, given.out, given.out.name, os.environb[b"AUDIT_PASSPHRASE"])
    except AuditError as error:
        print(f"{error}\n{error.hint or ''}\n[{error.code}]", file=sys.stderr)
        sys.exit(int(error.exit_code))


if __name__ == "__main__":
    main()
