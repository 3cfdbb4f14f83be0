from __future__ import annotations

import base64
import dataclasses
import json
from typing import Any

import pytest
from rejections import rejects
from sealed_samples import (
    POLICY,
    Sealed,
    new_signer,
    sample,
    seal_model,
    verdict_of,
)

from audit_pipeline.canonical import sha256_hex
from audit_pipeline.seal import dsse
from audit_pipeline.seal.keys.quorum import Quorum
from audit_pipeline.seal.keys.signer import Signer
from audit_pipeline.seal.statement import Subject
from audit_pipeline.seal.verify import verify
from audit_pipeline.seal.waiver import WaivedPolicy, Waiver, waiver_payload

NOW = "2026-06-01T12:00:00Z"


def waived(*, approvers: list[Signer], model: bytes | None = None, expires: str = "2026-07-01T00:00:00Z") -> bytes:
    waiver = Waiver(
        policy=WaivedPolicy(sha256=sha256_hex(POLICY)),
        rule="fairness[0]",
        group="overall",
        limit=0.2,
        reason="recall in the field",
        issued="2026-05-01T00:00:00Z",
        expires=expires,
    )
    subject = Subject("model.tflite", sha256_hex(sample().model if model is None else model))
    return dsse.sign(waiver_payload(waiver, subject), approvers)


def sealed_under(*waivers: bytes) -> Sealed:
    listed = [{"sha256": sha256_hex(base64.b64decode(json.loads(envelope)["payload"]))} for envelope in waivers]
    finding = {"rule": "fairness[0]", "group": {"by": [], "values": []}}
    return seal_model(64, verdict=lambda model: verdict_of(model, waivers=listed, findings=[finding]))


def test_an_image_under_a_waiver_holds_while_the_waiver_does() -> None:
    approvers = [new_signer(), new_signer("p256")]
    waiver = waived(approvers=approvers)
    sealed = sealed_under(waiver)
    trust = dataclasses.replace(sealed.trust, waiver=Quorum(tuple(one.public for one in approvers), 2))
    companions = dataclasses.replace(sealed.companions, waivers=(waiver,))
    report = verify(sealed.image, trust=trust, companions=companions, now=NOW)
    assert next(check for check in report.checks if check.name == "waivers").state == "passed"
    given = {"trust": trust, "companions": companions}
    assert rejects(sealed.image, **given, now="2026-07-01T00:00:00Z") == "waiver.expired"
    assert rejects(sealed.image, **(given | {"trust": sealed.trust}), now=NOW) == "waiver.untrusted"
    assert rejects(sealed.image, **(given | {"companions": sealed.companions}), now=NOW) == "waiver.missing"
    unchecked = verify(sealed.image, **given)
    assert next(check for check in unchecked.checks if check.name == "waivers").state == "not-checked"


def test_a_waiver_for_another_model_or_under_no_verdict_is_rejected(small: Sealed) -> None:
    approvers = [new_signer(), new_signer()]
    quorum = Quorum(tuple(one.public for one in approvers), 2)
    other = waived(approvers=approvers, model=b"another model")
    sealed = sealed_under(other)
    for one, waiver, code in ((sealed, other, "waiver.model"), (small, waived(approvers=approvers), "waiver.unlisted")):
        trust = dataclasses.replace(one.trust, waiver=quorum)
        companions = dataclasses.replace(one.companions, waivers=(waiver,))
        assert rejects(one.image, trust=trust, companions=companions, now=NOW) == code


@pytest.mark.parametrize("listed", [None, {}, "none", [1], [{"sha256": "00"}], 0, False])
def test_a_list_of_waivers_that_is_none_is_rejected(listed: Any) -> None:
    sealed = seal_model(64, verdict=lambda model: verdict_of(model, waivers=listed))
    assert rejects(sealed.image, trust=sealed.trust, companions=sealed.companions, now=NOW) == "waiver.listing"
