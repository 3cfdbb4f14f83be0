"""Revocations fail closed; incidents may come from people without a key, and say so."""

from __future__ import annotations

from typing import Any

import pytest
from people_samples import MODEL, NOW, OTHER_RUN, RUN, VERDICT, entries_of, signer

from audit_pipeline.errors import RejectedError
from audit_pipeline.people.incident import INCIDENT_TYPE, Incident, incidents_of, unsigned_entry
from audit_pipeline.people.revocation import (
    REVOCATION_TYPE,
    Revocation,
    Revoked,
    revocation_of,
)
from audit_pipeline.people.run_subjects import run_payload
from audit_pipeline.seal.keys.forms import fingerprint
from audit_pipeline.trail.signed_entry import sign_entry


def revocation(**changed: Any) -> dict[str, Any]:
    said = Revocation(**{"run": RUN, "reason": "burns a wrist", "at": NOW} | changed)
    payload = run_payload(REVOCATION_TYPE, said, verdict_sha256=VERDICT, model_sha256=MODEL)
    return sign_entry(payload, signer("doctor"), REVOCATION_TYPE)


def test_a_run_that_nobody_withdrew_is_not_withdrawn() -> None:
    assert revocation_of(entries_of(("verdict", {})), RUN) is None
    assert revocation_of(entries_of(("revocation", revocation()), run=OTHER_RUN), RUN) is None


def test_a_withdrawn_run_is_told_with_its_reason_and_key() -> None:
    found = revocation_of(entries_of(("verdict", {}), ("revocation", revocation())), RUN)
    assert found == Revoked(1, NOW, "burns a wrist", fingerprint(signer("doctor").public))


@pytest.mark.parametrize("body", [{}, {"reason": "harmless"}, {"envelope": "{}", "sha256": "", "signer": ""}])
def test_a_revocation_that_cannot_be_read_withdraws_all_the_same(body: dict[str, Any]) -> None:
    assert revocation_of(entries_of(("revocation", body)), RUN) == Revoked(0, NOW, None, None)


def test_a_reason_that_is_not_the_signed_one_is_not_repeated() -> None:
    altered = revocation() | {"reason": "a mistake, go on"}
    assert revocation_of(entries_of(("revocation", altered)), RUN) == Revoked(0, NOW, None, None)


INCIDENT = Incident(
    run=RUN, kind="missed-alarm", group="sex=female", reason="fell, no alarm", answers="the maker", at=NOW
)
PAYLOAD = run_payload(INCIDENT_TYPE, INCIDENT, verdict_sha256=VERDICT, model_sha256=MODEL)


def test_signed_and_unsigned_incidents_are_told_apart() -> None:
    signed = sign_entry(PAYLOAD, signer("nurse"), INCIDENT_TYPE)
    first, second = incidents_of(entries_of(("incident", signed), ("incident", unsigned_entry(PAYLOAD))), RUN)
    assert (first.incident, second.incident) == (INCIDENT, INCIDENT)
    assert (first.signer, second.signer) == (fingerprint(signer("nurse").public), None)


def test_incidents_of_other_runs_are_passed_over() -> None:
    assert incidents_of(entries_of(("incident", unsigned_entry(PAYLOAD)), run=OTHER_RUN), RUN) == ()


def test_an_unsigned_report_of_another_form_is_refused() -> None:
    body = unsigned_entry(PAYLOAD) | {"kind": "disaster"}
    with pytest.raises(RejectedError) as caught:
        incidents_of(entries_of(("incident", body)), RUN)
    assert caught.value.code == "incident.format"


def test_a_signed_report_whose_copy_differs_is_refused() -> None:
    body = sign_entry(PAYLOAD, signer("nurse"), INCIDENT_TYPE) | {"kind": "false-alarm"}
    with pytest.raises(RejectedError) as caught:
        incidents_of(entries_of(("incident", body)), RUN)
    assert caught.value.code == "incident.copy"


def test_a_revocation_whose_text_was_taken_out_withdraws_all_the_same() -> None:
    (entry,) = entries_of(("revocation", revocation()))
    assert revocation_of([entry.taken_out()], RUN) == Revoked(0, NOW, None, None)


def test_an_incident_whose_text_was_taken_out_is_passed_over() -> None:
    (entry,) = entries_of(("incident", unsigned_entry(PAYLOAD)))
    assert incidents_of([entry.taken_out()], RUN) == ()
