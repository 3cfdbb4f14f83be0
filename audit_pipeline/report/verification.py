"""How a reader checks a run without believing its report: the commands, each with what it does."""

from __future__ import annotations

from shlex import quote

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.evidence import Evidence
from audit_pipeline.report.wording import one_line

_COLUMN = 48


def verify_commands(evidence: Evidence) -> str:
    """A block for a shell, one command a line with its comment; the run's name is quoted."""
    expect = "expect {:.16}…".format
    commands = [
        (f"RUN=reports/{quote(one_line(evidence.run.id))}", "the folder of this report"),
        ('sha256sum "$RUN/evidence.json"', expect(sha256_hex(evidence.canonical()))),
        ('sha256sum "$RUN/model.tflite"', expect(evidence.candidate.sha256)),
        ('audit report "$RUN" --format html', "draws the report again, from the evidence alone"),
        ('audit gate "$RUN" --signer SIGNER', "decides again; exits as the verdict says"),
        ("audit log verify", "recomputes every entry of the trail"),
    ]
    if evidence.seal is not None:
        commands.append(('audit verify "$RUN/firmware.bin" --signer SIGNER', "the image, and what it was sealed under"))
        if evidence.seal.model_signer is not None:
            verified = (
                'model_signing verify key "$RUN/model.tflite" --signature "$RUN/model.sig" --public_key MODEL_SIGNER'
            )
            commands.append((verified, "the model, for others"))
    return "\n".join(f"{command:<{_COLUMN}}  # {comment}" for command, comment in commands)


def about_the_signer(evidence: Evidence) -> str:
    """Which key the commands mean, and what an image without a seal is."""
    trail = "audit gate and audit log read the trail, audit.db or the one named with --trail: ask the maker for it"
    if evidence.seal is not None:
        keys = "SIGNER is the public key whose SHA-256 stands under Provenance"
        if evidence.seal.model_signer is not None:
            keys += ", MODEL_SIGNER that of the model"
        return (
            f"{keys}. Get it from its owner, never from the folder of this report. {trail}; "
            "audit verify works without one."
        )
    return (
        "SIGNER is the maker's public key. There is no firmware.bin to verify: none was made. Should one turn up that "
        f"claims this run, it is not from here. {trail}."
    )
