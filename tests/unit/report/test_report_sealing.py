from __future__ import annotations

import pytest
from report_sample import make_evidence

from audit_pipeline.evidence import Evidence
from audit_pipeline.measurement import Outcome
from audit_pipeline.report.html import render_html
from audit_pipeline.report.markdown import render_markdown
from audit_pipeline.report.sealing import algorithms, device
from audit_pipeline.seal_part import DependencyPart, DevicePart, SealPart


def seal(**changed: object) -> SealPart:
    made = make_evidence(Outcome.PASS).seal
    assert made is not None
    return made.model_copy(update=changed)


def test_the_algorithms_have_their_names() -> None:
    assert algorithms(seal()) == "signed with Ed25519, encrypted with ECIES-X25519 and AES-128-CTR"
    words = algorithms(seal(signature="p256", encryption="p256", aes_bits=256))
    assert words == "signed with ECDSA P-256, encrypted with ECIES-P256 and AES-256-CTR"


@pytest.mark.parametrize(
    ("part", "words"),
    [
        (None, "whichever holds the key below"),
        (DevicePart(vendor="example.com", class_="wrist"), "example.com, class wrist"),
        (DevicePart(vendor="example.com"), "any of example.com"),
        (
            DevicePart(depends_on=DependencyPart(image=1, version="2.0.0")),
            "whichever holds the key below; with image 1 of version 2.0.0 or later",
        ),
    ],
)
def test_the_device_is_told_as_far_as_it_is_named(part: DevicePart | None, words: str) -> None:
    assert device(seal(device=part)) == words


@pytest.fixture(scope="module")
def of_a_device() -> Evidence:
    part = seal(device=DevicePart(vendor="example.com", class_="wr|st <i>"), model_signer="9" * 64)
    return make_evidence(Outcome.PASS).model_copy(update={"seal": part})


def test_page_and_markdown_show_the_seal(of_a_device: Evidence) -> None:
    for text in (render_html(of_a_device), render_markdown(of_a_device)):
        assert "signed with Ed25519, encrypted with ECIES-X25519 and AES-128-CTR" in text
        assert "example.com, class wr" in text
        assert "<i>" not in text
        assert "Model signed by key" in text
        assert "model_signing verify key" in text


def test_a_model_without_a_signature_of_its_own_has_no_line_for_it() -> None:
    for text in (render_html(make_evidence(Outcome.PASS)), render_markdown(make_evidence(Outcome.PASS))):
        assert "signed with Ed25519" in text
        assert "Model signed by key" not in text
        assert "MODEL_SIGNER" not in text
