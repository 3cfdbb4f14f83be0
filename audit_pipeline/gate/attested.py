"""What the gate asks of signatures: that the attestations hold, and say of the image what the evidence says."""

from __future__ import annotations

from dataclasses import dataclass

from audit_pipeline import rollback, run_folder
from audit_pipeline.attestations import release_payload, summary_payload, verdict_agrees
from audit_pipeline.canonical import sha256_hex
from audit_pipeline.errors import InputError, RejectedError
from audit_pipeline.gate.files import RunFiles
from audit_pipeline.seal import dsse
from audit_pipeline.seal.profile import SealedImage
from audit_pipeline.seal.settings import class_uuid, vendor_uuid
from audit_pipeline.seal.statement import VERDICT_TYPE, Statement, read_statement
from audit_pipeline.seal.verify import Companions, Trust, verify
from audit_pipeline.seal_part import DependencyPart, DevicePart, SealPart


@dataclass(frozen=True)
class Attested:
    """A verdict that is signed, and says what the evidence says."""

    statement: Statement
    sha256: str
    """of its payload: what approvals are over"""


def check_verdict(run: RunFiles, trust: Trust) -> Attested:
    """The verdict attestation is signed, and what it says is what the evidence says.

    Raises:
        RejectedError: `gate.attestation`, or those of `dsse.verify` and `read_statement`.
    """
    payload = dsse.verify(run.files[run_folder.VERDICT], trust.verdict, where=run_folder.VERDICT)
    statement = read_statement(payload, VERDICT_TYPE, where=run_folder.VERDICT)
    if not verdict_agrees(statement, run.document):
        raise RejectedError("gate.attestation", "it says something else than the evidence", where=run_folder.VERDICT)
    return Attested(statement, sha256_hex(payload))


def check_image(run: RunFiles, trust: Trust) -> None:
    """The image holds with everything that belongs to it; nothing where the run sealed none.

    Raises:
        RejectedError: `gate.image`, `gate.attestation`, or those of `verify`.
    """
    seal, files = run.evidence.seal, run.files
    if seal is None:
        return
    companions = Companions(
        release=files[run_folder.RELEASE],
        verdict=files[run_folder.VERDICT],
        policy=files[run_folder.POLICY],
        model=files[run_folder.MODEL],
    )
    _check_values(seal, verify(files[run_folder.IMAGE], trust=trust, companions=companions).sealed)
    others = {name: content for name, content in files.items() if name != run_folder.RELEASE}
    expected = {
        run_folder.RELEASE: release_payload(run.document, others),
        run_folder.SUMMARY: summary_payload(run.document),
    }
    for name, payload in expected.items():
        if dsse.verify(files[name], trust.release, where=name) != payload:
            raise RejectedError("gate.attestation", "it says something else than evidence and files", where=name)


def _check_values(seal: SealPart, image: SealedImage) -> None:
    """The evidence says of the image what the image says of itself, the class among it by which counters rise."""
    said = {
        "version": (seal.version, str(image.version)),
        "security counter": (seal.security_counter, image.security_counter),
        "signing key": (seal.signer, image.key_hash),
        "signature": (seal.signature, image.signature_kind),
        "encryption": ((seal.encryption, seal.aes_bits), (image.recipient_kind, image.aes_bits)),
        "ephemeral key": (seal.ephemeral, image.wrapped.ephemeral.hex()),
        "device": (_device(seal.device or DevicePart()), _device_in(image)),
        "device class": (seal.device_class, _class_of(seal)),
    }
    for what, (in_evidence, in_image) in said.items():
        if in_evidence != in_image:
            raise RejectedError("gate.image", f"its {what} differs from the evidence", where=run_folder.IMAGE)


def _class_of(seal: SealPart) -> str:
    device = seal.device or DevicePart()
    return rollback.device_class(device.vendor, device.class_, seal.recipient)


_Device = tuple[str | None, str | None, DependencyPart | None]


def _device(part: DevicePart) -> _Device:
    """What an image for this device has in it."""
    try:
        vendor = str(vendor_uuid(part.vendor)) if part.vendor else None
        class_ = str(class_uuid(part.vendor, part.class_)) if part.vendor and part.class_ else None
    except InputError as error:
        raise RejectedError("gate.image", str(error), where=run_folder.EVIDENCE) from None
    return vendor, class_, part.depends_on


def _device_in(image: SealedImage) -> _Device:
    needed = image.dependency
    return (
        str(image.vendor_id) if image.vendor_id else None,
        str(image.class_id) if image.class_id else None,
        DependencyPart(image=needed.image, version=str(needed.version)) if needed else None,
    )
