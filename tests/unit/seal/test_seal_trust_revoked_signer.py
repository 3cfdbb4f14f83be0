"""An image of a revoked key is refused as that, and not as a stranger's."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from sealed_samples import Sealed
from trust_samples import EXPIRES, NOW, keys, put

from audit_pipeline.cli import image
from audit_pipeline.cli.main import main
from audit_pipeline.errors import RejectedError
from audit_pipeline.seal.trust.changes import Rotation, first_trust
from audit_pipeline.seal.trust.file import write_text
from audit_pipeline.seal.trust.revoked_signer import require_unrevoked_signer
from audit_pipeline.seal.trust.schema import TrustDocument, checked_document


@pytest.fixture
def trusted(small: Sealed) -> TrustDocument:
    """A trust file in which the image's signer releases."""
    release = {"release": small.signer.public}
    root = {"root": keys().roots[0].public}
    roles = {"root": root, "image": release, "verdict": release, "release": release, "waiver": {}}
    return first_trust("wearable", EXPIRES, roles, {})


@pytest.fixture
def rotated(trusted: TrustDocument) -> TrustDocument:
    return Rotation("release", "next", keys().new.public, "left on a train").made(trusted, NOW)


def test_name_day_and_reason_are_said(small: Sealed, rotated: TrustDocument) -> None:
    with pytest.raises(RejectedError) as refusal:
        require_unrevoked_signer(small.image, rotated)
    assert (refusal.value.code, refusal.value.hint) == (
        "image.wrong-signer",
        "have it released again with a key that counts",
    )
    assert "signing key release (" in refusal.value.what
    assert refusal.value.what.endswith("which was revoked on 2026-05-04: left on a train")


def test_a_key_that_the_file_has_no_name_for_is_named_by_its_digest(small: Sealed, rotated: TrustDocument) -> None:
    values = rotated.model_dump(mode="json", exclude_none=True)
    del values["keys"]["release"]
    with pytest.raises(RejectedError) as refusal:
        require_unrevoked_signer(small.image, checked_document(values))
    assert "signing key release" not in refusal.value.what
    assert "was revoked on 2026-05-04" in refusal.value.what


def test_a_key_that_counts_is_not_spoken_of(small: Sealed, trusted: TrustDocument) -> None:
    require_unrevoked_signer(small.image, trusted)


def test_the_command_says_it(
    small: Sealed,
    rotated: TrustDocument,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(image, "now", lambda: NOW)
    root = keys().roots[0]
    file = put(tmp_path, write_text(rotated).decode(), [root])
    (tmp_path / "root.pem").write_bytes(root.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    (tmp_path / "firmware.bin").write_bytes(small.image)
    with pytest.raises(SystemExit) as left:
        main(["verify", str(tmp_path / "firmware.bin"), "--trust", str(file), "--root", str(tmp_path / "root.pem")])
    error = " ".join(capsys.readouterr().err.split())
    assert left.value.code == 1
    assert "revoked on 2026-05-04: left on a train (image.wrong-signer)" in error
    assert "next: have it released again" in error
